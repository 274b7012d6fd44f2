/* SPDX-License-Identifier: Apache-2.0 */
/* A recorder: settings, hooks, counts; and how a finished document leaves it. */
#ifndef XR_RECORDER_RECORDER_H
#define XR_RECORDER_RECORDER_H

#include <stdatomic.h>

#include <xraytrace/recorder.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "model/document.h"
#include "recorder/counters.h"

/* What may be complained about, each at most once a minute. */
enum xr_complaint {
    XR_COMPLAINT_CONTEXT,
    XR_COMPLAINT_MEMORY,
    XR_COMPLAINT_FAILURE, /* and one for each xr_failure */
    XR_COMPLAINTS = XR_COMPLAINT_FAILURE + 5,
};

/* Why an emitter did not take a document. */
enum xr_failure {
    XR_REFUSED,
    XR_BUSY,
    XR_NO_BUFFERS,
    XR_TOO_LARGE,
    XR_OTHER_FAILURE,
};

/* The library's own samplers without rules need to know nothing of a request. */
enum xr_decides {
    XR_ASKS,
    XR_DECIDES_NO,
    XR_DECIDES_YES,
    XR_DECIDES_BY_QUOTA,
};

struct xr_adaptive;
struct xr_capture;

struct xray_recorder {
    bool disabled;
    bool is_librarys_own;
    bool collects_queries;
    bool makes_no_ids;
    int32_t context_missing;
    int32_t decides; /* xr_decides */
    size_t stream_bytes;
    xray_emitter emitter;
    xray_sampler sampler;
    bool passes_rule;             /* on to callees, in the trace header */
    struct xr_adaptive *adaptive; /* what anomalies are; may be NULL */
    struct xr_capture *capture;   /* NULL: unsampled segments are not kept */
    xray_clock clock;             /* without now_ns: the system's */
    struct xr_logger logger;
    struct xr_counters counters;
    struct xr_document_constants constants;
    const char *origin; /* may be NULL, like the next one */
    const char *resource_arn;
    _Atomic uint32_t fork_generation; /* whose process the hooks are ready for */
    _Atomic uint32_t fork_prepared;   /* or are being made ready for */
    uint16_t service_length;
    char service[XR_NAME_ROOM + XR_SIXTEEN_OVER];
    _Atomic int64_t complained_ns[XR_COMPLAINTS];
    size_t text_bytes;
    char *text; /* what constants, origin and resource_arn point into */
};

int xr_recorder_new(xray_recorder **ret, const xray_recorder_params *params);
void xr_recorder_free(xray_recorder *recorder);
int xr_recorder_flush(xray_recorder *recorder, int timeout_ms);

/* One that records nothing, for when none can be made. NULL when out of memory. */
xray_recorder *xr_recorder_new_disabled(void);

static inline void xr_count(xray_recorder *recorder, enum xr_counter counter, uint64_t amount)
{
    xr_counters_add(&recorder->counters, counter, amount);
}

/* True when a complaint is due. */
bool xr_recorder_may_complain(xray_recorder *recorder, enum xr_complaint complaint);

void xr_recorder_after_fork(xray_recorder *recorder);

/* Before a hook is called in what may be a forked child. */
static inline void xr_recorder_check_fork(xray_recorder *recorder)
{
    if (__builtin_expect(atomic_load_explicit(&recorder->fork_generation, memory_order_acquire) !=
                             xr_fork_generation,
                         0))
        xr_recorder_after_fork(recorder);
}

/* Hands a document to the emitter, and counts what becomes of it. */
void xr_recorder_emit(xray_recorder *recorder, const xray_document *document);

/* What the emitter lost after it took it. */
void xr_recorder_get_losses(xray_recorder *recorder, xray_losses *ret);

/* What the clock hook says, or 0 without one. */
int64_t xr_recorder_ask_clock(const xray_recorder *recorder);

/* The time by the recorder's clock; offset_ns is added to the system's monotonic clock. */
static inline int64_t xr_recorder_now(const xray_recorder *recorder, int64_t offset_ns)
{
    if (__builtin_expect(recorder->clock.now_ns != NULL, 0))
        return xr_recorder_ask_clock(recorder);
    return xr_clock_monotonic_ns() + offset_ns;
}

/* The present time, and the offset that gives later times of the same document. */
static inline int64_t xr_recorder_anchor(const xray_recorder *recorder, int64_t *ret_offset_ns)
{
    int64_t now;

    *ret_offset_ns = 0;
    if (__builtin_expect(recorder->clock.now_ns != NULL, 0))
        return xr_recorder_ask_clock(recorder);
    now = xr_clock_real_ns();
    *ret_offset_ns = now - xr_clock_monotonic_ns();
    return now;
}

#endif /* XR_RECORDER_RECORDER_H */
