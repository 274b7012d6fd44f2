/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The usual way of a segment, in line: begun as a child of the current one, or
 * not recorded at all, and ended as the innermost one. One that is not recorded
 * needs no call, no clock and no id. All else is left to the general functions.
 */
#ifndef XR_RECORDER_USUAL_H
#define XR_RECORDER_USUAL_H

#include "recorder/current.h"
#include "recorder/recorder.h"

/* What every segment has. */
static inline void xr_segment_set_up(struct xr_segment *segment, xray_recorder *recorder,
                                     uint32_t flags, uint16_t state)
{
    segment->recorder = recorder;
    segment->flags = flags;
    segment->state = state;
    segment->marks = 0;
    segment->name_space = 0;
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
    segment->trace_flags = (uint16_t)trace_flags;
}

/* What a subsegment has of its parent. */
static inline void xr_segment_inherit(struct xr_segment *segment, struct xr_segment *parent)
{
    uint64_t parent_id = atomic_load_explicit(&parent->id, memory_order_relaxed);
    xray_trace_id trace = xr_segment_trace_words(parent);

    /* Without an id of its own, what it passes on is whom it was called by. */
    xr_segment_set_place(segment, xr_handle(parent), &trace,
                         parent_id ? parent_id : parent->parent_id, parent->trace_flags);
}

/* Whether a segment can begin without anything being looked for first. */
static inline bool xr_usual_is_ready(const xray_recorder *recorder)
{
    return !xr_thread.hooks_running && xr_thread.pools[XR_POOL_SEGMENT].first &&
           xr_thread.counters_serial == recorder->counters.serial && xr_stack.top != xr_stack.limit;
}

/* To be put on the stack. */
static inline struct xr_segment *xr_usual_new(xray_recorder *recorder, uint32_t flags)
{
    struct xr_segment *segment = xr_pool_get(XR_POOL_SEGMENT);

    xr_segment_set_up(segment, recorder, flags, XR_STACKED);
    xr_counters_add_mine(XR_BEGUN, 1);
    return segment;
}

/* A new trace that is not recorded, on the stack, when it is ready. */
static inline xray_segment *xr_usual_begin_segment(xray_recorder *recorder)
{
    static const xray_trace_id no_trace;
    struct xr_segment *segment = xr_usual_new(recorder, 0);

    xr_segment_set_place(segment, NULL, &no_trace, 0, 0);
    return xr_current_push_stacked(segment);
}

/* A subsegment of the current one, on the stack, when that is not recorded; or NULL. */
static inline xray_segment *xr_usual_begin_unsampled(struct xr_segment *parent)
{
    struct xr_segment *segment;

    if ((parent->flags & (XR_RECORDING | XR_PASS_THROUGH)) || parent->extra_length > 0 ||
        !xr_usual_is_ready(parent->recorder))
        return NULL;
    segment = xr_usual_new(parent->recorder, XR_SUBSEGMENT | (parent->flags & XR_REQUESTED));
    xr_segment_inherit(segment, parent);
    return xr_current_push_stacked(segment);
}

/* The same when it is. */
xray_segment *xr_usual_begin_recorded(struct xr_segment *parent, const char *name);

/* Whether it is the innermost one of this thread, and nothing else is to be done at its end. */
static inline bool xr_usual_is_innermost(const struct xr_segment *segment,
                                         const xray_segment *handle)
{
    return *xr_stack.top == handle && xr_pool_has_place(XR_POOL_SEGMENT) &&
           atomic_load_explicit(&segment->home, memory_order_relaxed) == xr_thread.id;
}

static inline void xr_usual_end_unsampled(struct xr_segment *segment)
{
    xr_stack.top--;
    xr_segment_retire(segment);
    xr_pool_put_here(XR_POOL_SEGMENT, segment);
}

void xr_usual_end_recorded(struct xr_segment *segment);

#endif /* XR_RECORDER_USUAL_H */
