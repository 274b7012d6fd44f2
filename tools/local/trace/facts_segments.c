/* SPDX-License-Identifier: Apache-2.0 */
/* The segments of a trace, those that were received and those that calls tell of. */
#include "local/trace/facts_builder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t marks_of(const struct trace_node *node)
{
    uint32_t marks = 0;
    if (trace_flag(node, "fault"))
        marks |= MARK_FAULT;
    if (trace_flag(node, "error"))
        marks |= MARK_ERROR;
    if (trace_flag(node, "throttle"))
        marks |= MARK_THROTTLE;
    if (node->in_progress)
        marks |= MARK_IN_PROGRESS;
    return marks;
}

static const struct facts_http *http_of(struct builder *b, const struct trace_node *node)
{
    const cJSON *given = trace_object(node->json, "http");
    const cJSON *request = trace_object(given, "request");
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(trace_object(given, "response"),
                                                           "status");
    if (!given)
        return NULL;
    /* There is room for each segment's and each call's: the array never moves. */
    struct facts_http *http = (struct facts_http *)b->https.items + b->https.count++;
    http->url = trace_string(request, "url");
    http->method = trace_string(request, "method");
    http->user_agent = trace_string(request, "user_agent");
    http->client_ip = trace_string(request, "client_ip");
    if (cJSON_IsNumber(status) && status->valuedouble >= 100 && status->valuedouble <= 999)
        http->status = status->valueint;
    return http;
}

/* What segments and calls have in common, but for name and type. */
static void set_item(struct builder *b, struct facts_item *item, const struct trace_node *node)
{
    const cJSON *aws = trace_object(node->json, "aws");
    const char *name = trace_string(node->json, "name");
    item->id = node->id;
    item->name = name ? name : "";
    item->account_id = trace_string(aws, "account_id");
    item->http = http_of(b, node);
    item->operation = trace_string(aws, "operation");
    item->start = node->start;
    item->end = node->end;
    item->marks = marks_of(node);
}

static bool is_segment(const struct trace_node *node)
{
    return node->document && !node->subsegment;
}

static void add_candidate(struct builder *b, size_t node, const struct inferred *inferred)
{
    if (b->candidates.count >= FACTS_SEGMENTS_MAX) {
        b->facts.truncated = true;
        return;
    }
    struct candidate *candidate = builder_add(b, &b->candidates, sizeof *candidate);
    if (!candidate)
        return;
    candidate->start = b->trace->nodes[node].start;
    candidate->id = inferred ? inferred->id : b->trace->nodes[node].id;
    candidate->node = node;
    candidate->is_inferred = inferred != NULL;
    if (inferred)
        candidate->inferred = *inferred;
}

static int by_start(const void *a, const void *b)
{
    const struct candidate *x = a;
    const struct candidate *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void add_segment(struct builder *b, const struct candidate *candidate)
{
    const struct trace_node *node = &b->trace->nodes[candidate->node];
    const cJSON *aws = trace_object(node->json, "aws");
    const cJSON *ec2 = trace_object(aws, "ec2");
    uint32_t index = b->segments.count;
    struct facts_segment *segment = builder_add(b, &b->segments, sizeof *segment);
    if (!segment)
        return;
    set_item(b, &segment->item, node);
    segment->item.id = candidate->id;
    segment->last_end = node->end;
    if (candidate->is_inferred) {
        segment->item.name = candidate->inferred.name;
        segment->item.type = candidate->inferred.type;
        segment->item.marks |= MARK_INFERRED;
        /* Of several, the first stands for the call where one has to. */
        if (b->callee_of[candidate->node] == FACTS_NONE)
            b->callee_of[candidate->node] = index;
        return;
    }
    segment->item.type = trace_string(node->json, "origin");
    segment->item.user = trace_string(node->json, "user");
    segment->resource_arn = trace_string(node->json, "resource_arn");
    segment->instance_id = trace_string(ec2, "instance_id");
    segment->availability_zone = trace_string(ec2, "availability_zone");
    if (!segment->availability_zone)
        segment->availability_zone = trace_string(trace_object(aws, "ecs"), "availability_zone");
    if (node->parent_state == PARENT_NONE)
        segment->item.marks |= MARK_ROOT;
    b->segment_of[candidate->node] = index;
}

/* Subsegments belong to the segment above them. */
static void assign_nodes(struct builder *b)
{
    struct facts_segment *segments = b->segments.items;
    for (size_t i = 0; i < b->ordered; i++) {
        size_t index = b->order[i];
        const struct trace_node *node = &b->trace->nodes[index];
        if (node->subsegment && node->parent != TRACE_NONE)
            b->segment_of[index] = b->segment_of[node->parent];
        uint32_t segment = b->segment_of[index];
        if (segment != FACTS_NONE && !node->in_progress)
            segments[segment].last_end = fmax(segments[segment].last_end, node->end);
    }
}

void builder_segments(struct builder *b)
{
    struct inferred inferred[INFERRED_MAX];
    for (size_t i = 0; i < b->ordered; i++) {
        size_t node = b->order[i];
        if (is_segment(&b->trace->nodes[node])) {
            add_candidate(b, node, NULL);
            continue;
        }
        size_t count = inferred_from(b->trace, b->id, node, inferred);
        for (size_t k = 0; k < count; k++)
            add_candidate(b, node, &inferred[k]);
    }
    if (b->no_memory || b->candidates.count == 0)
        return;
    qsort(b->candidates.items, b->candidates.count, sizeof(struct candidate), by_start);
    b->https.items = calloc((size_t)b->candidates.count * 2, sizeof(struct facts_http));
    b->no_memory = !b->https.items;
    for (uint32_t i = 0; i < b->candidates.count; i++)
        add_segment(b, (struct candidate *)b->candidates.items + i);
    if (b->no_memory)
        return;
    assign_nodes(b);
    size_t root = trace_root(b->trace);
    if (root != TRACE_NONE)
        b->facts.root = b->segment_of[root];
}

static void add_call(struct builder *b, size_t node, uint32_t from, uint32_t to)
{
    if (from == FACTS_NONE || to == FACTS_NONE)
        return;
    struct facts_call *call = builder_add(b, &b->calls, sizeof *call);
    if (!call)
        return;
    const struct trace_node *caller = &b->trace->nodes[node];
    const char *kind = caller->subsegment ? trace_string(caller->json, "namespace") : NULL;
    set_item(b, &call->item, caller);
    if (kind && (strcmp(kind, "aws") == 0 || strcmp(kind, "remote") == 0))
        call->item.marks |= MARK_REMOTE;
    call->from = from;
    call->to = to;
    call->item.first_exception = b->exceptions.count;
    call->item.exceptions = builder_exceptions(b, caller);
    b->called[node] = true;
}

void builder_calls(struct builder *b)
{
    for (uint32_t i = 0; i < b->candidates.count && !b->no_memory; i++) {
        const struct candidate *candidate = (struct candidate *)b->candidates.items + i;
        size_t node = candidate->node;
        size_t caller = b->trace->nodes[node].parent;
        if (candidate->is_inferred)
            add_call(b, node, b->segment_of[node], i);
        else if (caller == TRACE_NONE)
            continue;
        /* Of two segments that name one subsegment, only the first was called with it. */
        else if (b->trace->nodes[caller].subsegment && !b->called[caller])
            add_call(b, caller, b->segment_of[caller], i);
        else
            add_call(b, node, b->segment_of[caller], i);
    }
}
