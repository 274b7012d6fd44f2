/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of sampling rules: "*" is any run of bytes, "?" is one; ASCII case does not matter. */
#ifndef XR_SAMPLING_GLOB_H
#define XR_SAMPLING_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A pattern made ready: "head*middle*tail", where middle may hold further "*". */
struct xr_glob {
    const char *text; /* lower case, never two "*" in a row */
    uint32_t length;
    uint32_t head;    /* bytes before the first "*"; all of them without one */
    uint32_t tail;    /* bytes behind the last "*" */
    uint32_t minimum; /* bytes that are not "*" */
};

static inline char xr_glob_fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        c = (char)(c | 0x20);
    return c;
}

/* The same of each of eight bytes. */
static inline uint64_t xr_glob_fold_word(uint64_t word)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t seven = word & (0x7f * each);
    uint64_t from_a = seven + (0x80 - 'A') * each, behind_z = seven + (0x80 - 'Z' - 1) * each;

    return word | ((from_a & ~behind_z & ~word & (0x80 * each)) >> 2);
}

/*
 * Makes pattern ready, whose length is below 4 GiB. storage has room for that
 * length, and must live as long as *ret.
 */
void xr_glob_init(struct xr_glob *ret, char *storage, const char *pattern, size_t length);

/* True for "*" alone: what also matches that which is not known. */
static inline bool xr_glob_is_any(const struct xr_glob *glob)
{
    return glob->minimum == 0 && glob->length > 0;
}

/*
 * Whether all of text matches. NULL matches "*" only. Takes a few steps for each
 * byte of text and of the pattern, whatever they are, unless there are more than
 * 64 bytes between two "*": then it may be as many for each byte of text.
 */
bool xr_glob_match(const struct xr_glob *glob, const char *text, size_t length);

#endif /* XR_SAMPLING_GLOB_H */
