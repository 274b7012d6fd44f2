/* SPDX-License-Identifier: Apache-2.0 */
#include "local/base/ids.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* -1: no hex digit. Without a branch for each kind of digit, of which ids are full. */
static int hex_value(char c)
{
    unsigned decimal = (unsigned)(unsigned char)c - '0';
    unsigned letter = ((unsigned)(unsigned char)c | 0x20) - 'a';
    return decimal < 10 ? (int)decimal : letter < 6 ? (int)letter + 10 : -1;
}

static bool read_hex(const char *text, uint8_t *ret, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);
        if ((high | low) < 0)
            return false;
        ret[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

bool trace_id_parse(const char *text, struct trace_id *ret)
{
    struct trace_id id;
    if (strlen(text) != TRACE_ID_LENGTH || text[0] != '1' || text[1] != '-' || text[10] != '-' ||
        !read_hex(text + 2, id.bytes, 4) || !read_hex(text + 11, id.bytes + 4, 12))
        return false;
    *ret = id;
    return true;
}

bool trace_id_parse_any(const char *text, struct trace_id *ret)
{
    struct trace_id id;
    if (strlen(text) != 32)
        return trace_id_parse(text, ret);
    if (!read_hex(text, id.bytes, 16))
        return false;
    *ret = id;
    return true;
}

void trace_id_format(const struct trace_id *id, char ret[TRACE_ID_LENGTH + 1])
{
    static const char digits[] = "0123456789abcdef";
    char *out = ret;
    *out++ = '1';
    for (size_t i = 0; i < sizeof id->bytes; i++) {
        if (i == 0 || i == 4)
            *out++ = '-';
        *out++ = digits[id->bytes[i] >> 4];
        *out++ = digits[id->bytes[i] & 15];
    }
    *out = '\0';
}

uint32_t trace_id_epoch(const struct trace_id *id)
{
    return (uint32_t)id->bytes[0] << 24 | (uint32_t)id->bytes[1] << 16 |
           (uint32_t)id->bytes[2] << 8 | id->bytes[3];
}

bool trace_id_equal(const struct trace_id *a, const struct trace_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool entity_id_parse(const char *text, uint64_t *ret)
{
    uint8_t bytes[8];
    if (strlen(text) != ENTITY_ID_LENGTH || !read_hex(text, bytes, sizeof bytes))
        return false;
    uint64_t id = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        id = id << 8 | bytes[i];
    *ret = id;
    return true;
}

void entity_id_format(uint64_t id, char ret[ENTITY_ID_LENGTH + 1])
{
    snprintf(ret, ENTITY_ID_LENGTH + 1, "%016" PRIx64, id);
}
