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

/* The first of each second, then a fraction of the rest. */
struct xr_quota {
    struct xr_reservoir reservoir;
    bool always;
    uint64_t limit; /* of a random number, for the fraction */
};

static inline void xr_quota_init(struct xr_quota *ret, uint32_t per_second, double fraction)
{
    xr_reservoir_init(&ret->reservoir, per_second);
    ret->always = fraction >= 1;
    ret->limit = ret->always ? UINT64_MAX : xr_random_limit(fraction);
}

/* By the system's clock, which it reads only if it matters. */
static inline bool xr_quota_decide_now(struct xr_quota *quota)
{
    uint32_t second;

    if (quota->always)
        return true;
    if (quota->reservoir.per_second > 0) {
        second = (uint32_t)xr_clock_coarse_s();
        if (__builtin_expect(!xr_reservoir_is_used_up(&quota->reservoir, second), 0) &&
            xr_reservoir_take(&quota->reservoir, second * XR_NS_PER_S))
            return true;
    }
    return xr_random_u64() < quota->limit;
}

/* By the request's time, if it has one. request may be NULL. */
static inline bool xr_quota_decide(struct xr_quota *quota, const xray_sampling_request *request)
{
    int64_t now_ns = XR_REQUEST_HAS(request, now_ns) ? request->now_ns : 0;

    if (now_ns == 0)
        return xr_quota_decide_now(quota);
    return quota->always ||
           (quota->reservoir.per_second > 0 && xr_reservoir_take(&quota->reservoir, now_ns)) ||
           xr_random_u64() < quota->limit;
}

/* No rule is named: local rules have no names in X-Ray. */
static inline void xr_decision_fill(xray_sampling_decision *ret, bool sampled)
{
    memset(ret, 0, sizeof(*ret));
    ret->sampled = sampled;
}

#endif /* XR_SAMPLING_SAMPLER_H */
