/* SPDX-License-Identifier: Apache-2.0 */
/* Which of many rules is the first that a request matches. */
#ifndef XR_SAMPLING_MATCH_H
#define XR_SAMPLING_MATCH_H

#include <xraytrace/sampler.h>

/* Of each text of a request so much is looked at; the rest is as if it were not there. */
#define XR_MATCH_TEXT_MAX 4096

/* Patterns of a rule; NULL, like "*", matches everything, also what is not known. */
struct xr_patterns {
    const char *service;
    const char *service_type;
    const char *host;
    const char *http_method;
    const char *url_path;
    const char *resource_arn;
    const xray_sampling_attribute *attributes; /* each has to be there: keys as they are, patterns
                                                  as values */
    size_t attribute_count;
};

struct xr_matcher;

/* Copies what it needs, in one allocation. Each pattern is below 4 GiB. 0 or -ENOMEM. */
int xr_matcher_new(struct xr_matcher **ret, const struct xr_patterns *rules, size_t count);
void xr_matcher_free(struct xr_matcher *matcher);

/*
 * The index of the first rule that matches, or count. Any thread. request may be
 * NULL. Takes time in proportion to the rules, however their patterns look.
 */
size_t xr_matcher_find(const struct xr_matcher *matcher, const xray_sampling_request *request);

#endif /* XR_SAMPLING_MATCH_H */
