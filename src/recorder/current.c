/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/current.h"

#include <xraytrace/describe.h>

#include "base/random.h"
#include "base/thread.h"
#include "model/describe.h"
#include "recorder/lifecycle.h"

_Thread_local struct xr_stack xr_stack;

static _Alignas(XR_POOL_SEGMENT_BYTES) char nothing[XR_POOL_SEGMENT_BYTES];

/* A handle of generation 0; the block gets another one. */
xray_segment *const xr_placeholder = (xray_segment *)nothing;

/* Segments that others ended are not on the stack any more. */
static struct xr_segment *top(void)
{
    struct xr_segment *segment = xr_segment_of(xr_stack.current);

    if (!segment)
        xr_stack.current = NULL;
    return segment;
}

void xr_current_remove_inner(struct xr_segment *segment, bool inner_too)
{
    const xray_segment *handle = xr_handle(segment);
    struct xr_segment *inner = top();

    while (inner && inner->outer != handle)
        inner = xr_segment_of(inner->outer);
    if (!inner)
        return;
    if (!inner_too) {
        inner->outer = segment->outer;
        return;
    }
    for (struct xr_segment *s = top(); s && s != segment; s = xr_segment_of(s->outer))
        s->state &= ~(uint32_t)XR_STACKED;
    xr_stack.current = segment->outer;
    xr_stack.placeholders = 0;
}

/* What a thread leaves open on its stack ends with it, and says so. */
static void on_thread_exit(void)
{
    static const xray_exception reason = {
        .size = sizeof(reason),
        .type = "ThreadExit",
        .message = "the thread ended while this was open",
    };
    struct xr_segment *segment;

    while ((segment = top()) != NULL) {
        if (segment->flags & XR_RECORDING)
            (void)xr_describe_exception(segment, xr_random_u64(), &reason);
        xr_end(segment, 0);
    }
    xr_stack = (struct xr_stack){ 0 };
}

void xr_current_set_up(void)
{
    static const struct xr_thread_hooks hooks = { .exit = on_thread_exit };

    xr_segment_retire((struct xr_segment *)nothing);
    xr_thread_register(&hooks);
}
