/* SPDX-License-Identifier: Apache-2.0 */
/* The sampling document of the X-Ray SDKs, version 2, as a sampler. */
#ifndef XR_SAMPLING_RULES_H
#define XR_SAMPLING_RULES_H

#include <xraytrace/sampler.h>

/* Longest document that is read. */
#define XR_RULES_TEXT_MAX (1U << 20)

/* As xray_sampler_local(): the reason of a refusal is logged, with the rule and the member. */
int xr_sampler_rules(xray_sampler *ret, const char *text);

#endif /* XR_SAMPLING_RULES_H */
