/* SPDX-License-Identifier: Apache-2.0 */
/* Traces by id: a hash table of them, each with a growing array of documents, and
   lists by age, whose oldest goes first. */
#include "local/store/internal.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    return mix(mix(halves[0] ^ s->seed) ^ halves[1]) & (s->bucket_count - 1);
}

void list_append(struct trace_list *list, struct kept_trace *trace, enum list_name name)
{
    trace->links[name].previous = list->last;
    trace->links[name].next = NULL;
    if (list->last)
        list->last->links[name].next = trace;
    else
        list->first = trace;
    list->last = trace;
}

void list_remove(struct trace_list *list, struct kept_trace *trace, enum list_name name)
{
    struct kept_trace *previous = trace->links[name].previous;
    struct kept_trace *next = trace->links[name].next;
    if (previous)
        previous->links[name].next = next;
    else
        list->first = next;
    if (next)
        next->links[name].previous = previous;
    else
        list->last = previous;
}

static struct trace_list *age_list(struct store *s, const struct kept_trace *trace)
{
    return trace->pinned ? &s->pinned : &s->age;
}

struct kept_text *text_new(const char *text, size_t length)
{
    struct kept_text *kept = malloc(sizeof *kept + length + 1);
    if (!kept)
        return NULL;
    atomic_init(&kept->references, 1);
    kept->length = length;
    memcpy(kept->text, text, length);
    kept->text[length] = '\0';
    return kept;
}

void text_unref(struct kept_text *text)
{
    if (atomic_fetch_sub_explicit(&text->references, 1, memory_order_acq_rel) == 1)
        free(text);
}

struct kept_trace *table_find(const struct store *s, const struct trace_id *id)
{
    struct kept_trace *trace = s->buckets[bucket_of(s, id)];
    while (trace && !trace_id_equal(&trace->id, id))
        trace = trace->next_in_bucket;
    return trace;
}

/* Without memory for more buckets the chains grow longer, and that is all. */
static void grow_table(struct store *s)
{
    size_t count = s->bucket_count;
    struct kept_trace **old = s->buckets;
    struct kept_trace **buckets = calloc(count * 2, sizeof(struct kept_trace *));
    if (!buckets)
        return;
    s->buckets = buckets;
    s->bucket_count = count * 2;
    for (size_t i = 0; i < count; i++) {
        for (struct kept_trace *trace = old[i], *next; trace; trace = next) {
            size_t bucket = bucket_of(s, &trace->id);
            next = trace->next_in_bucket;
            trace->next_in_bucket = buckets[bucket];
            buckets[bucket] = trace;
        }
    }
    free((void *)old);
}

static void count_bytes(struct store *s, struct kept_trace *trace, size_t old, size_t new)
{
    trace->bytes = trace->bytes - old + new;
    s->counts.bytes = s->counts.bytes - old + new;
    if (trace->pinned)
        s->pinned_bytes = s->pinned_bytes - old + new;
}

static struct kept_trace *add_trace(struct store *s, const struct trace_id *id)
{
    if (s->counts.traces >= s->bucket_count)
        grow_table(s);
    struct kept_trace *trace = calloc(1, sizeof *trace);
    if (!trace)
        return NULL;
    size_t bucket = bucket_of(s, id);
    trace->id = *id;
    trace->serial = ++s->serial;
    trace->revision = 1;
    trace->spans = (struct kept_spans){
        .first = INFINITY, .last = -INFINITY, .first_end = INFINITY, .last_end = -INFINITY
    };
    trace->next_in_bucket = s->buckets[bucket];
    s->buckets[bucket] = trace;
    list_append(&s->age, trace, LIST_AGE);
    s->counts.traces++;
    count_bytes(s, trace, 0, sizeof *trace);
    return trace;
}

static void free_trace(struct kept_trace *trace)
{
    for (size_t i = 0; i < trace->count; i++)
        text_unref(trace->documents[i].text);
    facts_unref(trace->facts);
    free(trace->documents);
    free(trace->index);
    free(trace);
}

void table_remove(struct store *s, struct kept_trace *trace)
{
    struct kept_trace **link = &s->buckets[bucket_of(s, &trace->id)];
    while (*link != trace)
        link = &(*link)->next_in_bucket;
    *link = trace->next_in_bucket;
    list_remove(age_list(s, trace), trace, LIST_AGE);
    if (trace->dirty)
        list_remove(&s->dirty, trace, LIST_DIRTY);
    if (trace->pinned)
        s->counts.pinned_traces--;
    s->counts.traces--;
    s->counts.documents -= trace->count;
    count_bytes(s, trace, trace->bytes, 0);
    free_trace(trace);
}

void table_make_room(struct store *s, const struct kept_trace *spared)
{
    while (s->counts.traces > s->limits.traces || s->counts.bytes > s->limits.bytes) {
        struct kept_trace *oldest = s->age.first;
        if (oldest && oldest == spared)
            oldest = oldest->links[LIST_AGE].next;
        if (!oldest)
            return;
        if (s->journal)
            journal_remove(s->journal, &oldest->id);
        table_remove(s, oldest);
        s->counts.evicted_traces++;
    }
}

/* Back to where its last change belongs. */
static void insert_by_age(struct trace_list *list, struct kept_trace *trace)
{
    struct kept_trace *after = list->last;
    while (after && after->changed > trace->changed)
        after = after->links[LIST_AGE].previous;
    struct kept_trace *before = after ? after->links[LIST_AGE].next : list->first;
    trace->links[LIST_AGE].previous = after;
    trace->links[LIST_AGE].next = before;
    if (after)
        after->links[LIST_AGE].next = trace;
    else
        list->first = trace;
    if (before)
        before->links[LIST_AGE].previous = trace;
    else
        list->last = trace;
}

int table_pin(struct store *s, struct kept_trace *trace, bool pinned)
{
    if (trace->pinned == pinned)
        return 0;
    /* What can't go must leave room for what comes. */
    if (pinned && (s->pinned_bytes + trace->bytes > s->limits.bytes / 2 ||
                   s->counts.pinned_traces >= (s->limits.traces + 1) / 2))
        return -ENOSPC;
    list_remove(age_list(s, trace), trace, LIST_AGE);
    trace->pinned = pinned;
    insert_by_age(age_list(s, trace), trace);
    s->pinned_bytes = pinned ? s->pinned_bytes + trace->bytes : s->pinned_bytes - trace->bytes;
    s->counts.pinned_traces = pinned ? s->counts.pinned_traces + 1 : s->counts.pinned_traces - 1;
    return 0;
}

/* The place in the index where the id is, or would be. */
static uint32_t *index_place(const struct store *s, const struct kept_trace *trace, uint64_t id)
{
    assert(trace->index);
    size_t mask = trace->index_size - 1;
    size_t at = mix(id ^ s->seed) & mask;
    while (trace->index[at] && trace->documents[trace->index[at] - 1].id != id)
        at = (at + 1) & mask;
    return &trace->index[at];
}

static struct kept_document *find_document(const struct store *s, const struct kept_trace *trace,
                                           uint64_t id)
{
    if (trace->index) {
        uint32_t found = *index_place(s, trace, id);
        return found ? &trace->documents[found - 1] : NULL;
    }
    for (size_t i = 0; i < trace->count; i++)
        if (trace->documents[i].id == id)
            return &trace->documents[i];
    return NULL;
}

/* Room for one more document; the index stays at most half full. */
static int grow_trace(const struct store *s, struct kept_trace *trace)
{
    if (trace->count < trace->size)
        return 0;
    uint32_t size = trace->size ? trace->size * 2 : 4;
    uint32_t *index = size > INDEX_FROM ? calloc((size_t)size * 2, sizeof *index) : NULL;
    if (size > INDEX_FROM && !index)
        return -ENOMEM;
    struct kept_document *documents = realloc(trace->documents, size * sizeof *documents);
    if (!documents) {
        free(index);
        return -ENOMEM;
    }
    trace->documents = documents;
    trace->size = size;
    if (index) {
        free(trace->index);
        trace->index = index;
        trace->index_size = size * 2;
        for (uint32_t i = 0; i < trace->count; i++)
            *index_place(s, trace, documents[i].id) = i + 1;
    }
    return 0;
}

static size_t cost(size_t text_length)
{
    return text_length + 1 + sizeof(struct kept_text) + sizeof(struct kept_document);
}

void table_note_spans(struct kept_spans *spans, const struct kept_document *document)
{
    spans->first = fmin(spans->first, document->start);
    if (document->in_progress) {
        spans->running++;
        return;
    }
    spans->last = fmax(spans->last, fmax(document->end, document->start));
    if (!document->subsegment) {
        spans->first_end = fmin(spans->first_end, document->end);
        spans->last_end = fmax(spans->last_end, document->end);
    }
}

/* Segments decide where a trace starts; subsegments only while there are none. */
static void note_start(struct kept_trace *trace, const struct kept_document *document)
{
    if (!document->subsegment && !trace->has_segment) {
        trace->has_segment = true;
        trace->start = document->start;
    } else if (document->subsegment != trace->has_segment && document->start < trace->start) {
        trace->start = document->start;
    }
}

static void find_start(struct kept_trace *trace)
{
    trace->has_segment = false;
    trace->start = INFINITY;
    for (size_t i = 0; i < trace->count; i++)
        note_start(trace, &trace->documents[i]);
}

static void set_document(struct kept_document *kept, const struct document *document,
                         struct kept_text *text)
{
    *kept = (struct kept_document){
        .id = document->id,
        .start = document->start,
        .end = document->end,
        .text = text,
        .subsegment = document->subsegment,
        .in_progress = document->in_progress,
    };
}

/* One trace must not take all the room, nor may those that can't go. */
static bool fits(const struct store *s, const struct kept_trace *trace, size_t old, size_t new)
{
    size_t facts = trace->facts ? trace->facts->size : 0;
    return trace->bytes - facts - old + new <= s->limits.trace_bytes &&
           (!trace->pinned || s->pinned_bytes - old + new <= s->limits.bytes / 2);
}

static int replace_document(struct store *s, struct kept_trace *trace, struct kept_document *kept,
                            const struct document *document, struct kept_text *text)
{
    size_t old = cost(kept->text->length);
    size_t new = cost(text->length);
    if ((document->in_progress && !kept->in_progress) ||
        (old == new &&memcmp(kept->text->text, text->text, text->length) == 0)) {
        text_unref(text);
        return 0;
    }
    if (!fits(s, trace, old, new)) {
        text_unref(text);
        return -ENOSPC;
    }
    bool moved = kept->start != document->start || kept->subsegment != document->subsegment;
    text_unref(kept->text);
    set_document(kept, document, text);
    trace->spans.stale = true;
    count_bytes(s, trace, old, new);
    if (moved)
        find_start(trace);
    return 1;
}

static int add_document(struct store *s, struct kept_trace *trace, const struct document *document,
                        struct kept_text *text)
{
    size_t bytes = cost(text->length);
    int r = trace->count >= s->limits.trace_documents || !fits(s, trace, 0, bytes)
                ? -ENOSPC
                : grow_trace(s, trace);
    if (r < 0) {
        text_unref(text);
        return r;
    }
    struct kept_document *kept = &trace->documents[trace->count];
    set_document(kept, document, text);
    if (trace->index)
        *index_place(s, trace, document->id) = trace->count + 1;
    if (trace->count == 0)
        trace->start = kept->start;
    trace->count++;
    note_start(trace, kept);
    table_note_spans(&trace->spans, kept);
    count_bytes(s, trace, 0, bytes);
    s->counts.documents++;
    return 1;
}

int table_put(struct store *s, const struct document *document, struct kept_text *text, double now)
{
    struct kept_trace *trace = table_find(s, &document->trace_id);
    if (!trace)
        trace = add_trace(s, &document->trace_id);
    if (!trace) {
        text_unref(text);
        return -ENOMEM;
    }
    struct kept_document *kept = find_document(s, trace, document->id);
    int r = kept ? replace_document(s, trace, kept, document, text)
                 : add_document(s, trace, document, text);
    if (trace->count == 0)
        table_remove(s, trace);
    if (r <= 0)
        return r;
    trace->changed = ++s->counts.changes;
    trace->touched = now;
    if (trace->looked_at)
        trace->revision++;
    list_remove(age_list(s, trace), trace, LIST_AGE);
    list_append(age_list(s, trace), trace, LIST_AGE);
    refresh_mark(s, trace, now);
    table_make_room(s, trace);
    return r;
}

void table_free(struct store *s)
{
    for (size_t i = 0; s->buckets && i < s->bucket_count; i++) {
        for (struct kept_trace *trace = s->buckets[i], *next; trace; trace = next) {
            next = trace->next_in_bucket;
            free_trace(trace);
        }
    }
    free((void *)s->buckets);
}
