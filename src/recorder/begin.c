/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/hook.h"
#include "base/random.h"
#include "model/describe.h"
#include "recorder/lifecycle.h"
#include "recorder/outcome.h"
#include "recorder/usual.h"
#include "wire/trace_header.h"

static struct xr_segment *no_memory(xray_recorder *recorder)
{
    if (xr_recorder_may_complain(recorder, XR_COMPLAINT_MEMORY))
        xr_log(&recorder->logger, XR_LOG_ERROR, "out of memory: segments are not recorded");
    return NULL;
}

/* A block with what every segment has; the rest is for those that are recorded. */
static inline struct xr_segment *new_segment(xray_recorder *recorder, uint32_t flags)
{
    struct xr_segment *segment;

    if (__builtin_expect(recorder->disabled || xr_thread.hooks_running, 0))
        return NULL;
    xr_thread_enter();
    segment = xr_pool_get(XR_POOL_SEGMENT);
    if (__builtin_expect(!segment, 0))
        return no_memory(recorder);
    xr_segment_set_up(segment, recorder, flags, 0);
    if (!(flags & XR_FACADE))
        xr_count(recorder, XR_BEGUN, 1);
    return segment;
}

static __attribute__((__noinline__)) void begin_judged(struct xr_segment *segment)
{
    segment->kind = 0;
    if (!(segment->flags & XR_CAPTURED))
        xr_count(segment->recorder, XR_SAMPLED_COUNT, 1);
}

/* The rest, for one that is recorded; after this its clock, its name and its texts. */
static inline void begin_recording(struct xr_segment *segment)
{
    segment->flags |= XR_RECORDING;
    segment->fork_generation = xr_fork_generation;
    segment->sections = 0;
    segment->omitted = 0;
    segment->known = 0;
    segment->keys = 0;
    segment->links = 0;
    atomic_store_explicit(&segment->id, xr_random_u64() | 1, memory_order_relaxed);
    if (__builtin_expect(!(segment->flags & XR_JUDGED), 1))
        xr_count(segment->recorder, XR_SAMPLED_COUNT, 1);
    else
        begin_judged(segment);
}

static void set_name(struct xr_segment *segment, const char *name, const char *otherwise)
{
    bool changed = false;

    if (!name || !*name)
        name = otherwise;
    segment->name_length = (uint16_t)xr_name_write(segment->text, name, &changed);
    if (__builtin_expect(changed, 0))
        xr_count(segment->recorder, XR_TRUNCATED, 1);
}

/* ---- Segments --------------------------------------------------------------- */

static const xray_trace_header no_header;

static bool decide(xray_recorder *recorder, const char *name, const xray_segment_params *params,
                   xray_sampling_decision *decision)
{
    xray_sampling_request request = {
        .size = sizeof(request),
        .service = name && *name ? name : recorder->service,
        .service_type = recorder->origin,
        .host = params->host,
        .http_method = params->http_method,
        .url_path = params->url_path,
        .now_ns = xr_recorder_ask_clock(recorder),
        .resource_arn = params->resource_arn ? params->resource_arn : recorder->resource_arn,
        .attributes = params->attributes,
        .attribute_count = params->attribute_count,
    };
    struct xr_hook_call call;

    if (recorder->decides == XR_DECIDES_YES || recorder->decides == XR_DECIDES_NO)
        return recorder->decides == XR_DECIDES_YES;
    xr_recorder_check_fork(recorder);
    call = xr_hook_enter();
    recorder->sampler.decide(recorder->sampler.data, &request, decision);
    xr_hook_leave(call);
    decision->rule[sizeof(decision->rule) - 1] = '\0';
    return decision->sampled != 0;
}

static struct xr_segment_text service_of(const xray_recorder *recorder)
{
    return (struct xr_segment_text){ recorder->service, recorder->service_length };
}

static void new_trace_id(struct xr_segment *segment)
{
    uint64_t second = (uint64_t)(segment->start_ns / 1000000000);
    uint64_t words[2] = { htobe64(second << 32 | xr_random_u64() >> 32), xr_random_u64() | 1 };
    xray_trace_id id;

    memcpy(id.bytes, words, sizeof(words));
    xr_segment_set_trace(segment, &id);
}

static void take_header(struct xr_segment *segment, const xray_trace_header *header)
{
    /* In a trace of its own there is no such parent. */
    xr_segment_set_place(segment, NULL, &header->trace_id,
                         xr_trace_id_is_zero(&header->trace_id) ? 0 : header->parent_id,
                         header->flags);
    if (header->sampled == XRAY_SAMPLED_REQUESTED)
        segment->flags |= XR_REQUESTED;
}

static const struct xr_segment_text no_text = { "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0 };

/* It may be a caller's own, and without an end. */
static struct xr_segment_text extra_of(const xray_trace_header *header)
{
    return header->extra[0]
               ? (struct xr_segment_text){ header->extra,
                                           strnlen(header->extra, sizeof(header->extra) - 1) }
               : no_text;
}

static struct xr_segment_text extra_of_segment(const struct xr_segment *segment)
{
    return (struct xr_segment_text){ xr_segment_extra(segment), segment->extra_length };
}

/* Unsampled, it only keeps what it needs to tell others where they belong. */
static void keep_extra(struct xr_segment *segment, const xray_trace_header *header)
{
    if (header->extra[0])
        xr_segment_set_texts(segment, extra_of(header), no_text);
}

static void start_clock(struct xr_segment *segment, int64_t start_ns)
{
    int64_t now = xr_recorder_anchor(segment->recorder, &segment->clock_offset_ns);

    segment->start_ns = start_ns > 0 ? start_ns : now;
}

static __attribute__((__noinline__)) void
record_segment(struct xr_segment *segment, uint32_t flags, const char *name,
               const xray_segment_params *params, const xray_trace_header *header, const char *rule)
{
    segment->flags |= flags;
    begin_recording(segment);
    start_clock(segment, params->start_ns);
    if (xr_trace_id_is_zero(&header->trace_id))
        new_trace_id(segment);
    set_name(segment, name, segment->recorder->service);
    xr_segment_set_texts(segment, extra_of(header),
                         (struct xr_segment_text){ segment->text, segment->name_length });
    if (rule[0])
        (void)xr_describe_rule(segment, rule);
}

static uint32_t recorded_flags(const xray_recorder *recorder, bool sampled)
{
    return (sampled ? XR_SAMPLED : XR_CAPTURED) | (recorder->capture ? XR_JUDGED : 0);
}

/*
 * The sampler hears how it ends when it asked for it, or when the caller says by
 * whose rule it decided: then it is recorded, whatever was decided.
 */
static __attribute__((__noinline__)) void record_for_report(struct xr_segment *segment,
                                                            uint32_t flags, const char *name,
                                                            const xray_segment_params *params,
                                                            const xray_trace_header *header,
                                                            const xray_sampling_decision *decision)
{
    const xray_recorder *recorder = segment->recorder;
    char upstream[XR_RULE_HASH_DIGITS + 1];
    xray_trace_header copy = *header;

    copy.extra[sizeof(copy.extra) - 1] = '\0';
    if (decision->report || (recorder->passes_rule && xr_rule_field_read(copy.extra, upstream)))
        flags |= XR_JUDGED | XR_REPORTED;
    if (recorder->passes_rule && decision->report && decision->rule[0] &&
        !xr_rule_field_read(copy.extra, upstream))
        xr_rule_field_add(copy.extra, sizeof(copy.extra), decision->rule);
    if (flags & (XR_SAMPLED | XR_JUDGED))
        record_segment(segment, flags, name, params, &copy, decision->rule);
    else
        keep_extra(segment, &copy);
}

struct xr_segment *xr_start_segment(xray_recorder *recorder, const char *name,
                                    const xray_segment_params *params)
{
    const xray_trace_header *header = params->header ? params->header : &no_header;
    struct xr_segment *segment = new_segment(recorder, 0);
    xray_sampling_decision decision;
    bool sampled = header->sampled == XRAY_SAMPLED_YES;

    if (!segment)
        return NULL;
    take_header(segment, header);
    decision.sampled = 0;
    decision.rule[0] = '\0';
    decision.report = 0;
    if (header->sampled != XRAY_SAMPLED_YES && header->sampled != XRAY_SAMPLED_NO)
        sampled = decide(recorder, name, params, &decision);
    if (__builtin_expect(recorder->sampler.report != NULL, 0))
        record_for_report(segment, recorded_flags(recorder, sampled), name, params, header,
                          &decision);
    else if (sampled || recorder->capture)
        record_segment(segment, recorded_flags(recorder, sampled), name, params, header,
                       decision.rule);
    else
        keep_extra(segment, header);
    return segment;
}

/* ---- Subsegments ------------------------------------------------------------ */

static inline void record_child(struct xr_segment *segment, const struct xr_segment *parent,
                                const char *name, int64_t start_ns)
{
    begin_recording(segment);
    segment->clock_offset_ns = parent->clock_offset_ns;
    segment->start_ns = start_ns > 0 ? start_ns
                                     : xr_recorder_now(segment->recorder, segment->clock_offset_ns);
    set_name(segment, name, "unnamed");
    xr_segment_set_texts(
        segment, extra_of_segment(parent),
        (struct xr_segment_text){ xr_segment_service(parent), parent->service_length });
}

xray_segment *xr_usual_begin_recorded(struct xr_segment *parent, const char *name)
{
    uint32_t inherited = parent->flags &
                         (XR_SAMPLED | XR_RECORDING | XR_REQUESTED | XR_CAPTURED | XR_JUDGED);
    struct xr_segment *segment;

    if ((parent->flags & (XR_RECORDING | XR_PASS_THROUGH)) != XR_RECORDING ||
        !xr_usual_is_ready(parent->recorder))
        return NULL;
    segment = xr_usual_new(parent->recorder, XR_SUBSEGMENT | inherited);
    xr_segment_inherit(segment, parent);
    record_child(segment, parent, name, 0);
    return xr_current_push(segment);
}

static __attribute__((__noinline__)) void record_subsegment(struct xr_segment *segment,
                                                            const struct xr_segment *parent,
                                                            const char *name,
                                                            const xray_subsegment_params *params)
{
    record_child(segment, parent, name, params->start_ns);
    if (params->traced)
        segment->flags |= XR_TRACED;
    if (params->name_space)
        xr_count(segment->recorder, XR_TRUNCATED,
                 xr_describe_namespace(segment, params->name_space));
}

/* Unsampled, it only passes on what came in. */
static void keep_parents(struct xr_segment *segment, const struct xr_segment *parent)
{
    if (segment->flags & XR_PASS_THROUGH)
        atomic_store_explicit(&segment->id, segment->parent_id, memory_order_relaxed);
    if (__builtin_expect(parent->extra_length > 0, 0))
        xr_segment_set_texts(segment, extra_of_segment(parent), no_text);
}

struct xr_segment *xr_start_subsegment(struct xr_segment *parent, const char *name,
                                       const xray_subsegment_params *params)
{
    uint32_t inherited = parent->flags & (XR_SAMPLED | XR_RECORDING | XR_PASS_THROUGH |
                                          XR_DECIDED_NO | XR_REQUESTED | XR_CAPTURED | XR_JUDGED);
    struct xr_segment *segment = new_segment(parent->recorder, XR_SUBSEGMENT | inherited);

    if (!segment)
        return NULL;
    xr_segment_inherit(segment, parent);
    if (params->not_sampled)
        segment->flags &= ~(uint32_t)(XR_SAMPLED | XR_RECORDING | XR_CAPTURED | XR_JUDGED);
    if (__builtin_expect((segment->flags & XR_RECORDING) == 0, 1))
        keep_parents(segment, parent);
    else
        record_subsegment(segment, parent, name, params);
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
    if (!sampled && !recorder->capture) {
        keep_extra(segment, from);
        return segment;
    }
    segment->flags |= recorded_flags(recorder, sampled);
    begin_recording(segment);
    start_clock(segment, 0);
    set_name(segment, name, "unnamed");
    xr_segment_set_texts(segment, extra_of(from), service_of(recorder));
    return segment;
}

/* ---- Lambda ----------------------------------------------------------------- */

struct xr_segment *xr_start_invocation(xray_recorder *recorder, const char *header)
{
    struct xr_segment *segment = new_segment(recorder, XR_FACADE);
    xray_trace_header parsed = { .parent_id = 0 };
    bool placed, captured;

    if (!segment)
        return NULL;
    if (header)
        (void)xr_trace_header_parse(&parsed, header);
    take_header(segment, &parsed);
    segment->parent_id = 0;
    atomic_store_explicit(&segment->id, parsed.parent_id, memory_order_relaxed);
    placed = parsed.parent_id && !xr_trace_id_is_zero(&parsed.trace_id);
    captured = placed && recorder->capture;
    if (placed && parsed.sampled == XRAY_SAMPLED_YES)
        segment->flags |= XR_SAMPLED | XR_RECORDING;
    else
        segment->flags |= XR_PASS_THROUGH | (captured ? XR_RECORDING | XR_CAPTURED : 0);
    if (captured)
        segment->flags |= XR_JUDGED;
    if (parsed.sampled == XRAY_SAMPLED_NO)
        segment->flags |= XR_DECIDED_NO;
    (void)xr_recorder_anchor(recorder, &segment->clock_offset_ns);
    xr_segment_set_texts(segment, extra_of(&parsed), service_of(recorder));
    return segment;
}
