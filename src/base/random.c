/* SPDX-License-Identifier: Apache-2.0 */
/* xoshiro256++ (Blackman and Vigna, 2019), one for each thread. */
#include "base/random.h"

#include <sys/random.h>

#include "base/clock.h"
#include "base/thread.h"

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

/* Spreads few bits over many: only when the kernel has no randomness to give. */
static uint64_t mix(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void seed(uint64_t state[4])
{
    if (getrandom(state, 4 * sizeof(*state), GRND_NONBLOCK) != 4 * sizeof(*state)) {
        uint64_t weak = (uint64_t)xr_clock_real_ns() ^ (uintptr_t)state;

        for (int i = 0; i < 4; i++)
            state[i] = mix(&weak);
    }
    state[0] |= 1; /* all zero would stay zero */
    xr_thread.seeded = 1;
}

uint64_t xr_random_u64(void)
{
    uint64_t *s = xr_thread.random;
    uint64_t result, shifted;

    if (__builtin_expect(!xr_thread.seeded, 0)) {
        xr_thread_enter();
        seed(s);
    }
    result = rotate(s[0] + s[3], 23) + s[0];
    shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

int xr_random_chance(double probability)
{
    /* 53 bits: every double in [0, 1) of the form n / 2^53, so that 0 never and 1 always is. */
    return (double)(xr_random_u64() >> 11) * 0x1p-53 < probability;
}
