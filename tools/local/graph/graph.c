/* SPDX-License-Identifier: Apache-2.0 */
#include "local/graph/graph.h"

#include "local/graph/graph_internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int graph_new(struct graph **ret)
{
    *ret = calloc(1, sizeof **ret);
    return *ret ? 0 : -ENOMEM;
}

void graph_free(struct graph *graph)
{
    if (!graph)
        return;
    for (size_t i = 0; i < graph->node_count; i++) {
        struct graph_node *node = &graph->nodes[i];
        free(node->name);
        free(node->type);
        free(node->account_id);
        histogram_free(&node->response_times);
        histogram_free(&node->durations);
    }
    for (size_t i = 0; i < graph->edge_count; i++)
        histogram_free(&graph->edges[i].times);
    free(graph->nodes);
    free(graph->edges);
    free(graph->entities);
    free(graph->traces);
    free(graph->links);
    free(graph->segment_nodes);
    free(graph->node_table.slots);
    free(graph->edge_table.slots);
    free(graph);
}

static int add_times(struct histogram *histogram, const struct facts_item *item, double end)
{
    return item->marks & MARK_IN_PROGRESS ? 0 : histogram_add(histogram, end - item->start);
}

static int add_segment(struct graph *graph, const struct facts_segment *segment, uint32_t *ret)
{
    const struct facts_item *item = &segment->item;
    struct graph_node like = { .name = (char *)item->name,
                               .type = (char *)item->type,
                               .account_id = (char *)item->account_id };
    int r = graph_find_node(graph, &like, ret);
    if (r < 0 || *ret == GRAPH_NONE)
        return r;
    struct graph_node *node = &graph->nodes[*ret];
    node->root = node->root || item->marks & MARK_ROOT;
    node->active = node->active || !(item->marks & MARK_INFERRED);
    node->start = fmin(node->start, item->start);
    node->end = fmax(node->end, item->end);
    statistics_add(&node->statistics, item);
    r = add_times(&node->response_times, item, item->end);
    return r < 0 ? r : add_times(&node->durations, item, segment->last_end);
}

/* An end may be missing, because there were too many nodes. */
static int add_edge(struct graph *graph, uint32_t from, uint32_t to, const struct facts_item *item)
{
    uint32_t index = GRAPH_NONE;
    int r = 0;
    if (from != GRAPH_NONE && to != GRAPH_NONE)
        r = graph_find_edge(graph, from, to, false, &index);
    if (r < 0 || index == GRAPH_NONE)
        return r;
    struct graph_edge *edge = &graph->edges[index];
    edge->start = fmin(edge->start, item->start);
    edge->end = fmax(edge->end, item->end);
    statistics_add(&edge->statistics, item);
    return add_times(&edge->times, item, item->end);
}

static int add_client(struct graph *graph, const struct facts_item *item, uint32_t root)
{
    struct graph_node like = { .name = (char *)item->name,
                               .type = (char *)"client",
                               .client = true };
    uint32_t client;
    int r = graph_find_node(graph, &like, &client);
    if (r < 0 || client == GRAPH_NONE)
        return r;
    graph->nodes[client].start = fmin(graph->nodes[client].start, item->start);
    graph->nodes[client].end = fmax(graph->nodes[client].end, item->end);
    return add_edge(graph, client, root, item);
}

static int add_entity(struct graph *graph, uint64_t id, uint32_t node, double end)
{
    uint32_t position = (uint32_t)graph->entity_count; /* grows within a trace */
    if (node == GRAPH_NONE)
        return 0;
    int r = graph_reserve((void **)&graph->entities, &graph->entities_size, graph->entity_count,
                          sizeof *graph->entities);
    if (r == 0)
        graph->entities[graph->entity_count++] =
            (struct graph_entity){ .id = id, .node = node, .position = position, .end = end };
    return r;
}

/* What is said to a service known only from the call waits there, as a message in a
   queue: that is what a link to the call begins at. */
static uint32_t linked_end(const struct facts *facts, const struct facts_call *call)
{
    return facts->segments[call->to].item.marks & MARK_INFERRED ? call->to : call->from;
}

static int add_segments(struct graph *graph, const struct facts *facts)
{
    int r = 0;
    for (uint32_t i = 0; i < facts->segment_count && r == 0; i++) {
        const struct facts_item *item = &facts->segments[i].item;
        uint32_t *node = &graph->segment_nodes[i];
        r = add_segment(graph, &facts->segments[i], node);
        if (r == 0 && *node != GRAPH_NONE && item->marks & MARK_ROOT)
            r = add_client(graph, item, *node);
        if (r == 0)
            r = add_entity(graph, item->id, *node, item->end);
    }
    return r;
}

static int add_calls(struct graph *graph, const struct facts *facts)
{
    const uint32_t *nodes = graph->segment_nodes;
    int r = 0;
    for (uint32_t i = 0; i < facts->call_count && r == 0; i++) {
        const struct facts_call *call = &facts->calls[i];
        r = add_edge(graph, nodes[call->from], nodes[call->to], &call->item);
        if (r == 0)
            r = add_entity(graph, call->item.id, nodes[linked_end(facts, call)], call->item.end);
    }
    return r;
}

static int add_links(struct graph *graph, const struct facts *facts)
{
    for (uint32_t i = 0; i < facts->link_count; i++) {
        const struct facts_link *link = &facts->links[i];
        const struct facts_item *item = &facts->segments[link->segment].item;
        uint32_t node = graph->segment_nodes[link->segment];
        if (node == GRAPH_NONE)
            continue;
        int r = graph_reserve((void **)&graph->links, &graph->links_size, graph->link_count,
                              sizeof *graph->links);
        if (r < 0)
            return r;
        graph->links[graph->link_count++] = (struct graph_link){ link->trace_id, link->id,
                                                                 node,           item->marks,
                                                                 item->start,    item->end };
    }
    return 0;
}

static int reserve_segments(struct graph *graph, size_t count)
{
    if (count <= graph->segment_nodes_size)
        return 0;
    uint32_t *nodes = realloc(graph->segment_nodes, count * sizeof *nodes);
    if (!nodes)
        return -ENOMEM;
    graph->segment_nodes = nodes;
    graph->segment_nodes_size = count;
    return 0;
}

int graph_add(struct graph *graph, const struct facts *facts)
{
    struct graph_trace trace = { .id = facts->id,
                                 .first_entity = graph->entity_count,
                                 .root = GRAPH_NONE };
    int r = reserve_segments(graph, facts->segment_count);
    if (r == 0)
        r = add_segments(graph, facts);
    if (r == 0)
        r = add_calls(graph, facts);
    if (r == 0)
        r = add_links(graph, facts);
    if (r == 0)
        r = graph_reserve((void **)&graph->traces, &graph->traces_size, graph->trace_count,
                          sizeof *graph->traces);
    if (r < 0)
        return r;
    trace.entities = graph->entity_count - trace.first_entity;
    if (facts->root != FACTS_NONE)
        trace.root = graph->segment_nodes[facts->root];
    graph->traces[graph->trace_count++] = trace;
    return 0;
}

static int by_trace_id(const void *a, const void *b)
{
    const struct graph_trace *x = a;
    const struct graph_trace *y = b;
    return memcmp(x->id.bytes, y->id.bytes, sizeof x->id.bytes);
}

static int by_entity_id(const void *a, const void *b)
{
    const struct graph_entity *x = a;
    const struct graph_entity *y = b;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

/* The first of the trace's entities with the id, or NULL. */
static const struct graph_entity *find_entity(const struct graph *graph, struct graph_trace *trace,
                                              uint64_t id)
{
    struct graph_entity *entities = graph->entities + trace->first_entity;
    size_t low = 0;
    size_t high = trace->entities;
    if (!trace->sorted && trace->entities)
        qsort(entities, trace->entities, sizeof *entities, by_entity_id);
    trace->sorted = true;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entities[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < trace->entities && entities[low].id == id ? &entities[low] : NULL;
}

/* A link to something that is no end of a call begins at the root, and says nothing of
   its age. */
static int resolve_link(struct graph *graph, const struct graph_link *link,
                        struct graph_trace *trace)
{
    const struct graph_entity *found = find_entity(graph, trace, link->id);
    uint32_t from = found ? found->node : trace->root;
    uint32_t index = GRAPH_NONE;
    int r = from == GRAPH_NONE ? 0 : graph_find_edge(graph, from, link->node, true, &index);
    if (r < 0 || index == GRAPH_NONE)
        return r;
    struct graph_edge *edge = &graph->edges[index];
    struct facts_item item = { .start = link->start, .end = link->end, .marks = link->marks };
    edge->start = fmin(edge->start, link->start);
    edge->end = fmax(edge->end, link->end);
    statistics_add(&edge->statistics, &item);
    return found ? histogram_add(&edge->times, link->start - found->end) : 0;
}

int graph_resolve_links(struct graph *graph)
{
    size_t kept = 0;
    if (graph->link_count)
        qsort(graph->traces, graph->trace_count, sizeof *graph->traces, by_trace_id);
    for (size_t i = 0; i < graph->link_count; i++) {
        const struct graph_trace wanted = { .id = graph->links[i].trace_id };
        struct graph_trace *trace = bsearch(&wanted, graph->traces, graph->trace_count,
                                            sizeof wanted, by_trace_id);
        if (!trace) {
            graph->links[kept++] = graph->links[i];
            continue;
        }
        int r = resolve_link(graph, &graph->links[i], trace);
        if (r < 0)
            return r;
    }
    graph->link_count = kept;
    return 0;
}
