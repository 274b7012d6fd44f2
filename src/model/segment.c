/* SPDX-License-Identifier: Apache-2.0 */
#include "model/segment.h"

#include <string.h>

#include "base/json.h"

/* The ASCII that X-Ray allows in names, as one bit for each character. */
static const uint64_t allowed[2] = {
    /* blank # % & + - . / 0 to 9 : = */
    UINT64_C(1) << ' ' | UINT64_C(1) << '#' | UINT64_C(1) << '%' | UINT64_C(1) << '&' |
        UINT64_C(1) << '+' | UINT64_C(1) << '-' | UINT64_C(1) << '.' | UINT64_C(1) << '/' |
        UINT64_C(0x3FF) << '0' | UINT64_C(1) << ':' | UINT64_C(1) << '=',
    /* @ A to Z _ a to z */
    UINT64_C(1) << ('@' - 64) | UINT64_C(0x3FFFFFF) << ('A' - 64) | UINT64_C(1) << ('_' - 64) |
        UINT64_C(0x3FFFFFF) << ('a' - 64),
};

static bool is_allowed(unsigned char c)
{
    return c < 128 && (allowed[c >> 6] >> (c & 63) & 1);
}

/* The rest of a name, from its first character that is not plain ASCII or not allowed. */
static char *write_filtered(char *p, const char *name, int characters, bool *changed)
{
    size_t left = strnlen(name, 4 * (size_t)(XR_NAME_CHARACTERS - characters) + 4);

    for (; left > 0; characters++) {
        size_t bytes = xr_utf8_valid(name, left);
        bool control = bytes == 2 && (unsigned char)name[0] == 0xC2 &&
                       (unsigned char)name[1] < 0xA0;

        if (characters == XR_NAME_CHARACTERS) {
            *changed = true;
            break;
        }
        if (bytes > 1 && !control) {
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
    size_t plain = 0;
    char *p;

    for (; plain < XR_NAME_CHARACTERS && is_allowed((unsigned char)name[plain]); plain++)
        ret[plain] = name[plain];
    p = ret + plain;
    if (name[plain])
        p = write_filtered(p, name + plain, (int)plain, changed);
    *p = '\0';
    return (size_t)(p - ret);
}

void xr_segment_set_texts(struct xr_segment *segment, const char *extra, const char *service,
                          size_t service_length)
{
    char *p = segment->text + segment->name_length + 1;
    size_t used;

    /* It may be a caller's own, and without an end. */
    segment->extra_length = (uint16_t)strnlen(extra, sizeof(((xray_trace_header *)0)->extra) - 1);
    p = xr_json_bytes(p, extra, segment->extra_length);
    *p++ = '\0';
    segment->service_length = (uint16_t)service_length;
    p = xr_json_bytes(p, service, service_length);
    *p++ = '\0';
    used = (size_t)(p - segment->text);
    xr_buffer_begin(&segment->attributes, p, XR_SEGMENT_TEXT - used);
    xr_buffer_begin(&segment->children, NULL, 0);
}
