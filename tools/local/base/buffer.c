/* SPDX-License-Identifier: Apache-2.0 */
#include "local/base/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct buffer *buffer, size_t more)
{
    if (buffer->failed)
        return false;
    if (more < buffer->size - buffer->length)
        return true;
    if (more > SIZE_MAX / 4 || buffer->length > SIZE_MAX / 4) {
        buffer->failed = true;
        return false;
    }
    size_t size = buffer->size ? buffer->size * 2 : 256;
    if (size <= buffer->length + more)
        size = buffer->length + more + 1;
    char *text = realloc(buffer->text, size);
    if (!text) {
        buffer->failed = true;
        return false;
    }
    buffer->text = text;
    buffer->size = size;
    return true;
}

void buffer_append(struct buffer *buffer, const char *text, size_t length)
{
    if (!reserve(buffer, length))
        return;
    memcpy(buffer->text + buffer->length, text, length);
    buffer->length += length;
    buffer->text[buffer->length] = '\0';
}

void buffer_puts(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_repeat(struct buffer *buffer, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_puts(buffer, text);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        buffer->failed = true;
        return;
    }
    if (!reserve(buffer, (size_t)length))
        return;
    va_start(arguments, format);
    vsnprintf(buffer->text + buffer->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->length += (size_t)length;
}

char *buffer_take(struct buffer *buffer, size_t *ret_length)
{
    buffer_append(buffer, "", 0);
    if (buffer->failed) {
        buffer_free(buffer);
        return NULL;
    }
    char *text = buffer->text;
    if (ret_length)
        *ret_length = buffer->length;
    *buffer = (struct buffer){ 0 };
    return text;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->text);
    *buffer = (struct buffer){ 0 };
}
