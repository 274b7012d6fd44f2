/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One kept connection of libcurl, for requests of the library's own: never traced, bounded,
 * and not shared with a forked child, which would corrupt the parent's stream.
 */
#ifndef XR_CURL_CONNECTION_H
#define XR_CURL_CONNECTION_H

#include <curl/curl.h>
#include <stdint.h>
#include <sys/types.h>

#include "buffer.h"

enum {
    XR_CURL_REPLY_LIMIT = 16 * 1024 * 1024, /* bytes of a body */
    XR_CURL_HEADERS_LIMIT = 64 * 1024,      /* bytes of all reply headers */
    XR_CURL_SOCKETS = 8,                    /* open at once: kept ones, and attempts in parallel */
};

struct xr_curl_connection {
    CURL *easy;
    pid_t owner; /* the process that made it */
    int busy;    /* during an exchange: a fork then leaves it in an unknown state */
    int sockets[XR_CURL_SOCKETS];
    size_t socket_count;
    struct xr_curl_buffer body;
    struct xr_curl_buffer headers; /* "name\0value\0" of each, of the last reply */
};

struct xr_curl_call {
    const char *method;
    const char *url;
    const char *const *headers; /* "Name: value", ended by NULL; may be NULL */
    const char *body;
    size_t body_length;
    int32_t connect_timeout_ms;
    int32_t timeout_ms; /* for the whole call */

    CURLcode result;        /* libcurl's own verdict */
    int32_t status;         /* HTTP's; 0 without a reply */
    int64_t content_length; /* as the reply announced it; -1 when it did not */
};

/*
 * Once in a process; again it does nothing. exit() must not come in the middle of
 * it, since OpenSSL cleans up then: no thread in the background begins with it.
 */
void xr_curl_initialise(void);

void xr_curl_connection_init(struct xr_curl_connection *connection);

/*
 * Makes one request; the reply's body and headers stay in the connection until
 * the next. Returns 0 with a status; -ETIMEDOUT, -ECONNREFUSED, -EIO,
 * -EMSGSIZE for a reply over a limit, -EINVAL for a request that cannot be
 * made, or -ENOMEM.
 */
int xr_curl_connection_call(struct xr_curl_connection *connection, struct xr_curl_call *call);

/* Forgets the last reply, and the connection itself if it is a parent process's. */
void xr_curl_connection_reset(struct xr_curl_connection *connection);

/* The value of a header of the last reply, in any case, or NULL. */
const char *xr_curl_connection_header(const struct xr_curl_connection *connection,
                                      const char *name);

/* Closes it, without a word to the peer when it is a parent process's. */
void xr_curl_connection_close(struct xr_curl_connection *connection);

#endif /* XR_CURL_CONNECTION_H */
