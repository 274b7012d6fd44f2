/* SPDX-License-Identifier: Apache-2.0 */
/* Replies to GetSamplingRules: the rules of all pages, checked and in the order that they apply. */
#ifndef XR_SAMPLING_CENTRAL_PAGE_H
#define XR_SAMPLING_CENTRAL_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sampling/match.h"

#define XR_RULE_NAME_MAX       32 /* bytes: a decision has room for no more */
#define XR_RULE_ATTRIBUTES_MAX 5

/* A rule as X-Ray has it. */
struct xr_draft {
    size_t bytes; /* of this block */
    size_t arrival;
    int32_t priority;
    uint32_t reservoir_size;
    double fixed_rate;
    bool boost;      /* it has a SamplingRateBoost */
    bool no_default; /* anomalies are only what a configuration says */
    struct xr_patterns patterns;
    xray_sampling_attribute attributes[XR_RULE_ATTRIBUTES_MAX];
    char name[XR_RULE_NAME_MAX + 1];
    char text[];
};

/* All zero at first. */
struct xr_drafts {
    struct xr_draft **list;
    size_t count;
    size_t capacity;
    size_t skipped; /* of another version, or broken */
    size_t excess;  /* more than are kept */
    size_t bytes;   /* of the pages so far */
    unsigned pages;
    char *token; /* of the next page; NULL: there is none */
};

/*
 * 0; -EBADMSG for what is no page of rules, -E2BIG for more than is taken, or
 * -ENOMEM: then the drafts are of no use, except to be cleared.
 */
int xr_drafts_add(struct xr_drafts *drafts, const char *body, size_t length);

/* In the order of priority and name, Default last. Of rules with the same name the last counts. */
void xr_drafts_sort(struct xr_drafts *drafts);

void xr_drafts_clear(struct xr_drafts *drafts);

#endif /* XR_SAMPLING_CENTRAL_PAGE_H */
