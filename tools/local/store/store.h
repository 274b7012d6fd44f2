/* SPDX-License-Identifier: Apache-2.0 */
/* Where documents are kept, by trace. Everything else reaches them through this
   interface only, from any thread, and never sees a lock. */
#ifndef LOCAL_STORE_H
#define LOCAL_STORE_H

#include "local/base/ids.h"
#include "local/trace/document.h"

#include <stddef.h>
#include <stdint.h>

struct store_limits {
    size_t traces;          /* 0: 10,000 */
    size_t bytes;           /* of all documents; 0: 256 MiB */
    size_t trace_bytes;     /* of one trace; 0: 32 MiB */
    size_t trace_documents; /* of one trace; 0: 50,000 */
};

struct stored_trace {
    struct trace_id id;
    struct stored_document *documents; /* as they first arrived */
    size_t count;
};

enum store_range {
    STORE_RANGE_TRACE_ID, /* the time in the trace id is in [from, to) */
    STORE_RANGE_EVENT,    /* something of the trace went on in [from, to) */
    STORE_RANGE_SERVICE,  /* a segment ended in [from, to) */
};

struct store_query {
    enum store_range range;
    double from;
    double to;
};

struct trace_head {
    struct trace_id id;
    double start; /* the earliest segment's; the earliest subsegment's if there is none */
};

struct store_counts {
    uint64_t traces;
    uint64_t documents;
    uint64_t bytes;
    uint64_t evicted_traces;
};

struct store {
    /* Keeps a copy. A document of the same trace and id is replaced, except that one
       in progress never replaces a complete one. The traces that were longest without
       a new document make room. 0 (also if the old one stays), -ENOSPC if this one
       trace has reached its limit, -ENOMEM. */
    int (*put)(struct store *store, const struct document *document);
    /* -ENOENT: no such trace. The caller frees with stored_trace_free(). */
    int (*read)(struct store *store, const struct trace_id *id, struct stored_trace *ret);
    /* Newest first, then by id. The caller frees the array. */
    int (*list)(struct store *store, const struct store_query *query, struct trace_head **ret,
                size_t *ret_count);
    void (*count)(struct store *store, struct store_counts *ret);
    void (*close)(struct store *store);
};

/* Everything in memory. limits may be NULL. */
int store_memory_new(struct store **ret, const struct store_limits *limits);

void stored_trace_free(struct stored_trace *trace);

#endif
