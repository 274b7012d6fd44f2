/* SPDX-License-Identifier: Apache-2.0 */
/* What is said in segments: annotations, exceptions, links. */
#include "local/trace/facts_builder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint32_t builder_exceptions(struct builder *b, const struct trace_node *node)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(trace_object(node->json, "cause"),
                                                         "exceptions");
    const cJSON *item;
    uint32_t count = 0;
    if (!cJSON_IsArray(list))
        return 0;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsObject(item))
            continue;
        if (b->exceptions.count >= FACTS_EXCEPTIONS_MAX) {
            b->facts.truncated = true;
            break;
        }
        struct facts_exception *exception = builder_add(b, &b->exceptions, sizeof *exception);
        if (!exception)
            break;
        exception->type = trace_string(item, "type");
        exception->message = trace_string(item, "message");
        exception->remote = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "remote"));
        count++;
    }
    return count;
}

static bool read_value(const cJSON *json, struct facts_value *ret)
{
    if (cJSON_IsString(json))
        *ret = (struct facts_value){ .type = VALUE_STRING, .string = json->valuestring };
    else if (cJSON_IsNumber(json) && isfinite(json->valuedouble))
        *ret = (struct facts_value){ .type = VALUE_NUMBER, .number = json->valuedouble };
    else if (cJSON_IsBool(json))
        *ret = (struct facts_value){ .type = VALUE_BOOLEAN, .boolean = cJSON_IsTrue(json) };
    else
        return false;
    return true;
}

static void add_annotations(struct builder *b, size_t node)
{
    const cJSON *given = trace_object(b->trace->nodes[node].json, "annotations");
    const cJSON *item;
    if (!given)
        return;
    cJSON_ArrayForEach(item, given)
    {
        struct facts_value value;
        if (!read_value(item, &value))
            continue;
        if (b->annotations.count >= FACTS_ANNOTATIONS_MAX) {
            b->facts.truncated = true;
            return;
        }
        struct facts_annotation *annotation = builder_add(b, &b->annotations, sizeof *annotation);
        if (!annotation)
            return;
        annotation->key = item->string;
        annotation->value = value;
        annotation->segment = b->segment_of[node];
        if (strcmp(item->string, "xray_sampled") == 0 && value.type == VALUE_BOOLEAN)
            b->facts.captured |= !value.boolean;
    }
}

static void add_links(struct builder *b, size_t node)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(b->trace->nodes[node].json, "links");
    const cJSON *item;
    if (!cJSON_IsArray(list))
        return;
    cJSON_ArrayForEach(item, list)
    {
        struct facts_link link = { .segment = b->segment_of[node] };
        const char *trace_id = trace_string(item, "trace_id");
        const char *id = trace_string(item, "id");
        if (!trace_id || !trace_id_parse_any(trace_id, &link.trace_id) || !id ||
            !entity_id_parse(id, &link.id))
            continue;
        if (b->links.count >= FACTS_LINKS_MAX) {
            b->facts.truncated = true;
            return;
        }
        struct facts_link *added = builder_add(b, &b->links, sizeof *added);
        if (added)
            *added = link;
    }
}

/* Each segment's nodes in a chain, in the order of the tree. */
struct chains {
    size_t *first; /* of each segment */
    size_t *last;
    size_t *next; /* of each node */
};

static void chain_nodes(const struct builder *b, struct chains *chains)
{
    for (uint32_t i = 0; i < b->segments.count; i++)
        chains->first[i] = TRACE_NONE;
    for (size_t i = 0; i < b->ordered; i++) {
        size_t node = b->order[i];
        uint32_t segment = b->segment_of[node];
        chains->next[node] = TRACE_NONE;
        if (segment == FACTS_NONE)
            continue;
        if (chains->first[segment] == TRACE_NONE)
            chains->first[segment] = node;
        else
            chains->next[chains->last[segment]] = node;
        chains->last[segment] = node;
    }
}

static void add_exceptions(struct builder *b, const struct chains *chains)
{
    for (uint32_t i = 0; i < b->segments.count; i++) {
        struct facts_item *item = &((struct facts_segment *)b->segments.items + i)->item;
        item->first_exception = b->exceptions.count;
        for (size_t at = chains->first[i]; at != TRACE_NONE; at = chains->next[at])
            item->exceptions += builder_exceptions(b, &b->trace->nodes[at]);
    }
}

void builder_details(struct builder *b)
{
    size_t segments = (size_t)b->segments.count + 1;
    struct chains chains = {
        .first = calloc(segments, sizeof *chains.first),
        .last = calloc(segments, sizeof *chains.last),
        .next = calloc(b->trace->count + 1, sizeof *chains.next),
    };
    if (chains.first && chains.last && chains.next) {
        chain_nodes(b, &chains);
        add_exceptions(b, &chains);
    } else {
        b->no_memory = true;
    }
    free(chains.first);
    free(chains.last);
    free(chains.next);
    for (size_t i = 0; i < b->ordered; i++) {
        add_annotations(b, b->order[i]);
        if (b->segment_of[b->order[i]] != FACTS_NONE && !b->trace->nodes[b->order[i]].subsegment)
            add_links(b, b->order[i]);
    }
}
