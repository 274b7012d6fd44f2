/* SPDX-License-Identifier: Apache-2.0 */
#include "graph_support.h"

#include "local/base/buffer.h"
#include "local/graph/graph.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct hand *hand_new(unsigned number)
{
    struct hand *hand = calloc(1, sizeof *hand);
    cr_assert_not_null(hand);
    hand->facts.id.bytes[0] = 0x65;
    hand->facts.id.bytes[14] = (uint8_t)(number >> 8);
    hand->facts.id.bytes[15] = (uint8_t)number;
    hand->facts.root = FACTS_NONE;
    hand->facts.segments = hand->segments;
    hand->facts.calls = hand->calls;
    hand->facts.links = hand->links;
    return hand;
}

uint32_t hand_segment(struct hand *hand, const char *name, const char *type, double start,
                      double end, uint32_t marks)
{
    uint32_t index = hand->facts.segment_count++;
    cr_assert_lt(index, HAND_MAX);
    hand->segments[index] = (struct facts_segment){
        .item = { .id = index + 1,
                  .name = name,
                  .type = type,
                  .start = start,
                  .end = end,
                  .marks = marks },
        .last_end = end,
    };
    if (marks & MARK_ROOT && hand->facts.root == FACTS_NONE)
        hand->facts.root = index;
    return index;
}

uint32_t hand_call(struct hand *hand, uint32_t from, uint32_t to, double start, double end,
                   uint32_t marks)
{
    uint32_t index = hand->facts.call_count++;
    cr_assert_lt(index, HAND_MAX);
    hand->calls[index] = (struct facts_call){
        .item = { .id = index + 1001, .name = "call", .start = start, .end = end, .marks = marks },
        .from = from,
        .to = to,
    };
    return index;
}

void hand_link(struct hand *hand, uint32_t segment, unsigned trace, uint64_t id)
{
    struct hand *other = hand_new(trace);
    hand->links[hand->facts.link_count++] = (struct facts_link){ other->facts.id, id, segment };
    free(other);
}

cJSON *services_of(struct hand *const *hands)
{
    struct graph *graph;
    cr_assert_eq(graph_new(&graph), 0);
    for (size_t i = 0; hands[i]; i++) {
        cr_assert_eq(graph_add(graph, &hands[i]->facts), 0);
        free(hands[i]);
    }
    cJSON *services = graph_services(graph);
    cr_assert_not_null(services);
    graph_free(graph);
    return services;
}

const cJSON *service_named(const cJSON *services, const char *name, const char *type)
{
    const cJSON *service;
    cJSON_ArrayForEach(service, services)
    {
        const char *own = cJSON_GetStringValue(cJSON_GetObjectItem(service, "Name"));
        const char *kind = cJSON_GetStringValue(cJSON_GetObjectItem(service, "Type"));
        if (strcmp(own, name) == 0 && (type && kind ? strcmp(type, kind) == 0 : type == kind))
            return service;
    }
    cr_assert_fail("there is no service %s of type %s", name, type ? type : "none");
    return NULL;
}

const cJSON *edge_between(const cJSON *from, const cJSON *to)
{
    const cJSON *edge;
    cJSON_ArrayForEach(edge, cJSON_GetObjectItem(from, "Edges"))
    {
        if (number_at(edge, "ReferenceId") == number_at(to, "ReferenceId"))
            return edge;
    }
    return NULL;
}

double number_at(const cJSON *json, const char *path)
{
    char *names = strdup(path);
    char *rest = names;
    for (char *name = strtok_r(names, ".", &rest); name; name = strtok_r(NULL, ".", &rest))
        json = cJSON_GetObjectItemCaseSensitive(json, name);
    free(names);
    cr_assert(cJSON_IsNumber(json), "there is no number %s", path);
    return json->valuedouble;
}

char *histogram_text(const cJSON *object, const char *name)
{
    struct buffer text = { 0 };
    const cJSON *entry;
    buffer_puts(&text, "");
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(object, name))
    {
        buffer_printf(&text, "%s%gx%g", text.length ? " " : "", number_at(entry, "Value"),
                      number_at(entry, "Count"));
    }
    return buffer_take(&text, NULL);
}

double histogram_sum(const cJSON *object, const char *name)
{
    double sum = 0;
    const cJSON *entry;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(object, name))
    {
        sum += number_at(entry, "Count");
    }
    return sum;
}
