/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/current.h"

#include "base/thread.h"

static _Alignas(XR_POOL_SEGMENT_BYTES) char nothing[XR_POOL_SEGMENT_BYTES];

/* A handle of generation 0; the block gets another one. */
xray_segment *const xr_placeholder = (xray_segment *)nothing;

/* Where the top is of a thread that was never here, and of one with unlisted ones inside. */
static xray_segment *no_entry;
static xray_segment *unlisted_entry = (xray_segment *)nothing;

_Thread_local struct xr_stack xr_stack = { .top = &no_entry, .limit = &no_entry, .class = -1 };

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
    if (xr_stack.unlisted || xr_thread.hooks_running)
        return NULL;
    for (; *xr_stack.top; xr_stack.top--) {
        struct xr_segment *segment = open_here(*xr_stack.top);

        if (segment || *xr_stack.top == xr_placeholder)
            return segment;
    }
    return NULL;
}

bool xr_current_is_placeholder(void)
{
    return !xr_thread.hooks_running && !xr_current_segment_slow() && *xr_stack.top != NULL;
}

static size_t capacity_of(int32_t class)
{
    return class < 0 ? sizeof(xr_stack.few) / sizeof(*xr_stack.few)
                     : xr_pool_bytes((enum xr_pool_class) class) / sizeof(*xr_stack.few);
}

static bool grow(void)
{
    size_t depth = xr_stack.entries ? (size_t)(xr_stack.top - xr_stack.entries) : 0;
    int32_t class = xr_stack.class;
    xray_segment **entries = xr_stack.few;

    if (xr_stack.entries) {
        class = class < 0 ? XR_POOL_4K : class + 1;
        entries = class < XR_POOL_CLASSES ? xr_pool_get((enum xr_pool_class) class) : NULL;
        if (!entries)
            return false;
        memcpy(entries, xr_stack.entries, (depth + 1) * sizeof(*entries));
    }
    if (xr_stack.class >= 0)
        xr_pool_put((enum xr_pool_class)xr_stack.class, xr_stack.entries);
    xr_stack.class = class;
    xr_stack.entries = entries;
    xr_stack.top = entries + depth;
    xr_stack.limit = entries + capacity_of(class) - 1;
    return true;
}

static void hide_entries(void)
{
    if (xr_stack.unlisted++ > 0)
        return;
    xr_stack.listed = xr_stack.top;
    xr_stack.top = xr_stack.limit = &unlisted_entry;
}

static void forget_unlisted(void)
{
    if (xr_stack.unlisted == 0)
        return;
    xr_stack.unlisted = 0;
    xr_stack.top = xr_stack.listed;
    xr_stack.limit = xr_stack.entries + capacity_of(xr_stack.class) - 1;
}

/* One without an entry is open, but not current: what is begun inside it is a placeholder. */
xray_segment *xr_current_push_slow(struct xr_segment *segment)
{
    xray_segment *handle = segment ? xr_handle(segment) : xr_placeholder;

    if (segment)
        segment->state |= XR_STACKED;
    if (xr_stack.unlisted || (xr_stack.top == xr_stack.limit && !grow()))
        hide_entries();
    else
        *++xr_stack.top = handle;
    return handle;
}

static void remove_inner(xray_segment **at, bool inner_too)
{
    xray_segment **top = xr_stack.unlisted ? xr_stack.listed : xr_stack.top;

    if (!inner_too) {
        memmove(at, at + 1, (size_t)(top - at) * sizeof(*at));
        *(xr_stack.unlisted ? &xr_stack.listed : &xr_stack.top) = top - 1;
        return;
    }
    for (xray_segment **inner = at + 1; inner <= top; inner++) {
        struct xr_segment *segment = open_here(*inner);

        if (segment)
            segment->state &= (uint16_t)~XR_STACKED;
    }
    forget_unlisted();
    xr_stack.top = at - 1;
}

void xr_current_remove_slow(const xray_segment *handle, bool inner_too)
{
    xray_segment **at = xr_stack.unlisted ? xr_stack.listed : xr_stack.top;

    while (*at && *at != handle)
        at--;
    if (*at && !(xr_stack.unlisted && handle == xr_placeholder))
        remove_inner(at, inner_too);
    else if (xr_stack.unlisted == 1)
        forget_unlisted();
    else if (xr_stack.unlisted)
        xr_stack.unlisted--;
}

struct xr_segment *xr_current_innermost(void)
{
    struct xr_segment *segment = NULL;

    forget_unlisted();
    while (*xr_stack.top && !(segment = open_here(*xr_stack.top)))
        xr_stack.top--;
    return segment;
}

bool xr_current_is_stacked(struct xr_segment *segment)
{
    const xray_segment *handle = xr_handle(segment);
    xray_segment **at = xr_stack.unlisted ? xr_stack.listed : xr_stack.top;

    while (*at && *at != handle)
        at--;
    return *at && open_here(handle);
}

void xr_current_clear(void)
{
    if (xr_stack.class >= 0)
        xr_pool_put((enum xr_pool_class)xr_stack.class, xr_stack.entries);
    xr_stack = (struct xr_stack){ .top = &no_entry, .limit = &no_entry, .class = -1 };
}

void xr_current_set_up(void)
{
    xr_segment_retire((struct xr_segment *)nothing);
}
