/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass with a stack of one byte a level, no recursion. Each token is
 * checked where it stands and then copied whole.
 */
#include "base/json_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct input {
    const char *p;
    const char *end;
};

struct output {
    char *text;
    size_t size;
    size_t length; /* also of what did not fit */
};

enum expected {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END, /* the first one of an array */
    EXPECT_KEY,
    EXPECT_KEY_OR_END, /* the first one of an object */
    EXPECT_COLON,
    EXPECT_COMMA_OR_END,
    EXPECT_NOTHING,
};

static void put(struct output *output, const char *text, size_t length)
{
    /* The text may overlap: it is read at or behind where it is written. */
    if (length <= output->size && output->length <= output->size - length)
        memmove(output->text + output->length, text, length);
    output->length += length;
}

/* ---- Strings ----------------------------------------------------------------- */

static bool is_continuation(const char *p, unsigned char low, unsigned char high)
{
    return (unsigned char)*p >= low && (unsigned char)*p <= high;
}

/* Steps over a character of two to four bytes, in the ranges of Unicode's table 3-7. */
static bool skip_utf8(struct input *input)
{
    unsigned char first = (unsigned char)*input->p, low = 0x80, high = 0xbf;
    size_t length;

    if (first < 0xc2 || first > 0xf4)
        return false;
    length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if ((size_t)(input->end - input->p) < length)
        return false;

    if (first == 0xe0)
        low = 0xa0;
    else if (first == 0xed)
        high = 0x9f;
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xf4)
        high = 0x8f;
    if (!is_continuation(input->p + 1, low, high))
        return false;
    for (size_t i = 2; i < length; i++)
        if (!is_continuation(input->p + i, 0x80, 0xbf))
            return false;
    input->p += length;
    return true;
}

/* The four digits behind "\u", or -1. */
static int32_t read_unit(const char *p, const char *end)
{
    int32_t unit = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int32_t digit;

        if (p[i] >= '0' && p[i] <= '9')
            digit = p[i] - '0';
        else if ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'f')
            digit = (p[i] | 0x20) - 'a' + 10;
        else
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* Steps over an escape, or over two that are one character. */
static bool skip_escape(struct input *input)
{
    const char *p = input->p + 1, *end = input->end;
    int32_t unit;

    if (p == end)
        return false;
    if (*p != 'u') {
        if (*p == '\0' || !strchr("\"\\/bfnrt", *p))
            return false;
        input->p = p + 1;
        return true;
    }

    unit = read_unit(p + 1, end);
    if (unit < 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return false;
    p += 5;
    if (unit >= 0xd800 && unit <= 0xdbff) {
        if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
            return false;
        unit = read_unit(p + 2, end);
        if (unit < 0xdc00 || unit > 0xdfff)
            return false;
        p += 6;
    }
    input->p = p;
    return true;
}

static bool skip_string(struct input *input)
{
    input->p++; /* the quote */
    while (input->p < input->end) {
        unsigned char c = (unsigned char)*input->p;

        if (c == '"') {
            input->p++;
            return true;
        }
        if (c < 0x20)
            return false;
        if (c == '\\') {
            if (!skip_escape(input))
                return false;
        } else if (c >= 0x80) {
            if (!skip_utf8(input))
                return false;
        } else {
            input->p++;
        }
    }
    return false;
}

/* ---- Numbers and words ------------------------------------------------------- */

/* At least one. */
static bool skip_digits(struct input *input)
{
    const char *start = input->p;

    while (input->p < input->end && *input->p >= '0' && *input->p <= '9')
        input->p++;
    return input->p > start;
}

static bool skip_one_of(struct input *input, char one, char other)
{
    if (input->p == input->end || (*input->p != one && *input->p != other))
        return false;
    input->p++;
    return true;
}

static bool skip_number(struct input *input)
{
    skip_one_of(input, '-', '-');
    if (!skip_one_of(input, '0', '0') && !skip_digits(input))
        return false;
    if (skip_one_of(input, '.', '.') && !skip_digits(input))
        return false;
    if (skip_one_of(input, 'e', 'E')) {
        skip_one_of(input, '+', '-');
        if (!skip_digits(input))
            return false;
    }
    return true;
}

static bool skip_word(struct input *input, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(input->end - input->p) < length || memcmp(input->p, word, length) != 0)
        return false;
    input->p += length;
    return true;
}

static bool skip_scalar(struct input *input)
{
    switch (*input->p) {
    case '"':
        return skip_string(input);
    case 't':
        return skip_word(input, "true");
    case 'f':
        return skip_word(input, "false");
    case 'n':
        return skip_word(input, "null");
    default:
        return skip_number(input);
    }
}

/* ---- Structure --------------------------------------------------------------- */

struct stack {
    char opened[XR_JSON_DEPTH_MAX]; /* "[" or "{" */
    size_t depth;
};

/* What follows a finished value. */
static enum expected after_value(const struct stack *stack)
{
    return stack->depth > 0 ? EXPECT_COMMA_OR_END : EXPECT_NOTHING;
}

/* Whether c is what may stand here, and what is next then. */
static bool structural(struct stack *stack, enum expected *expected, char c)
{
    bool may_begin = *expected == EXPECT_VALUE || *expected == EXPECT_VALUE_OR_END;
    char opened = '\0'; /* the innermost */

    if (stack->depth > 0)
        opened = stack->opened[stack->depth - 1];
    switch (c) {
    case '[':
    case '{':
        if (!may_begin || stack->depth == XR_JSON_DEPTH_MAX)
            return false;
        stack->opened[stack->depth++] = c;
        *expected = c == '[' ? EXPECT_VALUE_OR_END : EXPECT_KEY_OR_END;
        return true;
    case ']':
        if (opened != '[' || (*expected != EXPECT_VALUE_OR_END && *expected != EXPECT_COMMA_OR_END))
            return false;
        stack->depth--;
        *expected = after_value(stack);
        return true;
    case '}':
        if (opened != '{' || (*expected != EXPECT_KEY_OR_END && *expected != EXPECT_COMMA_OR_END))
            return false;
        stack->depth--;
        *expected = after_value(stack);
        return true;
    case ',':
        if (*expected != EXPECT_COMMA_OR_END)
            return false;
        *expected = opened == '[' ? EXPECT_VALUE : EXPECT_KEY;
        return true;
    default: /* ':' */
        if (*expected != EXPECT_COLON)
            return false;
        *expected = EXPECT_VALUE;
        return true;
    }
}

/* A key or a value that is neither array nor object. */
static bool scalar(const struct stack *stack, enum expected *expected, struct input *input)
{
    switch (*expected) {
    case EXPECT_VALUE:
    case EXPECT_VALUE_OR_END:
        *expected = after_value(stack);
        return skip_scalar(input);
    case EXPECT_KEY:
    case EXPECT_KEY_OR_END:
        *expected = EXPECT_COLON;
        return *input->p == '"' && skip_string(input);
    default:
        return false;
    }
}

ssize_t xr_json_minify(char *ret, size_t size, const char *text, size_t length)
{
    struct input input = { .p = text, .end = text + length };
    struct output output = { .size = size };
    enum expected expected = EXPECT_VALUE;
    struct stack stack;

    output.text = ret;
    stack.depth = 0;
    while (input.p < input.end) {
        const char *token = input.p;

        switch (*token) {
        case ' ':
        case '\t':
        case '\n':
        case '\r':
            input.p++;
            continue;
        case '[':
        case ']':
        case '{':
        case '}':
        case ',':
        case ':':
            if (!structural(&stack, &expected, *token))
                return -EINVAL;
            input.p++;
            break;
        default:
            if (!scalar(&stack, &expected, &input))
                return -EINVAL;
        }
        put(&output, token, (size_t)(input.p - token));
    }
    if (expected != EXPECT_NOTHING)
        return -EINVAL;
    return output.length <= size ? (ssize_t)output.length : -EMSGSIZE;
}
