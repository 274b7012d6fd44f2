/* SPDX-License-Identifier: Apache-2.0 */
/* What others may ask of the store. */
#include "local/store/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_BUCKETS 1024u

/* With the lock. Takes the text over. */
static int put_locked(struct store *s, const struct document *document, struct kept_text *text,
                      double now)
{
    if (!text)
        return -ENOMEM;
    atomic_fetch_add_explicit(&text->references, 1, memory_order_relaxed);
    int r = table_put(s, document, text, now);
    if (r == 1 && s->journal)
        journal_put(s->journal, document, text);
    else
        text_unref(text);
    return r < 0 ? r : 0;
}

void store_put_many(struct store *s, const struct document *documents, size_t count, int *ret)
{
    struct kept_text *texts[STORE_PUT_MAX];
    while (count) {
        size_t part = count < STORE_PUT_MAX ? count : STORE_PUT_MAX;
        for (size_t i = 0; i < part; i++)
            texts[i] = text_new(documents[i].text, documents[i].length);
        double now = store_now();
        pthread_mutex_lock(&s->lock);
        for (size_t i = 0; i < part; i++)
            ret[i] = put_locked(s, &documents[i], texts[i], now);
        workers_wake(s);
        pthread_mutex_unlock(&s->lock);
        documents += part;
        ret += part;
        count -= part;
    }
    if (s->journal)
        journal_wait(s->journal);
}

int store_put(struct store *s, const struct document *document)
{
    int r;
    store_put_many(s, document, 1, &r);
    return r;
}

/* References to the texts; copied without the lock. */
static int refer(const struct kept_trace *trace, struct kept_text ***ret)
{
    struct kept_text **texts = calloc(trace->count, sizeof(struct kept_text *));
    if (!texts)
        return -ENOMEM;
    for (size_t i = 0; i < trace->count; i++) {
        texts[i] = trace->documents[i].text;
        atomic_fetch_add_explicit(&texts[i]->references, 1, memory_order_relaxed);
    }
    *ret = texts;
    return 0;
}

static int copy_text(const struct kept_text *text, struct stored_trace *copy)
{
    struct stored_document *to = &copy->documents[copy->count];
    to->text = malloc(text->length + 1);
    if (!to->text)
        return -ENOMEM;
    memcpy(to->text, text->text, text->length + 1);
    to->length = text->length;
    copy->count++;
    return 0;
}

int store_read(struct store *s, const struct trace_id *id, struct stored_trace *ret)
{
    struct stored_trace copy = { .id = *id };
    struct kept_text **texts = NULL;
    size_t count = 0;
    pthread_mutex_lock(&s->lock);
    const struct kept_trace *trace = table_find(s, id);
    int r = trace ? refer(trace, &texts) : -ENOENT;
    if (r == 0)
        count = trace->count;
    pthread_mutex_unlock(&s->lock);
    if (r < 0)
        return r;
    copy.documents = calloc(count, sizeof *copy.documents);
    if (!copy.documents)
        r = -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        if (r == 0)
            r = copy_text(texts[i], &copy);
        text_unref(texts[i]);
    }
    free((void *)texts);
    if (r < 0)
        stored_trace_free(&copy);
    else
        *ret = copy;
    return r;
}

void stored_trace_free(struct stored_trace *trace)
{
    for (size_t i = 0; i < trace->count; i++)
        free(trace->documents[i].text);
    free(trace->documents);
    *trace = (struct stored_trace){ 0 };
}

/* The later of the two, which is moved on. */
static const struct kept_trace *latest(const struct kept_trace **a, const struct kept_trace **b)
{
    const struct kept_trace **from = !*a || (*b && (*b)->changed > (*a)->changed) ? b : a;
    const struct kept_trace *trace = *from;
    if (trace)
        *from = trace->links[LIST_AGE].previous;
    return trace;
}

size_t store_changed(struct store *s, uint64_t since, struct trace_id *ret, size_t max,
                     uint64_t *ret_changes)
{
    size_t count = 0;
    pthread_mutex_lock(&s->lock);
    const struct kept_trace *aging = s->age.last;
    const struct kept_trace *pinned = s->pinned.last;
    while (count < max) {
        const struct kept_trace *trace = latest(&aging, &pinned);
        if (!trace || trace->changed <= since)
            break;
        ret[count++] = trace->id;
    }
    *ret_changes = s->counts.changes;
    pthread_mutex_unlock(&s->lock);
    return count;
}

int store_pin(struct store *s, const struct trace_id *id, bool pinned)
{
    pthread_mutex_lock(&s->lock);
    struct kept_trace *trace = table_find(s, id);
    int r = trace ? table_pin(s, trace, pinned) : -ENOENT;
    if (r == 0 && s->journal)
        journal_pin(s->journal, id, pinned);
    pthread_mutex_unlock(&s->lock);
    return r;
}

void store_clear(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    while (s->age.first)
        table_remove(s, s->age.first);
    while (s->pinned.first)
        table_remove(s, s->pinned.first);
    s->counts.changes++;
    if (s->journal)
        journal_clear(s->journal);
    workers_wake(s);
    pthread_mutex_unlock(&s->lock);
}

void store_count(struct store *s, struct store_counts *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->counts;
    pthread_mutex_unlock(&s->lock);
}

void store_get_limits(struct store *s, struct store_limits *ret)
{
    *ret = s->limits;
}

static void set_limits(struct store_limits *limits, const struct store_limits *wanted)
{
    if (wanted)
        *limits = *wanted;
    if (!limits->traces)
        limits->traces = 10000;
    if (!limits->bytes)
        limits->bytes = (size_t)256 << 20;
    if (!limits->trace_bytes)
        limits->trace_bytes = (size_t)32 << 20;
    if (!limits->trace_documents)
        limits->trace_documents = 50000;
    if (!limits->age_seconds)
        limits->age_seconds = 24 * 3600;
}

static void free_parts(struct store *s)
{
    table_free(s);
    items_free(s);
    pthread_cond_destroy(&s->built);
    pthread_cond_destroy(&s->builder_wakes);
    pthread_cond_destroy(&s->keeper_wakes);
    pthread_mutex_destroy(&s->watch_lock);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void store_free(struct store *s)
{
    if (!s)
        return;
    workers_stop(s);
    journal_free(s->journal);
    free_parts(s);
}

static void init_parts(struct store *s)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->watch_lock, NULL);
    pthread_cond_init(&s->built, NULL);
    pthread_cond_init(&s->builder_wakes, &attributes);
    pthread_cond_init(&s->keeper_wakes, &attributes);
    pthread_condattr_destroy(&attributes);
}

int store_new(struct store **ret, const struct store_limits *limits)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    init_parts(s);
    set_limits(&s->limits, limits);
    s->bucket_count = FIRST_BUCKETS;
    s->buckets = calloc(FIRST_BUCKETS, sizeof(struct kept_trace *));
    int r = s->buckets ? 0 : -ENOMEM;
    if (r == 0 && getrandom(&s->seed, sizeof s->seed, 0) != (ssize_t)sizeof s->seed)
        r = -EIO;
    if (r == 0)
        r = workers_start(s);
    if (r < 0)
        free_parts(s);
    else
        *ret = s;
    return r;
}
