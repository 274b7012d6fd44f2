/* SPDX-License-Identifier: Apache-2.0 */
/* What the day is made of: rules, requests and chance. Nothing here knows of a library. */
#ifndef SIMULATION_TRAFFIC_H
#define SIMULATION_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xraytrace/sampler.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)
#define HOURS(n)  ((int64_t)(n)*3600 * NS_PER_S)

enum {
    RULE_HEALTH,
    RULE_BETA,
    RULE_PAYMENTS,
    RULE_CAMPAIGN, /* only for some hours */
    RULE_SEARCH,
    RULE_JOBS,
    RULE_DEFAULT,
    RULE_COUNT,
    RULE_LOCAL = RULE_COUNT, /* decided without rules of X-Ray */
    DECIDER_COUNT,
};

struct rule {
    const char *name;
    double fixed_rate;
    uint32_t reservoir;
    const char *rest; /* of the SamplingRule */
};

extern const struct rule rules[RULE_COUNT];

/* Of the local sampler. */
#define LOCAL_RESERVOIR 1
#define LOCAL_RATE      0.05

/* A request as programs make them, and which rule is meant for it. */
struct shape {
    int weight; /* of 100 */
    int rule;
    xray_sampling_request request;
};

#define SHAPE_COUNT 8
extern const struct shape shapes[SHAPE_COUNT];

/* Its name, or RULE_COUNT for none. */
int rule_named(const char *name);

/* ---- Chance ------------------------------------------------------------------ */

/* SplitMix64: of the test's own, so that what the library takes changes nothing here. */
struct chance {
    uint64_t state;
};

uint64_t chance_next(struct chance *chance);
double chance_fraction(struct chance *chance); /* below 1 */
int64_t chance_between(struct chance *chance, int64_t least, int64_t most);
int64_t chance_wait(struct chance *chance, double per_second); /* ns until the next of a kind */
const struct shape *chance_shape(struct chance *chance);

#endif /* SIMULATION_TRAFFIC_H */
