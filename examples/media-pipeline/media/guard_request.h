/* SPDX-License-Identifier: Apache-2.0 */
/* What a proxy is asked: CONNECT or an absolute address. Read strictly, since whoever sends it
 * may want us and the origin to understand two different things. */
#ifndef PIPELINE_MEDIA_GUARD_REQUEST_H
#define PIPELINE_MEDIA_GUARD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/source.h"
#include "runtime/text.h"

#define GUARD_MAX_HEAD_BYTES ((size_t)32 * 1024)
#define GUARD_MAX_HEADERS    100

struct guard_request {
    bool is_tunnel;              /* CONNECT */
    char host[SOURCE_HOST_SIZE]; /* as source_read_host() gives it */
    int port;
    int64_t body_length;
    struct text head; /* what the origin gets; empty for a tunnel. text_release() it */
};

/*
 * head is everything up to and with the empty line. authorization is what
 * Proxy-Authorization has to say. Returns 0, or the status of the answer with
 * its reason as static text; then there is nothing to release.
 */
int guard_request_read(const char *head, size_t length, const char *authorization,
                       struct guard_request *ret, const char **ret_reason);

#endif /* PIPELINE_MEDIA_GUARD_REQUEST_H */
