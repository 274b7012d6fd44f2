/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/clock.h"

/* Spreads few bits over many: only when the kernel has no randomness to give. */
static uint64_t mix(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

void xr_random_seed(void)
{
    int saved = errno;
    uint64_t seed[2];

    xr_thread_enter();
    if (getrandom(seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed)) {
        uint64_t weak = (uint64_t)xr_clock_real_ns() ^ (uintptr_t)&xr_thread;

        seed[0] = mix(&weak);
        seed[1] = mix(&weak);
    }
    xr_thread.random = seed[0];
    xr_thread.random_key = seed[1] | 1;
    errno = saved;
}

int xr_random_chance(double probability)
{
    /* 53 bits: every double in [0, 1) of the form n / 2^53, so that 0 never and 1 always is. */
    return (double)(xr_random_u64() >> 11) * 0x1p-53 < probability;
}
