/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues in the life of their process. A forked child has no thread of ours and
 * nothing waiting. At exit what waits is sent, and later documents go directly.
 */
#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "emit/queue.h"

#define EXIT_MS 500

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct xr_queue *list; /* the newest first: it may send to an older one */

void xr_queue_begin(struct xr_queue *queue)
{
    pthread_condattr_t monotonic;

    atomic_store(&queue->word, XR_QUEUE_ASLEEP);
    atomic_store(&queue->written[0], 0);
    atomic_store(&queue->written[1], 0);
    atomic_store(&queue->give_up_ns, INT64_MAX);
    atomic_store(&queue->retry_thread_ns, INT64_MAX);
    pthread_mutex_init(&queue->claiming, NULL);
    queue->left = queue->expected = queue->changes = 0;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->wake, &monotonic);
    pthread_cond_init(&queue->progress, &monotonic);
    pthread_condattr_destroy(&monotonic);
    queue->running = queue->stopping = false;
    queue->idle_polls = 0;
    queue->requested = queue->finished = 0;
}

static void before_fork(void)
{
    pthread_mutex_lock(&list_lock);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&list_lock);
}

/* Whoever held a queue's lock, or was writing to it, is not here: each begins anew. */
static void after_fork_in_child(void)
{
    for (struct xr_queue *queue = list; queue; queue = queue->next)
        xr_queue_begin(queue);
    pthread_mutex_unlock(&list_lock);
}

static void at_exit(void)
{
    int64_t until_ns = xr_clock_monotonic_ns() + EXIT_MS * 1000000LL;

    pthread_mutex_lock(&list_lock);
    for (struct xr_queue *queue = list; queue; queue = queue->next) {
        int64_t left_ns = until_ns - xr_clock_monotonic_ns();

        atomic_store(&queue->retry_thread_ns, INT64_MAX);
        atomic_fetch_or(&queue->word, XR_QUEUE_INLINE);
        (void)xr_queue_wait(queue, left_ns > 0 ? (int)(left_ns / 1000000) : 0);
    }
    pthread_mutex_unlock(&list_lock);
}

/*
 * With atexit() rather than a destructor of the library, since what an inner
 * emitter needs was there before the queue, and so is still there.
 */
static void set_up(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    (void)atexit(at_exit);
}

void xr_queue_enlist(struct xr_queue *queue)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, set_up);
    pthread_mutex_lock(&list_lock);
    queue->next = list;
    queue->previous = NULL;
    if (list)
        list->previous = queue;
    list = queue;
    pthread_mutex_unlock(&list_lock);
}

void xr_queue_delist(struct xr_queue *queue)
{
    pthread_mutex_lock(&list_lock);
    if (queue->previous)
        queue->previous->next = queue->next;
    else
        list = queue->next;
    if (queue->next)
        queue->next->previous = queue->previous;
    pthread_mutex_unlock(&list_lock);
}
