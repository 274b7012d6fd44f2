/* SPDX-License-Identifier: Apache-2.0 */
/* How segments begin and end. */
#ifndef XR_RECORDER_LIFECYCLE_H
#define XR_RECORDER_LIFECYCLE_H

#include "recorder/recorder.h"

/* NULL when disabled, inside a hook, or out of memory. Not on the stack. The params' name is not
 * read. */
struct xr_segment *xr_start_segment(xray_recorder *recorder, const char *name,
                                    const xray_segment_params *params);
struct xr_segment *xr_start_subsegment(struct xr_segment *parent, const char *name,
                                       const xray_subsegment_params *params);

/* A subsegment of a segment that is not in this process, or not known here. */
struct xr_segment *xr_start_remote(xray_recorder *recorder, const xray_trace_header *from,
                                   const char *name);

/* Lambda's own segment, as text from the runtime describes it; NULL and bad text make it inert. */
struct xr_segment *xr_start_invocation(xray_recorder *recorder, const char *header);

/* end_ns 0 is now. */
void xr_end(struct xr_segment *segment, const xray_segment *handle, int64_t end_ns);

void xr_send_in_progress(struct xr_segment *segment);

#endif /* XR_RECORDER_LIFECYCLE_H */
