/* SPDX-License-Identifier: Apache-2.0 */
/* The sampling document of the X-Ray SDKs, versions 1 and 2, and a sampler that goes by one. */
#ifndef XR_SAMPLING_RULES_H
#define XR_SAMPLING_RULES_H

#include <xraytrace/sampler.h>

#include "base/log.h"
#include "sampling/match.h"
#include "sampling/sampler.h"

/* Longest document that is read. */
#define XR_RULES_TEXT_MAX (1U << 20)

/* The rules in order, and the default behind them. Decisions change only the reservoirs. */
struct xr_rules {
    struct xr_matcher *matcher;
    size_t count;
    struct xr_quota quotas[]; /* count and one */
};

/* Where a text is from, and who hears what is wrong with it. */
struct xr_rules_source {
    const struct xr_logger *logger;
    const char *name;  /* of a file or a variable; may be NULL */
    bool keeps_former; /* whose rules stay when these are refused */
};

/*
 * text has a zero behind it. 0, -ENOMEM, or -EINVAL when it is refused: then the
 * line of what is no JSON is logged, or the rule and the member with the reason.
 */
int xr_rules_new(struct xr_rules **ret, const char *text, size_t length,
                 const struct xr_rules_source *source);
void xr_rules_free(void *rules);

/* Logs why what is there is refused, with the source's name behind it. */
void xr_rules_complain(const struct xr_rules_source *source, const char *format, ...)
    __attribute__((__format__(__printf__, 2, 3)));

void xr_rules_decide(struct xr_rules *rules, const xray_sampling_request *request,
                     xray_sampling_decision *ret);

/* As xray_sampler_local(). */
int xr_sampler_rules(xray_sampler *ret, const char *text, const struct xr_rules_source *source);

#endif /* XR_SAMPLING_RULES_H */
