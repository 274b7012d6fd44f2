/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the HTTP server share: the only files that know its library. */
#ifndef LOCAL_HTTP_INTERNAL_H
#define LOCAL_HTTP_INTERNAL_H

#include "local/http/server.h"

#include <microhttpd.h>
#include <pthread.h>

#define STREAMS_MAX 64u

struct open_stream;
struct delayed_reply;

struct http_server {
    struct MHD_Daemon *daemon;
    http_handler *handler;
    void *data;
    char address[64];
    bool any_address; /* bound to all: any numeric address may be its name */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t ticker_wakes;
    pthread_t ticker; /* wakes the streams every second */
    struct open_stream *streams;
    size_t stream_count;
    struct delayed_reply *delayed;
    bool stops;
};

/* NULL, or why the request is not answered. */
const char *http_forbidden(const struct http_server *server, struct MHD_Connection *connection);
/* Whether the client says that it takes gzip. header may be NULL. */
bool http_takes_gzip(const char *header);
/* True if a header If-None-Match names the tag. */
bool http_etag_matches(const char *header, const char *etag);

/* Takes what the reply holds over. */
enum MHD_Result http_send(struct http_server *server, struct MHD_Connection *connection,
                          const struct http_request *request, struct http_reply *reply);

/* Suspends the connection, whose reply is queued, for a while. */
void http_delay(struct http_server *server, struct MHD_Connection *connection, unsigned delay_ms);

int http_streams_start(struct http_server *server);
/* No stream waits after this, and none will. */
void http_streams_end(struct http_server *server);
/* When the daemon has ended. */
void http_streams_free(struct http_server *server);
/* NULL if there are too many, or no memory; then the stream is closed. */
struct MHD_Response *http_stream_response(struct http_server *server,
                                          struct MHD_Connection *connection,
                                          const struct http_stream *stream);

#endif
