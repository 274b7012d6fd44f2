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
bool xr_json_copy_plain(char *p, const char *text, size_t length);

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

extern const char xr_two_digits[];

/* Two digits, of less than 100. */
static inline char *xr_json_pair(char *p, uint32_t value)
{
    memcpy(p, xr_two_digits + 2 * (size_t)value, 2);
    return p + 2;
}

static inline char *xr_json_u64(char *p, uint64_t value)
{
    uint32_t small = (uint32_t)value;

    /* Counts and statuses: at most three digits. */
    if (value >= 1000)
        return xr_json_u64_long(p, value);
    if (small >= 100) {
        *p++ = (char)('0' + small / 100);
        return xr_json_pair(p, small % 100);
    }
    if (small >= 10)
        return xr_json_pair(p, small);
    *p++ = (char)('0' + small);
    return p;
}

char *xr_json_i64_negative(char *p, int64_t value);

static inline char *xr_json_i64(char *p, int64_t value)
{
    return value >= 0 ? xr_json_u64(p, (uint64_t)value) : xr_json_i64_negative(p, value);
}

/* The shortest text that reads back the same. Not for NaN and infinity. */
char *xr_json_double(char *p, double value);

/* The second that this thread wrote last: most times are within the same one. */
struct xr_json_second {
    uint64_t start_us;
    uint32_t length;
    char digits[20];
};

extern _Thread_local struct xr_json_second xr_json_second;

void xr_json_second_write(uint64_t us);

/*
 * Unix time as seconds with six decimals; before 1970 it is 0. Needs
 * XR_JSON_NUMBER_MAX bytes.
 */
static inline char *xr_json_time(char *p, int64_t time_ns)
{
    uint64_t us = time_ns > 0 ? (uint64_t)time_ns / 1000 : 0;
    uint32_t decimals;

    if (__builtin_expect(us - xr_json_second.start_us >= 1000000 || !xr_json_second.length, 0))
        xr_json_second_write(us);
    decimals = (uint32_t)(us - xr_json_second.start_us);
    memcpy(p, xr_json_second.digits, sizeof(xr_json_second.digits));
    p += xr_json_second.length;
    *p++ = '.';
    p = xr_json_pair(p, decimals / 10000);
    p = xr_json_pair(p, decimals / 100 % 100);
    return xr_json_pair(p, decimals % 100);
}

/* How many bytes of text its first max characters take; never inside a character. */
size_t xr_utf8_prefix(const char *text, size_t length, size_t max);

/* length, less the bytes of a character that begins before it and is not complete. */
size_t xr_utf8_whole(const char *text, size_t length);

/* The length of the valid character at text, 1 to 4, or 0. */
size_t xr_utf8_valid(const char *text, size_t length);

#endif /* XR_BASE_JSON_H */
