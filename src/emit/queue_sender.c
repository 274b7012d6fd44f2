/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue's thread. Waking a thread costs as much as sending ten documents,
 * so while there are any it looks for itself, every millisecond, and only after
 * a while without it sleeps until it is woken.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"
#include "emit/queue.h"
#include "emit/worker.h"

#define POLL_NS         1000000
#define POLLS_UNTIL_NAP 32
#define STOP_NS         XR_NS_PER_S
#define RETRY_NS        XR_NS_PER_S

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){ .tv_sec = ns / XR_NS_PER_S, .tv_nsec = ns % XR_NS_PER_S };
}

static uint64_t waiting(uint64_t word)
{
    return xr_queue_taken(word) + xr_queue_sending(word);
}

static bool is_asked(const struct xr_queue *queue)
{
    return queue->stopping || queue->requested != queue->finished;
}

/* Under the lock: until there may be something to do. */
static void rest(struct xr_queue *queue)
{
    struct timespec next = timespec_of(xr_clock_monotonic_ns() + POLL_NS);
    uint64_t word = atomic_load(&queue->word);

    if (is_asked(queue) || waiting(word) >= queue->hurry_at)
        return;
    if (queue->idle_polls < POLLS_UNTIL_NAP) {
        (void)pthread_cond_timedwait(&queue->wake, &queue->lock, &next);
        return;
    }
    if (waiting(word) == 0 &&
        atomic_compare_exchange_strong(&queue->word, &word, word | XR_QUEUE_ASLEEP)) {
        while (atomic_load(&queue->word) & XR_QUEUE_ASLEEP && !is_asked(queue))
            pthread_cond_wait(&queue->wake, &queue->lock);
        atomic_fetch_and(&queue->word, ~XR_QUEUE_ASLEEP);
    }
    queue->idle_polls = 0;
}

static void *run(void *data)
{
    struct xr_queue *queue = data;
    bool last = false;

    /* What an emitter begins is not recorded. */
    xr_thread.hooks_running++;
    pthread_mutex_lock(&queue->lock);
    while (!last) {
        uint64_t requested, units;

        rest(queue);
        requested = queue->requested;
        last = queue->stopping;
        pthread_mutex_unlock(&queue->lock);
        units = xr_queue_drain(queue);
        pthread_mutex_lock(&queue->lock);
        queue->idle_polls = units == 0 ? queue->idle_polls + 1 : 0;
        queue->finished = requested;
        pthread_cond_broadcast(&queue->progress);
    }
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

/* Nothing goes in until there may be a thread again; what did is sent here. */
static void do_without(struct xr_queue *queue)
{
    atomic_fetch_or(&queue->word, XR_QUEUE_INLINE);
    xr_queue_drain(queue);
    pthread_mutex_lock(&queue->lock);
    queue->finished = queue->requested;
    pthread_cond_broadcast(&queue->progress);
    pthread_mutex_unlock(&queue->lock);
    atomic_store(&queue->retry_thread_ns, xr_clock_monotonic_ns() + RETRY_NS);
}

void xr_queue_wake(struct xr_queue *queue)
{
    int r = 0;

    pthread_mutex_lock(&queue->lock);
    if (queue->running) {
        pthread_cond_signal(&queue->wake);
    } else {
        r = xr_worker_start(&queue->thread, "xraytrace-queue", run, queue);
        queue->running = r == 0;
    }
    pthread_mutex_unlock(&queue->lock);
    if (r < 0)
        do_without(queue);
}

void xr_queue_hurry(struct xr_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->running)
        pthread_cond_signal(&queue->wake);
    pthread_mutex_unlock(&queue->lock);
}

void xr_queue_retry(struct xr_queue *queue)
{
    int64_t at = atomic_load_explicit(&queue->retry_thread_ns, memory_order_relaxed);

    if (at == INT64_MAX || xr_clock_monotonic_ns() < at ||
        !atomic_compare_exchange_strong(&queue->retry_thread_ns, &at, INT64_MAX))
        return;
    atomic_fetch_or(&queue->word, XR_QUEUE_ASLEEP);
    atomic_fetch_and(&queue->word, ~XR_QUEUE_INLINE);
}

int xr_queue_wait(struct xr_queue *queue, int timeout_ms)
{
    int64_t until_ns = xr_clock_monotonic_ns() + (int64_t)timeout_ms * 1000000;
    struct timespec until = timespec_of(until_ns);
    int error = 0, cancel_state;
    uint64_t number;

    /* A thread that is cancelled while it waits would keep the lock. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    pthread_mutex_lock(&queue->lock);
    /* Asked here, since what is sent without a thread is gone before that has had the lock. */
    if (waiting(atomic_load(&queue->word)) > 0) {
        number = ++queue->requested;
        pthread_cond_signal(&queue->wake);
        while (queue->finished < number && error == 0 && timeout_ms > 0)
            error = pthread_cond_timedwait(&queue->progress, &queue->lock, &until);
        error = queue->finished < number ? ETIMEDOUT : 0;
    }
    pthread_mutex_unlock(&queue->lock);
    pthread_setcancelstate(cancel_state, NULL);
    return -error;
}

void xr_queue_stop(struct xr_queue *queue)
{
    bool running;

    pthread_mutex_lock(&queue->lock);
    atomic_store(&queue->give_up_ns, xr_clock_monotonic_ns() + STOP_NS);
    queue->stopping = true;
    running = queue->running;
    pthread_cond_signal(&queue->wake);
    pthread_mutex_unlock(&queue->lock);
    if (running)
        pthread_join(queue->thread, NULL);
}
