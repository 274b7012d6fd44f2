/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lower-case hexadecimal, eight digits at a time in one machine word: no table
 * to load, no branch to miss. Nothing here checks bounds; the callers do.
 */
#ifndef XR_WIRE_HEX_H
#define XR_WIRE_HEX_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define XR_HEX_ONES UINT64_C(0x0101010101010101) /* times a byte: that byte eight times */

/* Eight values of 0 to 15, one a byte, to their digits. */
static inline uint64_t xr_hex_digits(uint64_t nibbles)
{
    uint64_t letters = ((nibbles + XR_HEX_ONES * 6) >> 4) & XR_HEX_ONES;

    return nibbles + XR_HEX_ONES * '0' + letters * ('a' - '0' - 10);
}

/* Writes 8 digits, returns what follows them. No NUL. */
static inline char *xr_hex32(char *p, uint32_t v)
{
    uint64_t x = v;

    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    x = htobe64(xr_hex_digits(x));
    memcpy(p, &x, sizeof(x));
    return p + 8;
}

/* Writes 16 digits, returns what follows them. No NUL. */
static inline char *xr_hex64(char *p, uint64_t v)
{
    p = xr_hex32(p, (uint32_t)(v >> 32));
    return xr_hex32(p, (uint32_t)v);
}

/*
 * Reads exactly 8 digits of either case; *ret_upper becomes true if there was
 * an upper-case one. False if one of them is no digit; then *ret is undefined.
 */
static inline bool xr_hex32_read(const char *p, uint32_t *ret, bool *ret_upper)
{
    uint64_t text, letters, x;

    memcpy(&text, p, sizeof(text));
    text = be64toh(text);
    letters = (text >> 6) & XR_HEX_ONES;
    x = (text & XR_HEX_ONES * 0x0f) + letters * 9;

    /* Written again in lower case it must be the same text. "G" gives 16, which would be. */
    if ((x & XR_HEX_ONES * 0xf0) != 0 || xr_hex_digits(x) != (text | letters << 5))
        return false;
    if (xr_hex_digits(x) != text)
        *ret_upper = true;

    x = (x | x >> 4) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x >> 8) & UINT64_C(0x0000ffff0000ffff);
    *ret = (uint32_t)(x | x >> 16);
    return true;
}

/* The same for 16 digits. */
static inline bool xr_hex64_read(const char *p, uint64_t *ret, bool *ret_upper)
{
    uint32_t high, low;

    if (!xr_hex32_read(p, &high, ret_upper) || !xr_hex32_read(p + 8, &low, ret_upper))
        return false;
    *ret = (uint64_t)high << 32 | low;
    return true;
}

#endif /* XR_WIRE_HEX_H */
