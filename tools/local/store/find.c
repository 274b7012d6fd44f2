/* SPDX-License-Identifier: Apache-2.0 */
/* Queries: which traces are in a range, with their facts. */
#include "local/store/internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A trace id's time is believed if it is no further than this from its documents:
   the service takes documents for seven days. Ids made by W3C's rule are random. */
#define EPOCH_TRUST_SECONDS (7.0 * 24 * 3600)

static bool within(double time, const struct store_query *query)
{
    return time >= query->from && time < query->to;
}

static bool id_matches(const struct kept_trace *trace, const struct store_query *query)
{
    /* An id carries whole seconds: 100.5 to 101 is meant to find what began at 100.7. */
    double epoch = trace_id_epoch(&trace->id);
    if (fabs(epoch - trace->start) > EPOCH_TRUST_SECONDS)
        return within(trace->start, query);
    return epoch >= floor(query->from) && epoch < query->to;
}

static void read_spans(struct kept_trace *trace)
{
    struct kept_spans spans = { INFINITY, -INFINITY, INFINITY, -INFINITY, 0, false };
    for (size_t i = 0; i < trace->count; i++)
        table_note_spans(&spans, &trace->documents[i]);
    trace->spans = spans;
}

static bool document_matches(const struct kept_document *document, const struct store_query *query)
{
    if (query->range == STORE_RANGE_SERVICE)
        return !document->subsegment && !document->in_progress && within(document->end, query);
    return document->start < query->to &&
           (document->in_progress || fmax(document->end, document->start) >= query->from);
}

static bool matches(struct kept_trace *trace, const struct store_query *query)
{
    const struct kept_spans *spans = &trace->spans;
    if (query->range == STORE_RANGE_TRACE_ID)
        return id_matches(trace, query);
    if (spans->stale)
        read_spans(trace);
    bool service = query->range == STORE_RANGE_SERVICE;
    double first = service ? spans->first_end : spans->first;
    double last = service ? spans->last_end : spans->last;
    if (first >= query->to || (last < query->from && (service || !spans->running)))
        return false;
    if (within(first, query) || within(last, query))
        return true;
    /* It began before and ended after: there may have been a pause. */
    for (size_t i = 0; i < trace->count; i++)
        if (document_matches(&trace->documents[i], query))
            return true;
    return false;
}

struct candidate {
    struct trace_id id;
    double start;
    struct found_trace found; /* facts are NULL if they are to be brought up to date */
};

static int newest_first(const void *a, const void *b)
{
    const struct candidate *x = a;
    const struct candidate *y = b;
    if (x->start != y->start)
        return x->start < y->start ? 1 : -1;
    return memcmp(x->id.bytes, y->id.bytes, sizeof x->id.bytes);
}

static size_t find_in(struct trace_list *list, const struct store_query *query,
                      struct candidate *candidates, size_t count)
{
    for (struct kept_trace *trace = list->last; trace; trace = trace->links[LIST_AGE].previous) {
        if (!matches(trace, query))
            continue;
        struct candidate *candidate = &candidates[count++];
        *candidate = (struct candidate){ .id = trace->id, .start = trace->start };
        if (trace->facts && trace->facts_of == trace->changed) {
            trace->looked_at = true;
            candidate->found = (struct found_trace){ facts_ref(trace->facts), trace->revision,
                                                     trace->pinned };
        }
    }
    return count;
}

/* Those that went meanwhile are left out; returns what is left, or -ENOMEM. */
static ssize_t complete(struct store *s, struct candidate *candidates, size_t count)
{
    size_t kept = 0;
    int r = 0;
    for (size_t i = 0; i < count; i++) {
        struct candidate candidate = candidates[i];
        if (!candidate.found.facts && r != -ENOMEM)
            r = refresh_facts(s, &candidate.id, &candidate.found);
        if (candidate.found.facts)
            candidates[kept++] = candidate;
    }
    if (r != -ENOMEM)
        return (ssize_t)kept;
    for (size_t i = 0; i < kept; i++)
        facts_unref(candidates[i].found.facts);
    return -ENOMEM;
}

int store_find(struct store *s, const struct store_query *query, struct found_traces *ret)
{
    pthread_mutex_lock(&s->lock);
    struct candidate *candidates = calloc(s->counts.traces + 1, sizeof *candidates);
    ssize_t count = -ENOMEM;
    if (candidates) {
        size_t found = find_in(&s->age, query, candidates, 0);
        found = find_in(&s->pinned, query, candidates, found);
        count = complete(s, candidates, found);
    }
    pthread_mutex_unlock(&s->lock);
    if (count < 0) {
        free(candidates);
        return -ENOMEM;
    }
    qsort(candidates, (size_t)count, sizeof *candidates, newest_first);
    struct found_traces traces = { .traces = calloc((size_t)count + 1, sizeof *traces.traces) };
    for (ssize_t i = 0; i < count; i++) {
        if (traces.traces)
            traces.traces[traces.count++] = candidates[i].found;
        else
            facts_unref(candidates[i].found.facts);
    }
    free(candidates);
    if (!traces.traces)
        return -ENOMEM;
    *ret = traces;
    return 0;
}

int store_facts(struct store *s, const struct trace_id *id, struct found_trace *ret)
{
    pthread_mutex_lock(&s->lock);
    int r = refresh_facts(s, id, ret);
    pthread_mutex_unlock(&s->lock);
    return r;
}

void found_traces_free(struct found_traces *traces)
{
    for (size_t i = 0; i < traces->count; i++)
        facts_unref(traces->traces[i].facts);
    free(traces->traces);
    *traces = (struct found_traces){ 0 };
}
