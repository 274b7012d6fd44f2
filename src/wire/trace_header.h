/* SPDX-License-Identifier: Apache-2.0 */
/* The X-Amzn-Trace-Id header, read tolerantly and written strictly. */
#ifndef XR_WIRE_TRACE_HEADER_H
#define XR_WIRE_TRACE_HEADER_H

#include <stddef.h>

#include <xraytrace/trace.h>

/* Bytes that are read of a header. */
#define XR_TRACE_HEADER_INPUT_MAX 1024

/*
 * As xray_trace_header_parse(). What that leaves open:
 *
 * A field that is not understood is as if it were not there: after "Sampled=1"
 * a "Sampled=maybe" changes nothing. Blanks are spaces; a tab is a control
 * character. A field without "=", without a key, or with a byte that is not
 * ASCII is bad. Of an unknown field the whole text is kept, its key compared
 * exactly. One that the limit of 1024 bytes may have cut is dropped.
 */
int xr_trace_header_parse(xray_trace_header *ret, const char *text);

/*
 * As xray_trace_header_format(). What a program put into extra itself goes
 * through the same rules as what came from outside, so that no field is empty,
 * comes twice, or holds the end of a line.
 */
size_t xr_trace_header_format(const xray_trace_header *header, char *buf, size_t size);

/* As xray_trace_id_format(): nothing for an id of zeros. */
size_t xr_trace_id_format(const xray_trace_id *id, char *buf, size_t size);

#endif /* XR_WIRE_TRACE_HEADER_H */
