/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue's thread. Waking a thread costs as much as sending ten documents,
 * so while there are any it looks for itself, every millisecond, and only after
 * a while without it sleeps until it is woken.
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"
#include "emit/queue.h"
#include "emit/udp.h"
#include "emit/worker.h"

#define POLL_NS         1000000
#define POLLS_UNTIL_NAP 32
#define STOP_NS         XR_NS_PER_S
#define RETRY_NS        XR_NS_PER_S

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){ .tv_sec = ns / XR_NS_PER_S, .tv_nsec = ns % XR_NS_PER_S };
}

/* ---- Out ------------------------------------------------------------------------ */

static void count_loss(struct xr_queue *queue, uint32_t flags, int error)
{
    _Atomic uint64_t *count = &queue->other;

    if (flags & XRAY_DOCUMENT_IN_PROGRESS)
        count = &queue->in_progress;
    else if (error == ECONNREFUSED)
        count = &queue->refused;
    else if (error == EAGAIN)
        count = &queue->busy;
    else if (error == ENOBUFS || error == ENOMEM)
        count = &queue->no_buffers;
    else if (error == EMSGSIZE)
        count = &queue->too_large;
    atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

static bool gives_up(const struct xr_queue *queue)
{
    int64_t at = atomic_load(&queue->give_up_ns);

    return at != INT64_MAX && xr_clock_monotonic_ns() >= at;
}

static void send_batch(struct xr_queue *queue, const xray_document *documents, int count)
{
    int results[XR_BATCH_MAX];

    if (queue->udp && !gives_up(queue))
        xr_udp_emit_batch(queue->udp, documents, count, results);
    else
        for (int i = 0; i < count; i++)
            results[i] = gives_up(queue) ? -ETIMEDOUT
                                         : queue->inner.emit(queue->inner.data, &documents[i]);
    for (int i = 0; i < count; i++)
        if (results[i] < 0)
            count_loss(queue, documents[i].flags, -results[i]);
}

static uint64_t read_record(const char *at, xray_document *ret)
{
    const struct xr_queue_record *record = (const struct xr_queue_record *)(const void *)at;
    const char *json = at + sizeof(*record);

    *ret = (xray_document){
        .size = sizeof(*ret),
        .json = json,
        .length = record->length,
        .service = json + record->length,
        .trace_id = record->trace_id,
        .flags = record->flags,
    };
    return record->units;
}

/* Producers that have room but were interrupted while they wrote: they need the processor. */
static void wait_for_writers(struct xr_queue *queue, bool second, uint64_t units)
{
    for (int tries = 0;
         atomic_load_explicit(&queue->written[second], memory_order_acquire) != units; tries++)
        if (tries < 100)
            sched_yield();
        else
            nanosleep(&(struct timespec){ .tv_nsec = POLL_NS / 10 }, NULL);
}

/* Changes the buffers over and sends what was in one. Returns how many units that were. */
static uint64_t drain(struct xr_queue *queue)
{
    uint64_t word = atomic_load(&queue->word), units;
    xray_document documents[XR_BATCH_MAX];
    const char *at;
    bool second;

    do {
        units = xr_queue_taken(word);
        if (units == 0)
            return 0;
    } while (!atomic_compare_exchange_weak(
        &queue->word, &word, ((word - units) ^ XR_QUEUE_SECOND) + XR_QUEUE_SENDING(units)));
    second = word & XR_QUEUE_SECOND;
    wait_for_writers(queue, second, units);
    at = queue->buffers[second];
    for (uint64_t left = units; left > 0;) {
        uint64_t sending = 0;
        int count = 0;

        for (; count < XR_BATCH_MAX && sending < left; count++) {
            uint64_t one = read_record(at, &documents[count]);

            at += one * XR_QUEUE_UNIT;
            sending += one;
        }
        send_batch(queue, documents, count);
        left -= sending;
        /* Before the last of it is given back, as nobody may write there until it counts anew. */
        if (left == 0)
            atomic_store(&queue->written[second], 0);
        atomic_fetch_sub(&queue->word, XR_QUEUE_SENDING(sending));
    }
    return units;
}

/* ---- The thread ------------------------------------------------------------------- */

static bool is_asked(const struct xr_queue *queue)
{
    return queue->stopping || queue->requested != queue->finished;
}

/* Under the lock: until there may be something to do. */
static void rest(struct xr_queue *queue)
{
    struct timespec next = timespec_of(xr_clock_monotonic_ns() + POLL_NS);
    uint64_t word = atomic_load(&queue->word);

    if (is_asked(queue) || xr_queue_taken(word) >= queue->hurry_at)
        return;
    if (queue->idle_polls < POLLS_UNTIL_NAP) {
        (void)pthread_cond_timedwait(&queue->wake, &queue->lock, &next);
        return;
    }
    if (xr_queue_taken(word) == 0 &&
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
    xr_hooks_running++;
    pthread_mutex_lock(&queue->lock);
    while (!last) {
        uint64_t requested, units;

        rest(queue);
        requested = queue->requested;
        last = queue->stopping;
        pthread_mutex_unlock(&queue->lock);
        units = drain(queue);
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
    drain(queue);
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

static bool is_empty(const struct xr_queue *queue)
{
    uint64_t word = atomic_load(&queue->word);

    return xr_queue_taken(word) == 0 && xr_queue_sending(word) == 0;
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
    if (!is_empty(queue)) {
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
