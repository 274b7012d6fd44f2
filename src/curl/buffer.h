/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows, up to a limit. The first failure sticks, so that a chain of adds needs one
 * check. */
#ifndef XR_CURL_BUFFER_H
#define XR_CURL_BUFFER_H

#include <stddef.h>

struct xr_curl_buffer {
    char *data; /* NUL-terminated; NULL while nothing was ever added */
    size_t length;
    size_t capacity;
    size_t limit; /* bytes, without the NUL */
    int error;    /* 0, -ENOMEM, or -EMSGSIZE beyond the limit */
};

void xr_curl_buffer_add(struct xr_curl_buffer *buffer, const void *data, size_t length);
void xr_curl_buffer_add_text(struct xr_curl_buffer *buffer, const char *text);

/* The contents, never NULL. */
const char *xr_curl_buffer_text(const struct xr_curl_buffer *buffer);

/* Empties it, and keeps small allocations for the next use. */
void xr_curl_buffer_reset(struct xr_curl_buffer *buffer);

/* Gives the memory back, overwritten: what passed through it may be secret. The limit stays. */
void xr_curl_buffer_free(struct xr_curl_buffer *buffer);

#endif /* XR_CURL_BUFFER_H */
