/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON into a text that grows, and the texts of bytes. */
#include <math.h>

#include "base/json.h"
#include "otlp/memory.h"
#include "wire/hex.h"

void xr_text_key(struct xr_text *text, struct xr_slice key)
{
    char last = text->length ? text->data[text->length - 1] : '{';

    if (last != '{' && last != '[' && last != ':' && last != ',')
        xr_text_put(text, ",", 1);
    if (key.text) {
        xr_text_quoted(text, key);
        xr_text_put(text, ":", 1);
    }
}

static void put_key(struct xr_text *text, const char *key)
{
    xr_text_key(text, (struct xr_slice){ key, key ? strlen(key) : 0 });
}

size_t xr_text_open(struct xr_text *text, const char *key, char bracket)
{
    size_t mark = text->length;

    put_key(text, key);
    xr_text_put(text, &bracket, 1);
    return mark;
}

void xr_text_close(struct xr_text *text, size_t mark, char bracket, bool keep)
{
    char last = text->length ? text->data[text->length - 1] : '\0';

    if (text->failed)
        return;
    /* Values end in something else, strings in their quotes. */
    if (!keep && (last == '{' || last == '['))
        text->length = mark;
    else
        xr_text_put(text, &bracket, 1);
}

void xr_text_quoted(struct xr_text *text, struct xr_slice value)
{
    char *p = xr_text_reserve(text, XR_JSON_STRING_MAX(value.length));

    if (p)
        text->length = (size_t)(xr_json_string(p, value.text, value.length, NULL) - text->data);
}

void xr_text_string(struct xr_text *text, const char *key, struct xr_slice value)
{
    if (!value.text)
        return;
    put_key(text, key);
    xr_text_quoted(text, value);
}

void xr_text_raw(struct xr_text *text, const char *key, struct xr_slice json)
{
    if (!json.text)
        return;
    put_key(text, key);
    xr_text_put(text, json.text, json.length);
}

void xr_text_truth(struct xr_text *text, const char *key, bool value)
{
    xr_text_raw(text, key, value ? XR_SLICE("true") : XR_SLICE("false"));
}

void xr_text_int64(struct xr_text *text, int64_t value)
{
    char *p = xr_text_reserve(text, XR_JSON_NUMBER_MAX);

    if (p)
        text->length = (size_t)(xr_json_i64(p, value) - text->data);
}

void xr_text_integer(struct xr_text *text, const char *key, int64_t value)
{
    put_key(text, key);
    xr_text_int64(text, value);
}

void xr_text_double(struct xr_text *text, double value)
{
    char *p;

    if (isnan(value)) {
        xr_text_puts(text, "\"NaN\"");
    } else if (isinf(value)) {
        xr_text_puts(text, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    } else if ((p = xr_text_reserve(text, XR_JSON_NUMBER_MAX))) {
        text->length = (size_t)(xr_json_double(p, value) - text->data);
    }
}

void xr_text_hex(struct xr_text *text, const uint8_t *bytes, size_t count)
{
    char *p = xr_text_reserve(text, 2 * count);

    if (!p)
        return;
    for (size_t i = 0; i < count; i++) {
        *p++ = "0123456789abcdef"[bytes[i] >> 4];
        *p++ = "0123456789abcdef"[bytes[i] & 15];
    }
    text->length += 2 * count;
}

bool xr_hex_read(struct xr_slice text, uint8_t *ret, size_t count)
{
    if (!text.text || text.length != 2 * count || count % 4 != 0)
        return false;
    for (size_t i = 0; i < count; i += 4) {
        uint32_t word;

        if (xr_hex32_read(text.text + 2 * i, XR_HEX_ANY_CASE, &word) != 0)
            return false;
        word = htobe32(word);
        memcpy(ret + i, &word, sizeof(word));
    }
    return true;
}

/* ---- Base64 -------------------------------------------------------------------- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void xr_text_base64(struct xr_text *text, struct xr_slice bytes)
{
    const uint8_t *from = (const uint8_t *)bytes.text;
    char *p = xr_text_reserve(text, (bytes.length / 3 + 1) * 4);

    if (!p)
        return;
    for (size_t i = 0; i < bytes.length; i += 3) {
        size_t count = bytes.length - i < 3 ? bytes.length - i : 3;
        uint32_t three = (uint32_t)from[i] << 16;

        three |= count > 1 ? (uint32_t)from[i + 1] << 8 : 0;
        three |= count > 2 ? from[i + 2] : 0;
        *p++ = alphabet[three >> 18];
        *p++ = alphabet[three >> 12 & 63];
        *p++ = count > 1 ? alphabet[three >> 6 & 63] : '=';
        *p++ = count > 2 ? alphabet[three & 63] : '=';
    }
    text->length = (size_t)(p - text->data);
}

static int digit_of(char c)
{
    const char *found;

    if (c == '-')
        return 62;
    if (c == '_')
        return 63;
    found = c ? strchr(alphabet, c) : NULL;
    return found ? (int)(found - alphabet) : -1;
}

bool xr_base64_read(struct xr_arena *arena, struct xr_slice text, struct xr_slice *ret)
{
    size_t length = text.length, written = 0;
    uint32_t bits = 0;
    char *bytes;

    while (length > 0 && text.length - length < 2 && text.text[length - 1] == '=')
        length--;
    if (length % 4 == 1)
        return false;
    bytes = xr_arena_take(arena, length / 4 * 3 + 3);
    if (!bytes)
        return false;
    for (size_t i = 0; i < length; i++) {
        int digit = digit_of(text.text[i]);

        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 == 1)
            bytes[written++] = (char)(bits >> 4);
        else if (i % 4 == 2)
            bytes[written++] = (char)(bits >> 2);
        else if (i % 4 == 3)
            bytes[written++] = (char)bits;
    }
    *ret = (struct xr_slice){ bytes, written };
    return true;
}
