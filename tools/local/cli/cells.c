/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/cells.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* Marks that have no width of their own pile up on one cell: so many are let through. */
#define MARKS_PER_CELL 4

struct cell {
    const char *text; /* what to print: a piece of the source, or a replacement */
    size_t length;
    size_t width;
};

static size_t decode(const char *text, uint32_t *ret)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80) {
        *ret = s[0];
        return 1;
    }
    size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    uint32_t code = s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            *ret = 0xfffd;
            return i;
        }
        code = code << 6 | (s[i] & 0x3f);
    }
    *ret = s[0] < 0xc2 || s[0] > 0xf4 ? 0xfffd : code;
    return length;
}

/* Control characters, and those which are invisible or turn the writing around. */
static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || (c >= 0xd800 && c <= 0xdfff) ||
           (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xffff) ||
           c >= 0xe0000;
}

/* The character at *text, which is moved behind it. */
static struct cell next_cell(const char **text, bool unicode)
{
    static const struct cell blank = { " ", 1, 1 };
    static const struct cell question = { "?", 1, 1 };
    static const struct cell replacement = { "\xef\xbf\xbd", 3, 1 };
    const char *at = *text;
    uint32_t code;
    size_t length = decode(at, &code);
    *text += length;
    if (code == '\t' || code == '\n' || code == '\r')
        return blank;
    if (code < 0x80 && !is_unsafe(code))
        return (struct cell){ at, 1, 1 };
    if (!unicode)
        return question;
    int width = is_unsafe(code) ? -1 : wcwidth((wchar_t)code);
    if (width < 0)
        return replacement;
    return (struct cell){ at, length, (size_t)width };
}

size_t cells_width(const char *text, bool unicode)
{
    size_t width = 0;
    while (*text)
        width += next_cell(&text, unicode).width;
    return width;
}

/* Appends whole cells while they fit, and returns where it stopped. */
static const char *put_fitting(struct buffer *buffer, const char *text, size_t width, bool unicode,
                               size_t *ret_used)
{
    size_t used = 0;
    size_t marks = 0;
    while (*text) {
        const char *next = text;
        struct cell cell = next_cell(&next, unicode);
        if (used + cell.width > width)
            break;
        marks = cell.width ? 0 : marks + 1;
        if (marks <= MARKS_PER_CELL)
            buffer_append(buffer, cell.text, cell.length);
        used += cell.width;
        text = next;
    }
    *ret_used = used;
    return text;
}

size_t cells_put(struct buffer *buffer, const char *text, size_t width, bool unicode)
{
    size_t used;
    if (width == 0)
        return 0;
    if (cells_width(text, unicode) <= width) {
        put_fitting(buffer, text, width, unicode, &used);
        return used;
    }
    put_fitting(buffer, text, width - 1, unicode, &used);
    buffer_puts(buffer, unicode ? "\u2026" : "~");
    return used + 1;
}

void cells_put_column(struct buffer *buffer, const char *text, size_t width, bool unicode)
{
    size_t used = cells_put(buffer, text, width, unicode);
    buffer_repeat(buffer, " ", width - used);
}

const char *cells_put_line(struct buffer *buffer, const char *text, size_t width, bool unicode)
{
    struct buffer line = { 0 };
    size_t used;
    const char *rest = put_fitting(&line, text, width, unicode, &used);
    const char *stop = rest;
    if (*rest && *rest != ' ') {
        while (stop > text && stop[-1] != ' ')
            stop--;
        /* Not if that would leave half of the line empty: long words are cut. */
        if (stop > text && (size_t)(rest - stop) < (size_t)(rest - text) / 2) {
            buffer_free(&line);
            line = (struct buffer){ 0 };
            size_t length = (size_t)(stop - text);
            char *part = strndup(text, length);
            put_fitting(&line, part ? part : "", width, unicode, &used);
            free(part);
            rest = stop;
        }
    }
    /* At least one character a line, or there would be no end. */
    if (rest == text && *rest)
        next_cell(&rest, unicode);
    if (line.length)
        buffer_append(buffer, line.text, line.length);
    buffer->failed = buffer->failed || line.failed;
    buffer_free(&line);
    while (*rest == ' ')
        rest++;
    return rest;
}

void cells_put_json(struct buffer *buffer, const char *json)
{
    while (*json) {
        uint32_t code;
        size_t length = decode(json, &code);
        if (code >= 0x7f && is_unsafe(code) && code <= 0xffff)
            buffer_printf(buffer, "\\u%04x", code);
        else if (code >= 0xe0000)
            buffer_printf(buffer, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
        else
            buffer_append(buffer, json, length);
        json += length;
    }
}
