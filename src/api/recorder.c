/* SPDX-License-Identifier: Apache-2.0 */
/* xraytrace/recorder.h. */
#include <xraytrace/recorder.h>

#include <errno.h>

#include "api/api.h"
#include "base/alloc.h"
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

int xray_recorder_flush(xray_recorder *recorder, int timeout_ms)
{
    return recorder ? xr_recorder_flush(recorder, timeout_ms) : 0;
}

void xray_recorder_get_stats(xray_recorder *recorder, xray_stats *ret)
{
    xray_stats stats = { 0 };
    size_t size = ret ? ret->size : 0;

    if (!recorder || size < sizeof(size))
        return;
    stats.size = size;
    stats.begun = xr_counters_sum(&recorder->counters, XR_BEGUN);
    stats.sampled = xr_counters_sum(&recorder->counters, XR_SAMPLED_COUNT);
    stats.embedded = xr_counters_sum(&recorder->counters, XR_EMBEDDED);
    stats.emitted = xr_counters_sum(&recorder->counters, XR_EMITTED);
    stats.failed = xr_counters_sum(&recorder->counters, XR_FAILED);
    stats.dropped = xr_counters_sum(&recorder->counters, XR_DROPPED);
    stats.truncated = xr_counters_sum(&recorder->counters, XR_TRUNCATED);
    memcpy(ret, &stats, size < sizeof(stats) ? size : sizeof(stats));
}
