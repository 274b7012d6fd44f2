/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment that ends becomes JSON once: in its parent's document if the
 * parent is open and at home on this thread of this process, else on its own.
 */
#include <xraytrace/describe.h>

#include "model/describe.h"
#include "recorder/capture.h"
#include "recorder/current.h"
#include "recorder/lifecycle.h"
#include "recorder/outcome.h"
#include "recorder/usual.h"
#include "sampling/adaptive.h"

static uint64_t home_of(const struct xr_segment *segment)
{
    return atomic_load_explicit(&segment->home, memory_order_relaxed);
}

/*
 * The parent whose document this one can be part of, or NULL. Its handle may have
 * come again for another one since, but its id has not.
 */
static inline __attribute__((__always_inline__)) struct xr_segment *
embedding_parent(const struct xr_segment *segment)
{
    struct xr_segment *parent = xr_segment_of(
        atomic_load_explicit(&segment->parent, memory_order_relaxed));

    if (!parent || (segment->state & XR_OWN_DOCUMENT) || home_of(parent) != xr_thread.id ||
        atomic_load_explicit(&parent->id, memory_order_relaxed) != segment->parent_id ||
        parent->fork_generation != xr_fork_generation || (parent->state & XR_OWN_DOCUMENT) ||
        (parent->flags & XR_FACADE))
        return NULL;
    return parent;
}

/* Into the parent's document, while its children have at most so many bytes. */
static inline bool embed(struct xr_segment *segment, struct xr_segment *parent,
                         struct xr_document_request *request, size_t limit)
{
    size_t bound;
    char *p;

    request->form |= XR_DOCUMENT_EMBEDDED;
    bound = xr_document_bound(segment, request);
    p = parent->children.length + bound <= limit ? xr_children_begin(parent, bound) : NULL;
    if (p)
        xr_children_commit(parent, xr_document_write(p, segment, request));
    else
        request->form &= ~(uint32_t)XR_DOCUMENT_EMBEDDED;
    return p != NULL;
}

static void emit(struct xr_segment *segment, const char *json, size_t length, uint32_t flags)
{
    bool captured = segment->flags & XR_CAPTURED;
    xray_document document = {
        .size = sizeof(document),
        .json = json,
        .length = length,
        .service = xr_segment_service(segment),
        .trace_id = xr_segment_trace(segment),
        .flags = flags | (captured ? XRAY_DOCUMENT_CAPTURED : 0),
    };

    if (captured)
        xr_capture_spend(segment->recorder->capture, length);
    xr_recorder_emit(segment->recorder, &document);
}

/* Children leave a document that is too large, the largest first. */
static void send_children(struct xr_segment *segment, struct xr_document_request *request,
                          char *scratch, size_t limit)
{
    while (segment->children.length > 0 && xr_document_bound(segment, request) > limit) {
        size_t length = xr_children_take_largest(segment, scratch);

        if (!(segment->flags & XR_CAPTURED))
            xr_count(segment->recorder, XR_EMBEDDED, (uint64_t)-1);
        emit(segment, scratch, length, 0);
    }
}

/* What is not sampled is told apart by this. */
static bool say_unsampled(struct xr_segment *segment)
{
    static const xray_value no = { .type = XRAY_VALUE_BOOL };

    return xr_describe_annotation(segment, "xray_sampled", &no) == 0;
}

static void omit(struct xr_segment *segment, uint32_t what)
{
    if (xr_document_omit(segment, what))
        xr_count(segment->recorder, XR_TRUNCATED, 1);
    if (what == XR_OMIT_ANNOTATIONS && (segment->flags & XR_CAPTURED))
        (void)say_unsampled(segment);
}

/* Then attributes, as far as there are such: metadata, SQL text, stack frames, annotations. */
static void omit_for_size(struct xr_segment *segment, const struct xr_document_request *request)
{
    for (uint32_t what = 1; what <= XR_OMIT_BLOCKS; what <<= 1)
        if (xr_document_bound(segment, request) > XR_DOCUMENT_MAX)
            omit(segment, what);
}

static size_t write_own(struct xr_segment *segment, struct xr_document_request *request,
                        char *scratch)
{
    if (__builtin_expect(xr_document_bound(segment, request) > XR_DOCUMENT_MAX, 0)) {
        send_children(segment, request, scratch, XR_DOCUMENT_MAX);
        omit_for_size(segment, request);
    }
    return (size_t)(xr_document_write(scratch, segment, request) - scratch);
}

static uint32_t document_flags(const struct xr_segment *segment)
{
    return segment->flags & XR_SUBSEGMENT ? 0 : XRAY_DOCUMENT_SEGMENT;
}

/* On its own. Returns its length, or 0 for want of memory. */
static inline __attribute__((__always_inline__)) size_t
send_own(struct xr_segment *segment, struct xr_document_request *request)
{
    char *scratch = xr_pool_get(XR_POOL_64K);
    size_t length;

    if (!scratch)
        return 0;
    length = write_own(segment, request, scratch);
    emit(segment, scratch, length, document_flags(segment));
    xr_pool_put(XR_POOL_64K, scratch);
    return length;
}

static inline __attribute__((__always_inline__)) void
finish_sampled(struct xr_segment *segment, struct xr_document_request *request)
{
    struct xr_segment *parent = embedding_parent(segment);

    if (parent && embed(segment, parent, request, segment->recorder->stream_bytes))
        xr_count(segment->recorder, XR_EMBEDDED, 1);
    else if (send_own(segment, request) == 0)
        xr_count(segment->recorder, XR_DROPPED_MEMORY, 1);
}

/* ---- With capture ---------------------------------------------------------------- */

/* What is not sampled is only sent for its outcome. */
static void send_captured(struct xr_segment *segment, struct xr_document_request *request)
{
    xray_recorder *recorder = segment->recorder;
    bool whole = !(segment->flags & XR_SUBSEGMENT);

    /* A thread that the child does not have may have had the budget's lock. */
    xr_recorder_check_fork(recorder);
    /* Not when it ended: that may be any time the user says. */
    if (!xr_capture_admits(recorder->capture, xr_capture_kind(segment),
                           xr_recorder_now(recorder, 0))) {
        xr_count(recorder, whole ? XR_REFUSED_BUDGET : XR_CAPTURE_DROPPED, 1);
        return;
    }
    for (uint32_t what = 1; !say_unsampled(segment) && what <= XR_OMIT_BLOCKS; what <<= 1)
        omit(segment, what);
    if (send_own(segment, request) == 0)
        xr_count(recorder, whole ? XR_CAPTURE_FAILED : XR_CAPTURE_DROPPED, 1);
}

static void finish_captured(struct xr_segment *segment, struct xr_document_request *request,
                            struct xr_segment *parent, bool wanted)
{
    xray_recorder *recorder = segment->recorder;

    /* It was only recorded for the sampler's report. */
    if (!recorder->capture)
        return;
    if (parent) {
        if (!embed(segment, parent, request, XR_DOCUMENT_MAX))
            xr_count(recorder, XR_CAPTURE_DROPPED, 1);
    } else if (wanted) {
        send_captured(segment, request);
    } else if (segment->flags & XR_SUBSEGMENT) {
        xr_count(recorder, XR_CAPTURE_DROPPED, 1);
    }
}

/* The sampler's report; whether it is to be kept for what adaptive sampling says. */
static bool adapt(struct xr_segment *segment, int64_t end_ns)
{
    const xray_recorder *recorder = segment->recorder;
    unsigned anomaly;

    if (!recorder->adaptive && !(segment->flags & XR_REPORTED))
        return false;
    anomaly = xr_outcome_anomaly(segment, end_ns);
    if (segment->flags & XR_REPORTED)
        xr_outcome_report(segment, anomaly, end_ns);
    return recorder->adaptive && recorder->capture && (anomaly & XR_ANOMALY_CAPTURE);
}

/* Whether it is worth keeping is counted, and known to what it is part of. */
static __attribute__((__noinline__)) void finish_judged(struct xr_segment *segment,
                                                        struct xr_document_request *request)
{
    xray_recorder *recorder = segment->recorder;
    struct xr_segment *parent = embedding_parent(segment);
    bool wanted = xr_capture_wants(recorder->capture, segment, request->end_ns);

    if (!(segment->flags & XR_SUBSEGMENT)) {
        wanted = adapt(segment, request->end_ns) || wanted;
        if (recorder->capture)
            xr_count(recorder, XR_REQUESTS, 1);
        if (wanted)
            xr_count(recorder, segment->flags & XR_CAPTURED ? XR_ANOMALIES : XR_SAMPLED_ANOMALIES,
                     1);
    } else if (parent && wanted && !(parent->state & XR_WORTH_KEEPING)) {
        parent->state |= XR_WORTH_KEEPING;
        parent->kind = (uint16_t)xr_capture_kind(segment);
    }
    if (segment->flags & XR_CAPTURED)
        finish_captured(segment, request, parent, wanted);
    else
        finish_sampled(segment, request);
}

/* ---- The end ----------------------------------------------------------------------- */

static void finish(struct xr_segment *segment, int64_t end_ns)
{
    xray_recorder *recorder = segment->recorder;
    struct xr_document_request request = { .constants = &recorder->constants };

    if (end_ns == 0)
        end_ns = xr_recorder_now(recorder, segment->clock_offset_ns);
    request.end_ns = end_ns > segment->start_ns ? end_ns : segment->start_ns;
    if (__builtin_expect((segment->flags & XR_JUDGED) != 0, 0))
        finish_judged(segment, &request);
    else
        finish_sampled(segment, &request);
}

static __attribute__((__noinline__)) void lose_in_fork(struct xr_segment *segment)
{
    if (!(segment->flags & XR_CAPTURED))
        xr_count(segment->recorder, XR_DROPPED_FORK, 1);
    else if (segment->recorder->capture)
        xr_count(segment->recorder, XR_CAPTURE_DROPPED, 1);
}

static void end_recording(struct xr_segment *segment, int64_t end_ns)
{
    if (!(segment->flags & XR_FACADE)) {
        if (__builtin_expect(segment->fork_generation == xr_fork_generation, 1))
            finish(segment, end_ns);
        else
            lose_in_fork(segment);
    }
    xr_buffer_end(&segment->attributes);
    xr_buffer_end(&segment->children);
}

void xr_usual_end_recorded(struct xr_segment *segment)
{
    xr_stack.top--;
    xr_segment_retire(segment);
    end_recording(segment, 0);
    xr_pool_put(XR_POOL_SEGMENT, segment);
}

/* From here on nobody can reach it, not even a hook that is called meanwhile. */
static bool claim(struct xr_segment *segment, const xray_segment *handle)
{
    uint32_t generation = (uint32_t)((uintptr_t)handle & XR_GENERATION_MASK);

    /* Off its thread there may be several that end it: one of them does. */
    if (home_of(segment) != xr_thread.id)
        return atomic_compare_exchange_strong(&segment->generation, &generation,
                                              (generation + 1) & XR_GENERATION_MASK);
    if (segment->state & XR_STACKED)
        xr_current_remove(segment, true);
    xr_segment_retire(segment);
    return true;
}

void xr_end(struct xr_segment *segment, const xray_segment *handle, int64_t end_ns)
{
    /* A thread may be here for the first time: without an id it would be at home everywhere. */
    xr_thread_enter();
    if (!claim(segment, handle))
        return;
    if (segment->flags & XR_RECORDING)
        end_recording(segment, end_ns);
    xr_pool_put(XR_POOL_SEGMENT, segment);
}

void xr_send_in_progress(struct xr_segment *segment)
{
    struct xr_document_request request = {
        .constants = &segment->recorder->constants,
        .form = XR_DOCUMENT_UNFINISHED,
    };
    char *scratch;

    if (!(segment->flags & XR_RECORDING) || (segment->flags & XR_FACADE) ||
        (segment->flags & XR_CAPTURED) || (segment->state & XR_OWN_DOCUMENT) ||
        segment->fork_generation != xr_fork_generation)
        return;
    scratch = xr_pool_get(XR_POOL_64K);
    if (!scratch)
        return;
    segment->state |= XR_OWN_DOCUMENT;
    send_children(segment, &request, scratch, 0);
    emit(segment, scratch, write_own(segment, &request, scratch),
         XRAY_DOCUMENT_IN_PROGRESS | document_flags(segment));
    xr_pool_put(XR_POOL_64K, scratch);
}
