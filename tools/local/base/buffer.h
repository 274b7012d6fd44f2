/* SPDX-License-Identifier: Apache-2.0 */
/* A growing string. An allocation that fails is remembered and shows once, in
   buffer_take(): nobody has to check each append. */
#ifndef LOCAL_BUFFER_H
#define LOCAL_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *text;
    size_t length;
    size_t size;
    bool failed;
};

void buffer_append(struct buffer *buffer, const char *text, size_t length);
void buffer_puts(struct buffer *buffer, const char *text);
void buffer_repeat(struct buffer *buffer, const char *text, size_t count);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Hands the text over, NUL-terminated, to be freed by the caller, and leaves the
   buffer empty. NULL if any append failed. ret_length may be NULL. */
char *buffer_take(struct buffer *buffer, size_t *ret_length);
void buffer_free(struct buffer *buffer);

#endif
