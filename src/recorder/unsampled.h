/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments that are not recorded, in line: most segments of most programs. No
 * call, no clock, no id. Whatever is unusual is left to the general functions.
 */
#ifndef XR_RECORDER_UNSAMPLED_H
#define XR_RECORDER_UNSAMPLED_H

#include "recorder/current.h"
#include "recorder/recorder.h"

/* What every segment has. */
static inline void xr_segment_set_up(struct xr_segment *segment, xray_recorder *recorder,
                                     uint32_t flags)
{
    segment->recorder = recorder;
    segment->flags = flags;
    segment->state = 0;
    segment->name_length = segment->extra_length = 0;
    atomic_store_explicit(&segment->home, xr_thread.id, memory_order_relaxed);
}

/* Where it belongs. The id of one that is not recorded is made when it is asked for. */
static inline void xr_segment_set_place(struct xr_segment *segment, xray_segment *parent,
                                        const xray_trace_id *trace, uint64_t parent_id,
                                        uint32_t trace_flags)
{
    atomic_store_explicit(&segment->parent, parent, memory_order_relaxed);
    atomic_store_explicit(&segment->id, 0, memory_order_relaxed);
    xr_segment_set_trace(segment, trace);
    segment->parent_id = parent_id;
    segment->trace_flags = trace_flags;
}

/* What a subsegment has of its parent. */
static inline void xr_segment_inherit(struct xr_segment *segment, struct xr_segment *parent)
{
    uint64_t parent_id = atomic_load_explicit(&parent->id, memory_order_relaxed);
    xray_trace_id trace = xr_segment_trace(parent);

    /* Without an id of its own, what it passes on is whom it was called by. */
    xr_segment_set_place(segment, xr_handle(parent), &trace,
                         parent_id ? parent_id : parent->parent_id, parent->trace_flags);
}

/* Whether a segment can begin without anything being looked for first. */
static inline bool xr_unsampled_is_ready(const xray_recorder *recorder)
{
    return !xr_hooks_running && xr_pool_mine[XR_POOL_SEGMENT].first &&
           xr_counters_cache.serial == recorder->counters.serial && xr_stack.top != xr_stack.limit;
}

static inline struct xr_segment *xr_unsampled_new(xray_recorder *recorder, uint32_t flags)
{
    struct xr_segment *segment = xr_pool_get(XR_POOL_SEGMENT);

    xr_segment_set_up(segment, recorder, flags);
    xr_counters_add_mine(XR_BEGUN, 1);
    return segment;
}

/* A new trace, on the stack; or NULL. */
static inline xray_segment *xr_unsampled_begin_segment(xray_recorder *recorder)
{
    static const xray_trace_id no_trace;
    struct xr_segment *segment;

    if (recorder->decides != XR_DECIDES_NO || !xr_unsampled_is_ready(recorder))
        return NULL;
    segment = xr_unsampled_new(recorder, 0);
    xr_segment_set_place(segment, NULL, &no_trace, 0, 0);
    return xr_current_push_here(segment);
}

/* A subsegment of one that is not recorded, on the stack; or NULL. */
static inline xray_segment *xr_unsampled_begin_subsegment(struct xr_segment *parent)
{
    struct xr_segment *segment;

    if ((parent->flags & (XR_RECORDING | XR_PASS_THROUGH)) || parent->extra_length > 0 ||
        !xr_unsampled_is_ready(parent->recorder))
        return NULL;
    segment = xr_unsampled_new(parent->recorder, XR_SUBSEGMENT | (parent->flags & XR_REQUESTED));
    xr_segment_inherit(segment, parent);
    return xr_current_push_here(segment);
}

/* Ends the innermost one of this thread; false if it is not that, or not unsampled. */
static inline bool xr_unsampled_end(struct xr_segment *segment, const xray_segment *handle)
{
    if (*xr_stack.top != handle || (segment->flags & XR_RECORDING) ||
        !xr_pool_has_place(XR_POOL_SEGMENT))
        return false;
    xr_stack.top--;
    xr_segment_retire(segment);
    xr_pool_put_here(XR_POOL_SEGMENT, segment);
    return true;
}

#endif /* XR_RECORDER_UNSAMPLED_H */
