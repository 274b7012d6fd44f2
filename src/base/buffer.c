/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <string.h>

#include "base/pool.h"

bool xr_buffer_grow(struct xr_buffer *buffer, size_t bytes)
{
    size_t needed = buffer->length + bytes;
    enum xr_pool_class class = XR_POOL_4K;
    uint32_t length = buffer->length;
    char *block;

    if (bytes > XR_BUFFER_MAX - XR_BUFFER_OVER || needed > XR_BUFFER_MAX - XR_BUFFER_OVER)
        return false;
    while (xr_pool_bytes(class) - XR_BUFFER_OVER < needed)
        class ++;
    block = xr_pool_get(class);
    if (!block)
        return false;
    if (length > 0)
        memcpy(block, buffer->data, length);
    xr_buffer_end(buffer);
    buffer->data = block;
    buffer->length = length;
    buffer->capacity = (uint32_t)(xr_pool_bytes(class) - XR_BUFFER_OVER);
    buffer->class = (int32_t) class;
    return true;
}

void xr_buffer_give_back(struct xr_buffer *buffer)
{
    xr_pool_put((enum xr_pool_class)buffer->class, buffer->data);
    xr_buffer_begin(buffer, NULL, 0);
}
