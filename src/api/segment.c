/* SPDX-License-Identifier: Apache-2.0 */
/* xraytrace/segment.h: how segments begin, end, move between threads, and answer. */
#include <xraytrace/segment.h>

#include <stdlib.h>

#include "api/api.h"
#include "model/describe.h"
#include "recorder/capture.h"
#include "recorder/current.h"
#include "recorder/default.h"
#include "recorder/identity.h"
#include "recorder/lifecycle.h"
#include "recorder/usual.h"
#include "sampling/sampler.h"

static const xray_segment_params plain_segment = { .size = sizeof(plain_segment) };
static const xray_subsegment_params plain_subsegment = { .size = sizeof(plain_subsegment) };

/* ---- Begin and end on this thread ---------------------------------------- */

/* A begin that failed for want of memory is remembered; one that was not wanted is not. */
static xray_segment *push(xray_recorder *recorder, struct xr_segment *segment)
{
    if (__builtin_expect(!segment, 0) &&
        ((recorder && recorder->disabled) || xr_thread.hooks_running))
        return NULL;
    return xr_current_push(segment);
}

static xray_segment *context_missing(xray_recorder *recorder)
{
    if (!recorder || recorder->disabled || xr_thread.hooks_running ||
        recorder->context_missing == XRAY_CONTEXT_MISSING_IGNORE)
        return NULL;
    if (xr_recorder_may_complain(recorder, XR_COMPLAINT_CONTEXT))
        xr_log(&recorder->logger, XR_LOG_ERROR,
               "a subsegment was begun without a current segment: it is not recorded");
    if (recorder->context_missing == XRAY_CONTEXT_MISSING_ABORT)
        abort();
    return NULL;
}

static __attribute__((__noinline__)) xray_segment *begin_segment(const char *name)
{
    struct xr_segment *invocation = xr_segment_of(xr_stack.invocation);
    xray_recorder *recorder;

    if (invocation)
        return push(invocation->recorder, xr_start_subsegment(invocation, name, &plain_subsegment));
    /* It may be another's handle later. */
    xr_stack.invocation = NULL;
    recorder = xr_default();
    if (!recorder)
        return push(recorder, NULL);
    return push(recorder, xr_start_segment(recorder, name, &plain_segment));
}

static __attribute__((__noinline__)) xray_segment *begin_sampled(xray_recorder *recorder,
                                                                 const char *name)
{
    static const xray_trace_header sampled = { .sampled = XRAY_SAMPLED_YES };
    static const xray_segment_params params = { .size = sizeof(params), .header = &sampled };

    return push(recorder, xr_start_segment(recorder, name, &params));
}

/* Without the question to a sampler that needs to know nothing but the time. */
static __attribute__((__noinline__)) xray_segment *begin_by_quota(xray_recorder *recorder,
                                                                  const char *name)
{
    if (__builtin_expect(xr_quota_decide_now(recorder->sampler.data), 0))
        return begin_sampled(recorder, name);
    return xr_usual_begin_segment(recorder);
}

xray_segment *xray_begin_segment(const char *name)
{
    xray_recorder *recorder = xr_default_if_made();

    if (__builtin_expect(recorder && !xr_stack.invocation && xr_usual_is_ready(recorder), 1)) {
        if (recorder->decides == XR_DECIDES_NO)
            return xr_usual_begin_segment(recorder);
        if (recorder->decides == XR_DECIDES_BY_QUOTA)
            return begin_by_quota(recorder, name);
    }
    return begin_segment(name);
}

static __attribute__((__noinline__)) xray_segment *begin_subsegment(struct xr_segment *parent,
                                                                    const char *name)
{
    xray_segment *segment = parent ? xr_usual_begin_recorded(parent, name) : NULL;

    if (__builtin_expect(segment != NULL, 1))
        return segment;
    if (!parent)
        parent = xr_current_segment_slow();
    if (!parent)
        return xr_current_is_placeholder() ? xr_current_push(NULL) : context_missing(xr_default());
    return push(parent->recorder, xr_start_subsegment(parent, name, &plain_subsegment));
}

xray_segment *xray_begin_subsegment(const char *name)
{
    struct xr_segment *parent = xr_current_segment_if_plain();
    xray_segment *segment = NULL;

    if (__builtin_expect(parent != NULL, 1))
        segment = xr_usual_begin_unsampled(parent);
    return __builtin_expect(segment != NULL, 1) ? segment : begin_subsegment(parent, name);
}

void xray_end(xray_segment *segment)
{
    struct xr_segment *open = xr_segment_of(segment);

    if (__builtin_expect(!open || !xr_usual_is_innermost(open, segment), 0))
        xray_end_at(segment, 0);
    else if (open->flags & XR_RECORDING)
        xr_usual_end_recorded(open);
    else
        xr_usual_end_unsampled(open);
}

void xray_end_at(xray_segment *segment, int64_t end_ns)
{
    struct xr_segment *open = xr_segment_of(segment);

    if (__builtin_expect(open != NULL, 1))
        xr_end(open, segment, end_ns);
    else if (segment == xr_placeholder)
        xr_current_remove_slow(segment, true);
}

void xray_send_in_progress(xray_segment *segment)
{
    struct xr_segment *open = xr_segment_of(segment);

    if (open)
        xr_send_in_progress(open);
}

xray_segment *xray_current(void)
{
    struct xr_segment *current = xr_current_segment();

    return current ? xr_handle(current) : NULL;
}

/* ---- Start without touching the current segment --------------------------- */

static xray_segment *handle_or_null(const struct xr_segment *segment)
{
    return segment ? xr_handle(segment) : NULL;
}

xray_segment *xray_start_segment(xray_recorder *recorder, const xray_segment_params *params)
{
    xray_segment_params copy;

    if (!recorder)
        return NULL;
    if (xr_params_copy(&copy, sizeof(copy), params))
        xr_count(recorder, XR_TRUNCATED, 1);
    return handle_or_null(xr_start_segment(recorder, copy.name, &copy));
}

xray_segment *xray_start_subsegment(xray_segment *parent, const char *name)
{
    struct xr_segment *open = xr_segment_of(parent);

    if (!open)
        return NULL;
    return handle_or_null(xr_start_subsegment(open, name, &plain_subsegment));
}

xray_segment *xray_start_subsegment_with(xray_segment *parent, const xray_subsegment_params *params)
{
    struct xr_segment *open = xr_segment_of(parent);
    xray_subsegment_params copy;

    if (!open)
        return NULL;
    if (xr_params_copy(&copy, sizeof(copy), params))
        xr_count(open->recorder, XR_TRUNCATED, 1);
    return handle_or_null(xr_start_subsegment(open, copy.name, &copy));
}

xray_segment *xray_resume(xray_recorder *recorder, const xray_trace_header *from, const char *name)
{
    return recorder && from ? handle_or_null(xr_start_remote(recorder, from, name)) : NULL;
}

void xray_attach(xray_segment *segment)
{
    struct xr_segment *open = xr_segment_of(segment);

    if (!open || open == xr_current_segment())
        return;
    xr_thread_enter();
    if (open->state & XR_STACKED)
        xr_current_remove(open, false);
    atomic_store_explicit(&open->home, xr_thread.id, memory_order_relaxed);
    xr_current_push(open);
}

void xray_detach(xray_segment *segment)
{
    struct xr_segment *open = xr_segment_of(segment);

    if (!open)
        return;
    if (open->state & XR_STACKED)
        xr_current_remove(open, false);
    atomic_store_explicit(&open->home, 0, memory_order_relaxed);
}

/* ---- Capture ----------------------------------------------------------------- */

void xray_keep(xray_segment *segment)
{
    struct xr_segment *open = xr_segment_of(segment);

    if (open && (open->flags & XR_JUDGED))
        open->state |= XR_WORTH_KEEPING;
}

void xray_note_response_header(xray_segment *segment, const xray_trace_header *response)
{
    struct xr_segment *open = xr_segment_of(segment);

    if (open && (open->flags & XR_JUDGED) && response && xr_response_says_kept(response) &&
        xr_capture_goes_across(open->recorder->capture))
        open->state |= XR_WORTH_KEEPING;
}

/* ---- Ask --------------------------------------------------------------------- */

bool xray_is_sampled(const xray_segment *segment)
{
    const struct xr_segment *open = xr_segment_of(segment);

    return open && (open->flags & XR_SAMPLED);
}

bool xray_is_recording(const xray_segment *segment)
{
    const struct xr_segment *open = xr_segment_of(segment);

    return open && (open->flags & XR_RECORDING);
}

void xray_get_header(const xray_segment *segment, xray_trace_header *ret)
{
    struct xr_segment *open = xr_segment_of(segment);

    if (open)
        xr_header_of(open, ret);
    else
        memset(ret, 0, sizeof(*ret));
}

void xray_get_response_header(const xray_segment *segment, xray_trace_header *ret)
{
    struct xr_segment *open = xr_segment_of(segment);

    if (open)
        xr_response_header_of(open, ret);
    else
        memset(ret, 0, sizeof(*ret));
}
