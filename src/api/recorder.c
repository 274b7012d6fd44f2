/* SPDX-License-Identifier: Apache-2.0 */
/* xraytrace/recorder.h. */
#include <xraytrace/recorder.h>

#include <errno.h>

#include "api/api.h"
#include "base/alloc.h"
#include "base/hook.h"
#include "recorder/default.h"
#include "recorder/library.h"

int xray_set_allocator(const xray_allocator *allocator)
{
    xray_allocator copy;
    int r;

    if (!allocator)
        return -EINVAL;
    r = xr_hook_copy(&copy, allocator, sizeof(copy));
    if (r < 0)
        return r;
    if (!copy.allocate || !copy.release)
        return -EINVAL;
    return xr_alloc_set(&(struct xr_allocator){ copy.data, copy.allocate, copy.release }) ? 0
                                                                                          : -EBUSY;
}

int xray_recorder_new(xray_recorder **ret, const xray_recorder_params *params)
{
    if (!ret)
        return -EINVAL;
    xr_library_enter();
    return xr_recorder_new(ret, params);
}

void xray_recorder_free(xray_recorder *recorder)
{
    xr_recorder_free(recorder);
}

xray_recorder *xray_recorder_default(void)
{
    return xr_default();
}

void xray_recorder_set_default(xray_recorder *recorder)
{
    if (recorder && recorder->is_librarys_own)
        recorder = NULL;
    atomic_store_explicit(&xr_default_lent, recorder, memory_order_release);
}

int xray_recorder_give_default(xray_recorder *recorder)
{
    return recorder ? xr_default_give(recorder) : -EINVAL;
}

int xray_recorder_flush(xray_recorder *recorder, int timeout_ms)
{
    return recorder ? xr_recorder_flush(recorder, timeout_ms) : 0;
}

static uint64_t sum(xray_recorder *recorder, enum xr_counter counter)
{
    return xr_counters_sum(&recorder->counters, counter);
}

/* An emitter may have lost what is not yet counted as emitted. */
static uint64_t less(uint64_t count, uint64_t lost)
{
    return count > lost ? count - lost : 0;
}

static void sum_all(xray_recorder *recorder, xray_stats *ret)
{
    xray_losses lost;

    xr_recorder_get_losses(recorder, &lost);
    ret->begun = sum(recorder, XR_BEGUN);
    ret->sampled = sum(recorder, XR_SAMPLED_COUNT);
    ret->embedded = sum(recorder, XR_EMBEDDED);
    ret->emitted = less(sum(recorder, XR_EMITTED),
                        lost.refused + lost.busy + lost.no_buffers + lost.too_large + lost.other);
    ret->truncated = sum(recorder, XR_TRUNCATED);
    ret->failed_refused = sum(recorder, XR_FAILED_REFUSED) + lost.refused;
    ret->failed_busy = sum(recorder, XR_FAILED_BUSY) + lost.busy;
    ret->failed_no_buffers = sum(recorder, XR_FAILED_NO_BUFFERS) + lost.no_buffers;
    ret->failed_too_large = sum(recorder, XR_FAILED_TOO_LARGE) + lost.too_large;
    ret->failed_other = sum(recorder, XR_FAILED_OTHER) + lost.other;
    ret->failed = ret->failed_refused + ret->failed_busy + ret->failed_no_buffers +
                  ret->failed_too_large + ret->failed_other;
    ret->dropped_memory = sum(recorder, XR_DROPPED_MEMORY);
    ret->dropped_fork = sum(recorder, XR_DROPPED_FORK);
    ret->dropped = ret->dropped_memory + ret->dropped_fork;
    ret->in_progress = sum(recorder, XR_IN_PROGRESS);
    ret->in_progress_failed = sum(recorder, XR_IN_PROGRESS_FAILED) + lost.in_progress;
    ret->requests = sum(recorder, XR_REQUESTS);
    ret->sampled_anomalies = sum(recorder, XR_SAMPLED_ANOMALIES);
    ret->anomalies = sum(recorder, XR_ANOMALIES);
    ret->captured = less(sum(recorder, XR_CAPTURED_COUNT), lost.captured);
    ret->refused = sum(recorder, XR_REFUSED_BUDGET);
    ret->capture_failed = sum(recorder, XR_CAPTURE_FAILED) + lost.captured;
    ret->captured_parts = less(sum(recorder, XR_CAPTURED_PARTS), lost.captured_parts);
    ret->capture_dropped = sum(recorder, XR_CAPTURE_DROPPED) + lost.captured_parts;
}

void xray_recorder_get_stats(xray_recorder *recorder, xray_stats *ret)
{
    xray_stats stats = { 0 };
    size_t size = ret ? ret->size : 0;

    if (!recorder || size < sizeof(size))
        return;
    sum_all(recorder, &stats);
    stats.size = size;
    memcpy(ret, &stats, size < sizeof(stats) ? size : sizeof(stats));
}
