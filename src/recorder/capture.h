/* SPDX-License-Identifier: Apache-2.0 */
/* Which unsampled segments are worth keeping, and whether the budget has room for them. */
#ifndef XR_RECORDER_CAPTURE_H
#define XR_RECORDER_CAPTURE_H

#include <stdbool.h>

#include "model/segment.h"
#include "recorder/settings.h"

struct xr_capture;

/* NULL when the settings ask for none. 0 or -ENOMEM. */
int xr_capture_new(struct xr_capture **ret, const struct xr_settings *settings);
void xr_capture_free(struct xr_capture *capture);

/* In a forked child: the budget goes on, and nobody holds its lock. */
void xr_capture_after_fork(struct xr_capture *capture);

/* Whether response headers tell, and are heeded. */
bool xr_capture_goes_across(const struct xr_capture *capture);

/* Whether a segment is worth keeping so far; end_ns is when it ends, or 0. capture may be NULL. */
bool xr_capture_wants(const struct xr_capture *capture, const struct xr_segment *segment,
                      int64_t end_ns);

/* What kind of failure it is: those that look alike share a part of the budget. */
uint32_t xr_capture_kind(const struct xr_segment *segment);

/* Whether one of this kind may leave. It counts as having left. */
bool xr_capture_admits(struct xr_capture *capture, uint32_t kind, int64_t now_ns);
void xr_capture_spend(struct xr_capture *capture, size_t bytes);

#endif /* XR_RECORDER_CAPTURE_H */
