/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XRAYTRACE_EMITTER_H
#define XRAYTRACE_EMITTER_H

#include <stdio.h>

#include <xraytrace/trace.h>

XRAY_BEGIN_DECLS

#define XRAY_DOCUMENT_SEGMENT     (1u << 0) /* else an independent subsegment */
#define XRAY_DOCUMENT_IN_PROGRESS (1u << 1)
#define XRAY_DOCUMENT_CAPTURED    (1u << 2) /* of an unsampled trace, kept for its outcome */

/* One finished document: a segment, or a subsegment that is sent on its own. */
typedef struct xray_document {
    size_t size;
    const char *json;    /* one segment document, not NUL-terminated */
    size_t length;       /* bytes, at most 63 KiB */
    const char *service; /* name of the segment it belongs to */
    xray_trace_id trace_id;
    uint32_t flags; /* XRAY_DOCUMENT_… */
    uint32_t reserved;
} xray_document;

/* Documents that an emitter took and then lost, since it was made, by the errno that says why. */
typedef struct xray_losses {
    size_t size;             /* set by the caller: at most that much is filled in */
    uint64_t refused;        /* ECONNREFUSED */
    uint64_t busy;           /* EAGAIN */
    uint64_t no_buffers;     /* ENOBUFS, ENOMEM */
    uint64_t too_large;      /* EMSGSIZE */
    uint64_t other;          /* any other */
    uint64_t in_progress;    /* documents in progress, for any reason; in none of the above */
    uint64_t captured;       /* captured segments, for any reason; in none of the above */
    uint64_t captured_parts; /* captured subsegments that were sent by themselves; the same */
} xray_losses;

/*
 * Where finished documents go. Implement it to send them elsewhere.
 *
 * Threads: emit may be called by many threads at once, without locks held. It
 * must not block for long. What it begins itself is not recorded, so that an
 * emitter's own HTTP calls are never traced.
 */
typedef struct xray_emitter {
    size_t size;
    void *data; /* given to each function */

    /* One document, valid during the call. 0 or -errno, which counts it as failed. */
    int (*emit)(void *data, const xray_document *document);

    /* Waits until what was emitted is out, or -ETIMEDOUT. Optional. */
    int (*flush)(void *data, int timeout_ms);

    void (*after_fork)(void *data); /* optional: in a forked child, before first use there */
    void (*destroy)(void *data);    /* optional */

    /*
     * Optional, for one that sends after emit has returned: what it lost since it
     * was made. Called by any thread, at any time.
     */
    void (*get_losses)(void *data, xray_losses *ret);
} xray_emitter;

/*
 * The constructors fill ret->size bytes of *ret: set it first; -EINVAL for less
 * than a struct that ends with destroy. Give the emitter to a recorder, which
 * destroys it with itself, or call its destroy(data), if it has one.
 */

/*
 * Sends each document to the daemon in one datagram, on the calling thread,
 * over one connected socket that never blocks.
 *
 * address: "host:port", "udp:host:port tcp:host:port" in any order, "[::1]:2000";
 * NULL is 127.0.0.1:2000. The daemon reads one document of at most 64 KiB from
 * each datagram; nothing answers, so a document that left may still be lost.
 * emit returns -ECONNREFUSED, -EAGAIN, -ENOBUFS, -EMSGSIZE, or what else the
 * socket says.
 *
 * A host name is resolved here and then again while documents leave: every
 * minute, and when they fail, at most every ten seconds. A thread that lives as
 * long as the question asks it, so that no caller waits for a resolver, and the
 * address that worked stays until there is another. A numeric address never
 * has a thread; localhost is a name.
 *
 * Returns 0, -EINVAL for an address it cannot read, -EADDRNOTAVAIL for a name
 * it cannot resolve, or the -errno of the socket.
 */
XRAY_CHECKED XRAY_API int xray_emitter_udp(xray_emitter *ret, const char *address);

/*
 * Hands documents to inner from a thread of its own, so that ending a segment
 * costs a copy and no system call. They leave within 2 ms, up to 32 at a time, in
 * the order in which they came unless the queue was full; behind
 * xray_emitter_udp() such a batch is one system call where the kernel has
 * UDP_SEGMENT, for which documents of about one size get blanks before their
 * last brace.
 *
 * capacity: bytes of documents that may wait, from 64 KiB to 1 GiB; 0 is 1 MiB.
 * Nobody waits for the thread: when the queue is full, emit hands the document
 * to inner itself, past those that wait. In front of xray_emitter_udp() it sends one
 * batch of them instead where it can, which makes room and costs less. It hands
 * documents to inner as well when no thread can be started, and while the
 * process exits.
 *
 * The thread starts with the first document, sleeps when there are none for a
 * while, and has all signals blocked. A forked child has its own, and does not
 * send what its parent had waiting. flush() waits up to timeout_ms for what is
 * waiting, and then lets inner flush. Freeing the recorder sends what waits, for
 * a second at most, and exit() for half a second; _exit() and a signal that ends
 * the process lose it. What inner refuses is counted (xray_losses).
 *
 * Returns 0, -EINVAL without inner or its emit or for a capacity out of range,
 * -E2BIG for an inner with members that this library does not know, or -ENOMEM.
 * Takes over inner on success.
 */
XRAY_CHECKED XRAY_API int xray_emitter_queue(xray_emitter *ret, const xray_emitter *inner,
                                             size_t capacity);

/*
 * Writes each document as a line, and flushes the stream after it. A line is
 * written under the stream's own lock, so that those of several threads do not
 * mix. The stream stays the caller's. Returns 0, or -EINVAL without a stream.
 */
XRAY_CHECKED XRAY_API int xray_emitter_stream(xray_emitter *ret, FILE *stream);

XRAY_END_DECLS

#endif /* XRAYTRACE_EMITTER_H */
