/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each thread keeps, and what happens when it ends or the process forks.
 * Hooks run in the reverse order of their registration.
 */
#ifndef XR_BASE_THREAD_H
#define XR_BASE_THREAD_H

#include <stdint.h>

struct xr_thread {
    uint64_t id;         /* unique in the process, never used again; 0 before xr_thread_enter() */
    uint64_t random;     /* see base/random.h */
    uint64_t random_key; /* 0: not seeded */
};

extern _Thread_local struct xr_thread xr_thread;

/* While a hook of the user's runs, what it begins on this thread is inert. */
extern _Thread_local unsigned xr_hooks_running;

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
