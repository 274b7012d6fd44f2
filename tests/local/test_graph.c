/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs of traces made by hand. */
#include "local/graph/graph.h"

#include "graph_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EC2   "AWS::EC2::Instance"
#define TABLE "AWS::DynamoDB::Table"

static cJSON *services_of_one(struct hand *hand)
{
    return services_of((struct hand *const[]){ hand, NULL });
}

/* A shop that calls a table, which answers from 1 s to 1.5 s after its start. */
static struct hand *shop(unsigned number, uint32_t marks)
{
    struct hand *hand = hand_new(number);
    uint32_t root = hand_segment(hand, "shop", EC2, 100, 102, MARK_ROOT);
    uint32_t table = hand_segment(hand, "orders", TABLE, 101, 101.5, MARK_INFERRED | marks);
    hand_call(hand, root, table, 101, 101.5, marks);
    return hand;
}

static const char *text_of(const cJSON *service, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(service, name));
}

static void expect_histogram(const cJSON *object, const char *name, const char *wanted)
{
    char *text = histogram_text(object, name);
    cr_expect_str_eq(text, wanted);
    free(text);
}

Test(graph, is_an_empty_list_without_traces)
{
    cJSON *services = services_of((struct hand *const[]){ NULL });
    cr_expect(cJSON_IsArray(services));
    cr_expect_eq(cJSON_GetArraySize(services), 0);
    cJSON_Delete(services);
}

Test(graph, has_a_client_in_front_of_a_root)
{
    cJSON *services = services_of_one(shop(1, 0));
    const cJSON *client = service_named(services, "shop", "client");
    const cJSON *root = service_named(services, "shop", EC2);
    cr_expect_str_eq(text_of(client, "State"), "unknown");
    cr_expect_null(cJSON_GetObjectItem(client, "SummaryStatistics"));
    const cJSON *edge = edge_between(client, root);
    cr_assert_not_null(edge);
    cr_expect_float_eq(number_at(edge, "SummaryStatistics.TotalCount"), 1, 0);
    expect_histogram(edge, "ResponseTimeHistogram", "2x1");
    cJSON_Delete(services);
}

Test(graph, has_one_client_for_each_name_of_a_root)
{
    struct hand *other = hand_new(3);
    hand_segment(other, "shop", "AWS::Lambda", 100, 101, MARK_ROOT);
    cJSON *services = services_of((struct hand *const[]){ shop(1, 0), shop(2, 0), other, NULL });
    const cJSON *client = service_named(services, "shop", "client");
    cr_expect_eq(cJSON_GetArraySize(services), 4);
    cr_expect_eq(cJSON_GetArraySize(cJSON_GetObjectItem(client, "Edges")), 2);
    cJSON_Delete(services);
}

Test(graph, tells_a_client_from_a_service_whose_origin_is_client)
{
    struct hand *hand = hand_new(1);
    hand_segment(hand, "shop", "client", 100, 101, MARK_ROOT);
    cJSON *services = services_of_one(hand);
    cr_expect_eq(cJSON_GetArraySize(services), 2);
    cJSON_Delete(services);
}

Test(graph, names_what_was_inferred_unknown_and_the_rest_active)
{
    cJSON *services = services_of_one(shop(1, 0));
    cr_expect_str_eq(text_of(service_named(services, "orders", TABLE), "State"), "unknown");
    cr_expect_str_eq(text_of(service_named(services, "shop", EC2), "State"), "active");
    cJSON_Delete(services);
}

Test(graph, says_which_services_are_roots)
{
    cJSON *services = services_of_one(shop(1, 0));
    cr_expect(cJSON_IsTrue(cJSON_GetObjectItem(service_named(services, "shop", EC2), "Root")));
    cr_expect(cJSON_IsFalse(cJSON_GetObjectItem(service_named(services, "orders", TABLE), "Root")));
    cJSON_Delete(services);
}

Test(graph, leaves_out_the_type_and_the_account_that_are_not_known)
{
    struct hand *hand = hand_new(1);
    hand_segment(hand, "plain", NULL, 1, 2, MARK_ROOT);
    cJSON *services = services_of_one(hand);
    const cJSON *service = service_named(services, "plain", NULL);
    cr_expect_null(cJSON_GetObjectItem(service, "Type"));
    cr_expect_null(cJSON_GetObjectItem(service, "AccountId"));
    cJSON_Delete(services);
}

Test(graph, keeps_the_same_name_of_two_accounts_apart)
{
    struct hand *hand = hand_new(1);
    hand->segments[hand_segment(hand, "a", EC2, 1, 2, 0)].item.account_id = "111111111111";
    hand->segments[hand_segment(hand, "a", EC2, 1, 2, 0)].item.account_id = "222222222222";
    cJSON *services = services_of_one(hand);
    cr_assert_eq(cJSON_GetArraySize(services), 2);
    cr_expect_str_eq(text_of(cJSON_GetArrayItem(services, 0), "AccountId"), "111111111111");
    cr_expect_str_eq(text_of(cJSON_GetArrayItem(services, 1), "AccountId"), "222222222222");
    cJSON_Delete(services);
}

Test(graph, counts_an_edge_from_the_callers_side)
{
    struct hand *hand = hand_new(1);
    uint32_t root = hand_segment(hand, "shop", EC2, 100, 105, MARK_ROOT);
    uint32_t callee = hand_segment(hand, "stock", EC2, 101, 102, 0);
    hand_call(hand, root, callee, 100.5, 103.5, MARK_FAULT);
    cJSON *services = services_of_one(hand);
    const cJSON *stock = service_named(services, "stock", EC2);
    const cJSON *edge = edge_between(service_named(services, "shop", EC2), stock);
    cr_expect_float_eq(number_at(edge, "SummaryStatistics.FaultStatistics.TotalCount"), 1, 0);
    expect_histogram(edge, "ResponseTimeHistogram", "3x1");
    cr_expect_float_eq(number_at(edge, "StartTime"), 100.5, 0);
    cr_expect_float_eq(number_at(edge, "EndTime"), 103.5, 0);
    cJSON_Delete(services);
}

Test(graph, counts_a_node_from_its_own_segment)
{
    struct hand *hand = hand_new(1);
    uint32_t root = hand_segment(hand, "shop", EC2, 100, 105, MARK_ROOT);
    uint32_t callee = hand_segment(hand, "stock", EC2, 101, 102, 0);
    hand_call(hand, root, callee, 100.5, 103.5, MARK_FAULT);
    cJSON *services = services_of_one(hand);
    const cJSON *stock = service_named(services, "stock", EC2);
    cr_expect_float_eq(number_at(stock, "SummaryStatistics.OkCount"), 1, 0);
    cr_expect_float_eq(number_at(stock, "SummaryStatistics.TotalCount"), 1, 0);
    expect_histogram(stock, "ResponseTimeHistogram", "1x1");
    cr_expect_float_eq(number_at(stock, "StartTime"), 101, 0);
    cr_expect_float_eq(number_at(stock, "EndTime"), 102, 0);
    cJSON_Delete(services);
}

Test(graph, adds_up_traces)
{
    cJSON *services = services_of(
        (struct hand *const[]){ shop(1, 0), shop(2, MARK_FAULT), shop(3, 0), NULL });
    const cJSON *table = service_named(services, "orders", TABLE);
    const cJSON *edge = edge_between(service_named(services, "shop", EC2), table);
    cr_expect_eq(cJSON_GetArraySize(services), 3);
    cr_expect_float_eq(number_at(table, "SummaryStatistics.TotalCount"), 3, 0);
    cr_expect_float_eq(number_at(edge, "SummaryStatistics.FaultStatistics.TotalCount"), 1, 0);
    cr_expect_float_eq(number_at(edge, "SummaryStatistics.TotalResponseTime"), 1.5, 0);
    cJSON_Delete(services);
}

Test(graph, adds_to_a_duration_what_goes_on_after_the_end)
{
    struct hand *hand = hand_new(1);
    hand->segments[hand_segment(hand, "shop", EC2, 100, 102, MARK_ROOT)].last_end = 109;
    cJSON *services = services_of_one(hand);
    const cJSON *service = service_named(services, "shop", EC2);
    expect_histogram(service, "DurationHistogram", "9x1");
    expect_histogram(service, "ResponseTimeHistogram", "2x1");
    cJSON_Delete(services);
}

Test(graph, shows_what_is_in_progress_but_does_not_count_it)
{
    struct hand *hand = hand_new(1);
    uint32_t root = hand_segment(hand, "shop", EC2, 100, 100, MARK_ROOT | MARK_IN_PROGRESS);
    uint32_t callee = hand_segment(hand, "stock", EC2, 101, 101, MARK_IN_PROGRESS);
    hand_call(hand, root, callee, 101, 101, MARK_IN_PROGRESS);
    cJSON *services = services_of_one(hand);
    const cJSON *stock = service_named(services, "stock", EC2);
    const cJSON *edge = edge_between(service_named(services, "shop", EC2), stock);
    cr_assert_not_null(edge);
    cr_expect_float_eq(number_at(edge, "SummaryStatistics.TotalCount"), 0, 0);
    cr_expect_float_eq(number_at(stock, "SummaryStatistics.TotalCount"), 0, 0);
    expect_histogram(edge, "ResponseTimeHistogram", "");
    expect_histogram(stock, "ResponseTimeHistogram", "");
    expect_histogram(stock, "DurationHistogram", "");
    cJSON_Delete(services);
}

Test(graph, has_no_client_of_a_segment_that_misses_its_parent)
{
    struct hand *hand = hand_new(1);
    hand_segment(hand, "stock", EC2, 100, 101, 0);
    cJSON *services = services_of_one(hand);
    cr_expect_eq(cJSON_GetArraySize(services), 1);
    cJSON_Delete(services);
}

Test(graph, has_an_edge_of_a_service_to_itself)
{
    struct hand *hand = hand_new(1);
    uint32_t root = hand_segment(hand, "shop", EC2, 100, 105, MARK_ROOT);
    hand_call(hand, root, hand_segment(hand, "shop", EC2, 101, 102, 0), 101, 102, 0);
    cJSON *services = services_of_one(hand);
    const cJSON *service = service_named(services, "shop", EC2);
    cr_expect_not_null(edge_between(service, service));
    cr_expect_float_eq(number_at(service, "SummaryStatistics.TotalCount"), 2, 0);
    cJSON_Delete(services);
}

/* Names and types in the order of the list, and their numbers. */
static void expect_order(const cJSON *services, const char *const (*wanted)[2])
{
    int number = 0;
    const cJSON *service;
    cJSON_ArrayForEach(service, services)
    {
        cr_expect_float_eq(number_at(service, "ReferenceId"), number, 0);
        cr_expect_str_eq(text_of(service, "Name"), wanted[number][0]);
        const char *type = text_of(service, "Type");
        cr_expect_str_eq(type ? type : "", wanted[number][1]);
        number++;
    }
    cr_expect_null(wanted[number][0]);
}

Test(graph, numbers_clients_then_roots_then_the_rest_by_name_and_type)
{
    struct hand *hand = hand_new(1);
    hand_segment(hand, "b", "t", 1, 2, 0);
    hand_segment(hand, "b", "s", 1, 2, 0);
    hand_segment(hand, "b", NULL, 1, 2, 0);
    hand_segment(hand, "a", "z", 1, 2, 0);
    hand_segment(hand, "y", EC2, 1, 2, MARK_ROOT);
    hand_segment(hand, "x", EC2, 1, 2, MARK_ROOT);
    cJSON *services = services_of_one(hand);
    static const char *const wanted[][2] = { { "x", "client" }, { "y", "client" }, { "x", EC2 },
                                             { "y", EC2 },      { "a", "z" },      { "b", "" },
                                             { "b", "s" },      { "b", "t" },      { 0 } };
    expect_order(services, wanted);
    cJSON_Delete(services);
}

Test(graph, is_the_same_in_whatever_order_traces_come)
{
    struct hand *(*const make)(unsigned, uint32_t) = shop;
    struct hand *other[2];
    for (int i = 0; i < 2; i++) {
        other[i] = hand_new(9);
        hand_segment(other[i], "a", EC2, 1, 2, MARK_ROOT);
        hand_link(other[i], 0, 1, 1);
    }
    cJSON *a = services_of(
        (struct hand *const[]){ make(1, 0), make(2, MARK_ERROR), other[0], NULL });
    cJSON *b = services_of(
        (struct hand *const[]){ other[1], make(2, MARK_ERROR), make(1, 0), NULL });
    char *text_a = cJSON_PrintUnformatted(a);
    char *text_b = cJSON_PrintUnformatted(b);
    cr_expect_str_eq(text_a, text_b);
    free(text_a);
    free(text_b);
    cJSON_Delete(a);
    cJSON_Delete(b);
}

/* The edges of a service that are links; only one is expected. */
static const cJSON *link_of(const cJSON *service)
{
    const cJSON *found = NULL;
    const cJSON *edge;
    cJSON_ArrayForEach(edge, cJSON_GetObjectItem(service, "Edges"))
    {
        if (!text_of(edge, "EdgeType"))
            continue;
        cr_expect_null(found, "there is a second link");
        found = edge;
    }
    return found;
}

static struct hand *consumer(unsigned linked, uint64_t id)
{
    struct hand *hand = hand_new(50);
    hand_link(hand, hand_segment(hand, "worker", EC2, 104, 106, MARK_ROOT), linked, id);
    return hand;
}

Test(graph, has_a_link_from_the_segment_of_another_trace)
{
    cJSON *services = services_of((struct hand *const[]){ shop(1, 0), consumer(1, 1), NULL });
    const cJSON *edge = link_of(service_named(services, "shop", EC2));
    cr_assert_not_null(edge);
    cr_expect_str_eq(text_of(edge, "EdgeType"), "link");
    cr_expect_float_eq(number_at(edge, "ReferenceId"),
                       number_at(service_named(services, "worker", EC2), "ReferenceId"), 0);
    expect_histogram(edge, "ReceivedEventAgeHistogram", "2x1");
    cr_expect_null(cJSON_GetObjectItem(edge, "ResponseTimeHistogram"));
    cr_expect_float_eq(number_at(edge, "SummaryStatistics.TotalCount"), 1, 0);
    cJSON_Delete(services);
}

Test(graph, finds_a_link_to_a_trace_that_comes_later)
{
    cJSON *services = services_of((struct hand *const[]){ consumer(1, 1), shop(1, 0), NULL });
    cr_expect_not_null(link_of(service_named(services, "shop", EC2)));
    cJSON_Delete(services);
}

Test(graph, begins_a_link_to_a_call_where_the_message_waited)
{
    cJSON *services = services_of((struct hand *const[]){ shop(1, 0), consumer(1, 1001), NULL });
    const cJSON *edge = link_of(service_named(services, "orders", TABLE));
    cr_assert_not_null(edge);
    expect_histogram(edge, "ReceivedEventAgeHistogram", "2.5x1");
    cJSON_Delete(services);
}

Test(graph, begins_a_link_to_a_call_of_a_traced_service_at_the_caller)
{
    struct hand *hand = hand_new(1);
    uint32_t root = hand_segment(hand, "shop", EC2, 100, 105, MARK_ROOT);
    hand_call(hand, root, hand_segment(hand, "stock", EC2, 101, 102, 0), 101, 103, 0);
    cJSON *services = services_of((struct hand *const[]){ hand, consumer(1, 1001), NULL });
    const cJSON *edge = link_of(service_named(services, "shop", EC2));
    cr_assert_not_null(edge);
    expect_histogram(edge, "ReceivedEventAgeHistogram", "1x1");
    cJSON_Delete(services);
}

Test(graph, begins_a_link_to_something_inside_a_trace_at_its_root)
{
    cJSON *services = services_of((struct hand *const[]){ shop(1, 0), consumer(1, 777), NULL });
    const cJSON *edge = link_of(service_named(services, "shop", EC2));
    cr_assert_not_null(edge);
    expect_histogram(edge, "ReceivedEventAgeHistogram", "");
    cJSON_Delete(services);
}

Test(graph, has_no_edge_for_a_link_to_a_trace_that_is_not_there)
{
    cJSON *services = services_of((struct hand *const[]){ shop(1, 0), consumer(2, 1), NULL });
    cr_expect_null(link_of(service_named(services, "shop", EC2)));
    cJSON_Delete(services);
}

Test(graph, resolves_a_link_once_however_often_it_is_asked)
{
    struct graph *graph;
    struct hand *hands[2] = { shop(1, 0), consumer(1, 1) };
    cr_assert_eq(graph_new(&graph), 0);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(graph_add(graph, &hands[i]->facts), 0);
        free(hands[i]);
    }
    cJSON *first = graph_services(graph);
    cJSON *second = graph_services(graph);
    cr_expect(cJSON_Compare(first, second, true));
    cJSON_Delete(first);
    cJSON_Delete(second);
    graph_free(graph);
}

Test(graph, has_an_edge_and_a_link_between_the_same_services)
{
    struct hand *hand = hand_new(1);
    uint32_t root = hand_segment(hand, "shop", EC2, 100, 102, MARK_ROOT);
    hand_call(hand, root, hand_segment(hand, "worker", EC2, 101, 102, 0), 101, 102, 0);
    cJSON *services = services_of((struct hand *const[]){ hand, consumer(1, 1), NULL });
    const cJSON *edges = cJSON_GetObjectItem(service_named(services, "shop", EC2), "Edges");
    cr_assert_eq(cJSON_GetArraySize(edges), 2);
    cr_expect_null(text_of(cJSON_GetArrayItem(edges, 0), "EdgeType"));
    cr_expect_str_eq(text_of(cJSON_GetArrayItem(edges, 1), "EdgeType"), "link");
    cJSON_Delete(services);
}

Test(graph, leaves_out_what_is_beyond_its_nodes)
{
    struct graph *graph;
    char name[32];
    cr_assert_eq(graph_new(&graph), 0);
    for (unsigned trace = 0; trace < GRAPH_NODES_MAX / 256 + 2; trace++) {
        struct hand *hand = hand_new(trace);
        uint32_t before = FACTS_NONE;
        char(*names)[32] = calloc(256, sizeof *names);
        for (unsigned i = 0; i < 256; i++) {
            snprintf(name, sizeof name, "%u", trace * 256 + i);
            memcpy(names[i], name, sizeof name);
            uint32_t segment = hand_segment(hand, names[i], EC2, 1, 2, 0);
            if (before != FACTS_NONE)
                hand_call(hand, before, segment, 1, 2, 0);
            before = segment;
        }
        cr_assert_eq(graph_add(graph, &hand->facts), 0);
        free(names);
        free(hand);
    }
    cJSON *services = graph_services(graph);
    cr_expect_eq(cJSON_GetArraySize(services), (int)GRAPH_NODES_MAX);
    cJSON_Delete(services);
    graph_free(graph);
}
