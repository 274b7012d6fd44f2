/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that decide. A set of rules never changes; what has been counted and
 * granted belongs to the name of a rule, and goes from one set to the next. What
 * a deleted rule has counted goes with it: X-Ray takes no more reports of it.
 */
#ifndef XR_SAMPLING_CENTRAL_SET_H
#define XR_SAMPLING_CENTRAL_SET_H

#include <stdatomic.h>

#include "sampling/central_page.h"
#include "sampling/reservoir.h"

/* How a request was decided. Their sum is the number of requests, so that no count runs ahead. */
enum {
    XR_DECIDED_NOT,
    XR_DECIDED_SAMPLED,
    XR_DECIDED_BORROWED,
    XR_DECIDED_COUNT,
};

enum {
    XR_BOOST_TOTAL,
    XR_BOOST_ANOMALIES,
    XR_BOOST_SAMPLED_ANOMALIES,
    XR_BOOST_COUNT,
};

/* What a service saw of the traces that a rule began. */
struct xr_boost {
    struct xr_boost *next;
    size_t bytes; /* of this block */
    _Atomic uint64_t counts[XR_BOOST_COUNT];
    uint64_t reported[XR_BOOST_COUNT]; /* the poller's */
    char service[];
};

#define XR_BOOST_SERVICES_MAX 8 /* of a rule; further ones are counted for "default" */

struct xr_rule_state {
    _Atomic uint64_t counts[XR_DECIDED_COUNT];
    struct xr_reservoir reservoir; /* of the quota, or of borrowing */
    _Atomic int64_t quota_until_ns;
    _Atomic double target_rate; /* below 0: none yet */
    _Atomic double boost_rate;
    _Atomic int64_t boost_until_ns;
    _Atomic uint32_t quota;
    char name[XR_RULE_NAME_MAX + 1];
    _Atomic(struct xr_boost *) boosts;

    /* The poller's. */
    uint64_t reported[XR_DECIDED_COUNT];
    int64_t due_ns; /* its next report */
    int64_t interval_ns;
    uint64_t hash;  /* of its name, as callers downstream know it */
    unsigned users; /* sets that have it */
};

struct xr_rule {
    struct xr_rule_state *state;
    double fixed_rate;
    uint32_t reservoir_size;
    bool boost;
    bool no_default;
};

struct xr_rule_set {
    size_t bytes; /* of this block */
    size_t count;
    size_t boosted;
    int64_t fetched_ns;
    struct xr_matcher *matcher;
    struct xr_rule **by_name; /* all */
    struct xr_rule **by_hash; /* those with a boost */
    struct xr_rule rules[];   /* in the order that they apply */
};

/*
 * From sorted drafts. Takes over what former (or NULL) has of the same names.
 * 0 or -ENOMEM.
 */
int xr_rule_set_new(struct xr_rule_set **ret, const struct xr_drafts *drafts,
                    const struct xr_rule_set *former, int64_t now_ns);
void xr_rule_set_free(void *set);

/* NULL when there is none. */
struct xr_rule *xr_rule_set_find(const struct xr_rule_set *set, const char *name);

/* By the first eight bytes of the SHA-256 of its name; only rules with a boost. */
struct xr_rule *xr_rule_set_find_hash(const struct xr_rule_set *set, uint64_t hash);

/* One of the XR_DECIDED_…, which has been counted. */
int xr_rule_decide(const struct xr_rule *rule, int64_t now_ns);

/* The counts of a service, made when they are not there; NULL without memory. Any thread. */
struct xr_boost *xr_rule_boost(struct xr_rule_state *state, const char *service);

/* Nothing counted, no quota. */
void xr_rule_state_after_fork(struct xr_rule_state *state);

#endif /* XR_SAMPLING_CENTRAL_SET_H */
