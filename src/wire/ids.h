/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trace ids as X-Ray writes them, "1-" 8 digits "-" 24 digits: the time and the
 * random part. The 16 bytes are the same that W3C writes as 32 digits.
 */
#ifndef XR_WIRE_IDS_H
#define XR_WIRE_IDS_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <xraytrace/trace.h>

#include "wire/hex.h"

#define XR_TRACE_ID_LENGTH   35 /* without a NUL */
#define XR_SEGMENT_ID_LENGTH 16

/* Zero means "no trace". */
static inline bool xr_trace_id_is_zero(const xray_trace_id *id)
{
    uint64_t words[2];

    memcpy(words, id->bytes, sizeof(words));
    return (words[0] | words[1]) == 0;
}

/* Writes 35 characters, returns what follows them. No NUL. */
static inline char *xr_trace_id_write(char *p, const xray_trace_id *id)
{
    uint64_t words[2];

    memcpy(words, id->bytes, sizeof(words));
    words[0] = be64toh(words[0]);
    words[1] = be64toh(words[1]);

    /* 16 digits at once, of which the first 8 then make room for the "-". */
    xr_hex64(p + 3, words[0]);
    memmove(p + 2, p + 3, 8);
    p[0] = '1';
    p[1] = '-';
    p[10] = '-';
    return xr_hex64(p + 19, words[1]);
}

/* Writes 32 digits, as W3C has it, and returns what follows them. No NUL. */
static inline char *xr_trace_id_write_w3c(char *p, const xray_trace_id *id)
{
    uint64_t words[2];

    memcpy(words, id->bytes, sizeof(words));
    p = xr_hex64(p, be64toh(words[0]));
    return xr_hex64(p, be64toh(words[1]));
}

/* Reads exactly 35 characters; digits of either case. False leaves *ret alone. */
static inline bool xr_trace_id_read(const char *p, xray_trace_id *ret)
{
    uint64_t words[2], wrong;

    wrong = xr_hex64_read_halves(p + 2, p + 11, XR_HEX_ANY_CASE, &words[0]);
    wrong |= xr_hex64_read(p + 19, XR_HEX_ANY_CASE, &words[1]);
    if (wrong != 0 || p[0] != '1' || p[1] != '-' || p[10] != '-')
        return false;

    words[0] = htobe64(words[0]);
    words[1] = htobe64(words[1]);
    memcpy(ret->bytes, words, sizeof(words));
    return true;
}

#endif /* XR_WIRE_IDS_H */
