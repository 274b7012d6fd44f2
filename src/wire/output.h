/* SPDX-License-Identifier: Apache-2.0 */
/* What the formatting functions have in common: they write as snprintf() does. */
#ifndef XR_WIRE_OUTPUT_H
#define XR_WIRE_OUTPUT_H

#include <stddef.h>
#include <string.h>

/* Copies what fits, NUL-terminated when size is not 0. Returns length. */
static inline size_t xr_output(char *buf, size_t size, const char *text, size_t length)
{
    if (size > 0) {
        size_t copied = length < size ? length : size - 1;

        memcpy(buf, text, copied);
        buf[copied] = '\0';
    }
    return length;
}

#endif /* XR_WIRE_OUTPUT_H */
