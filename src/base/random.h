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

static inline uint64_t xr_random_rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

/* xoshiro256++ (Blackman and Vigna, 2019). */
static inline uint64_t xr_random_u64(void)
{
    uint64_t *s = xr_thread.random;
    uint64_t result, shifted;

    if (__builtin_expect(!xr_thread.seeded, 0))
        xr_random_seed();
    result = xr_random_rotate(s[0] + s[3], 23) + s[0];
    shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = xr_random_rotate(s[3], 45);
    return result;
}

/* True with the given probability: never for 0 or less, always for 1 or more. */
int xr_random_chance(double probability);

#endif /* XR_BASE_RANDOM_H */
