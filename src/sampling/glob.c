/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Head and tail are compared where they must be; what is between two "*" is
 * searched from the left, where the first place found is as good as any.
 */
#include "sampling/glob.h"

#include <string.h>

void xr_glob_init(struct xr_glob *ret, char *storage, const char *pattern, size_t length)
{
    uint32_t n = 0, stars = 0, last = 0;

    *ret = (struct xr_glob){ .text = storage };
    for (size_t i = 0; i < length; i++) {
        if (pattern[i] == '*') {
            if (n > 0 && storage[n - 1] == '*')
                continue;
            if (stars++ == 0)
                ret->head = n;
            last = n;
        }
        storage[n++] = xr_glob_fold(pattern[i]);
    }
    ret->length = n;
    ret->minimum = n - stars;
    if (stars == 0)
        ret->head = n;
    else
        ret->tail = n - last - 1;
}

/* pattern has no "*". */
static bool same(const char *pattern, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (pattern[i] != xr_glob_fold(text[i]) && pattern[i] != '?')
            return false;
    return true;
}

/* pattern is what is between the first and the last "*", and not empty. */
static bool match_middle(const char *pattern, size_t pattern_length, const char *text,
                         size_t length)
{
    const char *pattern_end = pattern + pattern_length, *text_end = text + length;

    while (pattern < pattern_end) {
        const char *star = memchr(pattern, '*', (size_t)(pattern_end - pattern));
        size_t piece = (size_t)((star ? star : pattern_end) - pattern);

        while ((size_t)(text_end - text) >= piece && !same(pattern, text, piece))
            text++;
        if ((size_t)(text_end - text) < piece)
            return false;
        text += piece;
        pattern += piece + (star != NULL);
    }
    return true;
}

bool xr_glob_match(const struct xr_glob *glob, const char *text, size_t length)
{
    if (xr_glob_is_any(glob))
        return true;
    if (!text || length < glob->minimum || !same(glob->text, text, glob->head))
        return false;
    if (glob->head == glob->length)
        return length == glob->length;
    if (!same(glob->text + glob->length - glob->tail, text + length - glob->tail, glob->tail))
        return false;
    if (glob->head + glob->tail == glob->minimum)
        return true; /* there is one "*", for what is between them */
    return match_middle(glob->text + glob->head + 1, glob->length - glob->head - glob->tail - 2,
                        text + glob->head, length - glob->head - glob->tail);
}
