/* SPDX-License-Identifier: Apache-2.0 */
/* Facts in the making: arrays that grow, with texts that still belong to the JSON. */
#ifndef LOCAL_FACTS_BUILDER_H
#define LOCAL_FACTS_BUILDER_H

#include "local/trace/facts.h"
#include "local/trace/inferred.h"

struct array {
    void *items;
    uint32_t count;
    uint32_t size;
};

/* A segment to be: a node of the tree, or one inferred from a node. */
struct candidate {
    double start;
    uint64_t id;
    size_t node;
    struct inferred inferred;
    bool is_inferred;
};

struct builder {
    const struct trace *trace;
    const struct trace_id *id;
    struct facts facts; /* what is not an array */
    size_t *order;      /* the nodes of the tree, parents first */
    size_t ordered;
    uint32_t *segment_of; /* of each node: the segment it is or belongs to, or FACTS_NONE */
    uint32_t *callee_of;  /* of each node that is a call: the segment inferred from it */
    bool *called;         /* of each node: a call from it is among the calls */
    struct array candidates;
    struct array https;
    struct array segments;
    struct array calls;
    struct array annotations;
    struct array exceptions;
    struct array links;
    struct array causes;
    struct array cause_services;
    struct array cause_entities;
    bool no_memory;
};

/* A new, zeroed item, or NULL with no_memory. */
void *builder_add(struct builder *b, struct array *array, size_t item_size);
/* Appends the exceptions of a node; returns how many. */
uint32_t builder_exceptions(struct builder *b, const struct trace_node *node);
double facts_end_of(const struct trace_node *node);

void builder_segments(struct builder *b);
void builder_details(struct builder *b); /* annotations, exceptions, links of segments */
void builder_calls(struct builder *b);
void builder_causes(struct builder *b);

/* Into one block, each text once. NULL: no memory. */
struct facts *builder_seal(struct builder *b);

#endif
