/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that grow: at first in memory of the owner's, then in the pool's blocks. */
#ifndef XR_BASE_BUFFER_H
#define XR_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sixteen.h"

#define XR_BUFFER_MAX 65536

/* Bytes in the large blocks (16 KiB and more) of all limited buffers together. */
#define XR_BUFFERS_LIMIT (16U * 1024 * 1024)

/* Behind every buffer there are so many bytes more, for xr_copy_over(). */
#define XR_BUFFER_OVER XR_SIXTEEN_OVER

struct xr_buffer {
    char *data;
    uint32_t length;
    uint32_t capacity;
    int32_t class;    /* xr_pool_class, or -1 for memory that is not the pool's */
    uint32_t limited; /* its large blocks count towards XR_BUFFERS_LIMIT */
};

/* memory may be NULL, with size 0; XR_BUFFER_OVER bytes of others may follow it. */
static inline void xr_buffer_begin(struct xr_buffer *buffer, char *memory, size_t size)
{
    buffer->data = memory;
    buffer->length = 0;
    buffer->capacity = (uint32_t)size;
    buffer->class = -1;
    buffer->limited = 0;
}

void xr_buffer_give_back(struct xr_buffer *buffer);

static inline void xr_buffer_end(struct xr_buffer *buffer)
{
    if (buffer->class >= 0)
        xr_buffer_give_back(buffer);
}

bool xr_buffer_grow(struct xr_buffer *buffer, size_t bytes);

/*
 * Where the next bytes go, with room for so many; NULL when out of memory or
 * over a limit. What was written counts when its length is added.
 */
static inline char *xr_buffer_reserve(struct xr_buffer *buffer, size_t bytes)
{
    if (__builtin_expect(bytes > buffer->capacity - buffer->length, 0) &&
        !xr_buffer_grow(buffer, bytes))
        return NULL;
    return buffer->data + buffer->length;
}

#endif /* XR_BASE_BUFFER_H */
