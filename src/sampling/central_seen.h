/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which traces have been counted. A process sees a trace once for each of its
 * segments in it, which mostly is once, or a few within a short time: so the
 * last four thousand are kept, and what is older is taken for new.
 */
#ifndef XR_SAMPLING_CENTRAL_SEEN_H
#define XR_SAMPLING_CENTRAL_SEEN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <xraytrace/trace.h>

#define XR_SEEN_WAYS 4
#define XR_SEEN_SETS 1024

/* All zero at first. */
struct xr_seen {
    _Atomic uint64_t traces[XR_SEEN_SETS][XR_SEEN_WAYS];
};

struct xr_sight {
    bool trace;   /* seen for the first time */
    bool anomaly; /* the first anomaly of it */
};

/* Any thread, no lock. */
struct xr_sight xr_seen_add(struct xr_seen *seen, xray_trace_id trace, bool anomaly,
                            int64_t now_ns);

#endif /* XR_SAMPLING_CENTRAL_SEEN_H */
