/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <stdatomic.h>
#include <string.h>

#include "base/pool.h"

static _Atomic size_t limited_bytes;

static bool is_counted(const struct xr_buffer *buffer, int32_t class)
{
    return buffer->limited && class >= (int32_t)XR_POOL_16K;
}

static void *get_block(const struct xr_buffer *buffer, enum xr_pool_class class)
{
    size_t bytes = is_counted(buffer, (int32_t) class) ? xr_pool_bytes(class) : 0;
    void *block = NULL;

    if (bytes == 0)
        return xr_pool_get(class);
    if (atomic_fetch_add(&limited_bytes, bytes) + bytes <= XR_BUFFERS_LIMIT)
        block = xr_pool_get(class);
    if (!block)
        atomic_fetch_sub(&limited_bytes, bytes);
    return block;
}

static void put_block(const struct xr_buffer *buffer)
{
    if (buffer->class < 0)
        return;
    if (is_counted(buffer, buffer->class))
        atomic_fetch_sub(&limited_bytes, xr_pool_bytes((enum xr_pool_class)buffer->class));
    xr_pool_put((enum xr_pool_class)buffer->class, buffer->data);
}

bool xr_buffer_grow(struct xr_buffer *buffer, size_t bytes)
{
    size_t needed = buffer->length + bytes;
    enum xr_pool_class class = XR_POOL_4K;
    char *block;

    if (bytes > XR_BUFFER_MAX - XR_BUFFER_OVER || needed > XR_BUFFER_MAX - XR_BUFFER_OVER)
        return false;
    while (xr_pool_bytes(class) - XR_BUFFER_OVER < needed)
        class ++;
    block = get_block(buffer, class);
    if (!block)
        return false;
    if (buffer->length > 0)
        memcpy(block, buffer->data, buffer->length);
    put_block(buffer);
    buffer->data = block;
    buffer->capacity = (uint32_t)(xr_pool_bytes(class) - XR_BUFFER_OVER);
    buffer->class = (int32_t) class;
    return true;
}

void xr_buffer_give_back(struct xr_buffer *buffer)
{
    put_block(buffer);
    xr_buffer_begin(buffer, NULL, 0);
}
