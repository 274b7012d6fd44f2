/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XRAYTRACE_TRACE_H
#define XRAYTRACE_TRACE_H

#include <xraytrace/base.h>

XRAY_BEGIN_DECLS

/* A trace: the Unix second it began (big-endian, 4 bytes), then 12 random bytes. */
typedef struct xray_trace_id {
    uint8_t bytes[16];
} xray_trace_id;

/* A segment within a trace: its 16 hex digits as a number. 0 is "none". */
typedef uint64_t xray_segment_id;

/* What has been decided about a trace. */
typedef enum xray_sampled {
    XRAY_SAMPLED_UNKNOWN = 0,   /* no decision yet: whoever comes first decides */
    XRAY_SAMPLED_NO = 1,        /* Sampled=0 */
    XRAY_SAMPLED_YES = 2,       /* Sampled=1 */
    XRAY_SAMPLED_REQUESTED = 3, /* Sampled=?: decide, and tell in the response */
} xray_sampled;

/*
 * Where a piece of work belongs: the value of the X-Amzn-Trace-Id header.
 *
 * A plain value of 256 bytes. Copy it, send it to another thread, or put it on
 * the wire. All zero means "no trace", and formats to nothing.
 */
typedef struct xray_trace_header {
    xray_trace_id trace_id;    /* zero: a new trace, without parent; the rest still counts */
    xray_segment_id parent_id; /* 0: no parent */
    int32_t sampled;           /* xray_sampled */
    uint32_t flags;            /* W3C trace-flags as received, passed on */
    char extra[224];           /* other "Key=Value" fields in order, with a NUL, passed on as they
                                  are; whole ones are dropped when they do not fit, Lineage last */
} xray_trace_header;

/* Of the HTTP header, and bytes that its text takes at most. */
#define XRAY_TRACE_HEADER_NAME "X-Amzn-Trace-Id"
#define XRAY_TRACE_HEADER_SIZE 320 /* longest formatted header, with its NUL */
#define XRAY_TRACE_ID_SIZE     36  /* "1-5759e988-bd862e3fe1be46a994272793", with its NUL */

/*
 * Reads a header. Tolerant: fields come in any order, the case of Root, Parent,
 * Sampled and Self does not matter, blanks around fields, empty fields and a
 * trailing ";" are skipped, and one bad field costs only that field. Of a field
 * that comes twice the last one counts. An upper-case Root is the same trace
 * and is sent on in lower case; Self, which load balancers add, is dropped.
 * Only the first 1024 bytes are read.
 *
 * Returns 0, with zero in *ret for what the text does not have, or -EINVAL for
 * NULL and for text with control characters, which could smuggle a header of
 * its own; *ret is then left alone.
 */
XRAY_API int xray_trace_header_parse(xray_trace_header *ret, const char *text);

/*
 * Writes "Root=…;Parent=…;Sampled=…" and the extra fields, without those that
 * are not known; a NULL header is an empty text. Like snprintf(): returns the
 * length of the whole, without its NUL, and writes what fits into size bytes,
 * NUL-terminated when size is not 0. XRAY_TRACE_HEADER_SIZE is always enough.
 */
XRAY_API size_t xray_trace_header_format(const xray_trace_header *header, char *buf, size_t size);

/* The same for a trace id alone: "1-5759e988-bd862e3fe1be46a994272793", or "" for none. */
XRAY_API size_t xray_trace_id_format(xray_trace_id id, char *buf, size_t size);

/*
 * The same value as W3C Trace Context. Parsing reads a traceparent of any
 * version but ff; the sampled flag becomes Sampled=1 or 0. Returns 0, or
 * -EINVAL for NULL and for anything else, with *ret left alone. Formatting
 * writes version 00, or nothing without a trace and a parent, and returns what
 * xray_trace_header_format() would. tracestate is the caller's to pass on.
 */
#define XRAY_TRACEPARENT_NAME "traceparent"
#define XRAY_TRACEPARENT_SIZE 56 /* with its NUL */
XRAY_API int xray_traceparent_parse(xray_trace_header *ret, const char *text);
XRAY_API size_t xray_traceparent_format(const xray_trace_header *header, char *buf, size_t size);

XRAY_END_DECLS

#endif /* XRAYTRACE_TRACE_H */
