/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents on their way to another thread. Producers share one word, so they
 * need no lock: with it they reserve room in one of two buffers, while the other
 * is emptied; then the two are changed over.
 */
#ifndef XR_EMIT_QUEUE_H
#define XR_EMIT_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <xraytrace/emitter.h>

#define XR_QUEUE_UNIT 16 /* bytes; room is counted in these */

/*
 * The word: units taken of the buffer in use, units of the other one that are
 * not sent yet, and three flags. What becomes of a unit:
 *
 *          reserve           change over            claim             give back
 *     free -------> taken ----------------> left --------> in flight ----------> free
 *                   (written soon)         `------- sending --------'
 *
 * The sender claims chunk by chunk, and so does a producer that finds no room.
 * The buffers are changed over only when nothing of the other is left or in
 * flight, so what is taken never meets what is sent.
 */
#define XR_QUEUE_TAKEN_MASK 0x7ffffffULL
#define XR_QUEUE_SENDING(n) ((uint64_t)(n) << 27)
#define XR_QUEUE_ASLEEP     (1ULL << 61) /* who puts a document in wakes the thread, or makes one */
#define XR_QUEUE_INLINE     (1ULL << 62) /* there is no thread: nothing goes in */
#define XR_QUEUE_SECOND     (1ULL << 63) /* the second buffer is in use */

static inline uint64_t xr_queue_taken(uint64_t word)
{
    return word & XR_QUEUE_TAKEN_MASK;
}

static inline uint64_t xr_queue_sending(uint64_t word)
{
    return word >> 27 & XR_QUEUE_TAKEN_MASK;
}

/* Before each document; after it its service's name with a NUL, for an inner emitter that may ask.
 */
struct xr_queue_record {
    uint32_t units; /* all of it */
    uint32_t flags;
    uint32_t length;
    uint32_t service_length;
    xray_trace_id trace_id;
};

struct xr_queue {
    /* What producers write. */
    _Atomic uint64_t word;
    _Atomic uint64_t written[2]; /* units of each buffer that are there in full */
    char apart[64];

    /* What does not change. */
    xray_emitter inner;
    struct xr_udp *udp; /* inner, when it is the library's own */
    char *buffers[2];
    uint64_t capacity; /* units */
    uint64_t
        hurry_at; /* units in a buffer, at which the thread should not wait for its next poll */
    size_t buffer_bytes;
    struct xr_queue *next, *previous; /* in the list of all */

    _Atomic uint64_t refused, busy, no_buffers, too_large, other, in_progress;
    _Atomic uint64_t captured, captured_parts;
    _Atomic int64_t give_up_ns;      /* when to lose what is not sent; INT64_MAX */
    _Atomic int64_t retry_thread_ns; /* when to try for a thread again; INT64_MAX */

    /* The buffer that is emptied, under a lock that is held only while a chunk is claimed. */
    pthread_mutex_t claiming;
    const char *at;
    uint64_t left;     /* units that nobody has claimed */
    uint64_t expected; /* units that its producers write, until they have; then 0 */
    bool emptied;      /* which of the two */
    uint64_t changes;  /* of the buffers, so far */

    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t wake;     /* of the sender */
    pthread_cond_t progress; /* of those who flush */
    pthread_t thread;
    bool running;
    bool stopping;
    unsigned idle_polls;
    uint64_t requested, finished; /* flushes, by number */
};

/* ---- queue_drain.c ----------------------------------------------------------- */

/* Sends all that was there when it was called, and waits for what others send of it; units sent. */
uint64_t xr_queue_drain(struct xr_queue *queue);

/*
 * For a producer that finds no room, in front of the library's own UDP emitter:
 * sends a chunk of what waits. False when there is none to be had at once.
 */
bool xr_queue_help(struct xr_queue *queue);

/* ---- queue_sender.c ---------------------------------------------------------- */

/* For the producer that found the thread asleep: wakes it, or starts it. */
void xr_queue_wake(struct xr_queue *queue);

/* For the producer with whose document there is more than can wait for the next poll. */
void xr_queue_hurry(struct xr_queue *queue);

/* When there is no thread: sometimes lets the next producer try to start one. */
void xr_queue_retry(struct xr_queue *queue);

/* Waits until what went in before is out. 0 or -ETIMEDOUT. */
int xr_queue_wait(struct xr_queue *queue, int timeout_ms);

/* Sends what waits, for a second at most, and ends the thread. */
void xr_queue_stop(struct xr_queue *queue);

/* ---- queue_process.c --------------------------------------------------------- */

/* What a new queue begins with, and one in a forked child. */
void xr_queue_begin(struct xr_queue *queue);

/* From here on it is known to forks, and to the end of the process. */
void xr_queue_enlist(struct xr_queue *queue);
void xr_queue_delist(struct xr_queue *queue);

#endif /* XR_EMIT_QUEUE_H */
