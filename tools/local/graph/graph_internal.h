/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that make a graph. */
#ifndef LOCAL_GRAPH_INTERNAL_H
#define LOCAL_GRAPH_INTERNAL_H

#include "local/graph/graph.h"
#include "local/graph/statistics.h"

#define GRAPH_NONE UINT32_MAX

struct graph_node {
    uint64_t hash;
    char *name;
    char *type;       /* NULL: none */
    char *account_id; /* NULL: none */
    bool client;      /* whoever called the root of this name */
    bool root;        /* some segment of it has no parent */
    bool active;      /* it sent a segment of its own */
    double start;
    double end;
    struct statistics statistics;
    struct histogram response_times;
    struct histogram durations;
};

struct graph_edge {
    uint64_t hash;
    uint32_t from; /* of graph.nodes, as is to */
    uint32_t to;
    bool link;
    double start;
    double end;
    struct statistics statistics;
    struct histogram times; /* of a link: from the end of what it names to the start */
};

/* Where nodes or edges are found by their hash: indices, and 1 added; 0 is free. */
struct graph_table {
    uint32_t *slots;
    uint32_t size; /* a power of two */
};

/* What a link of another trace may name. */
struct graph_entity {
    uint64_t id;
    uint32_t node;
    uint32_t position; /* in its trace */
    double end;
};

struct graph_trace {
    struct trace_id id;
    size_t first_entity;
    size_t entities;
    uint32_t root; /* GRAPH_NONE if no segment is one */
    bool sorted;   /* its entities, by id */
};

/* The segment that has a link. */
struct graph_link {
    struct trace_id trace_id;
    uint64_t id;
    uint32_t node;
    uint32_t marks;
    double start;
    double end;
};

struct graph {
    struct graph_node *nodes;
    struct graph_edge *edges;
    struct graph_entity *entities;
    struct graph_trace *traces;
    struct graph_link *links; /* whose other trace has not come yet */
    uint32_t *segment_nodes;  /* of the trace that is being added */
    size_t node_count;
    size_t edge_count;
    size_t entity_count;
    size_t trace_count;
    size_t link_count;
    size_t nodes_size;
    size_t edges_size;
    size_t entities_size;
    size_t traces_size;
    size_t links_size;
    size_t segment_nodes_size;
    struct graph_table node_table;
    struct graph_table edge_table;
};

/* Room for one more item of an array; 0 or -ENOMEM. */
int graph_reserve(void **items, size_t *size, size_t count, size_t item_size);

/* What is there already, or added; GRAPH_NONE in *ret if there are too many. 0 or -ENOMEM. */
int graph_find_node(struct graph *graph, const struct graph_node *like, uint32_t *ret);
int graph_find_edge(struct graph *graph, uint32_t from, uint32_t to, bool link, uint32_t *ret);

/* Makes edges of the links whose other trace is there. 0 or -ENOMEM. */
int graph_resolve_links(struct graph *graph);

#endif
