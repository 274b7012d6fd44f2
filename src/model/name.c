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

size_t xr_name_write(char *ret, const char *name, bool *changed)
{
    size_t length = strlen(name), plain = 0;
    char *p;

    if (__builtin_expect(length <= XR_NAME_CHARACTERS &&
                             xr_sixteen_copy(ret, name, length, xr_sixteen_are_host),
                         1)) {
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
