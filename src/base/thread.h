/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each thread keeps, and what happens when it ends or the process forks.
 * Hooks run in the reverse order of their registration.
 */
#ifndef XR_BASE_THREAD_H
#define XR_BASE_THREAD_H

#include <stddef.h>
#include <stdint.h>

enum xr_pool_class {
    XR_POOL_SEGMENT, /* 2 KiB, aligned to its size, all zero at first */
    XR_POOL_4K,
    XR_POOL_16K,
    XR_POOL_64K,
    XR_POOL_CLASSES,
};

struct xr_pool_block {
    struct xr_pool_block *next;
};

struct xr_pool_list {
    struct xr_pool_block *first;
    size_t places; /* for so many more */
};

struct xr_counter_set;

/* In one struct: where each variable of a thread is has to be looked up. */
struct xr_thread {
    uint64_t id;         /* unique in the process, never used again; 0 before xr_thread_enter() */
    uint64_t random;     /* see base/random.h */
    uint64_t random_key; /* 0: not seeded */
    unsigned hooks_running; /* while one of the user's runs, what it begins here is inert */
    struct xr_pool_list pools[XR_POOL_CLASSES]; /* see base/pool.h */
    /* The counts that this thread added to last, and whose they are; see recorder/counters.h. */
    uint64_t counters_serial;
    struct xr_counter_set *counters;
};

extern _Thread_local struct xr_thread xr_thread;

/* Counts the forks between the first process and this one, from 1. */
extern uint32_t xr_fork_generation;

void xr_thread_enter_slow(void);

/* Before anything else of a thread: gives it an id, and a visit when it ends. */
static inline void xr_thread_enter(void)
{
    if (__builtin_expect(xr_thread.id == 0, 0))
        xr_thread_enter_slow();
}

struct xr_thread_hooks {
    void (*exit)(void);         /* a thread that entered ends; it may enter again */
    void (*fork_prepare)(void); /* before a fork: take locks */
    void (*fork_parent)(void);  /* after it: give them back */
    void (*fork_child)(void);
};

/* Once for each set, before the first xr_thread_enter(). Any member may be NULL. */
void xr_thread_register(const struct xr_thread_hooks *hooks);

#endif /* XR_BASE_THREAD_H */
