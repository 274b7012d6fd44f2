/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack of a thread's current segments, linked through the segments
 * themselves. A placeholder stands for one that could not be had, so that the
 * segment outside it is not described by mistake.
 */
#ifndef XR_RECORDER_CURRENT_H
#define XR_RECORDER_CURRENT_H

#include "model/segment.h"
#include "recorder/recorder.h"

struct xr_stack {
    xray_segment *current; /* may have been ended by another thread */
    unsigned placeholders; /* on top of it */
    unsigned reserved;
    xray_segment *invocation; /* the thread's Lambda invocation */
};

extern _Thread_local struct xr_stack xr_stack;

/* What a begin gives when there is no memory: a handle that is always stale. */
extern xray_segment *const xr_placeholder;

/* Before the first xr_thread_enter(). */
void xr_current_set_up(void);

/* The open segment that is current, or NULL; nothing is to a hook. */
static inline struct xr_segment *xr_current_segment(void)
{
    return xr_stack.placeholders || xr_hooks_running ? NULL : xr_segment_of(xr_stack.current);
}

/*
 * Makes a segment that was just started current, and returns its handle. For
 * NULL, because of a lack of memory, a placeholder.
 */
static inline xray_segment *xr_current_push(struct xr_segment *segment)
{
    if (__builtin_expect(!segment, 0)) {
        xr_stack.placeholders++;
        return xr_placeholder;
    }
    segment->outer = xr_stack.current;
    segment->state |= XR_STACKED;
    return xr_stack.current = xr_handle(segment);
}

/* Off the stack, with all that is inside it when inner_too. */
void xr_current_remove_inner(struct xr_segment *segment, bool inner_too);

/* Nothing for a segment that is not on this thread's stack. */
static inline void xr_current_remove(struct xr_segment *segment, bool inner_too)
{
    segment->state &= ~(uint32_t)XR_STACKED;
    if (__builtin_expect(xr_stack.current != xr_handle(segment), 0)) {
        xr_current_remove_inner(segment, inner_too);
        return;
    }
    xr_stack.current = segment->outer;
    xr_stack.placeholders = 0;
}

#endif /* XR_RECORDER_CURRENT_H */
