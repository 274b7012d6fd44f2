/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

static bool reserve(struct text *text, size_t more)
{
    if (text->failed)
        return false;
    if (text->length + more + 1 <= text->capacity)
        return true;

    size_t capacity = text->capacity ? text->capacity : 256;
    while (capacity < text->length + more + 1)
        capacity *= 2;
    char *data = realloc(text->data, capacity);
    if (!data) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void text_add_bytes(struct text *text, const void *bytes, size_t length)
{
    if (!reserve(text, length))
        return;
    if (length)
        memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *more)
{
    text_add_bytes(text, more, strlen(more));
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length >= 0 && reserve(text, (size_t)length)) {
        vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void text_add_encoded(struct text *text, const char *more, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *more; more++) {
        unsigned char byte = (unsigned char)*more;
        if (is_unreserved(*more) || (keep_slash && *more == '/')) {
            text_add_bytes(text, more, 1);
        } else {
            char escape[3] = { '%', digits[byte >> 4], digits[byte & 15] };
            text_add_bytes(text, escape, sizeof(escape));
        }
    }
}

void text_add_form(struct text *text, const char *name, const char *value)
{
    if (text->length)
        text_add(text, "&");
    text_add_encoded(text, name, false);
    text_add(text, "=");
    text_add_encoded(text, value, false);
}

/* Length of the character at text (1 to 4) and its code point, or 0 when it is not UTF-8. */
static size_t decode_utf8(const char *text, uint32_t *ret_point)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = bytes[0] < 0x80             ? 1
                    : (bytes[0] & 0xe0) == 0xc0 ? 2
                    : (bytes[0] & 0xf0) == 0xe0 ? 3
                    : (bytes[0] & 0xf8) == 0xf0 ? 4
                                                : 0;
    if (length == 0)
        return 0;

    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint32_t point = length == 1 ? bytes[0] : bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (bytes[i] & 0x3fu);
    }
    if (point < smallest[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    *ret_point = point;
    return length;
}

void text_add_ascii_json(struct text *text, const char *json)
{
    while (*json) {
        uint32_t point;
        size_t length = decode_utf8(json, &point);
        if (length == 0) {
            text_add(text, "?");
            json++;
            continue;
        }
        if (point < 0x80)
            text_add_bytes(text, json, 1);
        else if (point < 0x10000)
            text_addf(text, "\\u%04x", point);
        else
            text_addf(text, "\\u%04x\\u%04x", 0xd800 + ((point - 0x10000) >> 10),
                      0xdc00 + ((point - 0x10000) & 0x3ff));
        json += length;
    }
}

void text_clear(struct text *text)
{
    text->length = 0;
    text->failed = false;
    if (text->data)
        text->data[0] = '\0';
}

void text_release(struct text *text)
{
    free(text->data);
    memset(text, 0, sizeof(*text));
}

void text_clean_utf8(char *text)
{
    while (*text) {
        uint32_t point;
        size_t length = decode_utf8(text, &point);
        if (length == 0) {
            /* A character that the end of a buffer cut off. */
            bool only_tail = true;
            for (const char *rest = text + 1; *rest; rest++)
                only_tail = only_tail && ((unsigned char)*rest & 0xc0) == 0x80;
            if (only_tail && ((unsigned char)*text & 0xc0) == 0xc0) {
                *text = '\0';
                return;
            }
            *text = '?';
            length = 1;
        }
        text += length;
    }
}

bool text_is_utf8(const char *text)
{
    uint32_t point;
    while (*text) {
        size_t length = decode_utf8(text, &point);
        if (length == 0)
            return false;
        text += length;
    }
    return true;
}

size_t text_cut_length(const char *text, size_t limit)
{
    size_t length = strnlen(text, limit + 1);
    if (length <= limit)
        return length;
    length = limit;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

bool text_hash(const void *bytes, size_t length, char ret[TEXT_HASH_SIZE])
{
    unsigned char hash[32];
    unsigned hash_length = 0;
    if (!EVP_Digest(bytes, length, hash, &hash_length, EVP_sha256(), NULL) ||
        hash_length != sizeof(hash))
        return false;
    for (size_t i = 0; i < sizeof(hash); i++)
        snprintf(ret + 2 * i, 3, "%02x", hash[i]);
    return true;
}
