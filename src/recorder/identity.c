/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/identity.h"

#include <string.h>

#include "base/random.h"
#include "base/zero.h"
#include "recorder/capture.h"
#include "recorder/recorder.h"

/* Two threads may ask at once: the first to store decides. 0 means not made yet. */
static uint64_t make_once(_Atomic uint64_t *word, uint64_t made)
{
    uint64_t expected = 0;

    return atomic_compare_exchange_strong(word, &expected, made) ? made : expected;
}

static void make_trace_id(struct xr_segment *segment, xray_trace_id *ret)
{
    int64_t offset_ns;
    int64_t now_ns = xr_recorder_anchor(segment->recorder, &offset_ns);
    uint32_t second = htobe32((uint32_t)(now_ns / 1000000000));
    uint64_t words[2] = { xr_random_u64(), xr_random_u64() | 1 };

    memcpy(words, &second, sizeof(second));
    words[1] = make_once(&segment->trace[1], words[1]);
    words[0] = make_once(&segment->trace[0], words[0]);
    memcpy(ret->bytes, words, sizeof(words));
}

/*
 * The trace id of an unsampled segment: its own, else that of the nearest one
 * around it that has one, else a new one for the outermost that is still open.
 * One that ends meanwhile is left out, as if it had ended before.
 */
static void identify_trace(struct xr_segment *segment, xray_trace_id *ret)
{
    struct xr_segment *outermost = segment;

    for (;;) {
        const xray_segment *handle = atomic_load_explicit(&outermost->parent, memory_order_relaxed);
        struct xr_segment *parent = xr_segment_of(handle);

        if (!parent)
            break;
        *ret = xr_segment_trace(parent);
        atomic_thread_fence(memory_order_acquire);
        if (xr_segment_of(handle) != parent)
            break;
        outermost = parent;
        if (!xr_trace_id_is_zero(ret))
            return;
    }
    make_trace_id(outermost, ret);
    if (outermost != segment)
        xr_segment_set_trace(segment, ret);
}

void xr_header_of(struct xr_segment *segment, xray_trace_header *ret)
{
    xr_zero(ret, sizeof(*ret));
    ret->trace_id = xr_segment_trace(segment);
    ret->parent_id = atomic_load_explicit(&segment->id, memory_order_relaxed);
    ret->flags = segment->trace_flags;
    memcpy(ret->extra, xr_segment_extra(segment), segment->extra_length);
    if (segment->flags & XR_PASS_THROUGH) {
        ret->sampled = segment->flags & XR_DECIDED_NO ? XRAY_SAMPLED_NO : XRAY_SAMPLED_UNKNOWN;
        return;
    }
    ret->sampled = segment->flags & XR_SAMPLED ? XRAY_SAMPLED_YES : XRAY_SAMPLED_NO;
    if (!(segment->flags & XR_SAMPLED) && segment->recorder->makes_no_ids) {
        ret->parent_id = segment->parent_id;
        return;
    }
    if (xr_trace_id_is_zero(&ret->trace_id))
        identify_trace(segment, &ret->trace_id);
    if (ret->parent_id == 0)
        ret->parent_id = make_once(&segment->id, xr_random_u64() | 1);
}

static const char kept[] = "Kept=1";

bool xr_response_says_kept(const xray_trace_header *response)
{
    const char *p = response->extra;
    size_t length = strnlen(p, sizeof(response->extra) - 1);

    for (const char *end = p + length; p < end;) {
        size_t field = strcspn(p, ";");

        if (field == sizeof(kept) - 1 && memcmp(p, kept, field) == 0)
            return true;
        p += field + 1;
    }
    return false;
}

void xr_response_header_of(struct xr_segment *segment, xray_trace_header *ret)
{
    xray_trace_header header;

    xr_header_of(segment, &header);
    xr_zero(ret, sizeof(*ret));
    ret->trace_id = header.trace_id;
    if (segment->flags & XR_REQUESTED)
        ret->sampled = header.sampled;
    if ((segment->flags & XR_CAPTURED) && xr_capture_goes_across(segment->recorder->capture) &&
        xr_capture_wants(segment->recorder->capture, segment, 0))
        memcpy(ret->extra, kept, sizeof(kept));
}
