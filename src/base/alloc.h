/* SPDX-License-Identifier: Apache-2.0 */
/* All memory of the library passes through here, so that one hook can replace it. */
#ifndef XR_BASE_ALLOC_H
#define XR_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

struct xr_allocator {
    void *data;
    void *(*allocate)(void *data, size_t bytes);
    void (*release)(void *data, void *memory, size_t bytes);
};

/* False once memory has been taken. */
bool xr_alloc_set(const struct xr_allocator *allocator);

/* NULL when out of memory; the contents are undefined. */
void *xr_alloc(size_t bytes);

/* The same, all zero. */
void *xr_alloc_zero(size_t bytes);

/* NULL is allowed. bytes is what was asked for. */
void xr_free(void *memory, size_t bytes);

#endif /* XR_BASE_ALLOC_H */
