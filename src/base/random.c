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

void xr_random_seed(void)
{
    int saved = errno;

    xr_thread_enter();
    seed(xr_thread.random);
    errno = saved;
}

int xr_random_chance(double probability)
{
    /* 53 bits: every double in [0, 1) of the form n / 2^53, so that 0 never and 1 always is. */
    return (double)(xr_random_u64() >> 11) * 0x1p-53 < probability;
}
