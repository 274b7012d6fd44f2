/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts that many threads add to without touching each other's memory: each
 * has a set of its own, and reading adds them up.
 */
#ifndef XR_RECORDER_COUNTERS_H
#define XR_RECORDER_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/thread.h"

enum xr_counter {
    XR_BEGUN,
    XR_SAMPLED_COUNT,
    XR_EMBEDDED,
    XR_EMITTED,
    XR_TRUNCATED,
    XR_FAILED_REFUSED, /* failures: in the order of xr_failure */
    XR_FAILED_BUSY,
    XR_FAILED_NO_BUFFERS,
    XR_FAILED_TOO_LARGE,
    XR_FAILED_OTHER,
    XR_DROPPED_MEMORY,
    XR_DROPPED_FORK,
    XR_IN_PROGRESS,
    XR_IN_PROGRESS_FAILED,
    XR_REQUESTS,
    XR_SAMPLED_ANOMALIES,
    XR_ANOMALIES,
    XR_CAPTURED_COUNT,
    XR_REFUSED_BUDGET,
    XR_CAPTURE_FAILED,
    XR_CAPTURED_PARTS,
    XR_CAPTURE_DROPPED,
    XR_COUNTERS,
};

struct xr_counter_set {
    _Atomic uint64_t values[XR_COUNTERS];
    _Atomic uint64_t owner; /* xr_thread.id of the only thread that adds; 0: free to be taken */
    struct xr_counter_set *next;
    uint64_t apart[8]; /* keeps the counts of two threads off one cache line */
};

struct xr_counters {
    uint64_t serial; /* unique in the process, never used again */
    _Atomic(struct xr_counter_set *) sets;
    struct xr_counter_set lost; /* for threads that found no memory: not exact */
    struct xr_counters *next;   /* all there are */
};

/* Before the first xr_thread_enter(). */
void xr_counters_set_up(void);

void xr_counters_begin(struct xr_counters *counters);
void xr_counters_end(struct xr_counters *counters);

struct xr_counter_set *xr_counters_find(struct xr_counters *counters);

/* No other thread writes to a set, so this needs no locked instruction. */
static inline void xr_counter_set_add(struct xr_counter_set *set, enum xr_counter counter,
                                      uint64_t amount)
{
    uint64_t value = atomic_load_explicit(&set->values[counter], memory_order_relaxed);

    atomic_store_explicit(&set->values[counter], value + amount, memory_order_relaxed);
}

/* To the set that this thread used last. */
static inline void xr_counters_add_mine(enum xr_counter counter, uint64_t amount)
{
    xr_counter_set_add(xr_thread.counters, counter, amount);
}

static inline void xr_counters_add(struct xr_counters *counters, enum xr_counter counter,
                                   uint64_t amount)
{
    struct xr_counter_set *set = xr_thread.counters;

    if (__builtin_expect(xr_thread.counters_serial != counters->serial, 0))
        set = xr_counters_find(counters);
    xr_counter_set_add(set, counter, amount);
}

/* Whether there are such: not after xr_counters_end(), of whom nothing is read. */
bool xr_counters_exist(const struct xr_counters *counters);

uint64_t xr_counters_sum(struct xr_counters *counters, enum xr_counter counter);

#endif /* XR_RECORDER_COUNTERS_H */
