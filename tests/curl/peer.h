/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 server for tests, in a thread of the test, on a port that the kernel chose.
 * It says what it was told to say, in order, and keeps what it was sent.
 */
#ifndef XR_TESTS_CURL_PEER_H
#define XR_TESTS_CURL_PEER_H

#include <stddef.h>

struct peer;

/* One reply. All zero is 200 without a body; the last one is repeated. */
struct peer_reply {
    int status;
    const char *headers; /* "Name: value\r\n…", besides Content-Length */
    const char *body;
    size_t padding; /* bytes of "x" behind the body */
    int hang_up;    /* 1: closes the connection instead of answering */
    int silent;     /* 1: never answers, and waits for the other side to close */
    int no_length;  /* 1: no Content-Length; the end of the connection is the end */
};

struct peer *peer_start(const struct peer_reply *replies, size_t count);
void peer_stop(struct peer *peer);

/* "http://127.0.0.1:port", no slash behind. */
const char *peer_url(const struct peer *peer);

size_t peer_request_count(struct peer *peer);
size_t peer_connection_count(struct peer *peer);

/* A request as it came, head and body, NUL-terminated. Belongs to the peer. */
const char *peer_request(struct peer *peer, size_t index);

/* The value of a header of a request, in any case; malloc()ed, or NULL. */
char *peer_request_header(struct peer *peer, size_t index, const char *name);

/* How many lines of a request have that header. */
size_t peer_request_header_count(struct peer *peer, size_t index, const char *name);

/* A URL at which nothing listens. */
const char *peer_refusing_url(void);

#endif /* XR_TESTS_CURL_PEER_H */
