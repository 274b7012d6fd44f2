/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON into memory that is known to be large enough. Each function
 * takes where to write and returns where the next byte goes. Numbers do not
 * depend on the locale, and any text comes out as valid UTF-8.
 */
#ifndef XR_BASE_JSON_H
#define XR_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Room for length bytes of text: each may become \u00xx, between two quotes. */
#define XR_JSON_STRING_MAX(length) (6 * (length) + 2)
#define XR_JSON_NUMBER_MAX         32

#define XR_JSON_LITERAL(p, text) ((char *)memcpy(p, text, sizeof(text) - 1) + (sizeof(text) - 1))

static inline char *xr_json_bytes(char *p, const char *bytes, size_t length)
{
    memcpy(p, bytes, length);
    return p + length;
}

/* In quotes. Sets *repaired when it is not NULL and the text was not valid UTF-8. */
char *xr_json_string(char *p, const char *text, size_t length, bool *repaired);

/* Room enough for this text, closer than XR_JSON_STRING_MAX(), at the price of reading it. */
size_t xr_json_string_size(const char *text, size_t length);

char *xr_json_u64(char *p, uint64_t value);
char *xr_json_i64(char *p, int64_t value);

/* The shortest text that reads back the same. Not for NaN and infinity. */
char *xr_json_double(char *p, double value);

/* Unix time as seconds with six decimals; before 1970 it is 0. */
char *xr_json_time(char *p, int64_t time_ns);

/* How many bytes of text its first max characters take; never inside a character. */
size_t xr_utf8_prefix(const char *text, size_t length, size_t max);

/* length, less the bytes of a character that begins before it and is not complete. */
size_t xr_utf8_whole(const char *text, size_t length);

/* The length of the valid character at text, 1 to 4, or 0. */
size_t xr_utf8_valid(const char *text, size_t length);

#endif /* XR_BASE_JSON_H */
