/* SPDX-License-Identifier: Apache-2.0 */
#include "model/segment.h"

#include <string.h>

#include "base/json.h"
#include "model/name_characters.h"

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
