/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes and edges of a graph, each once. */
#include "local/graph/graph_internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_SIZE_FIRST 64u

int graph_reserve(void **items, size_t *size, size_t count, size_t item_size)
{
    if (count < *size)
        return 0;
    size_t more = *size ? *size * 2 : 16;
    void *grown = realloc(*items, more * item_size);
    if (!grown)
        return -ENOMEM;
    *items = grown;
    *size = more;
    return 0;
}

/* The items of both arrays begin with their hash. */
static uint64_t hash_at(const void *items, size_t item_size, size_t index)
{
    uint64_t hash;
    memcpy(&hash, (const char *)items + index * item_size, sizeof hash);
    return hash;
}

static void table_put(struct graph_table *table, uint64_t hash, uint32_t index)
{
    uint32_t at = (uint32_t)hash & (table->size - 1);
    while (table->slots[at])
        at = (at + 1) & (table->size - 1);
    table->slots[at] = index + 1;
}

/* Half of the slots stay free. */
static int table_reserve(struct graph_table *table, const void *items, size_t item_size,
                         size_t count)
{
    if (2 * (count + 1) <= table->size)
        return 0;
    struct graph_table grown = { .size = table->size ? table->size * 2 : TABLE_SIZE_FIRST };
    grown.slots = calloc(grown.size, sizeof *grown.slots);
    if (!grown.slots)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        table_put(&grown, hash_at(items, item_size, i), (uint32_t)i);
    free(table->slots);
    *table = grown;
    return 0;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; text && *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return (hash ^ (text ? 1u : 2u)) * 0x100000001b3u;
}

static uint64_t hash_node(const struct graph_node *node)
{
    uint64_t hash = hash_text(0xcbf29ce484222325u, node->name);
    hash = hash_text(hash_text(hash, node->type), node->account_id) + node->client;
    return hash ^ hash >> 32;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_node(const struct graph_node *a, const struct graph_node *b)
{
    return a->hash == b->hash && a->client == b->client && same_text(a->name, b->name) &&
           same_text(a->type, b->type) && same_text(a->account_id, b->account_id);
}

static int copy_text(const char *text, char **ret)
{
    *ret = text ? strdup(text) : NULL;
    return text && !*ret ? -ENOMEM : 0;
}

static int add_node(struct graph *graph, const struct graph_node *like)
{
    int r = graph_reserve((void **)&graph->nodes, &graph->nodes_size, graph->node_count,
                          sizeof *graph->nodes);
    if (r == 0)
        r = table_reserve(&graph->node_table, graph->nodes, sizeof *graph->nodes,
                          graph->node_count);
    if (r < 0)
        return r;
    /* Counted at once, so that graph_free() finds what could be copied. */
    struct graph_node *node = &graph->nodes[graph->node_count++];
    *node = (struct graph_node){
        .hash = like->hash, .client = like->client, .start = INFINITY, .end = -INFINITY
    };
    r = copy_text(like->name, &node->name);
    if (r == 0)
        r = copy_text(like->type, &node->type);
    if (r == 0)
        r = copy_text(like->account_id, &node->account_id);
    if (r == 0)
        table_put(&graph->node_table, node->hash, (uint32_t)(graph->node_count - 1));
    return r;
}

int graph_find_node(struct graph *graph, const struct graph_node *like, uint32_t *ret)
{
    struct graph_node key = *like;
    const struct graph_table *table = &graph->node_table;
    key.hash = hash_node(&key);
    if (table->size) {
        uint32_t at = (uint32_t)key.hash & (table->size - 1);
        for (; table->slots[at]; at = (at + 1) & (table->size - 1)) {
            *ret = table->slots[at] - 1;
            if (same_node(&graph->nodes[*ret], &key))
                return 0;
        }
    }
    if (graph->node_count == GRAPH_NODES_MAX) {
        *ret = GRAPH_NONE;
        return 0;
    }
    *ret = (uint32_t)graph->node_count;
    return add_node(graph, &key);
}

int graph_find_edge(struct graph *graph, uint32_t from, uint32_t to, bool link, uint32_t *ret)
{
    uint64_t hash = (((uint64_t)from << 32 | to) * 2 + link) * 0x9e3779b97f4a7c15u;
    const struct graph_table *table = &graph->edge_table;
    hash ^= hash >> 32;
    if (table->size) {
        uint32_t at = (uint32_t)hash & (table->size - 1);
        for (; table->slots[at]; at = (at + 1) & (table->size - 1)) {
            *ret = table->slots[at] - 1;
            const struct graph_edge *edge = &graph->edges[*ret];
            if (edge->from == from && edge->to == to && edge->link == link)
                return 0;
        }
    }
    *ret = GRAPH_NONE;
    if (graph->edge_count == GRAPH_EDGES_MAX)
        return 0;
    int r = graph_reserve((void **)&graph->edges, &graph->edges_size, graph->edge_count,
                          sizeof *graph->edges);
    if (r == 0)
        r = table_reserve(&graph->edge_table, graph->edges, sizeof *graph->edges,
                          graph->edge_count);
    if (r < 0)
        return r;
    *ret = (uint32_t)graph->edge_count++;
    graph->edges[*ret] = (struct graph_edge){
        .hash = hash, .from = from, .to = to, .link = link, .start = INFINITY, .end = -INFINITY
    };
    table_put(&graph->edge_table, hash, *ret);
    return 0;
}
