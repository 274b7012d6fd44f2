/* SPDX-License-Identifier: Apache-2.0 */
/* The store in memory: a hash table of traces, each with a growing array of
   documents and an index by id. Traces also form a list in the order of their last
   document, whose head is evicted first. */
#include "local/store/store.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS 16384u
/* A trace id's time is believed if it is no further than this from its documents:
   the service takes documents for seven days. Ids made by W3C's rule are random. */
#define EPOCH_TRUST_SECONDS (7.0 * 24 * 3600)

struct entry {
    uint64_t id;
    double start;
    double end;
    bool subsegment;
    bool in_progress;
    struct stored_document document;
};

struct trace_entry {
    struct trace_id id;
    struct trace_entry *next_in_bucket;
    struct trace_entry *older;
    struct trace_entry *newer;
    struct entry *entries;
    size_t count;
    size_t size;
    uint32_t *index; /* of entries + 1, by hash of the id; 0 is free */
    size_t index_size;
    size_t bytes;
    double start;
    bool has_segment;
};

struct store {
    struct store_limits limits;
    pthread_mutex_t lock;
    struct trace_entry *oldest;
    struct trace_entry *newest;
    struct store_counts counts;
    uint64_t seed;
    struct trace_entry *buckets[BUCKETS];
};

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Ids come from outside: the seed keeps them from being chosen to collide. */
static size_t bucket_of(const struct store *s, const struct trace_id *id)
{
    uint64_t halves[2];
    memcpy(halves, id->bytes, sizeof halves);
    return mix(mix(halves[0] ^ s->seed) ^ halves[1]) % BUCKETS;
}

static struct trace_entry *find_trace(struct store *s, const struct trace_id *id)
{
    struct trace_entry *trace = s->buckets[bucket_of(s, id)];
    while (trace && !trace_id_equal(&trace->id, id))
        trace = trace->next_in_bucket;
    return trace;
}

static void unlink_age(struct store *s, struct trace_entry *trace)
{
    if (trace->older)
        trace->older->newer = trace->newer;
    else
        s->oldest = trace->newer;
    if (trace->newer)
        trace->newer->older = trace->older;
    else
        s->newest = trace->older;
}

static void link_newest(struct store *s, struct trace_entry *trace)
{
    trace->older = s->newest;
    trace->newer = NULL;
    if (s->newest)
        s->newest->newer = trace;
    else
        s->oldest = trace;
    s->newest = trace;
}

static struct trace_entry *add_trace(struct store *s, const struct trace_id *id)
{
    struct trace_entry *trace = calloc(1, sizeof *trace);
    if (!trace)
        return NULL;
    size_t bucket = bucket_of(s, id);
    trace->id = *id;
    trace->bytes = sizeof *trace;
    trace->next_in_bucket = s->buckets[bucket];
    s->buckets[bucket] = trace;
    link_newest(s, trace);
    s->counts.traces++;
    s->counts.bytes += trace->bytes;
    return trace;
}

static void free_trace(struct trace_entry *trace)
{
    for (size_t i = 0; i < trace->count; i++)
        free(trace->entries[i].document.text);
    free(trace->entries);
    free(trace->index);
    free(trace);
}

static void remove_trace(struct store *s, struct trace_entry *trace)
{
    struct trace_entry **link = &s->buckets[bucket_of(s, &trace->id)];
    while (*link != trace)
        link = &(*link)->next_in_bucket;
    *link = trace->next_in_bucket;
    unlink_age(s, trace);
    s->counts.traces--;
    s->counts.documents -= trace->count;
    s->counts.bytes -= trace->bytes;
    free_trace(trace);
}

/* The place in the index where the id is, or would be. */
static uint32_t *index_place(const struct store *s, const struct trace_entry *trace, uint64_t id)
{
    assert(trace->index);
    size_t mask = trace->index_size - 1;
    size_t at = mix(id ^ s->seed) & mask;
    while (trace->index[at] && trace->entries[trace->index[at] - 1].id != id)
        at = (at + 1) & mask;
    return &trace->index[at];
}

/* Room for one more entry; the index stays at most half full. */
static int grow_trace(const struct store *s, struct trace_entry *trace)
{
    if (trace->count < trace->size)
        return 0;
    size_t size = trace->size ? trace->size * 2 : 4;
    uint32_t *index = calloc(size * 2, sizeof *index);
    struct entry *entries = realloc(trace->entries, size * sizeof *entries);
    if (entries) {
        trace->entries = entries;
        trace->size = index ? size : trace->size;
    }
    if (!index || !entries) {
        free(index);
        return -ENOMEM;
    }
    free(trace->index);
    trace->index = index;
    trace->index_size = size * 2;
    for (size_t i = 0; i < trace->count; i++)
        *index_place(s, trace, entries[i].id) = (uint32_t)i + 1;
    return 0;
}

static size_t cost(size_t text_length)
{
    return text_length + 1 + sizeof(struct entry) + 2 * sizeof(uint32_t);
}

/* Segments decide where a trace starts; subsegments only while there are none. */
static void note_start(struct trace_entry *trace, const struct entry *entry)
{
    if (!entry->subsegment && !trace->has_segment) {
        trace->has_segment = true;
        trace->start = entry->start;
    } else if (entry->subsegment != trace->has_segment && entry->start < trace->start) {
        trace->start = entry->start;
    }
}

static void find_start(struct trace_entry *trace)
{
    trace->has_segment = false;
    trace->start = INFINITY;
    for (size_t i = 0; i < trace->count; i++)
        note_start(trace, &trace->entries[i]);
}

static void set_entry(struct entry *entry, const struct document *document, char *text)
{
    entry->id = document->id;
    entry->start = document->start;
    entry->end = document->end;
    entry->subsegment = document->subsegment;
    entry->in_progress = document->in_progress;
    entry->document.text = text;
    entry->document.length = document->length;
}

static int replace_entry(struct store *s, struct trace_entry *trace, struct entry *entry,
                         const struct document *document, char *text)
{
    if (document->in_progress && !entry->in_progress) {
        free(text);
        return 0;
    }
    size_t old = cost(entry->document.length);
    size_t new = cost(document->length);
    if (trace->bytes - old + new > s->limits.trace_bytes) {
        free(text);
        return -ENOSPC;
    }
    bool moved = entry->start != document->start || entry->subsegment != document->subsegment;
    free(entry->document.text);
    set_entry(entry, document, text);
    trace->bytes = trace->bytes - old + new;
    s->counts.bytes = s->counts.bytes - old + new;
    if (moved)
        find_start(trace);
    return 0;
}

static int add_entry(struct store *s, struct trace_entry *trace, const struct document *document,
                     char *text)
{
    size_t bytes = cost(document->length);
    if (trace->count == s->limits.trace_documents || trace->bytes + bytes > s->limits.trace_bytes) {
        free(text);
        return -ENOSPC;
    }
    int r = grow_trace(s, trace);
    if (r < 0) {
        free(text);
        return r;
    }
    struct entry *entry = &trace->entries[trace->count];
    set_entry(entry, document, text);
    if (trace->count == 0)
        trace->start = entry->start;
    *index_place(s, trace, document->id) = (uint32_t)trace->count + 1;
    trace->count++;
    note_start(trace, entry);
    trace->bytes += bytes;
    s->counts.bytes += bytes;
    s->counts.documents++;
    return 0;
}

static int put_locked(struct store *s, const struct document *document, char *text)
{
    struct trace_entry *trace = find_trace(s, &document->trace_id);
    if (!trace)
        trace = add_trace(s, &document->trace_id);
    if (!trace) {
        free(text);
        return -ENOMEM;
    }
    uint32_t found = trace->index ? *index_place(s, trace, document->id) : 0;
    int r = found ? replace_entry(s, trace, &trace->entries[found - 1], document, text)
                  : add_entry(s, trace, document, text);
    if (trace->count == 0) {
        remove_trace(s, trace);
        return r;
    }
    unlink_age(s, trace);
    link_newest(s, trace);
    while (s->oldest && s->oldest != trace &&
           (s->counts.traces > s->limits.traces || s->counts.bytes > s->limits.bytes)) {
        remove_trace(s, s->oldest);
        s->counts.evicted_traces++;
    }
    return r;
}

int store_put(struct store *s, const struct document *document)
{
    char *text = malloc(document->length + 1);
    if (!text)
        return -ENOMEM;
    memcpy(text, document->text, document->length);
    text[document->length] = '\0';
    pthread_mutex_lock(&s->lock);
    int r = put_locked(s, document, text);
    pthread_mutex_unlock(&s->lock);
    return r;
}

static int copy_documents(const struct trace_entry *trace, struct stored_trace *copy)
{
    copy->documents = calloc(trace->count, sizeof *copy->documents);
    if (!copy->documents)
        return -ENOMEM;
    for (; copy->count < trace->count; copy->count++) {
        const struct stored_document *from = &trace->entries[copy->count].document;
        struct stored_document *to = &copy->documents[copy->count];
        to->text = malloc(from->length + 1);
        if (!to->text)
            return -ENOMEM;
        memcpy(to->text, from->text, from->length + 1);
        to->length = from->length;
    }
    return 0;
}

int store_read(struct store *s, const struct trace_id *id, struct stored_trace *ret)
{
    struct stored_trace copy = { .id = *id };
    pthread_mutex_lock(&s->lock);
    const struct trace_entry *trace = find_trace(s, id);
    int r = trace ? copy_documents(trace, &copy) : -ENOENT;
    pthread_mutex_unlock(&s->lock);
    if (r < 0)
        stored_trace_free(&copy);
    else
        *ret = copy;
    return r;
}

static bool within(double time, const struct store_query *query)
{
    return time >= query->from && time < query->to;
}

static bool matches(const struct trace_entry *trace, const struct store_query *query)
{
    if (query->range == STORE_RANGE_TRACE_ID) {
        /* An id carries whole seconds: 100.5 to 101 is meant to find what began at 100.7. */
        double epoch = trace_id_epoch(&trace->id);
        if (fabs(epoch - trace->start) > EPOCH_TRUST_SECONDS)
            return within(trace->start, query);
        return epoch >= floor(query->from) && epoch < query->to;
    }
    for (size_t i = 0; i < trace->count; i++) {
        const struct entry *entry = &trace->entries[i];
        if (query->range == STORE_RANGE_SERVICE) {
            if (!entry->subsegment && !entry->in_progress && within(entry->end, query))
                return true;
        } else if (entry->start < query->to &&
                   (entry->in_progress || fmax(entry->end, entry->start) >= query->from)) {
            return true;
        }
    }
    return false;
}

struct trace_head {
    struct trace_id id;
    double start;
};

static int newest_first(const void *a, const void *b)
{
    const struct trace_head *x = a;
    const struct trace_head *y = b;
    if (x->start != y->start)
        return x->start < y->start ? 1 : -1;
    return memcmp(x->id.bytes, y->id.bytes, sizeof x->id.bytes);
}

static int list_heads(struct store *s, const struct store_query *query, struct trace_head **ret,
                      size_t *ret_count)
{
    size_t count = 0;
    pthread_mutex_lock(&s->lock);
    struct trace_head *heads = calloc(s->counts.traces + 1, sizeof *heads);
    for (const struct trace_entry *t = s->newest; heads && t; t = t->older)
        if (matches(t, query))
            heads[count++] = (struct trace_head){ t->id, t->start };
    pthread_mutex_unlock(&s->lock);
    if (!heads)
        return -ENOMEM;
    qsort(heads, count, sizeof *heads, newest_first);
    *ret = heads;
    *ret_count = count;
    return 0;
}

/* -ENOENT if it has gone since. */
int store_facts(struct store *s, const struct trace_id *id, struct found_trace *ret)
{
    struct stored_trace stored;
    struct trace trace;
    int r = store_read(s, id, &stored);
    if (r < 0)
        return r;
    r = trace_build(&trace, stored.documents, stored.count);
    if (r == 0) {
        *ret = (struct found_trace){ .revision = 1 };
        r = facts_new(&ret->facts, &trace, id);
        trace_free(&trace);
    }
    stored_trace_free(&stored);
    return r;
}

void found_traces_free(struct found_traces *traces)
{
    for (size_t i = 0; i < traces->count; i++)
        facts_unref(traces->traces[i].facts);
    free(traces->traces);
    *traces = (struct found_traces){ 0 };
}

int store_find(struct store *s, const struct store_query *query, struct found_traces *ret)
{
    struct trace_head *heads;
    size_t count;
    int r = list_heads(s, query, &heads, &count);
    if (r < 0)
        return r;
    struct found_traces found = { .traces = calloc(count + 1, sizeof *found.traces) };
    r = found.traces ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && r == 0; i++) {
        r = store_facts(s, &heads[i].id, &found.traces[found.count]);
        if (r == 0)
            found.count++;
        else if (r == -ENOENT)
            r = 0;
    }
    free(heads);
    if (r < 0)
        found_traces_free(&found);
    else
        *ret = found;
    return r;
}

void store_count(struct store *s, struct store_counts *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->counts;
    pthread_mutex_unlock(&s->lock);
}

void store_free(struct store *s)
{
    if (!s)
        return;
    for (struct trace_entry *trace = s->oldest, *newer; trace; trace = newer) {
        newer = trace->newer;
        free_trace(trace);
    }
    pthread_mutex_destroy(&s->lock);
    free(s);
}

int store_new(struct store **ret, const struct store_limits *limits)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    if (limits)
        s->limits = *limits;
    if (!s->limits.traces)
        s->limits.traces = 10000;
    if (!s->limits.bytes)
        s->limits.bytes = 256u << 20;
    if (!s->limits.trace_bytes)
        s->limits.trace_bytes = 32u << 20;
    if (!s->limits.trace_documents)
        s->limits.trace_documents = 50000;
    if (getrandom(&s->seed, sizeof s->seed, 0) != (ssize_t)sizeof s->seed) {
        free(s);
        return -EIO;
    }
    pthread_mutex_init(&s->lock, NULL);
    *ret = s;
    return 0;
}

void stored_trace_free(struct stored_trace *trace)
{
    for (size_t i = 0; i < trace->count; i++)
        free(trace->documents[i].text);
    free(trace->documents);
    *trace = (struct stored_trace){ 0 };
}
