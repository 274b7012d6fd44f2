/* SPDX-License-Identifier: Apache-2.0 */
/* The library's own samplers. */
#include <xraytrace/sampler.h>

#include <errno.h>

#include "base/log.h"
#include "sampling/rate.h"
#include "sampling/rules.h"
#include "sampling/rules_file.h"

int xray_sampler_rate(xray_sampler *ret, double per_second, double fraction)
{
    int r = xr_sampler_rate(ret, per_second, fraction);

    if (r == -EINVAL)
        xr_log(
            &xr_log_stderr, XR_LOG_ERROR,
            "xray_sampler_rate: give a sampler with its size set, per_second of 0 or more, and a "
            "fraction from 0 to 1");
    return r;
}

int xray_sampler_local(xray_sampler *ret, const char *rules_json)
{
    const struct xr_rules_source source = { .logger = &xr_log_stderr };

    return xr_sampler_rules(ret, rules_json, &source);
}

int xray_sampler_file(xray_sampler *ret, const char *path)
{
    return xr_sampler_rules_file(ret, path, &xr_log_stderr);
}
