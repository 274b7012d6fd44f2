/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers with a unit, as options have them. */
#ifndef LOCAL_QUANTITIES_H
#define LOCAL_QUANTITIES_H

#include <stdbool.h>
#include <stddef.h>

/* 1000, 64K, 256M, 2G: powers of 1024, at least 1. */
bool quantity_bytes(const char *text, size_t *ret);
/* 90, 90s, 15m, 24h, 30d: whole seconds, from 1 to ten years. */
bool quantity_seconds(const char *text, unsigned *ret);
/* 0.5, 10: from least to most. */
bool quantity_number(const char *text, double least, double most, double *ret);

#endif
