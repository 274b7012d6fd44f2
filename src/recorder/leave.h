/* SPDX-License-Identifier: Apache-2.0 */
/* Segments that are still open when what they are part of ends. */
#ifndef XR_RECORDER_LEAVE_H
#define XR_RECORDER_LEAVE_H

#include "model/segment.h"

/* Before the first xr_thread_enter(). */
void xr_leave_set_up(void);

/* Ends what is open inside a segment of this thread's stack. */
void xr_leave_inside(struct xr_segment *segment);

#endif /* XR_RECORDER_LEAVE_H */
