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

/* How many bytes at the begin are the same. pattern has no "*". */
static size_t count_same(const char *pattern, const char *text, size_t length)
{
    size_t i = 0;

    for (; length - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t wanted, word;

        memcpy(&wanted, pattern + i, sizeof(wanted));
        memcpy(&word, text + i, sizeof(word));
        if (xr_glob_fold_word(word) != wanted)
            break; /* perhaps at a "?" */
    }
    while (i < length && (pattern[i] == xr_glob_fold(text[i]) || pattern[i] == '?'))
        i++;
    return i;
}

static bool same(const char *pattern, const char *text, size_t length)
{
    return count_same(pattern, text, length) == length;
}

/*
 * For a piece that is almost everywhere: follows all places where it may have
 * begun at once, a bit for each, so that no byte of text is looked at twice.
 */
static const char *find_bit_by_bit(const char *piece, size_t length, const char *text,
                                   const char *end)
{
    size_t bits = length < 64 ? length : 64;
    uint64_t places[256] = { 0 }, anywhere = 0, state = 0;

    for (size_t i = 0; i < bits; i++) {
        if (piece[i] == '?')
            anywhere |= UINT64_C(1) << i;
        else
            places[(uint8_t)piece[i]] |= UINT64_C(1) << i;
    }
    for (const char *c = text; c < end; c++) {
        const char *begin = c + 1 - bits;

        state = (state << 1 | 1) & (places[(uint8_t)xr_glob_fold(*c)] | anywhere);
        if (!(state >> (bits - 1) & 1))
            continue;
        if ((size_t)(end - begin) < length)
            return NULL;
        if (same(piece + bits, begin + bits, length - bits))
            return begin;
    }
    return NULL;
}

/* budget is for comparisons that came to nothing; most texts need little of it. */
static const char *find(const char *piece, size_t length, const char *text, const char *end,
                        size_t *budget)
{
    for (; (size_t)(end - text) >= length; text++) {
        size_t count = count_same(piece, text, length);

        if (count == length)
            return text;
        if (count > *budget)
            return find_bit_by_bit(piece, length, text, end);
        *budget -= count;
    }
    return NULL;
}

/* pattern is what is between the first and the last "*", and not empty. */
static bool match_middle(const char *pattern, size_t pattern_length, const char *text,
                         size_t length)
{
    const char *pattern_end = pattern + pattern_length, *text_end = text + length;
    size_t budget = 4 * length;

    while (pattern < pattern_end) {
        const char *star = memchr(pattern, '*', (size_t)(pattern_end - pattern));
        size_t piece = (size_t)((star ? star : pattern_end) - pattern);

        text = find(pattern, piece, text, text_end, &budget);
        if (!text)
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
