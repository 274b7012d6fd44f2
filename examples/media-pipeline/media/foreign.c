/* SPDX-License-Identifier: Apache-2.0 */
#include "media/foreign.h"

#include <ctype.h>
#include <string.h>

/* What may be a credential: long, and of letters and digits, or longer than any word. */
#define SECRET_LENGTH      16
#define LONGEST_PLAIN_WORD 40

static bool is_space(char c)
{
    return c == ' ' || (c > '\0' && c < ' ') || c == 127;
}

const char *foreign_next_word(const char **text, size_t *ret_length)
{
    const char *word = *text;
    while (is_space(*word))
        word++;
    const char *end = word;
    while (*end && !is_space(*end))
        end++;
    *text = end;
    *ret_length = (size_t)(end - word);
    return word;
}

bool foreign_has_digit(const char *word, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (isdigit((unsigned char)word[i]))
            return true;
    return false;
}

static bool is_token_character(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("_-+=%~", c));
}

static void add_tokens(struct text *text, const char *word, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t run = 0;
        while (i + run < length && is_token_character(word[i + run]))
            run++;
        if (run > LONGEST_PLAIN_WORD || (run >= SECRET_LENGTH && foreign_has_digit(word + i, run)))
            text_add(text, "…");
        else
            text_add_bytes(text, word + i, run ? run : 1);
        i += run ? run : 1;
    }
}

/* An address shows its host only, what may be a secret nothing. */
static void add_word(struct text *text, const char *word, size_t length)
{
    static const char mark[] = "://";
    const char *scheme = memmem(word, length, mark, strlen(mark));
    if (!scheme) {
        add_tokens(text, word, length);
        return;
    }
    const char *host = scheme + strlen(mark);
    size_t host_length = 0, left = length - (size_t)(host - word);
    while (host_length < left && !strchr("/?#", host[host_length]))
        host_length++;
    const char *user = memrchr(host, '@', host_length);
    const char *start = user ? user + 1 : host;
    add_tokens(text, word, (size_t)(scheme - word));
    text_addf(text, "://%.*s/…", (int)(host_length - (size_t)(start - host)), start);
}

void foreign_add(struct text *text, const char *foreign)
{
    size_t length;
    bool is_first = true;
    for (const char *word; (word = foreign_next_word(&foreign, &length)), length > 0;
         is_first = false) {
        if (!is_first)
            text_add(text, " ");
        add_word(text, word, length);
    }
}
