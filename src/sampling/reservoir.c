/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/reservoir.h"

#include "base/clock.h"

void xr_reservoir_init(struct xr_reservoir *ret, uint32_t per_second)
{
    atomic_init(&ret->state, 0);
    ret->per_second = per_second;
}

bool xr_reservoir_take_up_to(struct xr_reservoir *reservoir, uint32_t per_second, int64_t now_ns)
{
    uint64_t state = atomic_load_explicit(&reservoir->state, memory_order_relaxed), next;
    uint32_t now = (uint32_t)(now_ns / XR_NS_PER_S);

    do {
        uint32_t second = (uint32_t)(state >> 32), taken = (uint32_t)state;

        if (now != second && now + 1 != second) {
            second = now;
            taken = 0;
        }
        /* Nothing is written once the second is used up: no thread waits for another. */
        if (taken >= per_second)
            return false;
        next = (uint64_t)second << 32 | (taken + 1);
    } while (!atomic_compare_exchange_weak_explicit(&reservoir->state, &state, next,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

bool xr_reservoir_take(struct xr_reservoir *reservoir, int64_t now_ns)
{
    return xr_reservoir_take_up_to(reservoir, reservoir->per_second, now_ns);
}
