/* SPDX-License-Identifier: Apache-2.0 */
/* Where documents are kept, by trace, with what is known of each trace. All is in
   memory, which is what answers, and on disk too if asked. From any thread. */
#ifndef LOCAL_STORE_H
#define LOCAL_STORE_H

#include "local/base/ids.h"
#include "local/trace/document.h"
#include "local/trace/facts.h"

#include <stddef.h>
#include <stdint.h>

struct store_limits {
    size_t traces;          /* 0: 10,000 */
    size_t bytes;           /* of all documents and facts; 0: 256 MiB */
    size_t trace_bytes;     /* of one trace; 0: 32 MiB */
    size_t trace_documents; /* of one trace; 0: 50,000 */
    unsigned age_seconds;   /* since the last document; 0: 24 hours */
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

struct store_counts {
    uint64_t traces;
    uint64_t documents;
    uint64_t bytes;
    uint64_t pinned_traces;
    uint64_t evicted_traces; /* to make room */
    uint64_t expired_traces; /* for their age */
    uint64_t changes;        /* documents that were new or other; grows with each */
};

struct store;

/* One trace of an answer; facts is a reference that the answer holds. */
struct found_trace {
    struct facts *facts;
    uint32_t revision;
    bool pinned;
};

struct found_traces {
    struct found_trace *traces; /* the newest first, then by id */
    size_t count;
};

/* limits may be NULL. 0 or -ENOMEM. */
int store_new(struct store **ret, const struct store_limits *limits);
void store_free(struct store *store);

#define STORE_MESSAGE_SIZE 512
typedef void store_progress(void *data, uint64_t done, uint64_t total);

/* Loads what the file has, and writes into it whatever happens from now on; makes it if
   it is not there. To be called once, first of all. Progress may be NULL. ret_skipped:
   documents in it that could not be read. -errno with a sentence, and then the file is
   left alone and the store is only to be freed. */
int store_open_file(struct store *store, const char *path, store_progress *progress, void *data,
                    uint64_t *ret_skipped, char ret_message[STORE_MESSAGE_SIZE]);
/* NULL, or why nothing is written any more. Static text. */
const char *store_file_failure(struct store *store);

/* Keeps a copy. A document of the same trace and id is replaced, except that one in
   progress never replaces a complete one. The traces that were longest without a new
   document make room, unless pinned. 0 (also if the old one stays), -ENOSPC if this
   one trace has reached its limit, or the pinned ones theirs, -ENOMEM. */
int store_put(struct store *store, const struct document *document);
/* The same for many at once, which costs less; ret has the result of each. */
#define STORE_PUT_MAX 64u /* what is put in one go; more are put in several */
void store_put_many(struct store *store, const struct document *documents, size_t count, int *ret);

/* -ENOENT: no such trace. The caller frees with stored_trace_free(). */
int store_read(struct store *store, const struct trace_id *id, struct stored_trace *ret);
void stored_trace_free(struct stored_trace *trace);

/* Facts are of all documents put before the call. The caller frees with
   found_traces_free(). 0 or -ENOMEM. */
int store_find(struct store *store, const struct store_query *query, struct found_traces *ret);
/* The facts of one trace, or -ENOENT, -ENOMEM. The caller frees with facts_unref(). */
int store_facts(struct store *store, const struct trace_id *id, struct found_trace *ret);
void found_traces_free(struct found_traces *traces);

/* The traces that changed after change number `since`, the latest first, at most max of
   them; returns how many, and the newest number. */
size_t store_changed(struct store *store, uint64_t since, struct trace_id *ret, size_t max,
                     uint64_t *ret_changes);

typedef void store_watcher(void *data);

/* Calls back after changes, at most every 50 ms, in a thread of the store's, without
   the store's lock: the watcher may use the store, but not (un)watch it. -ENOSPC. */
int store_watch(struct store *store, store_watcher *watcher, void *data);
/* It is not called any more when this returns. */
void store_unwatch(struct store *store, store_watcher *watcher, void *data);

/* A pinned trace never goes by itself. -ENOENT: no such trace; -ENOSPC: pinned ones
   would have more than half of the room. */
int store_pin(struct store *store, const struct trace_id *id, bool pinned);
/* Forgets all traces. */
void store_clear(struct store *store);

void store_count(struct store *store, struct store_counts *ret);
/* With the defaults filled in. */
void store_get_limits(struct store *store, struct store_limits *ret);

/* Small named things of a kind, such as groups: kept as long as the traces' file, if
   there is one. A json of NULL removes it. 0, -ENOENT, -ENOSPC, -ENOMEM. */
int store_keep(struct store *store, const char *kind, const char *name, const char *json);
typedef void store_visitor(void *data, const char *name, const char *json);
/* Visits all of the kind, by name, without the store's lock. 0 or -ENOMEM. */
int store_kept(struct store *store, const char *kind, store_visitor *visitor, void *data);

#endif
