/* SPDX-License-Identifier: Apache-2.0 */
/* The parser calls itself for each level, XR_TREE_DEPTH_MAX at most. */
#include "otlp/tree.h"

#include <errno.h>
#include <stdio.h>

#include "base/json.h"

struct parser {
    const char *begin;
    const char *p;
    const char *end;
    struct xr_arena *arena;
    unsigned levels;
    unsigned values;
    struct xr_otlp_error *error;
};

static int refuse(struct parser *parser, const char *message)
{
    parser->error->offset = (size_t)(parser->p - parser->begin);
    snprintf(parser->error->message, sizeof(parser->error->message), "%s", message);
    return -EBADMSG;
}

static void skip_space(struct parser *parser)
{
    while (parser->p < parser->end &&
           (*parser->p == ' ' || *parser->p == '\t' || *parser->p == '\n' || *parser->p == '\r'))
        parser->p++;
}

static char peek(const struct parser *parser)
{
    return parser->p < parser->end ? *parser->p : '\0';
}

/* ---- Strings --------------------------------------------------------------------- */

/* The four digits behind "\u", or -1. */
static int32_t read_unit(const char *p, const char *end)
{
    int32_t unit = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];

        if (c >= '0' && c <= '9')
            unit = unit * 16 + c - '0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            unit = unit * 16 + (c | 0x20) - 'a' + 10;
        else
            return -1;
    }
    return unit;
}

static char *write_utf8(char *out, int32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* Steps over an escape, and writes what it means unless out is NULL; -EBADMSG. */
static int read_escape(struct parser *parser, char **out)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter;
    int32_t unit, low;
    char c;

    parser->p++;
    c = peek(parser);
    if (c != 'u') {
        letter = c ? strchr(letters, c) : NULL;
        if (!letter)
            return refuse(parser, "not an escape of JSON");
        if (*out)
            *(*out)++ = meanings[letter - letters];
        parser->p++;
        return 0;
    }
    unit = read_unit(parser->p + 1, parser->end);
    if (unit < 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return refuse(parser, "not an escape of JSON");
    parser->p += 5;
    if (unit >= 0xd800 && unit <= 0xdbff) {
        if (parser->end - parser->p < 6 || parser->p[0] != '\\' || parser->p[1] != 'u')
            return refuse(parser, "half of a surrogate pair");
        low = read_unit(parser->p + 2, parser->end);
        if (low < 0xdc00 || low > 0xdfff)
            return refuse(parser, "half of a surrogate pair");
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        parser->p += 6;
    }
    if (*out)
        *out = write_utf8(*out, unit);
    return 0;
}

/* Once with out NULL, to check and to measure; again to write what escapes mean. */
static int scan_string(struct parser *parser, char **out, bool *ret_escapes)
{
    for (;;) {
        size_t character;
        int r;

        if (parser->p == parser->end)
            return refuse(parser, "a string without an end");
        if (*parser->p == '"')
            return 0;
        if ((unsigned char)*parser->p < 0x20)
            return refuse(parser, "a control character in a string");
        if (*parser->p == '\\') {
            *ret_escapes = true;
            r = read_escape(parser, out);
            if (r < 0)
                return r;
            continue;
        }
        character = xr_utf8_valid(parser->p, (size_t)(parser->end - parser->p));
        if (character == 0)
            return refuse(parser, "not UTF-8");
        if (*out) {
            memcpy(*out, parser->p, character);
            *out += character;
        }
        parser->p += character;
    }
}

static int parse_string(struct parser *parser, bool wanted, struct xr_slice *ret)
{
    const char *begin = ++parser->p;
    bool escapes = false;
    char *none = NULL, *out, *at;
    int r = scan_string(parser, &none, &escapes);

    if (r < 0)
        return r;
    *ret = (struct xr_slice){ begin, (size_t)(parser->p - begin) };
    if (escapes && wanted) {
        out = at = xr_arena_take(parser->arena, ret->length);
        if (!out)
            return -ENOMEM;
        parser->p = begin;
        scan_string(parser, &at, &escapes);
        *ret = (struct xr_slice){ out, (size_t)(at - out) };
    }
    parser->p++;
    return 0;
}

/* ---- Values ---------------------------------------------------------------------- */

static bool skip_digits(struct parser *parser)
{
    const char *begin = parser->p;

    while (peek(parser) >= '0' && peek(parser) <= '9')
        parser->p++;
    return parser->p > begin;
}

static int parse_number(struct parser *parser)
{
    if (peek(parser) == '-')
        parser->p++;
    if (peek(parser) == '0')
        parser->p++;
    else if (!skip_digits(parser))
        return refuse(parser, "not a JSON value");
    if (peek(parser) == '.') {
        parser->p++;
        if (!skip_digits(parser))
            return refuse(parser, "a number without digits behind its point");
    }
    if ((peek(parser) | 0x20) == 'e') {
        parser->p++;
        if (peek(parser) == '-' || peek(parser) == '+')
            parser->p++;
        if (!skip_digits(parser))
            return refuse(parser, "a number without an exponent");
    }
    return 0;
}

static int parse_word(struct parser *parser, struct xr_tree *value)
{
    static const char *const words[] = { "null", "true", "false" };

    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);

        if ((size_t)(parser->end - parser->p) >= length &&
            memcmp(parser->p, words[i], length) == 0) {
            parser->p += length;
            value->type = i == 0 ? XR_TREE_NULL : XR_TREE_TRUTH;
            value->truth = i == 1;
            return 0;
        }
    }
    return refuse(parser, "not a JSON value");
}

static int parse_value(struct parser *parser, struct xr_tree *value, unsigned depth);

static int parse_key(struct parser *parser, bool wanted, struct xr_slice *ret)
{
    int r;

    if (peek(parser) != '"')
        return refuse(parser, "not the name of a member, in quotes");
    r = parse_string(parser, wanted, ret);
    if (r < 0)
        return r;
    skip_space(parser);
    if (peek(parser) != ':')
        return refuse(parser, "no colon behind the name of a member");
    parser->p++;
    skip_space(parser);
    return 0;
}

static int parse_container(struct parser *parser, struct xr_tree *value, unsigned depth)
{
    char close = value->type == XR_TREE_OBJECT ? '}' : ']';
    bool wanted = depth <= parser->levels;
    struct xr_tree *last = NULL;

    if (depth > XR_TREE_DEPTH_MAX)
        return refuse(parser, "nested more than 1000 deep");
    parser->p++;
    skip_space(parser);
    if (peek(parser) == close) {
        parser->p++;
        return 0;
    }
    for (;;) {
        struct xr_tree unwanted = { 0 }, *child = &unwanted;
        int r = 0;

        if (wanted) {
            if (++parser->values > XR_TREE_VALUES_MAX)
                return refuse(parser, "more than 600000 values");
            child = xr_arena_take(parser->arena, sizeof(*child));
            if (!child)
                return -ENOMEM;
            if (last)
                last->next = child;
            else
                value->children = child;
            last = child;
        }
        if (value->type == XR_TREE_OBJECT)
            r = parse_key(parser, wanted, &child->key);
        if (r == 0)
            r = parse_value(parser, child, depth);
        if (r < 0)
            return r;
        skip_space(parser);
        if (peek(parser) == close) {
            parser->p++;
            return 0;
        }
        if (peek(parser) != ',')
            return refuse(parser, "neither a comma nor an end");
        parser->p++;
        skip_space(parser);
    }
}

/* depth is that of what it stands in. */
static int parse_value(struct parser *parser, struct xr_tree *value, unsigned depth)
{
    const char *begin = parser->p;
    char first = peek(parser);
    int r;

    if (first == '{' || first == '[') {
        value->type = first == '{' ? XR_TREE_OBJECT : XR_TREE_ARRAY;
        r = parse_container(parser, value, depth + 1);
    } else if (first == '"') {
        value->type = XR_TREE_STRING;
        r = parse_string(parser, depth <= parser->levels, &value->text);
    } else if (first == '-' || (first >= '0' && first <= '9')) {
        value->type = XR_TREE_NUMBER;
        r = parse_number(parser);
    } else {
        r = parse_word(parser, value);
    }
    value->raw = (struct xr_slice){ begin, (size_t)(parser->p - begin) };
    return r;
}

int xr_tree_parse(struct xr_tree **ret, struct xr_arena *arena, struct xr_slice text,
                  unsigned levels, struct xr_otlp_error *ret_error)
{
    struct parser parser = { text.text, text.text, text.text + text.length, arena, levels,
                             0,         ret_error };
    struct xr_tree *tree = xr_arena_take(arena, sizeof(*tree));
    int r;

    if (!tree)
        return -ENOMEM;
    skip_space(&parser);
    r = parse_value(&parser, tree, 0);
    if (r < 0)
        return r;
    skip_space(&parser);
    if (parser.p < parser.end)
        return refuse(&parser, "something behind the JSON value");
    *ret = tree;
    return 0;
}

/* ---- What is asked of it --------------------------------------------------------- */

const struct xr_tree *xr_tree_member(const struct xr_tree *object, const char *name)
{
    const struct xr_tree *found = NULL;

    if (!object || object->type != XR_TREE_OBJECT)
        return NULL;
    for (const struct xr_tree *child = object->children; child; child = child->next)
        if (xr_slice_is(child->key, name))
            found = child;
    return found;
}

struct xr_slice xr_tree_text(const struct xr_tree *value)
{
    return value && value->type == XR_TREE_STRING ? value->text : (struct xr_slice){ 0 };
}

struct xr_slice xr_tree_member_text(const struct xr_tree *object, const char *name)
{
    return xr_tree_text(xr_tree_member(object, name));
}

bool xr_tree_is_true(const struct xr_tree *value)
{
    return value && value->type == XR_TREE_TRUTH && value->truth;
}
