/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

static size_t continuation(const unsigned char *s, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return to;
}

size_t xr_utf8_valid(const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text;

    if (length == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xC2 && s[0] <= 0xDF && length >= 2)
        return continuation(s, 1, 2);
    if ((s[0] & 0xF0) == 0xE0 && length >= 3) {
        if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F))
            return 0; /* overlong, or a surrogate */
        return continuation(s, 1, 3);
    }
    if (s[0] >= 0xF0 && s[0] <= 0xF4 && length >= 4) {
        if ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
            return 0; /* overlong, or beyond U+10FFFF */
        return continuation(s, 1, 4);
    }
    return 0;
}

size_t xr_utf8_prefix(const char *text, size_t length, size_t max)
{
    size_t at = 0;

    if (length <= max)
        return length;
    while (at < length && max-- > 0) {
        size_t character = xr_utf8_valid(text + at, length - at);

        at += character ? character : 1;
    }
    return at;
}

size_t xr_utf8_whole(const char *text, size_t length)
{
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        unsigned char c = (unsigned char)text[length - back];
        size_t wanted = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;

        if (c < 0x80)
            break;
        if (c >= 0xC0)
            return back < wanted ? length - back : length;
    }
    return length;
}

static char *write_escaped(char *p, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";

    *p++ = '\\';
    switch (c) {
    case '"':
    case '\\':
        *p++ = (char)c;
        return p;
    case '\n':
        *p++ = 'n';
        return p;
    case '\t':
        *p++ = 't';
        return p;
    case '\r':
        *p++ = 'r';
        return p;
    default:
        p = XR_JSON_LITERAL(p, "u00");
        *p++ = hex[c >> 4];
        *p++ = hex[c & 15];
        return p;
    }
}

size_t xr_json_string_size(const char *text, size_t length)
{
    size_t size = 2 + length;

    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '"' || c == '\\') {
            size++;
        } else if (c < 0x20) {
            size += 5;
        } else if (c >= 0x80) {
            size_t character = xr_utf8_valid(text + i, length - i);

            if (character > 0)
                i += character - 1;
            else
                size += 2; /* what is put in its place takes three bytes */
        }
    }
    return size;
}

/* ASCII that goes into a string as it is. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Copies what needs no care at the start of text, and returns how much that is. */
static size_t copy_plain(char *p, const char *text, size_t length)
{
    size_t at = 0;

    while (length - at >= 16 && xr_sixteen_is_plain(xr_sixteen_load(text + at))) {
        xr_sixteen_store(p + at, xr_sixteen_load(text + at));
        at += 16;
    }
    for (; at < length && is_plain((unsigned char)text[at]); at++)
        p[at] = text[at];
    return at;
}

/* One place for all of them: it then stays where the processor has it decoded. */
bool xr_json_copy_plain(char *p, const char *text, size_t length)
{
    return xr_sixteen_copy(p, text, length, xr_sixteen_is_plain);
}

char *xr_json_escaped(char *p, const char *text, size_t length, bool *repaired)
{
    const char *end = text + length;

    while (text < end) {
        size_t plain = copy_plain(p, text, (size_t)(end - text));
        size_t character;

        p += plain;
        text += plain;
        if (text == end)
            break;
        if ((unsigned char)*text < 0x80) {
            p = write_escaped(p, (unsigned char)*text++);
            continue;
        }
        character = xr_utf8_valid(text, (size_t)(end - text));
        if (character > 0) {
            p = xr_json_bytes(p, text, character);
            text += character;
        } else {
            p = XR_JSON_LITERAL(p, REPLACEMENT);
            text++;
            if (repaired)
                *repaired = true;
        }
    }
    return p;
}

const char xr_two_digits[] = "00010203040506070809101112131415161718192021222324"
                             "25262728293031323334353637383940414243444546474849"
                             "50515253545556575859606162636465666768697071727374"
                             "75767778798081828384858687888990919293949596979899";

char *xr_json_u64_long(char *p, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    while (value >= 100) {
        at -= 2;
        xr_json_pair(digits + at, (uint32_t)(value % 100));
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        xr_json_pair(digits + at, (uint32_t)value);
    } else {
        digits[--at] = (char)('0' + value);
    }
    return xr_json_bytes(p, digits + at, sizeof(digits) - at);
}

char *xr_json_i64_negative(char *p, int64_t value)
{
    *p++ = '-';
    return xr_json_u64(p, 0 - (uint64_t)value);
}

/* At most six decimals, when that is exact: most numbers that people record. */
static char *write_short_decimal(char *p, double magnitude)
{
    double scale = 1;

    for (int decimals = 0; decimals <= 6; decimals++, scale *= 10) {
        uint64_t scaled, whole, fraction;

        if (magnitude * scale >= 0x1p53)
            return NULL;
        scaled = (uint64_t)(magnitude * scale + 0.5);
        if ((double)scaled / scale != magnitude)
            continue;
        whole = scaled / (uint64_t)scale;
        fraction = scaled % (uint64_t)scale;
        p = xr_json_u64(p, whole);
        if (decimals == 0)
            return p;
        *p++ = '.';
        for (int i = decimals; i-- > 0; fraction /= 10)
            p[i] = (char)('0' + fraction % 10);
        return p + decimals;
    }
    return NULL;
}

char *xr_json_double(char *p, double value)
{
    char text[40];
    char *end;

    if (signbit(value)) {
        *p++ = '-';
        value = -value;
    }
    end = write_short_decimal(p, value);
    if (end)
        return end;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    /* The locale's decimal point may be any text: all that is not a number's is it. */
    for (const char *c = text; *c; c++) {
        if ((*c >= '0' && *c <= '9') || *c == 'e' || *c == '-' || *c == '+')
            *p++ = *c;
        else if (p[-1] != '.')
            *p++ = '.';
    }
    return p;
}

_Thread_local struct xr_json_second xr_json_second;

void xr_json_second_write(uint64_t us)
{
    uint64_t second = us / 1000000;

    xr_json_second.start_us = second * 1000000;
    xr_json_second.length = (uint32_t)(xr_json_u64(xr_json_second.digits, second) -
                                       xr_json_second.digits);
}
