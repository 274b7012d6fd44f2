/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/rate.h"

#include <math.h>

#include "base/alloc.h"
#include "sampling/sampler.h"

static void decide_never(void *data, const xray_sampling_request *request,
                         xray_sampling_decision *ret)
{
    (void)data;
    (void)request;
    xr_decision_fill(ret, false);
}

static void decide_always(void *data, const xray_sampling_request *request,
                          xray_sampling_decision *ret)
{
    (void)data;
    (void)request;
    xr_decision_fill(ret, true);
}

static void decide_by_quota(void *data, const xray_sampling_request *request,
                            xray_sampling_decision *ret)
{
    xr_decision_fill(ret, xr_quota_decide(data, request));
}

static void destroy(void *data)
{
    xr_free(data, sizeof(struct xr_quota));
}

int xr_sampler_rate(xray_sampler *ret, double per_second, double fraction)
{
    xray_sampler sampler = { .size = sizeof(sampler), .destroy = destroy };
    int r = xr_sampler_check(ret);
    struct xr_quota *quota;

    if (r < 0)
        return r;
    /* Written so that NaN is out of range too. */
    if (!(per_second >= 0 && per_second < (double)INFINITY && fraction >= 0 && fraction <= 1))
        return -EINVAL;

    if (fraction >= 1) {
        sampler.decide = decide_always;
    } else if (per_second < 1 && fraction <= 0) {
        sampler.decide = decide_never;
    } else {
        quota = xr_alloc(sizeof(*quota));
        if (!quota)
            return -ENOMEM;
        xr_quota_init(quota, per_second < UINT32_MAX ? (uint32_t)per_second : UINT32_MAX, fraction);
        sampler.data = quota;
        sampler.decide = decide_by_quota;
    }
    xr_sampler_fill(ret, &sampler);
    return 0;
}

enum xr_rate_kind xr_sampler_rate_kind(const xray_sampler *sampler)
{
    if (sampler->decide == decide_never)
        return XR_RATE_NEVER;
    if (sampler->decide == decide_always)
        return XR_RATE_ALWAYS;
    return sampler->decide == decide_by_quota ? XR_RATE_QUOTA : XR_RATE_NONE;
}
