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
 * Whether all of text matches. NULL matches "*" only. Takes no more steps than
 * the length of text times that of the pattern, whatever they are.
 */
bool xr_glob_match(const struct xr_glob *glob, const char *text, size_t length);

#endif /* XR_SAMPLING_GLOB_H */
