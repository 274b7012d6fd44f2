/* SPDX-License-Identifier: Apache-2.0 */
/* A trace put together from its documents: a tree of segments and subsegments, in
   which a subsegment sent on its own, or the segment of the next service, hangs
   under the entity that its parent_id names. */
#ifndef LOCAL_TRACE_H
#define LOCAL_TRACE_H

#include "local/base/buffer.h"
#include "local/trace/document.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_NONE SIZE_MAX

/* A document's readers recurse, and JSON parsers stop at 1000 levels; a level of
   subsegments is two of them. */
#define TRACE_JOIN_DEPTH_MAX 400

enum node_parent {
    PARENT_NONE,     /* it names none: the trace begins here */
    PARENT_FOUND,    /* node->parent */
    PARENT_MISSING,  /* it names one that has not been received */
    PARENT_CIRCULAR, /* it names one of its own descendants */
};

struct trace_node {
    const cJSON *json;
    const char *text; /* the object's text, up to text_end */
    const char *text_end;
    const char *list_end; /* the end of the text of its "subsegments", or NULL */
    uint64_t id;
    uint64_t parent_id; /* as it names it, if document */
    double start;
    double end; /* the start while in progress */
    size_t parent;
    size_t first_child;   /* by start time */
    size_t next;          /* its next sibling; among those without parent: the next of them */
    uint32_t depth;       /* a parent that is not there counts as a level */
    uint32_t join_depth;  /* inside the document it would be returned in */
    int32_t parent_state; /* enum node_parent */
    bool has_id;
    bool document;   /* the top level of a document */
    bool subsegment; /* embedded, or sent on its own */
    bool in_progress;
    bool superseded; /* another document has this one, complete: not in the tree */
};

struct trace {
    cJSON **documents; /* parsed */
    size_t document_count;
    struct trace_node *nodes;
    size_t count;
    size_t size;
    size_t first_root; /* the nodes without parent, by start time */
};

/* The texts must have passed document_parse() and outlive the trace. 0 or -ENOMEM. */
int trace_build(struct trace *ret, const struct stored_document *documents, size_t count);
void trace_free(struct trace *trace);

/* The next node, parents before children, siblings by time; TRACE_NONE at the end. */
size_t trace_next(const struct trace *trace, size_t node);

/* The segment with which the trace begins: the earliest that names no parent, else the
   earliest whose parent is not there. TRACE_NONE if no segment is there. */
size_t trace_root(const struct trace *trace);

/* The segment's document, or the subsegment's whose place is unknown, with all that
   belongs into it. trace_is_entry() says which nodes have one. */
bool trace_is_entry(const struct trace *trace, size_t node);
void trace_write_document(const struct trace *trace, size_t node, struct buffer *buffer);

const char *trace_string(const cJSON *object, const char *name);
bool trace_flag(const struct trace_node *node, const char *name);
/* A nested object, such as "http", "response"; NULL if there is none. */
const cJSON *trace_object(const cJSON *object, const char *name);

#endif
