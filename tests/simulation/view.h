/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client has been told, read a second time and in the plainest way: which
 * rule a request is for, whether its reservoir grants it, at which rate chance
 * decides, and what the next report has to say.
 */
#ifndef SIMULATION_VIEW_H
#define SIMULATION_VIEW_H

#include "service.h"

#define RULES_VALID_NS (3600 * NS_PER_S)

struct rule_view {
    bool there;
    double fixed_rate, rate;
    uint32_t reservoir, quota;
    int64_t quota_until_ns;
    int64_t second; /* and what of the reservoir was used in it */
    uint32_t used;
    struct counts made, known; /* what was decided, and what X-Ray is known to have of it */
    struct counts told;        /* by the call under way */
};

struct view {
    bool any; /* rules have come */
    int64_t fetched_ns;
    struct rule_view rules[DECIDER_COUNT];
    struct rule_view pages[RULE_COUNT]; /* of rules that are coming */
};

enum grant {
    GRANT_NONE, /* chance decides */
    GRANT_QUOTA,
    GRANT_BORROWED,
};

void view_begin(struct view *ret);

/* Which rule decides a request that is meant for one. */
int view_rule(const struct view *view, int meant, int64_t now_ns);

/* Whether the reservoir grants a request now. */
enum grant view_grant(struct view *view, int rule, int64_t now_ns);
void view_count(struct view *view, int rule, enum grant grant, bool sampled);

/* A call for targets: false if it does not tell exactly what is to be told. */
bool view_check_report(struct view *view, const char *body, size_t length);

/* A reply that is known to be a good one. */
void view_take_rules(struct view *view, const cJSON *reply, int64_t now_ns);
void view_drop_pages(struct view *view); /* one did not come */
void view_take_targets(struct view *view, const cJSON *reply);

/* What was decided and is not known to have arrived. */
uint64_t view_pending(const struct view *view);

#endif /* SIMULATION_VIEW_H */
