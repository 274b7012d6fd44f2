/* SPDX-License-Identifier: Apache-2.0 */
/* Trace headers in both formats. */
#include <xraytrace/trace.h>

#include "wire/trace_header.h"
#include "wire/traceparent.h"

int xray_trace_header_parse(xray_trace_header *ret, const char *text)
{
    return xr_trace_header_parse(ret, text);
}

size_t xray_trace_header_format(const xray_trace_header *header, char *buf, size_t size)
{
    return xr_trace_header_format(header, buf, size);
}

size_t xray_trace_id_format(xray_trace_id id, char *buf, size_t size)
{
    return xr_trace_id_format(&id, buf, size);
}

int xray_traceparent_parse(xray_trace_header *ret, const char *text)
{
    return xr_traceparent_parse(ret, text);
}

size_t xray_traceparent_format(const xray_trace_header *header, char *buf, size_t size)
{
    return xr_traceparent_format(header, buf, size);
}
