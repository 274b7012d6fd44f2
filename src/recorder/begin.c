/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/random.h"
#include "base/zero.h"
#include "model/describe.h"
#include "recorder/lifecycle.h"
#include "wire/trace_header.h"

/* What is not atomic, which other threads do not look at. */
#define ZEROED_FROM offsetof(struct xr_segment, recorder)
#define ZEROED_TO   (offsetof(struct xr_segment, text) + 3) /* three empty texts */

static struct xr_segment *no_memory(xray_recorder *recorder)
{
    if (xr_recorder_may_complain(recorder, XR_COMPLAINT_MEMORY))
        xr_log(&recorder->logger, XR_LOG_ERROR, "out of memory: segments are not recorded");
    return NULL;
}

/* A block of which everything is zero but what every segment has. */
static inline struct xr_segment *new_segment(xray_recorder *recorder, uint32_t flags)
{
    struct xr_segment *segment;

    if (__builtin_expect(recorder->disabled || xr_hooks_running, 0))
        return NULL;
    xr_thread_enter();
    segment = xr_pool_get(XR_POOL_SEGMENT);
    if (__builtin_expect(!segment, 0))
        return no_memory(recorder);
    xr_zero((char *)segment + ZEROED_FROM, ZEROED_TO - ZEROED_FROM);
    segment->flags = flags;
    segment->recorder = recorder;
    segment->fork_generation = xr_fork_generation;
    atomic_store_explicit(&segment->parent, NULL, memory_order_relaxed);
    atomic_store_explicit(&segment->home, xr_thread.id, memory_order_relaxed);
    atomic_store_explicit(&segment->trace[0], 0, memory_order_relaxed);
    atomic_store_explicit(&segment->trace[1], 0, memory_order_relaxed);
    atomic_store_explicit(&segment->id, 0, memory_order_relaxed);
    if (!(flags & XR_FACADE))
        xr_count(recorder, XR_BEGUN, 1);
    return segment;
}

/* The rest, for one that is recorded. */
static void begin_recording(struct xr_segment *segment)
{
    atomic_store_explicit(&segment->id, xr_random_u64() | 1, memory_order_relaxed);
    xr_count(segment->recorder, XR_SAMPLED_COUNT, 1);
}

static void set_name(struct xr_segment *segment, const char *name, const char *otherwise)
{
    bool changed = false;

    segment->name_length = (uint16_t)xr_name_write(segment->text, name && *name ? name : otherwise,
                                                   &changed);
    if (segment->name_length == 0)
        segment->name_length = (uint16_t)xr_name_write(segment->text, otherwise, &changed);
    if (changed)
        xr_count(segment->recorder, XR_TRUNCATED, 1);
}

/* ---- Segments --------------------------------------------------------------- */

static const xray_trace_header no_header;

static bool decide(xray_recorder *recorder, const xray_segment_params *params,
                   xray_sampling_decision *decision)
{
    xray_sampling_request request = {
        .size = sizeof(request),
        .service = params->name && *params->name ? params->name : recorder->service,
        .service_type = recorder->origin,
        .host = params->host,
        .http_method = params->http_method,
        .url_path = params->url_path,
        .now_ns = xr_recorder_ask_clock(recorder),
    };

    decision->sampled = 0;
    decision->rule[0] = '\0';
    xr_recorder_check_fork(recorder);
    xr_hooks_running++;
    recorder->sampler.decide(recorder->sampler.data, &request, decision);
    xr_hooks_running--;
    decision->rule[sizeof(decision->rule) - 1] = '\0';
    return decision->sampled != 0;
}

static void new_trace_id(struct xr_segment *segment)
{
    uint64_t random = xr_random_u64();
    uint32_t second = htobe32((uint32_t)(segment->start_ns / 1000000000));
    xray_trace_id id;

    memcpy(id.bytes, &second, 4);
    memcpy(id.bytes + 4, &random, 8);
    random = xr_random_u64() | 1;
    memcpy(id.bytes + 12, &random, 4);
    xr_segment_set_trace(segment, &id);
}

static void take_header(struct xr_segment *segment, const xray_trace_header *header)
{
    xr_segment_set_trace(segment, &header->trace_id);
    /* In a trace of its own there is no such parent. */
    segment->parent_id = xr_trace_id_is_zero(&header->trace_id) ? 0 : header->parent_id;
    segment->trace_flags = header->flags;
    if (header->sampled == XRAY_SAMPLED_REQUESTED)
        segment->flags |= XR_REQUESTED;
}

/* Unsampled, it only keeps what it needs to tell others where they belong. */
static void keep_extra(struct xr_segment *segment, const xray_trace_header *header)
{
    if (header->extra[0])
        xr_segment_set_texts(segment, header->extra, "", 0);
}

static void start_clock(struct xr_segment *segment, int64_t start_ns)
{
    int64_t now = xr_recorder_anchor(segment->recorder, &segment->clock_offset_ns);

    segment->start_ns = start_ns > 0 ? start_ns : now;
}

struct xr_segment *xr_start_segment(xray_recorder *recorder, const xray_segment_params *params)
{
    const xray_trace_header *header = params->header ? params->header : &no_header;
    struct xr_segment *segment = new_segment(recorder, 0);
    xray_sampling_decision decision;
    bool sampled = header->sampled == XRAY_SAMPLED_YES;

    if (!segment)
        return NULL;
    take_header(segment, header);
    decision.rule[0] = '\0';
    if (header->sampled != XRAY_SAMPLED_YES && header->sampled != XRAY_SAMPLED_NO)
        sampled = decide(recorder, params, &decision);
    if (!sampled) {
        keep_extra(segment, header);
        return segment;
    }
    segment->flags |= XR_SAMPLED | XR_RECORDING;
    begin_recording(segment);
    start_clock(segment, params->start_ns);
    if (xr_trace_id_is_zero(&header->trace_id))
        new_trace_id(segment);
    set_name(segment, params->name, recorder->service);
    xr_segment_set_texts(segment, header->extra, segment->text, segment->name_length);
    if (decision.rule[0])
        (void)xr_describe_rule(segment, decision.rule);
    return segment;
}

/* ---- Subsegments ------------------------------------------------------------ */

static void inherit(struct xr_segment *segment, struct xr_segment *parent)
{
    xray_trace_id trace = xr_segment_trace(parent);

    atomic_store_explicit(&segment->parent, xr_handle(parent), memory_order_relaxed);
    segment->parent_id = atomic_load_explicit(&parent->id, memory_order_relaxed);
    /* Without an id of its own, what it passes on is whom it was called by. */
    if (segment->parent_id == 0)
        segment->parent_id = parent->parent_id;
    segment->trace_flags = parent->trace_flags;
    xr_segment_set_trace(segment, &trace);
}

struct xr_segment *xr_start_subsegment(struct xr_segment *parent,
                                       const xray_subsegment_params *params)
{
    uint32_t inherited = parent->flags & (XR_SAMPLED | XR_RECORDING | XR_PASS_THROUGH |
                                          XR_DECIDED_NO | XR_REQUESTED);
    struct xr_segment *segment = new_segment(parent->recorder, XR_SUBSEGMENT | inherited);

    if (!segment)
        return NULL;
    inherit(segment, parent);
    if (params->not_sampled)
        segment->flags &= ~(uint32_t)(XR_SAMPLED | XR_RECORDING);
    if (!(segment->flags & XR_RECORDING)) {
        if (segment->flags & XR_PASS_THROUGH)
            atomic_store_explicit(&segment->id, segment->parent_id, memory_order_relaxed);
        if (parent->extra_length > 0)
            xr_segment_set_texts(segment, xr_segment_extra(parent), "", 0);
        return segment;
    }
    begin_recording(segment);
    segment->clock_offset_ns = parent->clock_offset_ns;
    segment->start_ns = params->start_ns > 0
                            ? params->start_ns
                            : xr_recorder_now(segment->recorder, segment->clock_offset_ns);
    if (params->traced)
        segment->flags |= XR_TRACED;
    set_name(segment, params->name, "unnamed");
    xr_segment_set_texts(segment, xr_segment_extra(parent), xr_segment_service(parent),
                         parent->service_length);
    if (params->name_space)
        xr_count(segment->recorder, XR_TRUNCATED,
                 xr_describe_namespace(segment, params->name_space));
    return segment;
}

struct xr_segment *xr_start_remote(xray_recorder *recorder, const xray_trace_header *from,
                                   const char *name)
{
    struct xr_segment *segment;
    bool sampled = from->sampled == XRAY_SAMPLED_YES;

    if (xr_trace_id_is_zero(&from->trace_id) || from->parent_id == 0)
        return NULL;
    segment = new_segment(recorder, XR_SUBSEGMENT);
    if (!segment)
        return NULL;
    take_header(segment, from);
    if (!sampled) {
        keep_extra(segment, from);
        return segment;
    }
    segment->flags |= XR_SAMPLED | XR_RECORDING;
    begin_recording(segment);
    start_clock(segment, 0);
    set_name(segment, name, "unnamed");
    xr_segment_set_texts(segment, from->extra, recorder->service, recorder->service_length);
    return segment;
}

/* ---- Lambda ----------------------------------------------------------------- */

struct xr_segment *xr_start_invocation(xray_recorder *recorder, const char *header)
{
    struct xr_segment *segment = new_segment(recorder, XR_FACADE);
    xray_trace_header parsed = { .parent_id = 0 };

    if (!segment)
        return NULL;
    if (header)
        (void)xr_trace_header_parse(&parsed, header);
    take_header(segment, &parsed);
    segment->parent_id = 0;
    atomic_store_explicit(&segment->id, parsed.parent_id, memory_order_relaxed);
    if (parsed.sampled == XRAY_SAMPLED_YES && parsed.parent_id &&
        !xr_trace_id_is_zero(&parsed.trace_id))
        segment->flags |= XR_SAMPLED | XR_RECORDING;
    else
        segment->flags |= XR_PASS_THROUGH;
    if (parsed.sampled == XRAY_SAMPLED_NO)
        segment->flags |= XR_DECIDED_NO;
    (void)xr_recorder_anchor(recorder, &segment->clock_offset_ns);
    xr_segment_set_texts(segment, parsed.extra, recorder->service, recorder->service_length);
    return segment;
}
