/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pollers in the life of their process. A fork takes place while no state machine
 * works, since the child would inherit half of its work, and no thread to end it.
 */
#include <stdlib.h>
#include <time.h>

#include "recorder/poller.h"

/* How often a fork asks whether the machine still works, and the pause between. */
#define FORK_TRIES 100
#define FORK_NS    1000000

atomic_bool xr_poller_exiting;

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct xr_poller *list;

void xr_poller_begin(struct xr_poller *poller)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&poller->working, NULL);
    pthread_mutex_init(&poller->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&poller->wake, &monotonic);
    pthread_cond_init(&poller->over, &monotonic);
    pthread_condattr_destroy(&monotonic);
    poller->running = poller->stopping = poller->ended = poller->parked = false;
    atomic_store(&poller->start_ns, 0);
    atomic_store(&poller->references, 1);
}

/*
 * Not longer than a moment: the thread may be waiting for a lock of an allocator
 * that has been taken for this fork already.
 */
static bool stop_work(struct xr_poller *poller)
{
    for (int i = 0; i < FORK_TRIES; i++) {
        if (pthread_mutex_trylock(&poller->working) == 0)
            return true;
        nanosleep(&(struct timespec){ .tv_nsec = FORK_NS }, NULL);
    }
    return false;
}

static void before_fork(void)
{
    pthread_mutex_lock(&list_lock);
    for (struct xr_poller *poller = list; poller; poller = poller->next)
        poller->stopped_for_fork = stop_work(poller);
}

static void after_fork_in_parent(void)
{
    for (struct xr_poller *poller = list; poller; poller = poller->next)
        if (poller->stopped_for_fork)
            pthread_mutex_unlock(&poller->working);
    pthread_mutex_unlock(&list_lock);
}

/* The threads are not here, nor is who held a lock. */
static void after_fork_in_child(void)
{
    for (struct xr_poller *poller = list; poller; poller = poller->next) {
        poller->interrupted = poller->interrupted || !poller->stopped_for_fork;
        xr_poller_begin(poller);
    }
    pthread_mutex_unlock(&list_lock);
}

static void at_exit(void)
{
    atomic_store(&xr_poller_exiting, true);
}

static void set_up(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    (void)atexit(at_exit);
}

void xr_poller_enlist(struct xr_poller *poller)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, set_up);
    pthread_mutex_lock(&list_lock);
    poller->next = list;
    poller->previous = NULL;
    if (list)
        list->previous = poller;
    list = poller;
    pthread_mutex_unlock(&list_lock);
}

void xr_poller_delist(struct xr_poller *poller)
{
    pthread_mutex_lock(&list_lock);
    if (poller->previous)
        poller->previous->next = poller->next;
    else
        list = poller->next;
    if (poller->next)
        poller->next->previous = poller->previous;
    pthread_mutex_unlock(&list_lock);
}
