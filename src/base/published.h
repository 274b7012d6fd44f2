/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Something that many threads read without a lock while one replaces it. What
 * was replaced is freed once nobody can be reading it any more.
 */
#ifndef XR_BASE_PUBLISHED_H
#define XR_BASE_PUBLISHED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/thread.h"

#define XR_PUBLISHED_STRIPES 16
#define XR_PUBLISHED_BACKLOG 8
#define XR_CACHE_LINE        64

/* Threads are spread over these, so that readers seldom write to the same cache line. */
struct xr_published_stripe {
    _Atomic uint32_t readers[2]; /* new ones are added to that of the phase: the other gets empty */
    char apart[XR_CACHE_LINE - 2 * sizeof(uint32_t)];
};

struct xr_published_retired {
    void *object;
    uint32_t busy; /* a bit for each of the counts that has not been seen at zero since */
};

/* Its members are its own. May stand in another struct. */
struct xr_published {
    _Atomic(void *) current;
    void (*release)(void *object);
    _Atomic uint32_t phase; /* 0 or 1 */
    atomic_bool changing;   /* what follows is between two states */
    uint32_t retired_count;
    struct xr_published_retired retired[XR_PUBLISHED_BACKLOG];
    char apart[XR_CACHE_LINE];
    struct xr_published_stripe stripes[XR_PUBLISHED_STRIPES];
};

/* first may be NULL, as each next one may; release is not called for that. */
void xr_published_init(struct xr_published *ret, void *first, void (*release)(void *object));

/* Nobody reads any more. */
void xr_published_destroy(struct xr_published *published);

/*
 * What is there now, which stays until xr_published_leave() with the ticket.
 * Wait-free: one locked addition. Keep it for a short time, since the replacing
 * thread waits once XR_PUBLISHED_BACKLOG objects cannot be freed.
 */
static inline void *xr_published_enter(struct xr_published *published, unsigned *ret_ticket)
{
    unsigned stripe = (unsigned)(xr_thread.id % XR_PUBLISHED_STRIPES);
    unsigned phase = atomic_load_explicit(&published->phase, memory_order_relaxed);

    *ret_ticket = 2 * stripe + phase;
    atomic_fetch_add(&published->stripes[stripe].readers[phase], 1);
    return atomic_load(&published->current);
}

static inline void xr_published_leave(struct xr_published *published, unsigned ticket)
{
    atomic_fetch_sub_explicit(&published->stripes[ticket / 2].readers[ticket % 2], 1,
                              memory_order_release);
}

/* By one thread at a time, that is not reading, like the two below. */
void xr_published_replace(struct xr_published *published, void *next);

/* Frees what nobody reads any more; a replacement does so, too. */
void xr_published_collect(struct xr_published *published);

/* In a forked child, before anything else: readers of the parent's other threads are gone. */
void xr_published_after_fork(struct xr_published *published);

#endif /* XR_BASE_PUBLISHED_H */
