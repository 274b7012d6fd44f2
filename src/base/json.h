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

#include "base/sixteen.h"

/* Room for length bytes of text: each may become \u00xx, between two quotes. */
#define XR_JSON_STRING_MAX(length) (6 * (length) + 2)
#define XR_JSON_NUMBER_MAX         32

#define XR_JSON_LITERAL(p, text) ((char *)memcpy(p, text, sizeof(text) - 1) + (sizeof(text) - 1))

static inline char *xr_json_bytes(char *p, const char *bytes, size_t length)
{
    memcpy(p, bytes, length);
    return p + length;
}

/* Copies text that needs no care, as most does; false when some does. */
static inline bool xr_json_copy_plain(char *p, const char *text, size_t length)
{
    xr_sixteen piece;
    size_t at = 0;

    if (length <= 16) {
        xr_copy_sixteen(p, text, length);
        return length == 0 || xr_sixteen_is_plain(xr_sixteen_spread(text, length));
    }
    for (; length - at > 16; at += 16) {
        piece = xr_sixteen_load(text + at);
        xr_sixteen_store(p + at, piece);
        if (__builtin_expect(!xr_sixteen_is_plain(piece), 0))
            return false;
    }
    piece = xr_sixteen_load(text + length - 16);
    xr_sixteen_store(p + length - 16, piece);
    return xr_sixteen_is_plain(piece);
}

char *xr_json_escaped(char *p, const char *text, size_t length, bool *repaired);

/* Text without quotes around it. Sets *repaired when it was not valid UTF-8. */
static inline char *xr_json_text(char *p, const char *text, size_t length, bool *repaired)
{
    if (__builtin_expect(xr_json_copy_plain(p, text, length), 1))
        return p + length;
    return xr_json_escaped(p, text, length, repaired);
}

/* In quotes. */
static inline char *xr_json_string(char *p, const char *text, size_t length, bool *repaired)
{
    *p++ = '"';
    p = xr_json_text(p, text, length, repaired);
    *p++ = '"';
    return p;
}

/* Room enough for this text, closer than XR_JSON_STRING_MAX(), at the price of reading it. */
size_t xr_json_string_size(const char *text, size_t length);

char *xr_json_u64_long(char *p, uint64_t value);

static inline char *xr_json_u64(char *p, uint64_t value)
{
    uint32_t small = (uint32_t)value;

    /* Counts and statuses: at most three digits. */
    if (value >= 1000)
        return xr_json_u64_long(p, value);
    if (small >= 100)
        *p++ = (char)('0' + small / 100);
    if (small >= 10)
        *p++ = (char)('0' + small / 10 % 10);
    *p++ = (char)('0' + small % 10);
    return p;
}

char *xr_json_i64_negative(char *p, int64_t value);

static inline char *xr_json_i64(char *p, int64_t value)
{
    return value >= 0 ? xr_json_u64(p, (uint64_t)value) : xr_json_i64_negative(p, value);
}

/* The shortest text that reads back the same. Not for NaN and infinity. */
char *xr_json_double(char *p, double value);

/*
 * Unix time as seconds with six decimals; before 1970 it is 0. Needs
 * XR_JSON_NUMBER_MAX bytes.
 */
char *xr_json_time(char *p, int64_t time_ns);

/* How many bytes of text its first max characters take; never inside a character. */
size_t xr_utf8_prefix(const char *text, size_t length, size_t max);

/* length, less the bytes of a character that begins before it and is not complete. */
size_t xr_utf8_whole(const char *text, size_t length);

/* The length of the valid character at text, 1 to 4, or 0. */
size_t xr_utf8_valid(const char *text, size_t length);

#endif /* XR_BASE_JSON_H */
