/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP/1.1 server on a listening socket, as far as this program needs one. All
   that is known of the HTTP library is behind these functions. Requests which a web
   page of another site could have sent never reach the handler. */
#ifndef LOCAL_HTTP_SERVER_H
#define LOCAL_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* After decompression. */
#define HTTP_BODY_MAX ((size_t)5 * 1024 * 1024)

struct http_request {
    const char *method;
    const char *path; /* decoded, without the query */
    const char *body; /* NUL-terminated, never NULL; decompressed if it came so */
    size_t length;
    const char *content_type;  /* "" if there is none */
    const char *accept;        /* "" if there is none */
    const char *if_none_match; /* "" if there is none */
    bool takes_gzip;
    bool from_page;         /* the browser says that a page of this server asks */
    const void *connection; /* for http_query() */
};

/* A reply without an end, such as of server-sent events. read returns what there is,
   0 for nothing yet (then it is called again after http_stream_wake(), or a second),
   or -1 for the end. Called from the server's thread. */
struct http_stream {
    ssize_t (*read)(void *data, char *buffer, size_t size);
    void (*close)(void *data);
    void *data;
};

struct http_reply {
    unsigned status;
    const char *content_type;     /* static; NULL is application/json */
    const char *error_type;       /* static; the header x-amzn-ErrorType */
    const char *allow;            /* static; the header Allow */
    const char *content_encoding; /* static; NULL: none */
    const char *etag;             /* static, with its quotes; NULL: none */
    const char *disposition;      /* static; the header Content-Disposition; NULL: none */
    bool page;                    /* part of the web page: gets its Content-Security-Policy */
    bool constant;                /* the body is static and not freed */
    char *body;                   /* taken over and freed; NULL becomes status 500 */
    size_t length;
    unsigned delay_ms;         /* the reply is held back for so long */
    struct http_stream stream; /* if stream.read is set, in the place of the body */
};

/* Called from the server's thread; fills the reply, which comes zeroed. */
typedef void http_handler(void *data, const struct http_request *request, struct http_reply *reply);

struct http_server;

/* Takes the socket over on success. address is the numeric address it is bound to:
   the Host header must name that one, or localhost. Starts a thread. 0 or -errno. */
int http_server_new(struct http_server **ret, int listening_socket, const char *address,
                    http_handler *handler, void *data);
/* Ends the thread; requests in work are answered first, streams end. */
void http_server_free(struct http_server *server);

/* Every stream is asked again for what it has. From any thread. */
void http_stream_wake(struct http_server *server);

/* The decoded value of a query parameter, "" if it has none, NULL if it is not there. */
const char *http_query(const struct http_request *request, const char *name);
/* All values of a parameter that may be given several times, at most max; how many. */
size_t http_queries(const struct http_request *request, const char *name, const char **ret,
                    size_t max);

/* The numeric address of who asks. */
#define HTTP_PEER_LENGTH 45
void http_peer(const struct http_request *request, char ret[HTTP_PEER_LENGTH + 1]);

/* {"Message": …} as the AWS protocol has it. error_type is kept, not copied. */
void http_reply_error(struct http_reply *reply, unsigned status, const char *error_type,
                      const char *message);

#endif
