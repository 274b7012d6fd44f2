/* SPDX-License-Identifier: Apache-2.0 */
/* A trace is decided as soon as anything speaks for it; only those for which nothing
   does wait for their time, and are dropped then. */
#include "local/intake/tail.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define BUCKETS    65536u
#define KEEP_BATCH 64u

struct held_document {
    struct held_document *next;
    struct document document; /* its text is `text` */
    char text[];
};

struct held_documents {
    struct held_document *first;
    struct held_document **last; /* where the next one goes */
};

enum verdict {
    WAITING,
    KEPT,
    DROPPED,
};

struct held_trace {
    struct trace_id id;
    enum verdict verdict;
    struct held_trace *next_in_bucket;
    struct held_trace *previous; /* in the list of those that wait, or are decided */
    struct held_trace *next;
    struct held_documents documents;
    size_t count;
    size_t bytes;
    double since; /* monotonic */
    double start;
    double end;
};

struct held_list {
    struct held_trace *first;
    struct held_trace *last;
    size_t count;
};

struct tail {
    struct tail_rules rules;
    tail_keeper *keeper;
    void *data;
    pthread_mutex_t lock;
    pthread_cond_t wakes;
    pthread_t thread;
    bool stops;
    uint64_t seed;
    struct held_list waiting;
    struct held_list decided;
    struct tail_counts counts;
    struct held_trace *buckets[BUCKETS];
};

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t hash(const struct trace_id *id, uint64_t seed)
{
    uint64_t halves[2] = { 0 };
    for (size_t i = 0; i < sizeof id->bytes; i++)
        halves[i / 8] = halves[i / 8] << 8 | id->bytes[i];
    return mix(mix(halves[0] ^ seed) ^ halves[1]);
}

bool tail_is_sampled(const struct trace_id *id, double rate)
{
    /* The same number in every process, so that several of them agree. */
    return (double)(hash(id, 0) >> 11) * 0x1p-53 < rate;
}

static struct held_trace **bucket_of(struct tail *tail, const struct trace_id *id)
{
    return &tail->buckets[hash(id, tail->seed) % BUCKETS];
}

static void list_append(struct held_list *list, struct held_trace *trace)
{
    trace->previous = list->last;
    trace->next = NULL;
    if (list->last)
        list->last->next = trace;
    else
        list->first = trace;
    list->last = trace;
    list->count++;
}

static void list_remove(struct held_list *list, struct held_trace *trace)
{
    if (trace->previous)
        trace->previous->next = trace->next;
    else
        list->first = trace->next;
    if (trace->next)
        trace->next->previous = trace->previous;
    else
        list->last = trace->previous;
    list->count--;
}

/* Only of those that are decided: they hold no documents. */
static void forget(struct tail *tail, struct held_trace *trace)
{
    struct held_trace **link = bucket_of(tail, &trace->id);
    while (*link != trace)
        link = &(*link)->next_in_bucket;
    *link = trace->next_in_bucket;
    list_remove(&tail->decided, trace);
    free(trace);
}

static struct held_trace *find_or_add(struct tail *tail, const struct document *document)
{
    struct held_trace **bucket = bucket_of(tail, &document->trace_id);
    struct held_trace *trace = *bucket;
    while (trace && !trace_id_equal(&trace->id, &document->trace_id))
        trace = trace->next_in_bucket;
    if (trace)
        return trace;
    trace = calloc(1, sizeof *trace);
    if (!trace)
        return NULL;
    trace->id = document->trace_id;
    trace->since = now_seconds();
    trace->start = INFINITY;
    trace->end = -INFINITY;
    trace->documents.last = &trace->documents.first;
    trace->next_in_bucket = *bucket;
    *bucket = trace;
    list_append(&tail->waiting, trace);
    tail->counts.buffered++;
    return trace;
}

/* Moves its documents to the end of `out`. */
static void decide(struct tail *tail, struct held_trace *trace, enum verdict verdict,
                   struct held_documents *out)
{
    list_remove(&tail->waiting, trace);
    list_append(&tail->decided, trace);
    trace->verdict = verdict;
    tail->counts.buffered--;
    tail->counts.documents -= trace->count;
    tail->counts.bytes -= trace->bytes;
    tail->counts.kept += verdict == KEPT;
    tail->counts.dropped += verdict == DROPPED;
    if (trace->documents.first) {
        *out->last = trace->documents.first;
        out->last = trace->documents.last;
    }
    trace->documents = (struct held_documents){ NULL, &trace->documents.first };
    trace->count = 0;
    trace->bytes = 0;
    while (tail->decided.count > TAIL_DECIDED_MAX)
        forget(tail, tail->decided.first);
}

static bool speaks_for(const struct tail *tail, struct held_trace *trace,
                       const struct document *document)
{
    trace->start = fmin(trace->start, document->start);
    if (!document->in_progress)
        trace->end = fmax(trace->end, document->end);
    return (tail->rules.slow_seconds > 0 && trace->end - trace->start > tail->rules.slow_seconds) ||
           tail_is_sampled(&trace->id, tail->rules.rate) || document_has_mark(document, "fault") ||
           (tail->rules.errors && document_has_mark(document, "error"));
}

static int hold(struct tail *tail, struct held_trace *trace, const struct document *document)
{
    struct held_document *held = malloc(sizeof *held + document->length + 1);
    if (!held)
        return -ENOMEM;
    held->next = NULL;
    held->document = *document;
    memcpy(held->text, document->text, document->length);
    held->text[document->length] = '\0';
    held->document.text = held->text;
    *trace->documents.last = held;
    trace->documents.last = &held->next;
    size_t bytes = sizeof *held + document->length + 1 + (trace->count ? 0 : sizeof *trace);
    trace->count++;
    trace->bytes += bytes;
    tail->counts.documents++;
    tail->counts.bytes += bytes;
    return 0;
}

/* What came of the documents of one call, with the lock released. */
struct outcome {
    struct held_documents kept;
    struct held_documents dropped;
};

/* With the lock. 1: the document itself is to be kept, after those in the outcome. */
static int put_one(struct tail *tail, const struct document *document, struct outcome *outcome)
{
    struct held_trace *trace = find_or_add(tail, document);
    if (!trace)
        return -ENOMEM;
    if (trace->verdict == DROPPED) {
        tail->counts.late_faults += document_has_mark(document, "fault");
        return 0;
    }
    if (trace->verdict == WAITING && speaks_for(tail, trace, document))
        decide(tail, trace, KEPT, &outcome->kept);
    if (trace->verdict == KEPT)
        return 1;
    int r = hold(tail, trace, document);
    while (tail->counts.bytes > tail->rules.bytes) {
        decide(tail, tail->waiting.first, DROPPED, &outcome->dropped);
        tail->counts.early++;
    }
    return r;
}

static void free_documents(struct held_documents *documents)
{
    for (struct held_document *held = documents->first, *next; held; held = next) {
        next = held->next;
        free(held);
    }
}

static void keep_documents(struct tail *tail, const struct held_documents *documents)
{
    struct document batch[KEEP_BATCH];
    size_t count = 0;
    for (const struct held_document *held = documents->first; held; held = held->next) {
        batch[count++] = held->document;
        if (count == KEEP_BATCH || !held->next) {
            tail->keeper(tail->data, batch, count);
            count = 0;
        }
    }
}

/* As far as one trace is concerned, in the order of arrival. */
static void put_batch(struct tail *tail, const struct document *documents, size_t count, int *ret)
{
    struct document direct[KEEP_BATCH];
    size_t direct_count = 0;
    struct outcome outcome = { 0 };
    outcome.kept.last = &outcome.kept.first;
    outcome.dropped.last = &outcome.dropped.first;
    pthread_mutex_lock(&tail->lock);
    bool was_empty = !tail->waiting.first;
    for (size_t i = 0; i < count; i++) {
        int r = put_one(tail, &documents[i], &outcome);
        if (r == 1)
            direct[direct_count++] = documents[i];
        ret[i] = r < 0 ? r : 0;
    }
    if (was_empty && tail->waiting.first)
        pthread_cond_signal(&tail->wakes);
    pthread_mutex_unlock(&tail->lock);
    keep_documents(tail, &outcome.kept);
    if (direct_count)
        tail->keeper(tail->data, direct, direct_count);
    free_documents(&outcome.kept);
    free_documents(&outcome.dropped);
}

void tail_put_many(struct tail *tail, const struct document *documents, size_t count, int *ret)
{
    for (size_t done = 0; done < count; done += KEEP_BATCH) {
        size_t part = count - done < KEEP_BATCH ? count - done : KEEP_BATCH;
        put_batch(tail, documents + done, part, ret + done);
    }
}

static void *drop_in_time(void *data)
{
    struct tail *tail = data;
    pthread_mutex_lock(&tail->lock);
    while (!tail->stops) {
        struct held_trace *oldest = tail->waiting.first;
        if (!oldest) {
            pthread_cond_wait(&tail->wakes, &tail->lock);
            continue;
        }
        double due = oldest->since + tail->rules.seconds;
        if (now_seconds() < due) {
            struct timespec until = { .tv_sec = (time_t)due };
            until.tv_nsec = (long)((due - floor(due)) * 1e9);
            pthread_cond_timedwait(&tail->wakes, &tail->lock, &until);
            continue;
        }
        struct held_documents dropped = { NULL, &dropped.first };
        decide(tail, oldest, DROPPED, &dropped);
        free_documents(&dropped);
    }
    pthread_mutex_unlock(&tail->lock);
    return NULL;
}

void tail_count(struct tail *tail, struct tail_counts *ret)
{
    pthread_mutex_lock(&tail->lock);
    *ret = tail->counts;
    pthread_mutex_unlock(&tail->lock);
}

int tail_new(struct tail **ret, const struct tail_rules *rules, tail_keeper *keeper, void *data)
{
    struct tail *tail = calloc(1, sizeof *tail);
    pthread_condattr_t attributes;
    if (!tail)
        return -ENOMEM;
    tail->rules = *rules;
    if (!tail->rules.bytes)
        tail->rules.bytes = TAIL_BYTES;
    tail->keeper = keeper;
    tail->data = data;
    if (getrandom(&tail->seed, sizeof tail->seed, 0) != (ssize_t)sizeof tail->seed) {
        free(tail);
        return -EIO;
    }
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&tail->lock, NULL);
    pthread_cond_init(&tail->wakes, &attributes);
    pthread_condattr_destroy(&attributes);
    int r = -pthread_create(&tail->thread, NULL, drop_in_time, tail);
    if (r < 0) {
        pthread_cond_destroy(&tail->wakes);
        pthread_mutex_destroy(&tail->lock);
        free(tail);
        return r;
    }
    *ret = tail;
    return 0;
}

static void free_list(struct held_list *list)
{
    for (struct held_trace *trace = list->first, *next; trace; trace = next) {
        next = trace->next;
        free_documents(&trace->documents);
        free(trace);
    }
}

void tail_free(struct tail *tail)
{
    if (!tail)
        return;
    pthread_mutex_lock(&tail->lock);
    tail->stops = true;
    pthread_cond_signal(&tail->wakes);
    pthread_mutex_unlock(&tail->lock);
    pthread_join(tail->thread, NULL);
    free_list(&tail->waiting);
    free_list(&tail->decided);
    pthread_cond_destroy(&tail->wakes);
    pthread_mutex_destroy(&tail->lock);
    free(tail);
}
