/* SPDX-License-Identifier: Apache-2.0 */
/* A sampling rule as the X-Ray API has it: what is allowed in one, and what is read
   often. */
#ifndef LOCAL_SAMPLING_RULE_H
#define LOCAL_SAMPLING_RULE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#define SAMPLING_DEFAULT          "Default"
#define SAMPLING_DEFAULT_PRIORITY 10000u
#define SAMPLING_ARN_PREFIX       "arn:aws:xray:local:000000000000:sampling-rule/"

struct sampling_rule {
    cJSON *json;      /* the SamplingRule, with every member */
    const char *name; /* in json, as arn */
    const char *arn;
    unsigned priority;
    double fixed_rate;
    uint32_t reservoir_size;
    bool has_boost;
    double boost_rate;
    uint32_t boost_cooldown_minutes;
};

/* What is wrong, with the place and the remedy, for people. */
struct sampling_problem {
    char text[320];
};

void sampling_problem_set(struct sampling_problem *ret, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The rule that input describes; what it leaves out is taken from `former`, unless
   that is NULL. 0, -EINVAL with the problem, or -ENOMEM. */
int sampling_rule_new(struct sampling_rule *ret, const cJSON *input,
                      const struct sampling_rule *former, struct sampling_problem *problem);
int sampling_rule_default(struct sampling_rule *ret, double fixed_rate, uint32_t reservoir_size);
void sampling_rule_free(struct sampling_rule *rule);

bool sampling_rule_is_default(const struct sampling_rule *rule);
/* By priority, then by name: the order in which they are tried. */
int sampling_rule_compare(const struct sampling_rule *a, const struct sampling_rule *b);

/* A member that is there and not null, or NULL. */
const cJSON *sampling_member(const cJSON *object, const char *name);
/* A whole number from least to most. */
bool sampling_whole(const cJSON *item, double least, double most);
/* Of UTF-8. */
size_t sampling_characters(const char *text);

#endif
