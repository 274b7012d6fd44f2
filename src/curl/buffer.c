/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows, up to a limit. */
#include "buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

enum {
    SMALLEST = 256,
    KEPT = 64 * 1024, /* a large reply should not stay with an idle client */
};

/* Not realloc(), which would leave a copy of a secret behind. */
static int grow(struct xr_curl_buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity ? buffer->capacity : SMALLEST;
    char *data;

    while (capacity <= needed)
        capacity *= 2;
    data = malloc(capacity);
    if (!data)
        return -ENOMEM;
    if (buffer->data) {
        memcpy(data, buffer->data, buffer->length + 1);
        OPENSSL_cleanse(buffer->data, buffer->length);
        free(buffer->data);
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

void xr_curl_buffer_add(struct xr_curl_buffer *buffer, const void *data, size_t length)
{
    if (buffer->error)
        return;
    if (length > buffer->limit - buffer->length) {
        buffer->error = -EMSGSIZE;
        return;
    }
    if (buffer->length + length >= buffer->capacity) {
        buffer->error = grow(buffer, buffer->length + length);
        if (buffer->error)
            return;
    }
    if (length > 0)
        memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
}

void xr_curl_buffer_add_text(struct xr_curl_buffer *buffer, const char *text)
{
    xr_curl_buffer_add(buffer, text, strlen(text));
}

const char *xr_curl_buffer_text(const struct xr_curl_buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

void xr_curl_buffer_reset(struct xr_curl_buffer *buffer)
{
    if (buffer->capacity > KEPT)
        xr_curl_buffer_free(buffer);
    buffer->length = 0;
    buffer->error = 0;
    if (buffer->data)
        buffer->data[0] = '\0';
}

void xr_curl_buffer_free(struct xr_curl_buffer *buffer)
{
    if (buffer->data)
        OPENSSL_cleanse(buffer->data, buffer->length);
    free(buffer->data);
    *buffer = (struct xr_curl_buffer){ .limit = buffer->limit };
}
