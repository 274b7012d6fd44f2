/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_HTTP_RANGE_H
#define MEDIA_LOCAL_HTTP_RANGE_H

#include <stdint.h>

#include "http_server.h"

struct http_range {
    int64_t first;
    int64_t length;
    int status; /* 200, 206, or 416 with nothing to send */
};

/* What of size bytes the request's Range header asks for; a list of ranges is all of it. */
struct http_range http_range_of(const struct http_request *request, int64_t size);

/*
 * Answers 416, or gives the reply its status, Content-Range and Accept-Ranges;
 * true when the body of range.length bytes from range.first is to follow.
 */
bool http_range_answer(const struct http_range *range, int64_t size, struct http_reply *reply);

#endif /* MEDIA_LOCAL_HTTP_RANGE_H */
