/* SPDX-License-Identifier: Apache-2.0 */
#include "local/trace/facts_builder.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void *builder_add(struct builder *b, struct array *array, size_t item_size)
{
    if (b->no_memory)
        return NULL;
    if (array->count == array->size) {
        uint32_t size = array->size ? array->size * 2 : 8;
        void *items = realloc(array->items, size * item_size);
        if (!items) {
            b->no_memory = true;
            return NULL;
        }
        array->items = items;
        array->size = size;
    }
    void *item = (char *)array->items + array->count++ * item_size;
    memset(item, 0, item_size);
    return item;
}

/* True if a segment hangs under this call. */
static bool has_callee(const struct trace *trace, size_t node)
{
    for (size_t i = trace->nodes[node].first_child; i != TRACE_NONE; i = trace->nodes[i].next)
        if (!trace->nodes[i].subsegment)
            return true;
    return false;
}

static void look_at_tree(struct builder *b)
{
    const struct trace *trace = b->trace;
    struct facts *facts = &b->facts;
    double first = INFINITY;
    double last = -INFINITY;
    facts->start = INFINITY;
    for (size_t i = trace->first_root; i != TRACE_NONE; i = trace_next(trace, i)) {
        const struct trace_node *node = &trace->nodes[i];
        b->order[b->ordered++] = i;
        if (node->document)
            facts->bytes += (size_t)(node->text_end - node->text);
        first = fmin(first, node->start);
        if (node->document && !node->subsegment) {
            facts->start = fmin(facts->start, node->start);
            if (trace_flag(node, "throttle"))
                facts->marks |= MARK_THROTTLE;
        } else {
            facts->subsegments++;
        }
        if (!node->in_progress)
            last = fmax(last, node->end);
        facts->partial |= node->in_progress || node->parent_state == PARENT_MISSING ||
                          node->parent_state == PARENT_CIRCULAR ||
                          (trace_flag(node, "traced") && !has_callee(trace, i));
    }
    if (isinf(facts->start))
        facts->start = isinf(first) ? 0 : first;
    facts->end = fmax(facts->start, last);
}

static void describe_root(struct builder *b)
{
    if (b->facts.root == FACTS_NONE)
        return;
    const struct facts_item *root =
        &((struct facts_segment *)b->segments.items + b->facts.root)->item;
    b->facts.response_time = root->end - root->start;
    b->facts.marks |= root->marks & (MARK_FAULT | MARK_ERROR | MARK_IN_PROGRESS);
}

static int begin(struct builder *b)
{
    size_t count = b->trace->count + 1;
    b->order = calloc(count, sizeof *b->order);
    b->segment_of = malloc(count * sizeof *b->segment_of);
    b->callee_of = malloc(count * sizeof *b->callee_of);
    b->called = calloc(count, sizeof *b->called);
    if (!b->order || !b->segment_of || !b->callee_of || !b->called)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        b->segment_of[i] = b->callee_of[i] = FACTS_NONE;
    return 0;
}

static void end(struct builder *b)
{
    struct array *arrays[] = { &b->candidates,     &b->https,         &b->segments, &b->calls,
                               &b->annotations,    &b->exceptions,    &b->links,    &b->causes,
                               &b->cause_services, &b->cause_entities };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]->items);
    free(b->order);
    free(b->segment_of);
    free(b->callee_of);
    free(b->called);
}

int facts_new(struct facts **ret, const struct trace *trace, const struct trace_id *id)
{
    struct builder b = { .trace = trace, .id = id };
    struct facts *facts = NULL;
    b.facts.id = *id;
    b.facts.root = FACTS_NONE;
    b.facts.documents = (uint32_t)trace->document_count;
    if (begin(&b) == 0) {
        look_at_tree(&b);
        builder_segments(&b);
        if (!b.no_memory)
            builder_details(&b);
        if (!b.no_memory)
            builder_calls(&b);
        if (!b.no_memory)
            builder_causes(&b);
        if (!b.no_memory) {
            describe_root(&b);
            facts = builder_seal(&b);
        }
    }
    end(&b);
    if (!facts)
        return -ENOMEM;
    *ret = facts;
    return 0;
}
