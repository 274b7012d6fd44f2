/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sixteen bytes of text in registers: enough for most names, keys and values at
 * once. The second form is for machines without SSE2.
 */
#ifndef XR_BASE_SIXTEEN_H
#define XR_BASE_SIXTEEN_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(XR_SIXTEEN_PORTABLE)
#include <emmintrin.h>
#define XR_SIXTEEN_SSE2 1
#else
#define XR_SIXTEEN_SSE2 0
#endif

/* How far xr_copy_over() may read and write beyond what it copies. */
#define XR_SIXTEEN_OVER 16

static inline uint64_t xr_sixteen_word(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
    return le64toh(word);
}

#if XR_SIXTEEN_SSE2

typedef __m128i xr_sixteen;

static inline xr_sixteen xr_sixteen_load(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline xr_sixteen xr_sixteen_of(uint64_t low, uint64_t high)
{
    return _mm_set_epi64x((long long)high, (long long)low);
}

static inline void xr_sixteen_store(char *p, xr_sixteen v)
{
    _mm_storeu_si128((__m128i *)(void *)p, v);
}

/* No control characters, quotes, backslashes, nor what is not ASCII: JSON text as it is. */
static inline bool xr_sixteen_is_plain(xr_sixteen v)
{
    __m128i special = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20)); /* not ASCII is negative */

    special = _mm_or_si128(special, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
    special = _mm_or_si128(special, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    return _mm_movemask_epi8(special) == 0;
}

/* Bytes from first to last, both ASCII. */
static inline __m128i xr_sixteen_between(__m128i v, char first, char last)
{
    return _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8((char)(first - 1))),
                         _mm_cmplt_epi8(v, _mm_set1_epi8((char)(last + 1))));
}

/* None of ? # ; and @ */
static inline bool xr_sixteen_are_bare_url(xr_sixteen v)
{
    __m128i found = _mm_cmpeq_epi8(v, _mm_set1_epi8('?'));

    found = _mm_or_si128(found, _mm_cmpeq_epi8(v, _mm_set1_epi8('#')));
    found = _mm_or_si128(found, _mm_cmpeq_epi8(v, _mm_set1_epi8(';')));
    found = _mm_or_si128(found, _mm_cmpeq_epi8(v, _mm_set1_epi8('@')));
    return _mm_movemask_epi8(found) == 0;
}

static inline __m128i xr_sixteen_letters(__m128i v)
{
    __m128i found = xr_sixteen_between(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 'z');

    return _mm_or_si128(found, _mm_cmpeq_epi8(v, _mm_set1_epi8('_')));
}

/* All ASCII letters, digits, or "_". */
static inline bool xr_sixteen_are_word(xr_sixteen v)
{
    __m128i found = _mm_or_si128(xr_sixteen_letters(v), xr_sixteen_between(v, '0', '9'));

    return _mm_movemask_epi8(found) == 0xffff;
}

/* The same, or one of + - . / and ":" */
static inline bool xr_sixteen_are_host(xr_sixteen v)
{
    __m128i found = _mm_andnot_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(',')),
                                     xr_sixteen_between(v, '+', ':'));

    return _mm_movemask_epi8(_mm_or_si128(found, xr_sixteen_letters(v))) == 0xffff;
}

#else

typedef struct xr_sixteen {
    uint64_t low, high; /* the first byte is the lowest */
} xr_sixteen;

#define XR_SIXTEEN_EACH(b) (UINT64_C(0x0101010101010101) * (unsigned char)(b))

static inline xr_sixteen xr_sixteen_load(const char *p)
{
    xr_sixteen v = { xr_sixteen_word(p), xr_sixteen_word(p + 8) };

    return v;
}

static inline xr_sixteen xr_sixteen_of(uint64_t low, uint64_t high)
{
    xr_sixteen v = { low, high };

    return v;
}

static inline void xr_sixteen_store(char *p, xr_sixteen v)
{
    uint64_t words[2] = { htole64(v.low), htole64(v.high) };

    memcpy(p, words, sizeof(words));
}

/* The highest bit of each byte that is zero; exact. */
static inline uint64_t xr_sixteen_zero(uint64_t word)
{
    return ~(((word & XR_SIXTEEN_EACH(0x7f)) + XR_SIXTEEN_EACH(0x7f)) | word |
             XR_SIXTEEN_EACH(0x7f));
}

/* The highest bit of each ASCII byte that is at least c. */
static inline uint64_t xr_sixteen_least(uint64_t word, unsigned char c)
{
    return ((word & XR_SIXTEEN_EACH(0x7f)) + XR_SIXTEEN_EACH(0x80 - c)) & ~word;
}

static inline uint64_t xr_sixteen_range(uint64_t word, unsigned char first, unsigned char last)
{
    return xr_sixteen_least(word, first) & ~xr_sixteen_least(word, (unsigned char)(last + 1));
}

/* Whether all that are to be are, given as the highest bit of each byte. */
static inline bool xr_sixteen_all(uint64_t low, uint64_t high)
{
    return (low & high & XR_SIXTEEN_EACH(0x80)) == XR_SIXTEEN_EACH(0x80);
}

static inline uint64_t xr_sixteen_plain_word(uint64_t word)
{
    return xr_sixteen_least(word, 0x20) & ~xr_sixteen_zero(word ^ XR_SIXTEEN_EACH('"')) &
           ~xr_sixteen_zero(word ^ XR_SIXTEEN_EACH('\\'));
}

static inline bool xr_sixteen_is_plain(xr_sixteen v)
{
    return xr_sixteen_all(xr_sixteen_plain_word(v.low), xr_sixteen_plain_word(v.high));
}

static inline uint64_t xr_sixteen_bare_url_word(uint64_t word)
{
    return ~(xr_sixteen_zero(word ^ XR_SIXTEEN_EACH('?')) |
             xr_sixteen_zero(word ^ XR_SIXTEEN_EACH('#')) |
             xr_sixteen_zero(word ^ XR_SIXTEEN_EACH(';')) |
             xr_sixteen_zero(word ^ XR_SIXTEEN_EACH('@')));
}

static inline bool xr_sixteen_are_bare_url(xr_sixteen v)
{
    return xr_sixteen_all(xr_sixteen_bare_url_word(v.low), xr_sixteen_bare_url_word(v.high));
}

static inline uint64_t xr_sixteen_letters(uint64_t word)
{
    return xr_sixteen_range(word | XR_SIXTEEN_EACH(0x20), 'a', 'z') |
           xr_sixteen_zero(word ^ XR_SIXTEEN_EACH('_'));
}

static inline bool xr_sixteen_are_word(xr_sixteen v)
{
    return xr_sixteen_all(xr_sixteen_letters(v.low) | xr_sixteen_range(v.low, '0', '9'),
                          xr_sixteen_letters(v.high) | xr_sixteen_range(v.high, '0', '9'));
}

static inline uint64_t xr_sixteen_host_word(uint64_t word)
{
    return xr_sixteen_letters(word) |
           (xr_sixteen_range(word, '+', ':') & ~xr_sixteen_zero(word ^ XR_SIXTEEN_EACH(',')));
}

static inline bool xr_sixteen_are_host(xr_sixteen v)
{
    return xr_sixteen_all(xr_sixteen_host_word(v.low), xr_sixteen_host_word(v.high));
}

#endif

/* What can be asked of sixteen bytes: one of the functions above. */
typedef bool (*xr_sixteen_question)(xr_sixteen v);

/* Up to 16 bytes in pieces that overlap: what is true of all pieces is so of the whole. */
static inline __attribute__((__always_inline__)) bool
xr_sixteen_copy_short(char *p, const char *from, size_t length, xr_sixteen_question are)
{
    uint64_t first, last;
    uint32_t start, end;

    if (length >= 8) {
        memcpy(&first, from, 8);
        memcpy(&last, from + length - 8, 8);
        memcpy(p, &first, 8);
        memcpy(p + length - 8, &last, 8);
    } else if (length >= 4) {
        memcpy(&start, from, 4);
        memcpy(&end, from + length - 4, 4);
        memcpy(p, &start, 4);
        memcpy(p + length - 4, &end, 4);
        first = last = start | (uint64_t)end << 32;
    } else if (length > 0) {
        unsigned char a = (unsigned char)from[0], b = (unsigned char)from[length / 2],
                      c = (unsigned char)from[length - 1];

        p[0] = (char)a;
        p[length / 2] = (char)b;
        p[length - 1] = (char)c;
        first = last = (a | (uint64_t)b << 8 | (uint64_t)c << 16) * UINT64_C(0x1000001) +
                       a * UINT64_C(0x0101000000000000);
    } else {
        return true;
    }
    return are(xr_sixteen_of(first, last));
}

/*
 * Copies length bytes, and no more, and says whether they all are something;
 * when not, any of them may have been copied. Unrolled, the loop would take more
 * room than it saves time.
 */
static inline __attribute__((__always_inline__)) bool
xr_sixteen_copy(char *p, const char *from, size_t length, xr_sixteen_question are)
{
    xr_sixteen piece;
    size_t at = 0;

    if (length <= 16)
        return xr_sixteen_copy_short(p, from, length, are);
#pragma GCC unroll 1
    for (; length - at > 16; at += 16) {
        piece = xr_sixteen_load(from + at);
        xr_sixteen_store(p + at, piece);
        if (__builtin_expect(!are(piece), 0))
            return false;
    }
    piece = xr_sixteen_load(from + length - 16);
    xr_sixteen_store(p + length - 16, piece);
    return are(piece);
}

/*
 * Copies from and to memory that goes on for XR_SIXTEEN_OVER bytes, which may be
 * read and overwritten: what is short then needs no call, nor a branch for each length.
 */
static inline char *xr_copy_over(char *p, const char *from, size_t length)
{
    size_t at = 0;

    if (length > 128) {
        memcpy(p, from, length);
        return p + length;
    }
#pragma GCC unroll 1
    do {
        xr_sixteen_store(p + at, xr_sixteen_load(from + at));
        at += 16;
    } while (at < length);
    return p + length;
}

#endif /* XR_BASE_SIXTEEN_H */
