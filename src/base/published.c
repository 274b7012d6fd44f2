/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why what is freed is read by nobody: all accesses to current, and those that
 * add to a count or look at it, have one order that all threads agree on. Who
 * got the former object had added to a count, then loaded current, and that was
 * before the exchange. So a look at the count after the exchange finds it there,
 * until it has left; and zero, which is then found, is what the leaving wrote or
 * what came after, so all its reading was before. The phase matters for none of
 * this: it only keeps new readers from a count that should come to zero.
 */
#include "base/published.h"

#include <time.h>

#define ALL_COUNTS       UINT32_MAX
#define COUNTS_OF(phase) (0x55555555U << (phase)) /* bits of tickets */

_Static_assert(2 * XR_PUBLISHED_STRIPES == 32, "a bit for each count");

void xr_published_init(struct xr_published *ret, void *first, void (*release)(void *object))
{
    *ret = (struct xr_published){ .release = release };
    atomic_init(&ret->current, first);
}

static void release_all(struct xr_published *published)
{
    for (uint32_t i = 0; i < published->retired_count; i++)
        published->release(published->retired[i].object);
    published->retired_count = 0;
}

void xr_published_destroy(struct xr_published *published)
{
    void *current = atomic_load(&published->current);

    release_all(published);
    if (current)
        published->release(current);
}

static uint32_t idle_counts(struct xr_published *published)
{
    uint32_t idle = 0;

    for (unsigned i = 0; i < 2 * XR_PUBLISHED_STRIPES; i++)
        if (atomic_load(&published->stripes[i / 2].readers[i % 2]) == 0)
            idle |= 1U << i;
    return idle;
}

/* They need not be idle all at once: who comes after the exchange gets another object. */
static void collect(struct xr_published *published)
{
    uint32_t idle = idle_counts(published), phase = atomic_load(&published->phase);
    uint32_t kept = 0, busy = 0;

    for (uint32_t i = 0; i < published->retired_count; i++) {
        struct xr_published_retired retired = published->retired[i];

        retired.busy &= ~idle;
        busy |= retired.busy;
        if (retired.busy == 0)
            published->release(retired.object);
        else
            published->retired[kept++] = retired;
    }
    published->retired_count = kept;
    if ((busy & COUNTS_OF(phase)) && !(busy & COUNTS_OF(!phase)))
        atomic_store(&published->phase, !phase);
}

void xr_published_collect(struct xr_published *published)
{
    if (published->retired_count == 0)
        return;
    atomic_store(&published->changing, true);
    collect(published);
    atomic_store(&published->changing, false);
}

void xr_published_replace(struct xr_published *published, void *next)
{
    const struct timespec pause = { .tv_nsec = 100000 };
    void *former;

    atomic_store(&published->changing, true);
    for (collect(published); published->retired_count == XR_PUBLISHED_BACKLOG; collect(published))
        (void)nanosleep(&pause, NULL);
    former = atomic_exchange(&published->current, next);
    if (former)
        published->retired[published->retired_count++] = (struct xr_published_retired){
            .object = former,
            .busy = ALL_COUNTS,
        };
    collect(published);
    atomic_store(&published->changing, false);
}

void xr_published_after_fork(struct xr_published *published)
{
    for (unsigned i = 0; i < 2 * XR_PUBLISHED_STRIPES; i++)
        atomic_store(&published->stripes[i / 2].readers[i % 2], 0);
    /* Cut off by the fork, the list may name an object that is free already: rather lose some. */
    if (atomic_load(&published->changing))
        published->retired_count = 0;
    atomic_store(&published->changing, false);
    release_all(published);
}
