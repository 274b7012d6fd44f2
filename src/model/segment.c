/* SPDX-License-Identifier: Apache-2.0 */
#include "model/segment.h"

#include <string.h>

#include "base/json.h"

static bool is_allowed(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr(" _.:/%&#=+-@", c) != NULL);
}

size_t xr_name_write(char *ret, const char *name, bool *changed)
{
    char *p = ret;
    size_t left = strnlen(name, (size_t)XR_NAME_BYTES + 4);

    for (int characters = 0; left > 0; characters++) {
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
    *p = '\0';
    return (size_t)(p - ret);
}

void xr_segment_set_texts(struct xr_segment *segment, const char *extra, const char *service,
                          size_t service_length)
{
    char *p = segment->text + segment->name_length + 1;
    size_t used;

    segment->extra_length = (uint16_t)strlen(extra);
    p = xr_json_bytes(p, extra, (size_t)segment->extra_length + 1);
    segment->service_length = (uint16_t)service_length;
    p = xr_json_bytes(p, service, service_length);
    *p++ = '\0';
    used = (size_t)(p - segment->text);
    xr_buffer_begin(&segment->attributes, p, XR_SEGMENT_TEXT - used);
    xr_buffer_begin(&segment->children, NULL, 0);
}
