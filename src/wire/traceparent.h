/* SPDX-License-Identifier: Apache-2.0 */
/* The traceparent header of W3C Trace Context, read as strictly as it asks for. */
#ifndef XR_WIRE_TRACEPARENT_H
#define XR_WIRE_TRACEPARENT_H

#include <stddef.h>

#include <xraytrace/trace.h>

/*
 * As xray_traceparent_parse(): lower-case digits only, no blanks around, no ids
 * of zeros. A version above 00 may go on behind a "-" with what is not read.
 */
int xr_traceparent_parse(xray_trace_header *ret, const char *text);

/* As xray_traceparent_format(). Without a decision the sampled flag is 0. */
size_t xr_traceparent_format(const xray_trace_header *header, char *buf, size_t size);

#endif /* XR_WIRE_TRACEPARENT_H */
