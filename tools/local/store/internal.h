/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the store share. One lock guards all of it; nothing that takes
   long (JSON, files, callbacks) is done while it is held. */
#ifndef LOCAL_STORE_INTERNAL_H
#define LOCAL_STORE_INTERNAL_H

#include "local/store/journal.h"
#include "local/store/store.h"

#include <pthread.h>
#include <stdatomic.h>

/* Facts are brought up to date in the background this long after the first document
   that they miss, so that a trace that grows is not read again for each of them. */
#define FACTS_DELAY_SECONDS 0.2
/* Fewer documents than this are found by looking at each. */
#define INDEX_FROM   8u
#define WATCHERS_MAX 8u

/* Shared by the trace that has it and by whoever is reading it. */
struct kept_text {
    atomic_uint references;
    size_t length;
    char text[]; /* NUL-terminated */
};

struct kept_document {
    uint64_t id;
    double start;
    double end;
    struct kept_text *text;
    bool subsegment;
    bool in_progress;
};

/* When something of a trace went on, so that most queries need not look at its
   documents. */
struct kept_spans {
    double first; /* start of any document */
    double last;  /* end of any complete one */
    double first_end;
    double last_end; /* of complete segments; first_end is infinite without any */
    uint32_t running;
    bool stale; /* a document was replaced: to be read from the documents again */
};

enum list_name {
    LIST_AGE,   /* by the last document, the oldest first; pinned traces apart */
    LIST_DIRTY, /* facts miss a document: by when it came */
    LISTS,
};

struct kept_trace {
    struct trace_id id;
    struct kept_trace *next_in_bucket;
    struct {
        struct kept_trace *previous;
        struct kept_trace *next;
    } links[LISTS];
    struct kept_document *documents;
    uint32_t *index; /* of documents + 1, by hash of the id; 0 is free. NULL: too few */
    uint32_t count;
    uint32_t size;
    uint32_t index_size;
    uint32_t revision;
    size_t bytes;
    double start;
    double touched;     /* when the last document came */
    double dirty_since; /* in LIST_DIRTY */
    struct kept_spans spans;
    struct facts *facts;
    uint64_t serial;   /* no other trace, of the same id either, has had it */
    uint64_t changed;  /* the number of its last change */
    uint64_t facts_of; /* the number of the last change that facts know */
    bool has_segment;
    bool looked_at;
    bool pinned;
    bool dirty;
    bool building;
};

struct trace_list {
    struct kept_trace *first;
    struct kept_trace *last;
};

struct watcher {
    store_watcher *call;
    void *data;
};

struct kept_item {
    char *kind;
    char *name;
    char *json;
};

struct store {
    struct store_limits limits;
    pthread_mutex_t lock;
    struct kept_trace **buckets;
    size_t bucket_count; /* a power of two */
    uint64_t seed;
    uint64_t serial;
    struct trace_list age;
    struct trace_list pinned;
    struct trace_list dirty;
    size_t pinned_bytes;
    struct store_counts counts;
    struct journal *journal; /* NULL: memory only */
    bool loading;            /* from the file: nothing expires by halves */
    struct kept_item *items;
    size_t item_count;

    pthread_cond_t built;
    pthread_cond_t builder_wakes;
    pthread_cond_t keeper_wakes;
    pthread_t builder;
    pthread_t keeper;
    bool builder_waits; /* for a first dirty trace */
    bool keeper_waits;  /* for a first change */
    bool stops;

    pthread_mutex_t watch_lock; /* held while watchers are called */
    struct watcher watchers[WATCHERS_MAX];
    size_t watcher_count;
};

/* Monotonic seconds. */
double store_now(void);

/* ---- table.c: all with the lock held ---- */

struct kept_trace *table_find(const struct store *store, const struct trace_id *id);
/* Takes the text over. 1 if something changed, 0 if the old document stays; -ENOSPC, -ENOMEM. */
int table_put(struct store *store, const struct document *document, struct kept_text *text,
              double now);
void table_remove(struct store *store, struct kept_trace *trace);
/* Removes what is beyond the limits, except `spared`, which may be NULL. */
void table_make_room(struct store *store, const struct kept_trace *spared);
int table_pin(struct store *store, struct kept_trace *trace, bool pinned);
void table_note_spans(struct kept_spans *spans, const struct kept_document *document);
void table_free(struct store *store);
struct kept_text *text_new(const char *text, size_t length);
void text_unref(struct kept_text *text);

void list_append(struct trace_list *list, struct kept_trace *trace, enum list_name name);
void list_remove(struct trace_list *list, struct kept_trace *trace, enum list_name name);

/* ---- refresh.c ---- */

/* With the lock held, which it gives up meanwhile: facts that know all documents put
   so far, as a reference of the caller's. -ENOENT, -ENOMEM. */
int refresh_facts(struct store *store, const struct trace_id *id, struct found_trace *ret);
/* The same for the background: not wanted by anybody yet. */
void refresh_quietly(struct store *store, struct kept_trace *trace);
void refresh_mark(struct store *store, struct kept_trace *trace, double now);

/* ---- items.c ---- */

/* With the lock held. */
int items_put(struct store *store, const char *kind, const char *name, const char *json);
void items_free(struct store *store);

/* ---- workers.c ---- */

int workers_start(struct store *store);
void workers_stop(struct store *store);
/* With the lock held, after a change. */
void workers_wake(struct store *store);

#endif
