/* SPDX-License-Identifier: Apache-2.0 */
/* The way from a root to where a fault or an error began, or to where the time went.
   How the service finds it is not documented; docs/design.md says how it is done here. */
#include "local/trace/facts_builder.h"

#include <math.h>
#include <stdlib.h>

/* Faster traces have no response time worth a cause. */
#define SLOW_SECONDS 0.1

struct search {
    struct builder *b;
    enum facts_cause_kind kind;
    uint32_t *depth; /* of each node: how long the marked way down from it is */
    double root_start;
    double root_end;
    struct facts_cause *cause;
    struct facts_cause_service *service;
    uint32_t entities;
};

static bool is_marked(const struct search *search, const struct trace_node *node)
{
    const char *flag = search->kind == CAUSE_FAULT ? "fault" : "error";
    return trace_flag(node, flag) || (node->subsegment && trace_object(node->json, "cause"));
}

static void measure_depths(const struct search *search)
{
    const struct builder *b = search->b;
    for (size_t i = 0; i < b->ordered; i++)
        search->depth[b->order[i]] = 0;
    for (size_t i = b->ordered; i-- > 0;) {
        size_t index = b->order[i];
        const struct trace_node *node = &b->trace->nodes[index];
        if (!is_marked(search, node)) {
            search->depth[index] = 0;
            continue;
        }
        search->depth[index]++;
        if (node->parent != TRACE_NONE && search->depth[node->parent] < search->depth[index])
            search->depth[node->parent] = search->depth[index];
    }
}

static double coverage(const struct search *search, const struct trace_node *node)
{
    double whole = search->root_end - search->root_start;
    double own = fmin(node->end, search->root_end) - fmax(node->start, search->root_start);
    return whole > 0 && own > 0 ? round(own / whole * 1000) / 1000 : 0;
}

/* The longest way; of equal ones the one that ended first. */
static size_t deepest_child(const struct search *search, size_t node)
{
    const struct trace_node *nodes = search->b->trace->nodes;
    size_t best = TRACE_NONE;
    for (size_t i = nodes[node].first_child; i != TRACE_NONE; i = nodes[i].next) {
        if (search->depth[i] == 0)
            continue;
        if (best == TRACE_NONE || search->depth[i] > search->depth[best] ||
            (search->depth[i] == search->depth[best] && nodes[i].end < nodes[best].end))
            best = i;
    }
    return best;
}

/* The one with the greatest share, if it has at least half of what is above it. */
static size_t longest_child(const struct search *search, size_t node)
{
    const struct trace_node *nodes = search->b->trace->nodes;
    size_t best = TRACE_NONE;
    double best_share = 0.5 * coverage(search, &nodes[node]);
    for (size_t i = nodes[node].first_child; i != TRACE_NONE; i = nodes[i].next) {
        double share = coverage(search, &nodes[i]);
        if (share > 0 && (best == TRACE_NONE ? share >= best_share : share > best_share)) {
            best = i;
            best_share = share;
        }
    }
    return best;
}

static void begin_service(struct search *search, uint32_t segment)
{
    struct builder *b = search->b;
    uint32_t first = b->cause_entities.count;
    search->service = builder_add(b, &b->cause_services, sizeof *search->service);
    if (!search->service)
        return;
    search->service->segment = segment;
    search->service->first_entity = first;
    search->cause->services++;
}

static void add_entity(struct search *search, const struct trace_node *node, const char *name)
{
    struct builder *b = search->b;
    const char *kind = node->subsegment ? trace_string(node->json, "namespace") : NULL;
    struct facts_cause_entity *entity = builder_add(b, &b->cause_entities, sizeof *entity);
    if (!entity || !search->service)
        return;
    entity->name = name ? name : "";
    entity->remote = kind && *kind != 'l'; /* "local" is no other service */
    entity->coverage = coverage(search, node);
    entity->first_exception = b->exceptions.count;
    entity->exceptions = builder_exceptions(b, node);
    search->service->entities++;
    search->entities++;
}

static void walk(struct search *search, size_t node)
{
    struct builder *b = search->b;
    const struct trace_node *nodes = b->trace->nodes;
    while (node != TRACE_NONE && search->entities < FACTS_CAUSE_PATH_MAX && !b->no_memory) {
        /* There were too many segments for this one. */
        if (!nodes[node].subsegment && b->segment_of[node] == FACTS_NONE)
            return;
        if (!nodes[node].subsegment)
            begin_service(search, b->segment_of[node]);
        add_entity(search, &nodes[node], trace_string(nodes[node].json, "name"));
        uint32_t inferred = b->callee_of[node];
        node = search->kind == CAUSE_RESPONSE_TIME ? longest_child(search, node)
                                                   : deepest_child(search, node);
        if (node == TRACE_NONE && inferred != FACTS_NONE && !b->no_memory) {
            const struct facts_segment *segment = (struct facts_segment *)b->segments.items +
                                                  inferred;
            size_t call = ((struct candidate *)b->candidates.items + inferred)->node;
            begin_service(search, inferred);
            add_entity(search, &nodes[call], segment->item.name);
        }
    }
}

static void find_cause(struct builder *b, size_t root, enum facts_cause_kind kind, uint32_t *depth)
{
    const struct trace_node *node = &b->trace->nodes[root];
    uint32_t services = b->cause_services.count;
    struct search search = { .b = b, .kind = kind, .depth = depth };
    search.root_start = node->start;
    search.root_end = node->end;
    search.cause = builder_add(b, &b->causes, sizeof *search.cause);
    if (!search.cause)
        return;
    search.cause->kind = kind;
    search.cause->first_service = services;
    if (kind != CAUSE_RESPONSE_TIME)
        measure_depths(&search);
    walk(&search, root);
}

void builder_causes(struct builder *b)
{
    uint32_t *depth = calloc(b->trace->count + 1, sizeof *depth);
    uint32_t roots = 0;
    if (!depth) {
        b->no_memory = true;
        return;
    }
    for (size_t i = b->trace->first_root; i != TRACE_NONE; i = b->trace->nodes[i].next) {
        const struct trace_node *node = &b->trace->nodes[i];
        if (node->subsegment || b->segment_of[i] == FACTS_NONE || roots++ == FACTS_CAUSES_MAX)
            continue;
        if (trace_flag(node, "fault"))
            find_cause(b, i, CAUSE_FAULT, depth);
        if (trace_flag(node, "error"))
            find_cause(b, i, CAUSE_ERROR, depth);
        if (node->end - node->start > SLOW_SECONDS)
            find_cause(b, i, CAUSE_RESPONSE_TIME, depth);
    }
    free(depth);
}
