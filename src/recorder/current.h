/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack of a thread's current segments: their handles, since other threads
 * may end them or take them. A placeholder stands for one that could not be
 * had, so that the segment outside it is not described by mistake.
 */
#ifndef XR_RECORDER_CURRENT_H
#define XR_RECORDER_CURRENT_H

#include "model/segment.h"
#include "recorder/recorder.h"

struct xr_stack {
    xray_segment **top;       /* the innermost entry, or one that is no segment's */
    xray_segment **limit;     /* the last place for an entry */
    xray_segment *invocation; /* the thread's Lambda invocation */
    xray_segment **entries;   /* outermost first, after one that is NULL; few or the pool's */
    xray_segment **listed;    /* the innermost entry, while there are unlisted ones inside it */
    uint32_t unlisted;        /* for which there was no room */
    int32_t class;            /* of the entries, when they are the pool's */
    xray_segment *few[12];
};

extern _Thread_local struct xr_stack xr_stack;

/* What a begin gives when there is no memory: a handle that is always stale. */
extern xray_segment *const xr_placeholder;

/* Before the first segment. */
void xr_current_set_up(void);

struct xr_segment *xr_current_segment_slow(void);

/* The current segment when it is the innermost entry, as it mostly is; else NULL. */
static inline struct xr_segment *xr_current_segment_if_plain(void)
{
    struct xr_segment *segment = xr_segment_of(*xr_stack.top);

    if (__builtin_expect(!segment || xr_thread.hooks_running ||
                             atomic_load_explicit(&segment->home, memory_order_relaxed) !=
                                 xr_thread.id,
                         0))
        return NULL;
    return segment;
}

/* The open segment that is current, or NULL; nothing is to a hook. */
static inline struct xr_segment *xr_current_segment(void)
{
    struct xr_segment *segment = xr_current_segment_if_plain();

    return __builtin_expect(segment != NULL, 1) ? segment : xr_current_segment_slow();
}

/* Whether nothing is current because of a lack of memory, and not because nothing was begun. */
bool xr_current_is_placeholder(void);

xray_segment *xr_current_push_slow(struct xr_segment *segment);

/* One that is marked as stacked, when there is a place on the stack. */
static inline xray_segment *xr_current_push_stacked(struct xr_segment *segment)
{
    return *++xr_stack.top = xr_handle(segment);
}

/*
 * Makes a segment that was just started current, and returns its handle. For
 * NULL, because of a lack of memory, a placeholder.
 */
static inline xray_segment *xr_current_push(struct xr_segment *segment)
{
    if (__builtin_expect(!segment || xr_stack.top == xr_stack.limit, 0))
        return xr_current_push_slow(segment);
    segment->state |= XR_STACKED;
    return xr_current_push_stacked(segment);
}

void xr_current_remove_slow(const xray_segment *handle, bool inner_too);

/* Off the stack, with all that is inside it when inner_too. Nothing for one that is not on it. */
static inline void xr_current_remove(struct xr_segment *segment, bool inner_too)
{
    const xray_segment *handle = xr_handle(segment);

    segment->state &= (uint16_t)~XR_STACKED;
    if (__builtin_expect(*xr_stack.top == handle, 1))
        xr_stack.top--;
    else
        xr_current_remove_slow(handle, inner_too);
}

/* The innermost segment that is open, whatever is on top of it; that is off the stack then. */
struct xr_segment *xr_current_innermost(void);

/* Whether a segment is open and on this thread's stack. */
bool xr_current_is_stacked(struct xr_segment *segment);

/* An empty stack, with no memory of the pool's. */
void xr_current_clear(void);

#endif /* XR_RECORDER_CURRENT_H */
