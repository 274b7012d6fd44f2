/* SPDX-License-Identifier: Apache-2.0 */
/* An entry is 43 bits of the trace, 20 of the time in milliseconds, and one for its anomaly. */
#include "sampling/central_seen.h"

#include <string.h>

#define ANOMALY    UINT64_C(1)
#define TIME_SHIFT 1
#define TIME_MASK  UINT64_C(0xfffff)
#define TRACE_MASK (~UINT64_C(0) << 21)

static uint64_t age(uint64_t entry, uint64_t time)
{
    return (time - (entry >> TIME_SHIFT)) & TIME_MASK;
}

/* The entry of this trace, else the oldest one, which all threads find alike. */
static _Atomic uint64_t *find(_Atomic uint64_t *set, uint64_t trace, uint64_t time,
                              uint64_t *ret_entry)
{
    _Atomic uint64_t *oldest = NULL;

    for (int i = 0; i < XR_SEEN_WAYS; i++) {
        uint64_t entry = atomic_load_explicit(&set[i], memory_order_relaxed);

        if ((entry & TRACE_MASK) == trace) {
            *ret_entry = entry;
            return &set[i];
        }
        if (!oldest ||
            (*ret_entry != 0 && (entry == 0 || age(entry, time) > age(*ret_entry, time)))) {
            oldest = &set[i];
            *ret_entry = entry;
        }
    }
    return oldest;
}

struct xr_sight xr_seen_add(struct xr_seen *seen, xray_trace_id trace, bool anomaly, int64_t now_ns)
{
    uint64_t random, wanted, entry, next, time = (uint64_t)(now_ns >> 20) & TIME_MASK;
    struct xr_sight sight;
    _Atomic uint64_t *set, *at;

    memcpy(&random, trace.bytes + 8, sizeof(random));
    set = seen->traces[random % XR_SEEN_SETS];
    wanted = random & TRACE_MASK;
    if (wanted == 0)
        wanted = TRACE_MASK; /* zero is a free entry */
    do {
        at = find(set, wanted, time, &entry);
        sight.trace = (entry & TRACE_MASK) != wanted;
        sight.anomaly = anomaly && (sight.trace || !(entry & ANOMALY));
        next = wanted | time << TIME_SHIFT | (anomaly || (!sight.trace && entry & ANOMALY));
    } while (!atomic_compare_exchange_weak_explicit(at, &entry, next, memory_order_relaxed,
                                                    memory_order_relaxed));
    return sight;
}
