/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers for ids and sampling: a generator for each thread, seeded by
 * the kernel and again after a fork. Not for secrets.
 */
#ifndef XR_BASE_RANDOM_H
#define XR_BASE_RANDOM_H

#include <stdint.h>

uint64_t xr_random_u64(void);

/* True with the given probability: never for 0 or less, always for 1 or more. */
int xr_random_chance(double probability);

#endif /* XR_BASE_RANDOM_H */
