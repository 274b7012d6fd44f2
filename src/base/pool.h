/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of a few sizes, recycled: from this thread's list, else from the
 * process's, else new. Blocks are never returned, and their contents beyond
 * the first 8 bytes survive in the pool, so a stale pointer stays readable.
 */
#ifndef XR_BASE_POOL_H
#define XR_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/thread.h"

#define XR_POOL_SEGMENT_BYTES 2048

/* Before the first xr_thread_enter(). */
void xr_pool_set_up(void);

size_t xr_pool_bytes(enum xr_pool_class class);

void *xr_pool_get_slow(enum xr_pool_class class);
/* Gives half of what this thread keeps to the process. */
void xr_pool_make_place(enum xr_pool_class class);

/* NULL when out of memory. */
static inline void *xr_pool_get(enum xr_pool_class class)
{
    struct xr_pool_list *list = &xr_thread.pools[class];
    struct xr_pool_block *block = list->first;

    if (__builtin_expect(!block, 0))
        return xr_pool_get_slow(class);
    list->first = block->next;
    list->places++;
    return block;
}

/* Whether this thread's list takes one more. It does not before the thread has been here. */
static inline bool xr_pool_has_place(enum xr_pool_class class)
{
    return xr_thread.pools[class].places > 0;
}

/* To this thread's list, when that has a place. */
static inline void xr_pool_put_here(enum xr_pool_class class, void *memory)
{
    struct xr_pool_list *list = &xr_thread.pools[class];
    struct xr_pool_block *block = (struct xr_pool_block *)memory;

    block->next = list->first;
    list->first = block;
    list->places--;
}

static inline void xr_pool_put(enum xr_pool_class class, void *memory)
{
    if (__builtin_expect(!xr_pool_has_place(class), 0))
        xr_pool_make_place(class);
    xr_pool_put_here(class, memory);
}

#endif /* XR_BASE_POOL_H */
