/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XRAYTRACE_TRANSPORT_H
#define XRAYTRACE_TRANSPORT_H

#include <xraytrace/base.h>

XRAY_BEGIN_DECLS

/* One HTTP request and its reply. */
typedef struct xray_http_exchange {
    size_t size;
    const char *method;
    const char *url;
    const char *const *headers; /* "Name: value", ended by NULL; may be NULL */
    const char *body;           /* may be NULL */
    size_t body_length;         /* bytes */
    int32_t timeout_ms;         /* for the whole exchange; 0: 10,000 */

    /* Filled in by the transport; reply belongs to it until the next exchange on this thread. */
    int32_t status;      /* HTTP's */
    const char *reply;   /* NUL-terminated */
    size_t reply_length; /* bytes, without the NUL */
} xray_http_exchange;

/*
 * How HTTP is spoken. libxraytrace-curl has one (xray_transport_curl());
 * implement it to use another stack.
 *
 * Threads: may be called by several at once, and never on the recording path: it
 * may block for as long as the exchange has.
 */
typedef struct xray_transport {
    size_t size;
    void *data;                                                /* given to each function */
    int (*exchange)(void *data, xray_http_exchange *exchange); /* 0 with a status, or -errno */
    void (*after_fork)(void *data); /* optional: in a forked child, before first use there */
    void (*destroy)(void *data);    /* optional */
} xray_transport;

XRAY_END_DECLS

#endif /* XRAYTRACE_TRANSPORT_H */
