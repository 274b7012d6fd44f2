/* SPDX-License-Identifier: Apache-2.0 */
/* One POST to a numeric address over a socket of its own, with time-outs: all that
   `show` and `list` need to ask a running instance. */
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

#endif
