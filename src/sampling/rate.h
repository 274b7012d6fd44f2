/* SPDX-License-Identifier: Apache-2.0 */
/* A sampler without rules: so many a second, and a fraction of the rest. */
#ifndef XR_SAMPLING_RATE_H
#define XR_SAMPLING_RATE_H

#include <xraytrace/sampler.h>

/* What is sampled where nobody says anything else. */
#define XR_RATE_PER_SECOND_DEFAULT 1
#define XR_RATE_FRACTION_DEFAULT   0.05

/* As xray_sampler_rate(), without a log line. */
int xr_sampler_rate(xray_sampler *ret, double per_second, double fraction);

enum xr_rate_kind {
    XR_RATE_NONE, /* another sampler */
    XR_RATE_NEVER,
    XR_RATE_ALWAYS,
    XR_RATE_QUOTA, /* its data is an xr_quota */
};

enum xr_rate_kind xr_sampler_rate_kind(const xray_sampler *sampler);

#endif /* XR_SAMPLING_RATE_H */
