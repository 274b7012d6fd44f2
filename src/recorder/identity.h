/* SPDX-License-Identifier: Apache-2.0 */
/* Where a segment belongs, in the form that goes to others. */
#ifndef XR_RECORDER_IDENTITY_H
#define XR_RECORDER_IDENTITY_H

#include "model/segment.h"

/* What goes downstream. The ids of unsampled segments are made here, once. */
void xr_header_of(struct xr_segment *segment, xray_trace_header *ret);

/* What goes back to the caller. */
void xr_response_header_of(struct xr_segment *segment, xray_trace_header *ret);

/* Whether a callee answered that it keeps its segment for its outcome. */
bool xr_response_says_kept(const xray_trace_header *response);

#endif /* XR_RECORDER_IDENTITY_H */
