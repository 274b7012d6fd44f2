/* SPDX-License-Identifier: Apache-2.0 */
/* Scalars of YAML: plain, in single quotes, in double quotes. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "sampling/adaptive_reader.h"

/* Behind a backslash: what stands for one character. */
static const char escapes[][2] = {
    { '"', '"' },  { '\\', '\\' }, { '/', '/' },  { 'b', '\b' },
    { 'f', '\f' }, { 'n', '\n' },  { 'r', '\r' }, { 't', '\t' },
};

cJSON *xr_yaml_no_memory(struct xr_yaml_reader *reader)
{
    reader->error = -ENOMEM;
    xr_yaml_say(reader->reason, 0, "out of memory");
    return NULL;
}

/* Takes the scratch's text; anything that is not a string keeps it beside its value. */
static cJSON *make(struct xr_yaml_reader *reader, char *end)
{
    cJSON *item;

    *end = '\0';
    item = cJSON_CreateString(reader->scratch);
    if (!item)
        return xr_yaml_no_memory(reader);
    item->valueint = (int)reader->line;
    return item;
}

/* Decimals alone, so that no locale has a say. */
static bool is_number(const char *text, double *ret)
{
    double value = 0, scale = 1;
    bool negative = *text == '-';
    const char *p = text + (negative || *text == '+');
    int digits = 0;

    if (*p == '0' && p[1] >= '0' && p[1] <= '9')
        return false; /* some readers take it for octal */
    for (; *p >= '0' && *p <= '9'; p++, digits++)
        value = 10 * value + (*p - '0');
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++, digits++) {
            value = 10 * value + (*p - '0');
            scale *= 10;
        }
    /* With fewer digits both are exact, and so the quotient is the nearest number. */
    if (*p != '\0' || digits == 0 || digits > 15)
        return false;
    *ret = (negative ? -value : value) / scale;
    return true;
}

static bool is_one_of(const char *text, const char *const words[4])
{
    for (int i = 0; i < 4; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

/* Plain text may be something else than a string. */
static void set_kind(cJSON *item)
{
    static const char *const nothing[4] = { "", "~", "null", "Null" };
    static const char *const yes[4] = { "true", "True", "TRUE", "true" };
    static const char *const no[4] = { "false", "False", "FALSE", "false" };
    double number;

    if (is_one_of(item->valuestring, nothing) || strcmp(item->valuestring, "NULL") == 0) {
        item->type = cJSON_NULL;
    } else if (is_one_of(item->valuestring, yes)) {
        item->type = cJSON_True;
    } else if (is_one_of(item->valuestring, no)) {
        item->type = cJSON_False;
    } else if (is_number(item->valuestring, &number)) {
        item->type = cJSON_Number;
        item->valuedouble = number;
    }
}

static bool hexadecimal(const char *p, int digits, uint32_t *ret)
{
    *ret = 0;
    for (int i = 0; i < digits; i++) {
        char c = p[i];
        int value;

        if (c >= '0' && c <= '9')
            value = c - '0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            value = (c | 0x20) - 'a' + 10;
        else
            return false;
        *ret = *ret << 4 | (uint32_t)value;
    }
    return true;
}

static char *put_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    }
    return to;
}

/* At the x, u or U of an escape. NULL if it is not one. */
static char *unescape_code(struct xr_yaml_reader *reader, char *to)
{
    int digits = *reader->p == 'x' ? 2 : *reader->p == 'u' ? 4 : 8;
    uint32_t code, low;

    if (!hexadecimal(reader->p + 1, digits, &code))
        return NULL;
    reader->p += 1 + digits;
    /* JSON has what is beyond 16 bits in two halves. */
    if (digits == 4 && code >= 0xd800 && code < 0xdc00 && reader->p[0] == '\\' &&
        reader->p[1] == 'u' && hexadecimal(reader->p + 2, 4, &low) && low >= 0xdc00 &&
        low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        reader->p += 6;
    }
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return NULL;
    return put_utf8(to, code);
}

/* Behind the backslash. */
static char *unescape(struct xr_yaml_reader *reader, char *to)
{
    for (size_t i = 0; i < sizeof(escapes) / sizeof(*escapes); i++)
        if (*reader->p == escapes[i][0]) {
            reader->p++;
            *to++ = escapes[i][1];
            return to;
        }
    if (*reader->p == 'x' || *reader->p == 'u' || *reader->p == 'U') {
        to = unescape_code(reader, to);
        if (!to)
            xr_yaml_refuse(reader, "an escape is no character: \\x has 2 hexadecimal digits, "
                                   "\\u has 4, \\U has 8");
        return to;
    }
    if (strchr("\r\n", *reader->p)) /* or at the end */
        xr_yaml_refuse(reader, "a text in quotes goes on after its line: keep it on one line");
    else
        xr_yaml_refuse(reader,
                       "\\%c is unknown between double quotes: write \\\\%c, or use single quotes",
                       *reader->p, *reader->p);
    return NULL;
}

static cJSON *quoted(struct xr_yaml_reader *reader)
{
    char quote = *reader->p++, *to = reader->scratch;

    for (;;) {
        char c = *reader->p;

        if (c == '\0' || c == '\n' || c == '\r')
            return xr_yaml_refuse(reader, "a quote is not closed on its line: texts of several "
                                          "lines are not read");
        reader->p++;
        if (c == quote && quote == '\'' && *reader->p == quote) {
            *to++ = *reader->p++;
        } else if (c == quote) {
            return make(reader, to);
        } else if (c == '\\' && quote == '"') {
            to = unescape(reader, to);
            if (!to)
                return NULL;
        } else {
            *to++ = c;
        }
    }
}

/* What a plain scalar cannot begin with, and why it is not read. */
static const char *refused_start(const struct xr_yaml_reader *reader, bool flow)
{
    switch (*reader->p) {
    case '\0':
        return "a value or a key is missing";
    case '&':
    case '*':
        return "anchors and aliases are not read: write it out, or quote it if it is text";
    case '!':
        return "tags are not read: leave it out, or quote it if it is text";
    case '|':
    case '>':
        return "texts of several lines are not read: write it in quotes on one line";
    case '%':
    case '@':
    case '`':
        return "plain text cannot begin with %, @ or `: quote it";
    case ',':
    case '[':
    case ']':
    case '{':
    case '}':
    case '#':
        return "there is a bracket, a comma or a # where a value or a key should be";
    default:
        if (strchr("-?:", *reader->p) &&
            (xr_yaml_blank(reader->p[1]) || (flow && *reader->p != '-')))
            return "there is a - ? or : where a value or a key should be";
        return NULL;
    }
}

static bool plain_ends(const char *p, bool flow)
{
    if (*p == '\0' || *p == '\n' || *p == '\r')
        return true;
    if (*p == ':')
        return xr_yaml_blank(p[1]) || (flow && strchr(",[]{}", p[1]));
    if (*p == ' ')
        return p[1] == '#';
    return flow && strchr(",[]{}?", *p);
}

cJSON *xr_yaml_scalar(struct xr_yaml_reader *reader, bool flow)
{
    const char *wrong, *start = reader->p;
    char *end;
    cJSON *item;

    if (*start == '"' || *start == '\'')
        return quoted(reader);
    wrong = refused_start(reader, flow);
    if (wrong)
        return xr_yaml_refuse(reader, "%s", wrong);

    for (; !plain_ends(reader->p, flow); reader->p++)
        if (*reader->p == '\t')
            return xr_yaml_refuse(reader, "there is a tab: use spaces");
    end = reader->scratch + (reader->p - start);
    memcpy(reader->scratch, start, (size_t)(reader->p - start));
    while (end > reader->scratch && end[-1] == ' ')
        end--;
    item = make(reader, end);
    if (item)
        set_kind(item);
    return item;
}
