/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of a few sizes, recycled: from this thread's list, else from the
 * process's, else new. Blocks are never returned, and their contents beyond
 * the first 8 bytes survive in the pool, so a stale pointer stays readable.
 */
#ifndef XR_BASE_POOL_H
#define XR_BASE_POOL_H

#include <stddef.h>

enum xr_pool_class {
    XR_POOL_SEGMENT, /* 2 KiB, aligned to its size, all zero at first */
    XR_POOL_4K,
    XR_POOL_16K,
    XR_POOL_64K,
    XR_POOL_CLASSES,
};

#define XR_POOL_SEGMENT_BYTES 2048

/* Before the first xr_thread_enter(). */
void xr_pool_set_up(void);

size_t xr_pool_bytes(enum xr_pool_class class);

/* NULL when out of memory. */
void *xr_pool_get(enum xr_pool_class class);
void xr_pool_put(enum xr_pool_class class, void *block);

#endif /* XR_BASE_POOL_H */
