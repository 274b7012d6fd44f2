/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lower-case hexadecimal, many digits at a time in one register: no table to
 * load, no branch to miss. Nothing here checks bounds; the callers do.
 */
#ifndef XR_WIRE_HEX_H
#define XR_WIRE_HEX_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && defined(__x86_64__)
#include <emmintrin.h>
#define XR_HEX_SSE2 1
#else
#define XR_HEX_SSE2 0
#endif

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

/* As xr_hex64(), for any machine. */
static inline char *xr_hex64_portable(char *p, uint64_t v)
{
    p = xr_hex32(p, (uint32_t)(v >> 32));
    return xr_hex32(p, (uint32_t)v);
}

/* Writes 16 digits, returns what follows them. No NUL. */
static inline char *xr_hex64(char *p, uint64_t v)
{
#if XR_HEX_SSE2
    const __m128i nibble = _mm_set1_epi8(0x0f);
    __m128i bytes = _mm_cvtsi64_si128((long long)htobe64(v));
    __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), nibble);
    __m128i values = _mm_unpacklo_epi8(high, _mm_and_si128(bytes, nibble));
    __m128i letters = _mm_cmpgt_epi8(values, _mm_set1_epi8(9));
    __m128i digits = _mm_add_epi8(values, _mm_set1_epi8('0'));

    digits = _mm_add_epi8(digits, _mm_and_si128(letters, _mm_set1_epi8('a' - '0' - 10)));
    _mm_storeu_si128((__m128i *)(void *)p, digits);
    return p + 16;
#else
    return xr_hex64_portable(p, v);
#endif
}

enum xr_hex_case {
    XR_HEX_LOWER_CASE,
    XR_HEX_ANY_CASE,
};

/*
 * Reads exactly 8 digits. Returns 0, or anything else if one of them is no
 * digit; *ret is then undefined. Not a bool, so that a caller can "or" several
 * results together and branch once.
 */
static inline uint64_t xr_hex32_read(const char *p, enum xr_hex_case letter_case, uint32_t *ret)
{
    uint64_t text, letters, x, again;

    memcpy(&text, p, sizeof(text));
    text = be64toh(text);
    letters = (text >> 6) & XR_HEX_ONES;
    x = (text & XR_HEX_ONES * 0x0f) + letters * 9;

    /* Written again it must be the same text. "G" gives 16, which would be. */
    again = xr_hex_digits(x) ^ (letter_case == XR_HEX_ANY_CASE ? text | letters << 5 : text);
    again |= x & XR_HEX_ONES * 0xf0;

    x = (x | x >> 4) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x >> 8) & UINT64_C(0x0000ffff0000ffff);
    *ret = (uint32_t)(x | x >> 16);
    return again;
}

/* As xr_hex64_read_halves(), for any machine. */
static inline uint64_t xr_hex64_read_portable(const char *first, const char *second,
                                              enum xr_hex_case letter_case, uint64_t *ret)
{
    uint32_t high, low;
    uint64_t wrong;

    wrong = xr_hex32_read(first, letter_case, &high);
    wrong |= xr_hex32_read(second, letter_case, &low);
    *ret = (uint64_t)high << 32 | low;
    return wrong;
}

#if XR_HEX_SSE2
static inline uint64_t xr_hex64_read_vector(__m128i text, enum xr_hex_case letter_case,
                                            uint64_t *ret)
{
    __m128i lower = letter_case == XR_HEX_ANY_CASE ? _mm_or_si128(text, _mm_set1_epi8(0x20)) : text;
    __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(text, _mm_set1_epi8('0' - 1)),
                                  _mm_cmplt_epi8(text, _mm_set1_epi8('9' + 1)));
    __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(lower, _mm_set1_epi8('a' - 1)),
                                   _mm_cmplt_epi8(lower, _mm_set1_epi8('f' + 1)));
    __m128i values = _mm_add_epi8(_mm_and_si128(text, _mm_set1_epi8(0x0f)),
                                  _mm_and_si128(letter, _mm_set1_epi8(9)));
    __m128i bytes = _mm_or_si128(_mm_slli_epi16(values, 4), _mm_srli_epi16(values, 8));

    bytes = _mm_and_si128(bytes, _mm_set1_epi16(0xff));
    bytes = _mm_packus_epi16(bytes, bytes);
    *ret = be64toh((uint64_t)_mm_cvtsi128_si64(bytes));
    return (uint64_t)_mm_movemask_epi8(_mm_or_si128(digit, letter)) ^ 0xffff;
}
#endif

/* The same for 16 digits, 8 in each place. */
static inline uint64_t xr_hex64_read_halves(const char *first, const char *second,
                                            enum xr_hex_case letter_case, uint64_t *ret)
{
#if XR_HEX_SSE2
    __m128i high = _mm_loadl_epi64((const __m128i *)(const void *)first);
    __m128i low = _mm_loadl_epi64((const __m128i *)(const void *)second);

    return xr_hex64_read_vector(_mm_unpacklo_epi64(high, low), letter_case, ret);
#else
    return xr_hex64_read_portable(first, second, letter_case, ret);
#endif
}

static inline uint64_t xr_hex64_read(const char *p, enum xr_hex_case letter_case, uint64_t *ret)
{
    return xr_hex64_read_halves(p, p + 8, letter_case, ret);
}

#endif /* XR_WIRE_HEX_H */
