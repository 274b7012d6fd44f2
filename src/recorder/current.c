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

/* Whether it is open, and nobody took it away from this thread. */
static struct xr_segment *open_here(const xray_segment *handle)
{
    struct xr_segment *segment = xr_segment_of(handle);

    if (segment && atomic_load_explicit(&segment->home, memory_order_relaxed) != xr_thread.id)
        return NULL;
    return segment;
}

struct xr_segment *xr_current_segment_slow(void)
{
    if (xr_stack.unlisted || xr_hooks_running)
        return NULL;
    for (; xr_stack.depth > 0; xr_stack.depth--) {
        const xray_segment *handle = xr_stack.entries[xr_stack.depth - 1];
        struct xr_segment *segment = open_here(handle);

        if (segment || handle == xr_placeholder)
            return segment;
    }
    return NULL;
}

bool xr_current_is_placeholder(void)
{
    if (xr_hooks_running || xr_current_segment_slow())
        return false;
    return xr_stack.unlisted > 0 || xr_stack.depth > 0;
}

static bool grow(void)
{
    enum xr_pool_class class = xr_stack.class < 0 ? XR_POOL_4K
                                                  : (enum xr_pool_class)(xr_stack.class + 1);
    xray_segment **entries;

    if (!xr_stack.entries) {
        xr_stack.entries = xr_stack.few;
        xr_stack.capacity = sizeof(xr_stack.few) / sizeof(*xr_stack.few);
        xr_stack.class = -1;
        return true;
    }
    entries = class < XR_POOL_CLASSES ? xr_pool_get(class) : NULL;
    if (!entries)
        return false;
    memcpy(entries, xr_stack.entries, xr_stack.depth * sizeof(*entries));
    if (xr_stack.class >= 0)
        xr_pool_put((enum xr_pool_class)xr_stack.class, xr_stack.entries);
    xr_stack.entries = entries;
    xr_stack.capacity = (uint32_t)(xr_pool_bytes(class) / sizeof(*entries));
    xr_stack.class = (int32_t) class;
    return true;
}

/* One without an entry is open, but not current: what is begun inside it is a placeholder. */
xray_segment *xr_current_push_slow(struct xr_segment *segment)
{
    xray_segment *handle = segment ? xr_handle(segment) : xr_placeholder;

    if (segment)
        segment->state |= XR_STACKED;
    if (xr_stack.unlisted || (xr_stack.depth == xr_stack.capacity && !grow()))
        xr_stack.unlisted++;
    else
        xr_stack.entries[xr_stack.depth++] = handle;
    return handle;
}

void xr_current_remove_slow(xray_segment *handle, bool inner_too)
{
    uint32_t at = xr_stack.depth;

    while (at > 0 && xr_stack.entries[at - 1] != handle)
        at--;
    if (at == 0 || (handle == xr_placeholder && xr_stack.unlisted)) {
        xr_stack.unlisted -= xr_stack.unlisted > 0;
        return;
    }
    if (!inner_too) {
        memmove(xr_stack.entries + at - 1, xr_stack.entries + at,
                (xr_stack.depth - at) * sizeof(*xr_stack.entries));
        xr_stack.depth--;
        return;
    }
    for (uint32_t inner = at; inner < xr_stack.depth; inner++) {
        struct xr_segment *segment = open_here(xr_stack.entries[inner]);

        if (segment)
            segment->state &= ~(uint32_t)XR_STACKED;
    }
    xr_stack.depth = at - 1;
    xr_stack.unlisted = 0;
}

/* The innermost segment that is open, whatever is on top of it. */
static struct xr_segment *innermost(void)
{
    struct xr_segment *segment = NULL;

    xr_stack.unlisted = 0;
    while (xr_stack.depth > 0 && !(segment = open_here(xr_stack.entries[xr_stack.depth - 1])))
        xr_stack.depth--;
    return segment;
}

void xr_current_end_inside(struct xr_segment *segment)
{
    const xray_segment *handle = xr_handle(segment);
    struct xr_segment *inner;
    uint32_t at = xr_stack.depth;

    while (at > 0 && xr_stack.entries[at - 1] != handle)
        at--;
    if (at > 0 && open_here(handle))
        while ((inner = innermost()) != segment)
            xr_end(inner, 0);
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

    while ((segment = innermost()) != NULL) {
        if ((segment->flags & (XR_RECORDING | XR_FACADE)) == XR_RECORDING)
            (void)xr_describe_exception(segment, xr_random_u64() | 1, &reason);
        xr_end(segment, 0);
    }
    if (xr_stack.entries && xr_stack.class >= 0)
        xr_pool_put((enum xr_pool_class)xr_stack.class, xr_stack.entries);
    xr_stack = (struct xr_stack){ 0 };
}

void xr_current_set_up(void)
{
    static const struct xr_thread_hooks hooks = { .exit = on_thread_exit };

    xr_segment_retire((struct xr_segment *)nothing);
    xr_thread_register(&hooks);
}
