/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are under way, the one that ends first on top. */
#ifndef SIMULATION_OPEN_H
#define SIMULATION_OPEN_H

#include <stdlib.h>

#include <xraytrace/xraytrace.h>

#define OPEN_MAX 1024

struct open {
    int64_t end_ns;
    xray_segment *segment;
    int client;
    bool sampled, fault, slow;
    bool like_storm; /* as what fails in the storm */
};

struct open_heap {
    struct open list[OPEN_MAX];
    size_t count;
};

/* When the first one ends; never, if there is none. */
static inline int64_t open_first(const struct open_heap *heap)
{
    return heap->count > 0 ? heap->list[0].end_ns : INT64_MAX;
}

static inline void open_push(struct open_heap *heap, const struct open *open)
{
    size_t at = heap->count++;

    if (at == OPEN_MAX)
        abort();
    for (; at > 0 && heap->list[(at - 1) / 2].end_ns > open->end_ns; at = (at - 1) / 2)
        heap->list[at] = heap->list[(at - 1) / 2];
    heap->list[at] = *open;
}

static inline struct open open_pop(struct open_heap *heap)
{
    struct open first = heap->list[0], last = heap->list[--heap->count];
    size_t at = 0, child;

    while ((child = 2 * at + 1) < heap->count) {
        if (child + 1 < heap->count && heap->list[child + 1].end_ns < heap->list[child].end_ns)
            child++;
        if (last.end_ns <= heap->list[child].end_ns)
            break;
        heap->list[at] = heap->list[child];
        at = child;
    }
    heap->list[at] = last;
    return first;
}

#endif /* SIMULATION_OPEN_H */
