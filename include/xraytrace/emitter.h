/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XRAYTRACE_EMITTER_H
#define XRAYTRACE_EMITTER_H

#include <stdio.h>

#include <xraytrace/trace.h>

XRAY_BEGIN_DECLS

#define XRAY_DOCUMENT_SEGMENT     (1u << 0) /* else an independent subsegment */
#define XRAY_DOCUMENT_IN_PROGRESS (1u << 1)

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

/*
 * Where finished documents go. Implement it to send them elsewhere.
 *
 * Threads: emit may be called by many threads at once, without locks held. It
 * must not block for long. What it begins itself is not recorded, so that an
 * emitter's own HTTP calls are never traced.
 */
typedef struct xray_emitter {
    size_t size;
    void *data;

    /* One document, valid during the call. 0 or -errno, which counts it as failed. */
    int (*emit)(void *data, const xray_document *document);

    /* Waits until what was emitted is out, or -ETIMEDOUT. Optional. */
    int (*flush)(void *data, int timeout_ms);

    void (*after_fork)(void *data); /* optional: in a forked child, before first use there */
    void (*destroy)(void *data);    /* optional */
} xray_emitter;

/*
 * The constructors fill ret->size bytes of *ret: set it first. Give the emitter
 * to a recorder, which destroys it with itself, or call its destroy(data).
 */

/*
 * Sends each document to the daemon in one datagram, on the calling thread,
 * over one connected socket that never blocks.
 *
 * address: "host:port", "udp:host:port tcp:host:port" in any order, "[::1]:2000";
 * NULL is 127.0.0.1:2000. Names are resolved here. Returns 0, -EINVAL for an
 * address it cannot read, -EADDRNOTAVAIL for a name it cannot resolve, or the
 * -errno of the socket. The daemon reads one document of at most 64 KiB from
 * each datagram; nothing answers, so a document that left may still be lost.
 */
XRAY_CHECKED XRAY_API int xray_emitter_udp(xray_emitter *ret, const char *address);

/*
 * Writes each document as a line, and flushes the stream after it. The stream
 * stays the caller's. Returns 0, -EINVAL without a stream, or -ENOMEM.
 */
XRAY_CHECKED XRAY_API int xray_emitter_stream(xray_emitter *ret, FILE *stream);

XRAY_END_DECLS

#endif /* XRAYTRACE_EMITTER_H */
