/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_HTTP_CLIENT_H
#define MEDIA_LOCAL_HTTP_CLIENT_H

#include <stddef.h>

struct http_call {
    const char *method; /* NULL: GET, or POST with a body */
    const char *url;
    const char *const *headers; /* "Name: value", ended by NULL; may be NULL */
    const char *body;           /* NULL: none */
    size_t body_length;
    int timeout_ms; /* 0: 30,000 */
    /* Takes the body of a reply below 400 as it comes, instead of keeping it. Bytes taken. */
    size_t (*receive)(void *data, const char *bytes, size_t length);
    /* Sees each header line of the reply, without its end. */
    void (*header)(void *data, const char *line, size_t length);
    void *data;
};

struct http_answer {
    int status;
    char *body; /* NUL-terminated; never NULL after a call that worked */
    size_t body_length;
    char *error; /* why there was no answer */
};

/* 0 with a status, or -EIO with ret->error. Free ret with http_answer_free() in both cases. */
int http_call(struct http_answer *ret, const struct http_call *call);

void http_answer_free(struct http_answer *answer);

#endif /* MEDIA_LOCAL_HTTP_CLIENT_H */
