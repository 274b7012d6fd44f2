/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment that ends becomes JSON once: in its parent's document if the
 * parent is open and at home on this thread of this process, else on its own.
 */
#include "recorder/current.h"
#include "recorder/lifecycle.h"
#include "recorder/usual.h"

static uint64_t home_of(const struct xr_segment *segment)
{
    return atomic_load_explicit(&segment->home, memory_order_relaxed);
}

/*
 * The parent whose document this one can be part of, or NULL. Its handle may have
 * come again for another one since, but its id has not.
 */
static struct xr_segment *embedding_parent(const struct xr_segment *segment)
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

static bool embed(struct xr_segment *segment, struct xr_document_request *request)
{
    struct xr_segment *parent = embedding_parent(segment);
    size_t bound;
    char *p;

    if (!parent)
        return false;
    request->form |= XR_DOCUMENT_EMBEDDED;
    bound = xr_document_bound(segment, request);
    p = parent->children.length + bound <= segment->recorder->stream_bytes
            ? xr_children_begin(parent, bound)
            : NULL;
    if (p) {
        xr_children_commit(parent, xr_document_write(p, segment, request));
        xr_count(segment->recorder, XR_EMBEDDED, 1);
    } else {
        request->form &= ~(uint32_t)XR_DOCUMENT_EMBEDDED;
    }
    return p != NULL;
}

static void emit(struct xr_segment *segment, const char *json, size_t length, uint32_t flags)
{
    xray_document document = {
        .size = sizeof(document),
        .json = json,
        .length = length,
        .service = xr_segment_service(segment),
        .trace_id = xr_segment_trace(segment),
        .flags = flags,
    };

    xr_recorder_emit(segment->recorder, &document);
}

/* Children leave a document that is too large, the largest first. */
static void send_children(struct xr_segment *segment, struct xr_document_request *request,
                          char *scratch, size_t limit)
{
    while (segment->children.length > 0 && xr_document_bound(segment, request) > limit) {
        size_t length = xr_children_take_largest(segment, scratch);

        xr_count(segment->recorder, XR_EMBEDDED, (uint64_t)-1);
        emit(segment, scratch, length, 0);
    }
}

/* Then attributes, as far as there are such: metadata, SQL text, stack frames, annotations. */
static void omit(struct xr_segment *segment, const struct xr_document_request *request)
{
    for (uint32_t what = 1; what <= XR_OMIT_BLOCKS; what <<= 1)
        if (xr_document_bound(segment, request) > XR_DOCUMENT_MAX &&
            xr_document_omit(segment, what))
            xr_count(segment->recorder, XR_TRUNCATED, 1);
}

static size_t write_own(struct xr_segment *segment, struct xr_document_request *request,
                        char *scratch)
{
    if (__builtin_expect(xr_document_bound(segment, request) > XR_DOCUMENT_MAX, 0)) {
        send_children(segment, request, scratch, XR_DOCUMENT_MAX);
        omit(segment, request);
    }
    return (size_t)(xr_document_write(scratch, segment, request) - scratch);
}

static void finish(struct xr_segment *segment, int64_t end_ns)
{
    xray_recorder *recorder = segment->recorder;
    struct xr_document_request request = { .constants = &recorder->constants };
    char *scratch;

    if (end_ns == 0)
        end_ns = xr_recorder_now(recorder, segment->clock_offset_ns);
    request.end_ns = end_ns > segment->start_ns ? end_ns : segment->start_ns;
    if (embed(segment, &request))
        return;
    scratch = xr_pool_get(XR_POOL_64K);
    if (!scratch) {
        xr_count(recorder, XR_DROPPED_MEMORY, 1);
        return;
    }
    emit(segment, scratch, write_own(segment, &request, scratch),
         segment->flags & XR_SUBSEGMENT ? 0 : XRAY_DOCUMENT_SEGMENT);
    xr_pool_put(XR_POOL_64K, scratch);
}

static void end_recording(struct xr_segment *segment, int64_t end_ns)
{
    if (!(segment->flags & XR_FACADE)) {
        if (segment->fork_generation == xr_fork_generation)
            finish(segment, end_ns);
        else
            xr_count(segment->recorder, XR_DROPPED_FORK, 1);
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
        (segment->state & XR_OWN_DOCUMENT) || segment->fork_generation != xr_fork_generation)
        return;
    scratch = xr_pool_get(XR_POOL_64K);
    if (!scratch)
        return;
    segment->state |= XR_OWN_DOCUMENT;
    send_children(segment, &request, scratch, 0);
    emit(segment, scratch, write_own(segment, &request, scratch),
         XRAY_DOCUMENT_IN_PROGRESS | (segment->flags & XR_SUBSEGMENT ? 0 : XRAY_DOCUMENT_SEGMENT));
    xr_pool_put(XR_POOL_64K, scratch);
}
