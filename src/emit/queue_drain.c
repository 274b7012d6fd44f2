/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What leaves a queue, in chunks that make one batch. Who claims a chunk sends it
 * and then gives its room back: the queue's thread, and producers without room.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <time.h>

#include "base/clock.h"
#include "emit/queue.h"
#include "emit/udp.h"

#define NAP_NS 100000

struct chunk {
    xray_document documents[XR_BATCH_MAX];
    int count;
    uint64_t units;
};

/* ---- Sending ---------------------------------------------------------------------- */

static void count_loss(struct xr_queue *queue, uint32_t flags, int error)
{
    _Atomic uint64_t *count = &queue->other;

    if (flags & XRAY_DOCUMENT_IN_PROGRESS)
        count = &queue->in_progress;
    else if (flags & XRAY_DOCUMENT_CAPTURED)
        count = flags & XRAY_DOCUMENT_SEGMENT ? &queue->captured : &queue->captured_parts;
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

/* Sends a chunk and gives its room back. */
static void finish(struct xr_queue *queue, const struct chunk *chunk, bool has_time)
{
    const xray_document *documents = chunk->documents;
    int results[XR_BATCH_MAX];

    if (queue->udp && !gives_up(queue))
        xr_udp_emit_batch(queue->udp, documents, chunk->count, has_time, results);
    else
        for (int i = 0; i < chunk->count; i++)
            results[i] = gives_up(queue) ? -ETIMEDOUT
                                         : queue->inner.emit(queue->inner.data, &documents[i]);
    for (int i = 0; i < chunk->count; i++)
        if (results[i] < 0)
            count_loss(queue, documents[i].flags, -results[i]);
    atomic_fetch_sub(&queue->word, XR_QUEUE_SENDING(chunk->units));
}

/* ---- Claiming: all of it under that lock ------------------------------------------ */

enum claim {
    CLAIMED,
    NOTHING, /* there */
    BUSY,    /* others still write to the buffer, or send the end of it */
};

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

/* As many as one call of the kernel's can take, if they were all of the longest one's size. */
static void read_records(struct xr_queue *queue, struct chunk *ret)
{
    size_t longest = 0;

    ret->count = 0;
    ret->units = 0;
    while (ret->count < XR_BATCH_MAX && queue->left > 0) {
        xray_document *document = &ret->documents[ret->count];
        uint64_t units = read_record(queue->at, document);

        if (document->length > longest)
            longest = document->length;
        if (ret->count > 0 &&
            (size_t)(ret->count + 1) * (longest + XR_UDP_HEADER_LENGTH) > XR_BATCH_BYTES)
            break;
        queue->at += units * XR_QUEUE_UNIT;
        queue->left -= units;
        ret->units += units;
        ret->count++;
    }
}

/* False when there is nothing in the other one. */
static bool change_over(struct xr_queue *queue, uint64_t word)
{
    uint64_t units;

    do {
        units = xr_queue_taken(word);
        if (units == 0)
            return false;
    } while (!atomic_compare_exchange_weak(
        &queue->word, &word, ((word - units) ^ XR_QUEUE_SECOND) + XR_QUEUE_SENDING(units)));
    queue->emptied = word & XR_QUEUE_SECOND;
    queue->at = queue->buffers[queue->emptied];
    queue->left = queue->expected = units;
    queue->changes++;
    return true;
}

/* The next chunk, where it is from the last of so many changes or from one before. */
static enum claim claim(struct xr_queue *queue, uint64_t last_change, struct chunk *ret)
{
    if (queue->changes > last_change)
        return NOTHING;
    if (queue->left == 0) {
        uint64_t word = atomic_load(&queue->word);

        if (xr_queue_sending(word) > 0)
            return BUSY;
        if (queue->changes == last_change || !change_over(queue, word))
            return NOTHING;
    }
    if (queue->expected > 0) {
        _Atomic uint64_t *written = &queue->written[queue->emptied];

        if (atomic_load_explicit(written, memory_order_acquire) != queue->expected)
            return BUSY;
        /* Nobody writes there until the buffers are changed over again, and it counts anew. */
        atomic_store(written, 0);
        queue->expected = 0;
    }
    read_records(queue, ret);
    return CLAIMED;
}

/* ---- Those who do it -------------------------------------------------------------- */

/* Producers that were interrupted while they wrote, or sent: they need the processor. */
static void let_others_go_on(int tries)
{
    if (tries < 100)
        sched_yield();
    else
        nanosleep(&(struct timespec){ .tv_nsec = NAP_NS }, NULL);
}

uint64_t xr_queue_drain(struct xr_queue *queue)
{
    uint64_t last_change, units = 0;
    struct chunk chunk;
    int tries = 0;

    pthread_mutex_lock(&queue->claiming);
    /* What is in the buffer in use is out when the next change is, whoever makes it. */
    last_change = queue->changes + 1;
    for (;;) {
        enum claim claimed = claim(queue, last_change, &chunk);

        if (claimed == NOTHING)
            break;
        pthread_mutex_unlock(&queue->claiming);
        if (claimed == CLAIMED) {
            finish(queue, &chunk, true);
            units += chunk.units;
            tries = 0;
        } else {
            let_others_go_on(tries++);
        }
        pthread_mutex_lock(&queue->claiming);
    }
    pthread_mutex_unlock(&queue->claiming);
    return units;
}

bool xr_queue_help(struct xr_queue *queue)
{
    enum claim claimed = BUSY;
    struct chunk chunk;
    int cancel_state;

    /* What is lost for want of room would be lost by a document that was taken. */
    if (!xr_udp_has_room(queue->udp))
        return false;
    /* A thread that is cancelled in its send would keep the chunk. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    if (pthread_mutex_trylock(&queue->claiming) == 0) {
        claimed = claim(queue, UINT64_MAX, &chunk);
        pthread_mutex_unlock(&queue->claiming);
    }
    if (claimed == CLAIMED)
        finish(queue, &chunk, false);
    pthread_setcancelstate(cancel_state, NULL);
    return claimed == CLAIMED;
}
