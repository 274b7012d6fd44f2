/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_RANDOM_ZERO_H
#define TESTS_UNIT_RANDOM_ZERO_H

#include "base/random.h"

/* The next random number of this thread is zero. */
static inline void xr_random_make_zero(void)
{
    xr_thread_enter();
    xr_thread.random = 0;
    xr_thread.random_key = 1;
    xr_thread.random_key = xr_random_u64() ^ 1;
    xr_thread.random = 0;
}

#endif /* TESTS_UNIT_RANDOM_ZERO_H */
