/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_HTTP_SERVER_H
#define MEDIA_LOCAL_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <microhttpd.h>

/*
 * A server on 127.0.0.1 with a thread for each connection: handlers may wait as
 * long as they like.
 */
struct http_server;

struct http_request {
    const char *method;
    const char *path;  /* decoded, without the query */
    const char *query; /* as it came, or "" */
    const char *body;  /* NUL-terminated */
    size_t body_length;
    struct MHD_Connection *connection; /* for libmicrohttpd's own calls */
};

/* Filled in by the handler. */
struct http_reply {
    int status;                    /* 0: closes the connection without an answer */
    char *body;                    /* malloc()ed; taken over. NULL: empty */
    size_t body_length;            /* bytes */
    struct MHD_Response *response; /* instead of body; taken over */
    struct http_header *headers;
};

typedef void (*http_handler)(void *data, const struct http_request *request,
                             struct http_reply *reply);

struct http_server_params {
    uint16_t port;     /* 0: the kernel picks one */
    size_t body_limit; /* bytes; larger requests are answered with 413 */
    http_handler handle;
    http_handler refuse; /* writes that 413, from a request without its body; NULL: AWS's own */
    void *data;
};

/* 0, -EADDRINUSE or another -errno. */
int http_server_start(struct http_server **ret, const struct http_server_params *params);

uint16_t http_server_port(const struct http_server *server);

/* Waits for handlers that are still running. NULL is allowed. */
void http_server_free(struct http_server *server);

/* A header of the request, in any case, or NULL. */
const char *http_request_header(const struct http_request *request, const char *name);

/* Adds a header; what could break out of its line is left out. */
void http_reply_header(struct http_reply *reply, const char *name, const char *value);

/* Empty again, as the handler got it. */
void http_reply_clear(struct http_reply *reply);

/* Text as the body, copied, with a content type. */
void http_reply_text(struct http_reply *reply, int status, const char *content_type,
                     const char *text);

#endif /* MEDIA_LOCAL_HTTP_SERVER_H */
