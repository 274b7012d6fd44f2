/* SPDX-License-Identifier: Apache-2.0 */
/* A sampler without rules: so many a second, and a fraction of the rest. */
#ifndef XR_SAMPLING_RATE_H
#define XR_SAMPLING_RATE_H

#include <xraytrace/sampler.h>

/* As xray_sampler_rate(), without a log line. */
int xr_sampler_rate(xray_sampler *ret, double per_second, double fraction);

/* 0 or 1 for one of these that always decides so, else -1. */
int xr_sampler_rate_constant(const xray_sampler *sampler);

#endif /* XR_SAMPLING_RATE_H */
