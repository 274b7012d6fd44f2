/* SPDX-License-Identifier: Apache-2.0 */
/* The system's clocks, in nanoseconds. */
#ifndef XR_BASE_CLOCK_H
#define XR_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define XR_NS_PER_S 1000000000LL

static inline int64_t xr_clock_read(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * XR_NS_PER_S + time.tv_nsec;
}

/* Unix time. */
static inline int64_t xr_clock_real_ns(void)
{
    return xr_clock_read(CLOCK_REALTIME);
}

/* Never goes back; its zero is arbitrary. */
static inline int64_t xr_clock_monotonic_ns(void)
{
    return xr_clock_read(CLOCK_MONOTONIC);
}

/* Unix time to a few milliseconds, at a quarter of the cost. */
static inline int64_t xr_clock_coarse_ns(void)
{
    return xr_clock_read(CLOCK_REALTIME_COARSE);
}

/* The second of that, at half of its cost again. */
static inline int64_t xr_clock_coarse_s(void)
{
    return time(NULL);
}

#endif /* XR_BASE_CLOCK_H */
