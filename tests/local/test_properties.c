/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of every trace, tried with random ones. */
#include "local/base/buffer.h"
#include "local/graph/graph.h"
#include "local/store/store.h"
#include "local/trace/summary.h"

#include "graph_support.h"
#include "random_traces.h"
#include "support.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TRACES 1000u
#define ORDERS 3u

static void put_text(struct buffer *out, const char *text)
{
    buffer_puts(out, text ? text : "(none)");
    buffer_puts(out, "|");
}

static void put_item(struct buffer *out, const struct facts_item *item)
{
    buffer_printf(out, "%016" PRIx64 "|%u|%u|%u|%.17g|%.17g|", item->id, item->marks,
                  item->first_exception, item->exceptions, item->start, item->end);
    put_text(out, item->name);
    put_text(out, item->type);
    put_text(out, item->account_id);
    put_text(out, item->user);
    put_text(out, item->operation);
    if (item->http) {
        buffer_printf(out, "%d|", item->http->status);
        put_text(out, item->http->url);
        put_text(out, item->http->method);
    }
}

static void put_segments_and_calls(struct buffer *out, const struct facts *facts)
{
    for (uint32_t i = 0; i < facts->segment_count; i++) {
        buffer_puts(out, "\nsegment ");
        put_item(out, &facts->segments[i].item);
        buffer_printf(out, "%.17g", facts->segments[i].last_end);
    }
    for (uint32_t i = 0; i < facts->call_count; i++) {
        buffer_printf(out, "\ncall %u %u ", facts->calls[i].from, facts->calls[i].to);
        put_item(out, &facts->calls[i].item);
    }
}

static void put_details(struct buffer *out, const struct facts *facts)
{
    for (uint32_t i = 0; i < facts->annotation_count; i++) {
        const struct facts_annotation *a = &facts->annotations[i];
        buffer_printf(out, "\nannotation %u %d %.17g %d ", a->segment, (int)a->value.type,
                      a->value.number, a->value.boolean);
        put_text(out, a->key);
        put_text(out, a->value.string);
    }
    for (uint32_t i = 0; i < facts->exception_count; i++) {
        buffer_printf(out, "\nexception %d ", facts->exceptions[i].remote);
        put_text(out, facts->exceptions[i].type);
        put_text(out, facts->exceptions[i].message);
    }
    for (uint32_t i = 0; i < facts->link_count; i++)
        buffer_printf(out, "\nlink %u %016" PRIx64, facts->links[i].segment, facts->links[i].id);
    for (uint32_t i = 0; i < facts->cause_count; i++) {
        const struct facts_cause *cause = &facts->causes[i];
        buffer_printf(out, "\ncause %d", (int)cause->kind);
        for (uint32_t s = 0; s < cause->services; s++) {
            const struct facts_cause_service *service =
                &facts->cause_services[cause->first_service + s];
            buffer_printf(out, " of %u:", service->segment);
            for (uint32_t e = 0; e < service->entities; e++) {
                const struct facts_cause_entity *entity =
                    &facts->cause_entities[service->first_entity + e];
                buffer_printf(out, " %s %g %u %u", entity->name, entity->coverage,
                              entity->first_exception, entity->exceptions);
            }
        }
    }
}

static void put_facts(struct buffer *out, const struct facts *facts)
{
    buffer_printf(out, "%.17g|%.17g|%.17g|%u|%u|%d|%d|%d|%u|%u|%" PRIu64, facts->start, facts->end,
                  facts->response_time, facts->marks, facts->root, facts->partial, facts->captured,
                  facts->truncated, facts->documents, facts->subsegments, facts->bytes);
    put_segments_and_calls(out, facts);
    put_details(out, facts);
}

static void put_json(struct buffer *out, cJSON *json)
{
    cr_assert_not_null(json);
    char *text = cJSON_PrintUnformatted(json);
    buffer_puts(out, "\n");
    buffer_puts(out, text);
    free(text);
    cJSON_Delete(json);
}

static void put_documents(struct buffer *out, struct store *store, const struct trace_id *id)
{
    struct stored_trace stored;
    struct trace trace;
    cr_assert_eq(store_read(store, id, &stored), 0);
    cr_assert_eq(trace_build(&trace, stored.documents, stored.count), 0);
    for (size_t i = trace.first_root; i != TRACE_NONE; i = trace_next(&trace, i)) {
        if (!trace_is_entry(&trace, i))
            continue;
        buffer_puts(out, "\n");
        trace_write_document(&trace, i, out);
    }
    trace_free(&trace);
    stored_trace_free(&stored);
}

static void put_all(struct store *store, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct document document;
        struct refusal refusal;
        cr_assert_eq(document_parse(texts[i], strlen(texts[i]), &document, &refusal), 0, "%s: %s",
                     texts[i], refusal.message);
        cr_assert_eq(store_put(store, &document), 0);
        /* What was worked out of half of them must not stay. */
        struct found_trace found;
        if (i == count / 2 && store_facts(store, &document.trace_id, &found) == 0)
            facts_unref(found.facts);
    }
}

/* All that is said of the trace whose documents come in this order. To be freed. */
static char *said_of(const struct trace_id *id, const char *const *texts, size_t count)
{
    struct buffer out = { 0 };
    struct store *store = new_store(NULL);
    struct found_trace found;
    struct graph *graph;
    put_all(store, texts, count);
    cr_assert_eq(store_facts(store, id, &found), 0);
    put_facts(&out, found.facts);
    put_json(&out, summary_new(found.facts, 1));
    cr_assert_eq(graph_new(&graph), 0);
    cr_assert_eq(graph_add(graph, found.facts), 0);
    put_json(&out, graph_services(graph));
    graph_free(graph);
    facts_unref(found.facts);
    put_documents(&out, store, id);
    store_free(store);
    return buffer_take(&out, NULL);
}

/* The documents in any order, some of them twice. Returns their number. */
static size_t shuffle(const struct random_trace *trace, struct random *random, const char **ret)
{
    size_t count = 0;
    for (size_t i = 0; i < trace->count; i++) {
        ret[count++] = trace->texts[i];
        if (random_once_in(random, 3))
            ret[count++] = trace->texts[i];
    }
    for (size_t i = count; i > 1; i--) {
        size_t k = random_below(random, (uint32_t)i);
        const char *text = ret[i - 1];
        ret[i - 1] = ret[k];
        ret[k] = text;
    }
    return count;
}

static void expect_same(const char *wanted, const char *got, unsigned seed)
{
    size_t at = 0;
    while (wanted[at] && wanted[at] == got[at])
        at++;
    size_t from = at < 60 ? 0 : at - 60;
    cr_assert_str_eq(got, wanted, "seed %u, byte %zu: %.200s\n  not: %.200s", seed, at, got + from,
                     wanted + from);
}

Test(properties, any_order_and_repetition_of_documents_says_the_same)
{
    for (unsigned seed = 0; seed < TRACES; seed++) {
        struct random random = { seed };
        struct random_trace trace;
        const char *texts[2 * RANDOM_DOCUMENTS_MAX];
        random_trace_make(&trace, RANDOM_ANY, &random);
        char *wanted = said_of(&trace.id, (const char *const *)trace.texts, trace.count);
        for (unsigned i = 0; i < ORDERS; i++) {
            char *got = said_of(&trace.id, texts, shuffle(&trace, &random, texts));
            expect_same(wanted, got, seed);
            free(got);
        }
        free(wanted);
        random_trace_free(&trace);
    }
}

/* A graph of many random traces, and what it must agree with. */
struct many {
    cJSON *services;
    size_t completed; /* segments */
};

static struct many graph_of_many(enum random_kind kind)
{
    struct many many = { 0 };
    struct store *store = new_store(NULL);
    struct found_traces found;
    struct graph *graph;
    for (unsigned seed = 0; seed < TRACES; seed++) {
        struct random random = { seed };
        struct random_trace trace;
        random_trace_make(&trace, kind, &random);
        put_all(store, (const char *const *)trace.texts, trace.count);
        random_trace_free(&trace);
    }
    cr_assert_eq(graph_new(&graph), 0);
    const struct store_query all = { STORE_RANGE_EVENT, 0, 4e9 };
    cr_assert_eq(store_find(store, &all, &found), 0);
    cr_assert_eq(found.count, TRACES);
    for (size_t i = 0; i < found.count; i++) {
        const struct facts *facts = found.traces[i].facts;
        cr_assert_eq(graph_add(graph, facts), 0);
        for (uint32_t k = 0; k < facts->segment_count; k++)
            many.completed += !(facts->segments[k].item.marks & MARK_IN_PROGRESS);
    }
    many.services = graph_services(graph);
    cr_assert_not_null(many.services);
    graph_free(graph);
    found_traces_free(&found);
    store_free(store);
    return many;
}

Test(properties, a_graph_counts_every_segment_that_is_complete_once)
{
    struct many many = graph_of_many(RANDOM_ANY);
    const cJSON *service;
    double total = 0;
    cJSON_ArrayForEach(service, many.services)
    {
        if (cJSON_GetObjectItem(service, "SummaryStatistics"))
            total += number_at(service, "SummaryStatistics.TotalCount");
    }
    cr_expect_gt(many.completed, TRACES);
    cr_expect_float_eq(total, (double)many.completed, 0);
    cJSON_Delete(many.services);
}

Test(properties, services_are_numbered_and_edges_lead_to_them)
{
    struct many many = graph_of_many(RANDOM_ANY);
    const cJSON *service;
    int number = 0;
    cJSON_ArrayForEach(service, many.services)
    {
        const cJSON *edge;
        cr_expect_float_eq(number_at(service, "ReferenceId"), number, 0);
        number++;
        cJSON_ArrayForEach(edge, cJSON_GetObjectItem(service, "Edges"))
        {
            double to = number_at(edge, "ReferenceId");
            cr_expect(to >= 0 && to < cJSON_GetArraySize(many.services));
        }
    }
    cr_expect_gt(number, 10);
    cJSON_Delete(many.services);
}

static void expect_parts(const cJSON *object, const char *histogram)
{
    const cJSON *statistics = cJSON_GetObjectItem(object, "SummaryStatistics");
    double total = number_at(statistics, "TotalCount");
    cr_expect_float_eq(histogram_sum(object, histogram), total, 0);
    cr_expect_leq(cJSON_GetArraySize(cJSON_GetObjectItem(object, histogram)), 200);
    cr_expect_float_eq(number_at(statistics, "OkCount") +
                           number_at(statistics, "ErrorStatistics.TotalCount") +
                           number_at(statistics, "FaultStatistics.TotalCount"),
                       total, 0);
    cr_expect_float_eq(number_at(statistics, "ErrorStatistics.ThrottleCount") +
                           number_at(statistics, "ErrorStatistics.OtherCount"),
                       number_at(statistics, "ErrorStatistics.TotalCount"), 0);
}

Test(properties, histograms_and_outcomes_add_up_to_the_totals)
{
    struct many many = graph_of_many(RANDOM_ANY);
    const cJSON *service;
    cJSON_ArrayForEach(service, many.services)
    {
        const cJSON *edge;
        if (cJSON_GetObjectItem(service, "SummaryStatistics")) {
            expect_parts(service, "ResponseTimeHistogram");
            expect_parts(service, "DurationHistogram");
        }
        cJSON_ArrayForEach(edge, cJSON_GetObjectItem(service, "Edges"))
        {
            if (!cJSON_GetObjectItem(edge, "EdgeType"))
                expect_parts(edge, "ResponseTimeHistogram");
        }
    }
    cJSON_Delete(many.services);
}

/* Adds what edges count to what they lead to: a client's apart from the services'. */
static void add_edges(const cJSON *services, double *ret_clients, double *ret_services)
{
    const cJSON *service;
    cJSON_ArrayForEach(service, services)
    {
        const char *type = cJSON_GetStringValue(cJSON_GetObjectItem(service, "Type"));
        const cJSON *edge;
        cJSON_ArrayForEach(edge, cJSON_GetObjectItem(service, "Edges"))
        {
            size_t to = (size_t)number_at(edge, "ReferenceId");
            double *sums = type && strcmp(type, "client") == 0 ? ret_clients : ret_services;
            if (!cJSON_GetObjectItem(edge, "EdgeType"))
                sums[to] += number_at(edge, "SummaryStatistics.TotalCount");
        }
    }
}

Test(properties, edges_into_a_service_count_as_many_calls_as_it_answered)
{
    struct many many = graph_of_many(RANDOM_WHOLE);
    size_t count = (size_t)cJSON_GetArraySize(many.services);
    double *clients = calloc(count, sizeof *clients);
    double *callers = calloc(count, sizeof *callers);
    const cJSON *service;
    double roots = 0;
    add_edges(many.services, clients, callers);
    cJSON_ArrayForEach(service, many.services)
    {
        size_t number = (size_t)number_at(service, "ReferenceId");
        const cJSON *statistics = cJSON_GetObjectItem(service, "SummaryStatistics");
        roots += clients[number];
        if (statistics)
            cr_expect_float_eq(callers[number] + clients[number],
                               number_at(statistics, "TotalCount"), 0);
    }
    cr_expect_float_eq(roots, TRACES, 0, "each of the traces has one root");
    free(clients);
    free(callers);
    cJSON_Delete(many.services);
}
