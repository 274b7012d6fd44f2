/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP/1.1 server on a listening socket, as far as this program needs one. All
   that is known of the HTTP library is behind these functions. Requests which a web
   page of another site could have sent never reach the handler. */
#ifndef LOCAL_HTTP_SERVER_H
#define LOCAL_HTTP_SERVER_H

#include <stddef.h>

#define HTTP_BODY_MAX ((size_t)5 * 1024 * 1024)

struct http_request {
    const char *method;
    const char *path; /* decoded, without the query */
    const char *body; /* NUL-terminated, never NULL */
    size_t length;
};

struct http_reply {
    unsigned status;
    const char *content_type; /* static; NULL is application/json */
    const char *error_type;   /* static; the header x-amzn-ErrorType */
    const char *allow;        /* static; the header Allow */
    char *body;               /* taken over and freed; NULL becomes status 500 */
    size_t length;
};

/* Called from the server's thread; fills the reply, which comes zeroed. */
typedef void http_handler(void *data, const struct http_request *request, struct http_reply *reply);

struct http_server;

/* Takes the socket over on success. address is the numeric address it is bound to:
   the Host header must name that one, or localhost. Starts a thread. 0 or -errno. */
int http_server_new(struct http_server **ret, int listening_socket, const char *address,
                    http_handler *handler, void *data);
/* Ends the thread; requests in work are answered first. */
void http_server_free(struct http_server *server);

/* {"Message": …} as the AWS protocol has it. error_type is kept, not copied. */
void http_reply_error(struct http_reply *reply, unsigned status, const char *error_type,
                      const char *message);

#endif
