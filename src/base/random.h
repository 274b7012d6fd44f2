/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers for ids and sampling: a generator for each thread, seeded by
 * the kernel and again after a fork. Not for secrets.
 */
#ifndef XR_BASE_RANDOM_H
#define XR_BASE_RANDOM_H

#include <stdint.h>

#include "base/thread.h"

void xr_random_seed(void);

/*
 * wyrand (Wang Yi, 2019), with a key for each thread: threads that come to the
 * same state still have different numbers.
 */
static inline uint64_t xr_random_u64(void)
{
    uint64_t state;
    unsigned __int128 product;

    if (__builtin_expect(xr_thread.random_key == 0, 0))
        xr_random_seed();
    state = xr_thread.random += 0xA0761D6478BD642FU;
    product = (unsigned __int128)state * (state ^ 0xE7037ED1A0B428DBU);
    return (uint64_t)(product >> 64) ^ (uint64_t)product ^ xr_thread.random_key;
}

/* A probability, below 1, as what a random number has to be below. */
static inline uint64_t xr_random_limit(double probability)
{
    return (uint64_t)(probability * 0x1p64);
}

/* True with the given probability: never for 0 or less, always for 1 or more. */
int xr_random_chance(double probability);

#endif /* XR_BASE_RANDOM_H */
