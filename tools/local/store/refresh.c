/* SPDX-License-Identifier: Apache-2.0 */
/* Facts of traces that got documents: made without the lock, from references to the
   texts, by one thread for each trace. */
#include "local/store/internal.h"

#include <errno.h>
#include <stdlib.h>

struct snapshot {
    struct trace_id id;
    uint64_t serial;
    uint64_t changed;
    size_t count;
    struct stored_document *documents; /* the texts of `texts` */
    struct kept_text **texts;
};

void refresh_mark(struct store *s, struct kept_trace *trace, double now)
{
    if (trace->dirty)
        return;
    trace->dirty = true;
    trace->dirty_since = now;
    list_append(&s->dirty, trace, LIST_DIRTY);
}

static void unmark(struct store *s, struct kept_trace *trace)
{
    if (trace->dirty)
        list_remove(&s->dirty, trace, LIST_DIRTY);
    trace->dirty = false;
}

static int take_snapshot(const struct kept_trace *trace, struct snapshot *ret)
{
    *ret = (struct snapshot){
        .id = trace->id,
        .serial = trace->serial,
        .changed = trace->changed,
        .count = trace->count,
        .documents = calloc(trace->count, sizeof(struct stored_document)),
        .texts = calloc(trace->count, sizeof(struct kept_text *)),
    };
    if (!ret->documents || !ret->texts) {
        free(ret->documents);
        free((void *)ret->texts);
        return -ENOMEM;
    }
    for (size_t i = 0; i < ret->count; i++) {
        struct kept_text *text = trace->documents[i].text;
        atomic_fetch_add_explicit(&text->references, 1, memory_order_relaxed);
        ret->texts[i] = text;
        ret->documents[i] = (struct stored_document){ text->text, text->length };
    }
    return 0;
}

static void free_snapshot(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->count; i++)
        text_unref(snapshot->texts[i]);
    free(snapshot->documents);
    free((void *)snapshot->texts);
}

static int build(const struct snapshot *snapshot, struct facts **ret)
{
    struct trace trace;
    int r = trace_build(&trace, snapshot->documents, snapshot->count);
    if (r < 0)
        return r;
    r = facts_new(ret, &trace, &snapshot->id);
    trace_free(&trace);
    return r;
}

/* Takes the reference over. */
static void keep_facts(struct store *s, struct kept_trace *trace, struct facts *facts,
                       uint64_t changed)
{
    size_t old = trace->facts ? trace->facts->size : 0;
    facts_unref(trace->facts);
    trace->facts = facts;
    trace->facts_of = changed;
    trace->bytes = trace->bytes - old + facts->size;
    s->counts.bytes = s->counts.bytes - old + facts->size;
    if (trace->pinned)
        s->pinned_bytes = s->pinned_bytes - old + facts->size;
    table_make_room(s, trace);
}

/* With the lock, given up meanwhile; the trace may be gone afterwards. */
static int build_trace(struct store *s, struct kept_trace *trace)
{
    struct snapshot snapshot;
    struct facts *facts = NULL;
    int r = take_snapshot(trace, &snapshot);
    unmark(s, trace);
    if (r < 0) {
        refresh_mark(s, trace, store_now());
        return r;
    }
    trace->building = true;
    pthread_mutex_unlock(&s->lock);
    r = build(&snapshot, &facts);
    pthread_mutex_lock(&s->lock);
    trace = table_find(s, &snapshot.id);
    if (trace && trace->serial != snapshot.serial)
        trace = NULL;
    if (trace) {
        trace->building = false;
        if (r < 0)
            refresh_mark(s, trace, store_now());
        else
            keep_facts(s, trace, facts, snapshot.changed);
    } else if (r == 0) {
        facts_unref(facts);
    }
    pthread_cond_broadcast(&s->built);
    free_snapshot(&snapshot);
    return r;
}

int refresh_facts(struct store *s, const struct trace_id *id, struct found_trace *ret)
{
    uint64_t serial = 0;
    uint64_t needed = 0;
    for (;;) {
        struct kept_trace *trace = table_find(s, id);
        if (!trace)
            return -ENOENT;
        if (trace->serial != serial) {
            serial = trace->serial;
            needed = trace->changed;
        }
        if (trace->facts && trace->facts_of >= needed) {
            trace->looked_at = true;
            *ret = (struct found_trace){ facts_ref(trace->facts), trace->revision, trace->pinned };
            return 0;
        }
        if (trace->building) {
            pthread_cond_wait(&s->built, &s->lock);
            continue;
        }
        int r = build_trace(s, trace);
        if (r < 0)
            return r;
    }
}

void refresh_quietly(struct store *s, struct kept_trace *trace)
{
    if (trace->building) {
        unmark(s, trace);
        refresh_mark(s, trace, store_now());
    } else {
        build_trace(s, trace);
    }
}
