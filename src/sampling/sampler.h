/* SPDX-License-Identifier: Apache-2.0 */
/* What the library's samplers have in common. */
#ifndef XR_SAMPLING_SAMPLER_H
#define XR_SAMPLING_SAMPLER_H

#include <errno.h>
#include <string.h>

#include <xraytrace/sampler.h>

#include "base/clock.h"
#include "base/random.h"
#include "sampling/reservoir.h"

_Static_assert(sizeof(xray_sampling_decision) == 64, "a decision is 64 bytes for good");

/* Whether a constructor can fill *ret: 0 or -EINVAL. Ask before making anything. */
static inline int xr_sampler_check(const xray_sampler *ret)
{
    if (!ret || ret->size < offsetof(xray_sampler, destroy) + sizeof(ret->destroy))
        return -EINVAL;
    return 0;
}

/* Copies what the caller has room for, and zero into what only the caller knows. */
static inline void xr_sampler_fill(xray_sampler *ret, const xray_sampler *made)
{
    size_t size = ret->size;

    memset(ret, 0, size);
    memcpy(ret, made, size < sizeof(*made) ? size : sizeof(*made));
    ret->size = size;
}

#define XR_REQUEST_HAS(request, member) \
    ((request) &&                       \
     (request)->size >= offsetof(xray_sampling_request, member) + sizeof((request)->member))

/*
 * The first of each second, then a fraction of the rest. Reads the clock only if
 * it matters; request may be NULL.
 */
struct xr_quota {
    struct xr_reservoir reservoir;
    double fraction;
};

static inline bool xr_quota_decide(struct xr_quota *quota, const xray_sampling_request *request)
{
    if (quota->fraction >= 1)
        return true;
    if (quota->reservoir.per_second > 0) {
        int64_t now_ns = XR_REQUEST_HAS(request, now_ns) ? request->now_ns : 0;

        if (xr_reservoir_take(&quota->reservoir, now_ns != 0 ? now_ns : xr_clock_coarse_ns()))
            return true;
    }
    return quota->fraction > 0 && xr_random_chance(quota->fraction);
}

/* No rule is named: local rules have no names in X-Ray. */
static inline void xr_decision_fill(xray_sampling_decision *ret, bool sampled)
{
    memset(ret, 0, sizeof(*ret));
    ret->sampled = sampled;
}

#endif /* XR_SAMPLING_SAMPLER_H */
