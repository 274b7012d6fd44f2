/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns, searched in the plainest way: what the library's faster ones are compared with. */
#ifndef FUZZ_PLAIN_H
#define FUZZ_PLAIN_H

#include <stdbool.h>
#include <string.h>

static inline char plain_fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool plain_is_all(const char *pattern)
{
    return *pattern != '\0' && strspn(pattern, "*") == strlen(pattern);
}

/* What is not known matches "*" only. */
static inline bool plain_matches(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = NULL;

    if (!text)
        return plain_is_all(pattern);
    while (*text)
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*pattern && (*pattern == '?' || plain_fold(*pattern) == plain_fold(*text))) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    return *pattern == '\0' || plain_is_all(pattern);
}

#endif /* FUZZ_PLAIN_H */
