/* SPDX-License-Identifier: Apache-2.0 */
/* One request to a numeric address over a socket of its own, with time-outs: all that
   is needed to ask a running instance. */
#ifndef LOCAL_HTTP_CLIENT_H
#define LOCAL_HTTP_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#define HTTP_ANSWER_MAX ((size_t)256 * 1024 * 1024)

struct http_answer {
    unsigned status;
    char *body; /* NUL-terminated, to be freed */
    size_t length;
};

/* -errno of the connection; -ETIMEDOUT; -EPROTO if the answer is no HTTP that is
   understood here; -EFBIG. */
int http_post(const char *address, uint16_t port, const char *path, const char *body,
              struct http_answer *ret);

/* The same with any method and body; content_type NULL: there is no body. */
struct http_question {
    const char *method;
    const char *path;
    const char *content_type;
    const char *body;
    size_t length;
};
int http_ask(const char *address, uint16_t port, const struct http_question *question,
             struct http_answer *ret);

#endif
