/* SPDX-License-Identifier: Apache-2.0 */
/* The parser's eyes: blanks, keywords, texts, numbers, and what is said of the first
   thing that does not belong where it is. */
#include "local/base/json_text.h"
#include "local/filter/internal.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So much of a text is quoted in a message. */
#define QUOTE_MAX 40u

/* A message quotes the filter, perhaps half a character of it, and goes to terminals. */
static void keep_text(char *message)
{
    const char *end = message + strlen(message);
    char *to = message;
    for (const char *from = message; from < end;) {
        unsigned char byte = (unsigned char)*from;
        size_t length = byte < 0x20 || byte == 0x7f ? 0
                        : byte < 0x80               ? 1
                                                    : json_utf8_length(from, end);
        memmove(to, from, length);
        to += length;
        from += length ? length : 1;
    }
    *to = '\0';
}

bool parse_fail(struct parser *p, size_t position, const char *format, ...)
{
    va_list arguments;
    if (p->failure)
        return false;
    p->failure = -EINVAL;
    p->error->position = position;
    va_start(arguments, format);
    vsnprintf(p->error->message, sizeof p->error->message, format, arguments);
    va_end(arguments);
    keep_text(p->error->message);
    return false;
}

bool parse_no_memory(struct parser *p)
{
    if (!p->failure)
        p->failure = -ENOMEM;
    return false;
}

bool parse_unexpected(struct parser *p, const char *expected)
{
    scan_blanks(p);
    const char *at = p->text + p->at;
    size_t left = p->length - p->at;
    if (left == 0)
        return parse_fail(p, p->at, "unexpected end at %zu, expected %s", p->at, expected);
    if ((unsigned char)*at < 0x20 || *at == 0x7f)
        return parse_fail(p, p->at, "unexpected byte 0x%02x at %zu, expected %s",
                          (unsigned)(unsigned char)*at, p->at, expected);
    size_t length = scan_bare_length(p);
    if (length == 0)
        length = 1;
    return parse_fail(p, p->at, "unexpected '%.*s' at %zu, expected %s",
                      (int)(length < QUOTE_MAX ? length : QUOTE_MAX), at, p->at, expected);
}

void parse_note(struct parser *p, size_t position, const char *sentence)
{
    if (p->filter && p->filter->note_count < NOTES_MAX)
        p->filter->notes[p->filter->note_count++] = (struct note){ position, sentence };
}

void scan_blanks(struct parser *p)
{
    while (p->at < p->length && strchr(" \t\r\n", p->text[p->at]) && p->text[p->at])
        p->at++;
}

int scan_peek(struct parser *p)
{
    scan_blanks(p);
    return p->at < p->length ? (unsigned char)p->text[p->at] : -1;
}

bool scan_take(struct parser *p, char byte)
{
    if (scan_peek(p) != (unsigned char)byte)
        return false;
    p->at++;
    return true;
}

bool scan_expect(struct parser *p, char byte)
{
    const char expected[] = { '\'', byte, '\'', '\0' };
    return scan_take(p, byte) || parse_unexpected(p, expected);
}

static bool is_key(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '.';
}

bool scan_is_bare(char byte)
{
    return is_key(byte) || byte == ':' || byte == '/' || byte == '-' || (unsigned char)byte >= 0x80;
}

size_t scan_key_length(const struct parser *p)
{
    size_t length = 0;
    while (length < p->length - p->at && is_key(p->text[p->at + length]))
        length++;
    return length;
}

size_t scan_bare_length(const struct parser *p)
{
    size_t length = 0;
    while (length < p->length - p->at && scan_is_bare(p->text[p->at + length]))
        length++;
    return length;
}

bool scan_keyword(struct parser *p, const char *keyword)
{
    scan_blanks(p);
    size_t length = scan_bare_length(p);
    if (!word_equal(p->text + p->at, length, keyword))
        return false;
    p->at += length;
    return true;
}

static bool take_copy(struct parser *p, const char *text, size_t length, char **ret)
{
    *ret = strndup(text, length);
    return *ret || parse_no_memory(p);
}

bool scan_string(struct parser *p, char **ret)
{
    size_t start = p->at;
    char *text = malloc(p->length - p->at + 1);
    size_t length = 0;
    if (!text)
        return parse_no_memory(p);
    for (p->at++; p->at < p->length && p->text[p->at] != '"'; p->at++) {
        if (p->text[p->at] == '\\' && p->at + 1 < p->length)
            p->at++;
        text[length++] = p->text[p->at];
    }
    text[length] = '\0';
    if (p->at == p->length) {
        free(text);
        return parse_fail(p, start, "the text that begins at %zu has no closing '\"'", start);
    }
    p->at++;
    *ret = text;
    return true;
}

static bool is_reserved(const char *text, size_t length)
{
    return word_equal(text, length, "and") || word_equal(text, length, "or") ||
           word_equal(text, length, "not");
}

bool scan_text(struct parser *p, const char *what, char **ret)
{
    if (scan_peek(p) == '"')
        return scan_string(p, ret);
    size_t length = scan_bare_length(p);
    if (length == 0 || is_reserved(p->text + p->at, length))
        return parse_unexpected(p, what);
    p->at += length;
    return take_copy(p, p->text + p->at - length, length, ret);
}

static size_t digits(const char *text, size_t length, size_t at)
{
    size_t from = at;
    while (at < length && text[at] >= '0' && text[at] <= '9')
        at++;
    return at - from;
}

/* The length of the number that the text begins with, or 0. */
static size_t number_length(const char *text, size_t length)
{
    size_t at = length && (*text == '-' || *text == '+');
    size_t whole = digits(text, length, at);
    at += whole;
    size_t fraction = 0;
    if (at < length && text[at] == '.') {
        fraction = digits(text, length, at + 1);
        at += fraction ? fraction + 1 : 0;
    }
    if (!whole && !fraction)
        return 0;
    if (at < length && (text[at] == 'e' || text[at] == 'E')) {
        size_t sign = at + 1 < length && (text[at + 1] == '-' || text[at + 1] == '+');
        size_t exponent = digits(text, length, at + 1 + sign);
        at += exponent ? 1 + sign + exponent : 0;
    }
    return at;
}

/* strtod() would want the comma of a locale that has one. */
static locale_t plain_locale;

static void make_plain_locale(void)
{
    plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

int read_number(const char *text, size_t length, double *ret)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char copy[64];
    if (length == 0 || length >= sizeof copy || number_length(text, length) != length)
        return -EINVAL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    pthread_once(&once, make_plain_locale);
    *ret = plain_locale ? strtod_l(copy, NULL, plain_locale) : strtod(copy, NULL);
    return isfinite(*ret) ? 0 : -ERANGE;
}

bool scan_constant(struct parser *p, struct constant *ret)
{
    const char *expected = "a value";
    int next = scan_peek(p);
    const char *at = p->text + p->at;
    ret->type = VALUE_STRING;
    if (next == '"')
        return scan_string(p, &ret->string);
    size_t length = number_length(at, p->length - p->at);
    if (length && (length == p->length - p->at || !scan_is_bare(at[length]))) {
        int r = read_number(at, length, &ret->number);
        if (r == -EINVAL)
            return parse_fail(p, p->at, "the number at %zu has more than 63 characters", p->at);
        if (r < 0)
            return parse_fail(p, p->at, "the number at %zu is too large", p->at);
        ret->type = VALUE_NUMBER;
        p->at += length;
        return take_copy(p, at, length, &ret->string);
    }
    length = scan_bare_length(p);
    ret->boolean = word_equal(at, length, "true");
    if (ret->boolean || word_equal(at, length, "false"))
        ret->type = VALUE_BOOLEAN;
    return scan_text(p, expected, &ret->string);
}
