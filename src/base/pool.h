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

struct xr_pool_block {
    struct xr_pool_block *next;
};

struct xr_pool_list {
    struct xr_pool_block *first;
    size_t count;
    size_t keep; /* a thread keeps at most this many: half of them go when one is over */
};

/* What this thread keeps. keep is 0 until it has been here once. */
extern _Thread_local struct xr_pool_list xr_pool_mine[XR_POOL_CLASSES];

void *xr_pool_get_slow(enum xr_pool_class class);
void xr_pool_give_back(enum xr_pool_class class);

/* NULL when out of memory. */
static inline void *xr_pool_get(enum xr_pool_class class)
{
    struct xr_pool_list *list = &xr_pool_mine[class];
    struct xr_pool_block *block = list->first;

    if (__builtin_expect(!block, 0))
        return xr_pool_get_slow(class);
    list->first = block->next;
    list->count--;
    return block;
}

/* Whether this thread's list takes one more. */
static inline bool xr_pool_has_place(enum xr_pool_class class)
{
    return xr_pool_mine[class].count < xr_pool_mine[class].keep;
}

/* To this thread's list, when that has a place. */
static inline void xr_pool_put_here(enum xr_pool_class class, void *memory)
{
    struct xr_pool_list *list = &xr_pool_mine[class];
    struct xr_pool_block *block = (struct xr_pool_block *)memory;

    block->next = list->first;
    list->first = block;
    list->count++;
}

static inline void xr_pool_put(enum xr_pool_class class, void *memory)
{
    bool has_place = xr_pool_has_place(class);

    xr_pool_put_here(class, memory);
    if (__builtin_expect(!has_place, 0))
        xr_pool_give_back(class);
}

#endif /* XR_BASE_POOL_H */
