/* SPDX-License-Identifier: Apache-2.0 */
/* Names as X-Ray takes them. */
#include <string.h>

#include "base/json.h"
#include "model/name_characters.h"
#include "model/segment.h"

/* The ASCII that X-Ray allows in names. */
static const bool allowed[256] = {
    [' '] = true, ['#'] = true, ['%'] = true,         ['&'] = true,         ['+'] = true,
    ['-'] = true, ['.'] = true, ['/'] = true,         [':'] = true,         ['='] = true,
    ['@'] = true, ['_'] = true, ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
};

static bool is_allowed(unsigned char c)
{
    return allowed[c];
}

/* The rest of a name, from its first character that is not plain ASCII or not allowed. */
static char *write_filtered(char *p, const char *name, int characters, bool *changed)
{
    size_t left = strnlen(name, 4 * (size_t)(XR_NAME_CHARACTERS - characters) + 4);

    for (; left > 0; characters++) {
        size_t bytes = xr_utf8_valid(name, left);

        if (characters == XR_NAME_CHARACTERS) {
            *changed = true;
            break;
        }
        if (bytes > 1 && xr_is_name_character(name, bytes)) {
            p = xr_json_bytes(p, name, bytes);
        } else if (bytes == 1 && is_allowed((unsigned char)*name)) {
            *p++ = *name;
        } else {
            *p++ = '_';
            *changed = true;
        }
        bytes = bytes ? bytes : 1;
        name += bytes;
        left -= bytes;
    }
    return p;
}

/* Copies a name that needs no care, as most do; false when it may need some. */
static bool copy_plain(char *p, const char *name, size_t length)
{
    xr_sixteen piece;
    size_t at = 0;

    if (length <= 16) {
        xr_copy_sixteen(p, name, length);
        return length == 0 || xr_sixteen_are_host(xr_sixteen_spread(name, length));
    }
    for (; length - at > 16; at += 16) {
        piece = xr_sixteen_load(name + at);
        xr_sixteen_store(p + at, piece);
        if (!xr_sixteen_are_host(piece))
            return false;
    }
    piece = xr_sixteen_load(name + length - 16);
    xr_sixteen_store(p + length - 16, piece);
    return xr_sixteen_are_host(piece);
}

size_t xr_name_write(char *ret, const char *name, bool *changed)
{
    size_t length = strlen(name), plain = 0;
    char *p;

    if (__builtin_expect(length <= XR_NAME_CHARACTERS && copy_plain(ret, name, length), 1)) {
        ret[length] = '\0';
        return length;
    }
    for (; plain < XR_NAME_CHARACTERS && is_allowed((unsigned char)name[plain]); plain++)
        ret[plain] = name[plain];
    p = ret + plain;
    if (name[plain])
        p = write_filtered(p, name + plain, (int)plain, changed);
    *p = '\0';
    return (size_t)(p - ret);
}
