/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/rules.h"

#include "base/alloc.h"

void xr_rules_free(void *memory)
{
    struct xr_rules *rules = memory;

    if (!rules)
        return;
    xr_matcher_free(rules->matcher);
    xr_free(rules, sizeof(*rules) + (rules->count + 1) * sizeof(*rules->quotas));
}

void xr_rules_decide(struct xr_rules *rules, const xray_sampling_request *request,
                     xray_sampling_decision *ret)
{
    size_t index = xr_matcher_find(rules->matcher, request);

    xr_decision_fill(ret, xr_quota_decide(&rules->quotas[index], request));
}

static void decide(void *data, const xray_sampling_request *request, xray_sampling_decision *ret)
{
    xr_rules_decide(data, request, ret);
}

int xr_sampler_rules(xray_sampler *ret, const char *text, const struct xr_rules_source *source)
{
    xray_sampler sampler = { .size = sizeof(sampler), .decide = decide, .destroy = xr_rules_free };
    struct xr_rules *rules;
    int r;

    if (xr_sampler_check(ret) < 0 || !text) {
        xr_rules_complain(source, "give a sampler with its size set, and a document");
        return -EINVAL;
    }
    r = xr_rules_new(&rules, text, strnlen(text, XR_RULES_TEXT_MAX + 1), source);
    if (r < 0)
        return r;
    sampler.data = rules;
    xr_sampler_fill(ret, &sampler);
    return 0;
}
