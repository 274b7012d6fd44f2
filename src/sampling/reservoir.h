/* SPDX-License-Identifier: Apache-2.0 */
/* The first few of each second: what every rule may take before its rate counts. */
#ifndef XR_SAMPLING_RESERVOIR_H
#define XR_SAMPLING_RESERVOIR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct xr_reservoir {
    _Atomic uint64_t state; /* the second, and how many were taken in it */
    uint32_t per_second;
};

void xr_reservoir_init(struct xr_reservoir *ret, uint32_t per_second);

/*
 * Whether one more may be taken at this Unix time. Any thread, no lock. Clocks
 * of threads that are up to a second behind count as the same second; a clock
 * that is set back further begins a new one.
 */
bool xr_reservoir_take(struct xr_reservoir *reservoir, int64_t now_ns);

/* Whether there is nothing more to take in this second: not always known, but at little cost. */
static inline bool xr_reservoir_is_used_up(const struct xr_reservoir *reservoir, uint32_t second)
{
    uint64_t state = atomic_load_explicit(&reservoir->state, memory_order_relaxed);

    return state >> 32 == second && (uint32_t)state >= reservoir->per_second;
}

/* The same when how many there are changes: up to so many in this second. */
bool xr_reservoir_take_up_to(struct xr_reservoir *reservoir, uint32_t per_second, int64_t now_ns);

#endif /* XR_SAMPLING_RESERVOIR_H */
