/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes and the encodings of the web: base64, forms, XML text, UTF-8. */

#include "util.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sha256_hex(const void *bytes, size_t length, char buf[SHA256_HEX_SIZE])
{
    unsigned char digest[32];

    if (!EVP_Digest(bytes, length, digest, NULL, EVP_sha256(), NULL)) {
        log_error("OpenSSL has no SHA-256");
        abort();
    }
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(buf + 2 * i, 3, "%02x", digest[i]);
}

char *base64_encode(const void *bytes, size_t length)
{
    char *text = memory_new(4 * ((length + 2) / 3) + 1);

    EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
    return text;
}

char *base64_decode(const char *text, size_t *ret_length)
{
    size_t length = strlen(text);
    unsigned char *bytes = memory_new(length / 4 * 3 + 4);
    int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);

    if (decoded < 0 || length % 4) {
        free(bytes);
        return NULL;
    }
    /* OpenSSL counts the padding as bytes. */
    size_t padding = length && text[length - 1] == '=' ? 1 : 0;
    if (padding && text[length - 2] == '=')
        padding++;
    bytes[(size_t)decoded - padding] = '\0';
    *ret_length = (size_t)decoded - padding;
    return (char *)bytes;
}

char *form_encode(const char *text)
{
    struct buffer out = { 0 };

    buffer_text(&out, "");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        char escaped[4];
        if (isalnum(c) || strchr("-_.~", c))
            snprintf(escaped, sizeof(escaped), "%c", c);
        else
            snprintf(escaped, sizeof(escaped), "%%%02X", c);
        buffer_text(&out, escaped);
    }
    return out.data;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static char *form_decode(const char *text, size_t length)
{
    char *decoded = memory_new(length + 1);
    size_t out = 0;

    for (size_t i = 0; i < length; i++) {
        int high = -1, low = -1;
        if (text[i] == '%' && length - i > 2) {
            high = hex_digit(text[i + 1]);
            low = hex_digit(text[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            decoded[out++] = (char)(high * 16 + low);
            i += 2;
        } else {
            decoded[out++] = text[i] == '+' ? ' ' : text[i];
        }
    }
    return decoded;
}

char *form_field(const char *form, const char *name)
{
    size_t name_length = strlen(name);

    while (*form) {
        size_t length = strcspn(form, "&");
        const char *equals = memchr(form, '=', length);
        if (equals) {
            char *key = form_decode(form, (size_t)(equals - form));
            bool same = strlen(key) == name_length && strcmp(key, name) == 0;
            free(key);
            if (same)
                return form_decode(equals + 1, length - (size_t)(equals - form) - 1);
        }
        form += length;
        if (*form)
            form++;
    }
    return NULL;
}

/* The character that an entity at the start of text stands for, and the entity's length; or 0. */
static char xml_entity(const char *text, size_t *ret_length)
{
    static const struct {
        const char *name;
        char character;
    } entities[] = {
        { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' }, { "&amp;", '&' },
    };

    for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
        *ret_length = strlen(entities[i].name);
        if (strncmp(text, entities[i].name, *ret_length) == 0)
            return entities[i].character;
    }
    return 0;
}

char *xml_text(const char *xml, const char *tag)
{
    char *open = text_format("<%s>", tag);
    char *close = text_format("</%s>", tag);
    char *text = NULL;

    const char *start = strstr(xml, open);
    const char *end = start ? strstr(start, close) : NULL;
    if (end) {
        start += strlen(open);
        text = memory_new((size_t)(end - start) + 1);
        for (size_t out = 0; start < end; out++) {
            size_t length;
            char entity = xml_entity(start, &length);
            text[out] = entity ? entity : *start;
            start += entity ? length : 1;
        }
    }
    free(open);
    free(close);
    return text;
}

/* Bytes of the character that starts here, or 0. */
static size_t utf8_length(const unsigned char *bytes, size_t left)
{
    size_t length;
    uint32_t point, least;

    if (bytes[0] < 0x80)
        return bytes[0] ? 1 : 0;
    if (bytes[0] >= 0xc2 && bytes[0] < 0xe0) {
        length = 2;
        point = bytes[0] & 0x1f;
        least = 0x80;
    } else if (bytes[0] >= 0xe0 && bytes[0] < 0xf0) {
        length = 3;
        point = bytes[0] & 0x0f;
        least = 0x800;
    } else if (bytes[0] >= 0xf0 && bytes[0] < 0xf5) {
        length = 4;
        point = bytes[0] & 0x07;
        least = 0x10000;
    } else {
        return 0;
    }
    if (left < length)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (bytes[i] & 0x3f);
    }
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return 0;
    return length;
}

bool is_text(const char *bytes, size_t length)
{
    const unsigned char *next = (const unsigned char *)bytes;

    while (length) {
        size_t step = utf8_length(next, length);
        if (!step)
            return false;
        next += step;
        length -= step;
    }
    return true;
}
