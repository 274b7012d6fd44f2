/* SPDX-License-Identifier: Apache-2.0 */
#include "local/base/json_text.h"

#include <stdint.h>
#include <string.h>

struct checker {
    const char *at;
    const char *end;
    const char *reason;
    unsigned depth;
    bool too_deep;
    json_visitor *visitor; /* NULL: none */
    void *data;
};

static bool check_value(struct checker *c);

const char *json_skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

static bool fail(struct checker *c, const char *reason)
{
    c->reason = reason;
    return false;
}

static int next_char(struct checker *c)
{
    c->at = json_skip_space(c->at, c->end);
    return c->at < c->end ? (unsigned char)*c->at : -1;
}

size_t json_utf8_length(const char *text, const char *end)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *at = (const unsigned char *)text;
    size_t left = (size_t)(end - text);
    size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || length > left)
        return 0;
    uint32_t code = at[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    return length;
}

/* Four hex digits at c->at, which is not moved; -1 if they are something else. */
static int32_t hex4(const struct checker *c)
{
    if (c->end - c->at < 4)
        return -1;
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char h = c->at[i];
        int digit = h >= '0' && h <= '9'   ? h - '0'
                    : h >= 'a' && h <= 'f' ? h - 'a' + 10
                    : h >= 'A' && h <= 'F' ? h - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool check_unicode_escape(struct checker *c)
{
    int32_t first = hex4(c);
    if (first < 0)
        return fail(c, "a \\u without four hex digits");
    c->at += 4;
    if (first < 0xd800 || first > 0xdfff)
        return true;
    if (first < 0xdc00 && c->end - c->at >= 6 && c->at[0] == '\\' && c->at[1] == 'u') {
        c->at += 2;
        int32_t second = hex4(c);
        if (second >= 0xdc00 && second <= 0xdfff) {
            c->at += 4;
            return true;
        }
    }
    return fail(c, "half a surrogate pair");
}

/* The bytes that need no second look: most of any document. */
static const char *skip_plain(const char *at, const char *end)
{
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' &&
           *at != '\\')
        at++;
    return at;
}

static bool check_string(struct checker *c)
{
    for (c->at++;;) {
        c->at = skip_plain(c->at, c->end);
        if (c->at == c->end)
            break;
        unsigned char byte = (unsigned char)*c->at;
        if (byte == '"') {
            c->at++;
            return true;
        }
        if (byte < 0x20)
            return fail(c, "a raw control character in a string");
        if (byte == '\\') {
            if (c->end - c->at < 2)
                break;
            char escaped = c->at[1];
            c->at += 2;
            if (escaped == 'u') {
                if (!check_unicode_escape(c))
                    return false;
            } else if (!escaped || !strchr("\"\\/bfnrt", escaped)) {
                return fail(c, "an unknown escape in a string");
            }
        } else {
            size_t length = json_utf8_length(c->at, c->end);
            if (!length)
                return fail(c, "not UTF-8");
            c->at += length;
        }
    }
    return fail(c, "a string without an end");
}

static size_t check_digits(struct checker *c)
{
    const char *from = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return (size_t)(c->at - from);
}

static bool check_number(struct checker *c)
{
    const char *from = c->at;
    if (*c->at == '-')
        c->at++;
    bool zero = c->at < c->end && *c->at == '0';
    size_t digits = check_digits(c);
    if (!digits || (zero && digits > 1))
        return fail(c, "a malformed number");
    if (c->at < c->end && *c->at == '.') {
        c->at++;
        if (!check_digits(c))
            return fail(c, "a malformed number");
    }
    if (c->at < c->end && (*c->at == 'e' || *c->at == 'E')) {
        c->at++;
        if (c->at < c->end && (*c->at == '+' || *c->at == '-'))
            c->at++;
        if (!check_digits(c))
            return fail(c, "a malformed number");
    }
    if (c->at - from > JSON_NUMBER_MAX)
        return fail(c, "a number of more than 63 characters");
    return true;
}

static bool check_word(struct checker *c, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
        return fail(c, "not JSON");
    c->at += length;
    return true;
}

static bool check_member_name(struct checker *c)
{
    if (next_char(c) != '"')
        return fail(c, "a member name is missing");
    if (!check_string(c))
        return false;
    if (next_char(c) != ':')
        return fail(c, "a colon is missing");
    c->at++;
    return true;
}

/* c->at on the quote, or the blanks before it. */
static bool check_member(struct checker *c)
{
    const char *quote = json_skip_space(c->at, c->end);
    if (!check_member_name(c))
        return false;
    if (!c->visitor || c->depth != 1)
        return check_value(c);
    /* The name ends at the last quote before the colon. */
    const char *name_end = c->at - 1;
    while (*name_end != '"')
        name_end--;
    const char *value = json_skip_space(c->at, c->end);
    c->at = value;
    if (!check_value(c))
        return false;
    struct json_member member = { quote + 1, (size_t)(name_end - quote - 1), value,
                                  (size_t)(c->at - value) };
    c->visitor(c->data, &member);
    return true;
}

/* An object or an array, c->at on its bracket. */
static bool check_container(struct checker *c, char close)
{
    if (c->depth == JSON_NESTING_MAX) {
        c->too_deep = true;
        return fail(c, "nested more than 1000 deep");
    }
    c->depth++;
    c->at++;
    if (next_char(c) == close) {
        c->at++;
        c->depth--;
        return true;
    }
    for (;;) {
        if (!(close == '}' ? check_member(c) : check_value(c)))
            return false;
        int next = next_char(c);
        if (next != ',' && next != close)
            return fail(c, next < 0 ? "it ends in the middle" : "a comma is missing");
        c->at++;
        if (next == close) {
            c->depth--;
            return true;
        }
    }
}

static bool check_value(struct checker *c)
{
    int first = next_char(c);
    switch (first) {
    case -1:
        return fail(c, "it ends in the middle");
    case '{':
        return check_container(c, '}');
    case '[':
        return check_container(c, ']');
    case '"':
        return check_string(c);
    case 't':
        return check_word(c, "true");
    case 'f':
        return check_word(c, "false");
    case 'n':
        return check_word(c, "null");
    default:
        return first == '-' || (first >= '0' && first <= '9') ? check_number(c)
                                                              : fail(c, "not JSON");
    }
}

bool json_text_members(const char *text, size_t length, json_visitor *visitor, void *data,
                       struct json_error *ret)
{
    struct checker c = { .at = text, .end = text + length, .visitor = visitor, .data = data };
    bool good = check_value(&c);
    if (good && next_char(&c) >= 0)
        good = fail(&c, "something follows the value");
    if (!good)
        *ret = (struct json_error){ c.reason, (size_t)(c.at - text), c.too_deep };
    return good;
}

bool json_text_check(const char *text, size_t length, struct json_error *ret)
{
    return json_text_members(text, length, NULL, NULL, ret);
}

static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

const char *json_skip_value(const char *at, const char *end)
{
    size_t depth = 0;
    while (at < end) {
        switch (*at) {
        case '"':
            at = skip_string(at, end);
            break;
        case '{':
        case '[':
            depth++;
            at++;
            continue;
        case '}':
        case ']':
            depth--;
            at++;
            break;
        case ',':
        case ':':
        case ' ':
        case '\t':
        case '\n':
        case '\r':
            at++;
            continue;
        default:
            while (at < end && !strchr(",]} \t\r\n", *at))
                at++;
            break;
        }
        if (depth == 0)
            return at;
    }
    return end;
}

void json_text_repair(char *text)
{
    const char *end = text + strlen(text);
    while (*text) {
        size_t length = (unsigned char)*text < 0x80 ? 1 : json_utf8_length(text, end);
        if (length == 0) {
            *text = '?';
            length = 1;
        }
        text += length;
    }
}
