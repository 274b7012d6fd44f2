/* SPDX-License-Identifier: Apache-2.0 */
#include "local/sampling/rule.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_CHARACTERS 32
#define ATTRIBUTES_MAX      5
#define ATTRIBUTE_MAX       32

static const struct pattern {
    const char *name;
    size_t longest;
} patterns[] = {
    { "ResourceARN", 500 }, { "ServiceName", 64 }, { "ServiceType", 64 },
    { "Host", 64 },         { "HTTPMethod", 10 },  { "URLPath", 128 },
};

void sampling_problem_set(struct sampling_problem *ret, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(ret->text, sizeof ret->text, format, arguments);
    va_end(arguments);
}

const cJSON *sampling_member(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNull(item) ? NULL : item;
}

bool sampling_whole(const cJSON *item, double least, double most)
{
    return cJSON_IsNumber(item) && item->valuedouble >= least && item->valuedouble <= most &&
           item->valuedouble == (double)(int64_t)item->valuedouble;
}

size_t sampling_characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* ---- What is allowed --------------------------------------------------------- */

/* A rule while it is read: from where, and what came out. */
struct reading {
    const cJSON *input;
    const cJSON *former; /* or NULL */
    cJSON *json;
    struct sampling_problem *problem;
    bool is_default;
};

/* NULL, with the problem, if a member is in neither. */
static const cJSON *need(const struct reading *reading, const char *name)
{
    const cJSON *item = sampling_member(reading->input, name);
    if (!item)
        item = sampling_member(reading->former, name);
    if (!item)
        sampling_problem_set(reading->problem, "%s is missing", name);
    return item;
}

static bool read_number(const struct reading *reading, const char *name, double least, double most,
                        bool whole)
{
    const cJSON *item = need(reading, name);
    if (!item)
        return false;
    if (whole ? !sampling_whole(item, least, most)
              : !cJSON_IsNumber(item) || !(item->valuedouble >= least) ||
                    !(item->valuedouble <= most)) {
        sampling_problem_set(reading->problem, "%s must be a %s from %.0f to %.0f", name,
                             whole ? "whole number" : "number", least, most);
        return false;
    }
    cJSON_AddNumberToObject(reading->json, name, item->valuedouble);
    return true;
}

static bool read_name(const struct reading *reading)
{
    const cJSON *item = need(reading, "RuleName");
    char arn[sizeof SAMPLING_ARN_PREFIX + NAME_MAX_CHARACTERS * 4];
    if (!item)
        return false;
    if (!cJSON_IsString(item) || !*item->valuestring ||
        sampling_characters(item->valuestring) > NAME_MAX_CHARACTERS) {
        sampling_problem_set(reading->problem, "RuleName must have 1 to %d characters",
                             NAME_MAX_CHARACTERS);
        return false;
    }
    snprintf(arn, sizeof arn, "%s%s", SAMPLING_ARN_PREFIX, item->valuestring);
    cJSON_AddStringToObject(reading->json, "RuleName", item->valuestring);
    cJSON_AddStringToObject(reading->json, "RuleARN", arn);
    return true;
}

static bool read_patterns(const struct reading *reading)
{
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const cJSON *item = need(reading, patterns[i].name);
        if (!item)
            return false;
        if (!cJSON_IsString(item) || sampling_characters(item->valuestring) > patterns[i].longest) {
            sampling_problem_set(reading->problem,
                                 "%s must be a pattern of at most %zu characters, such as \"*\"",
                                 patterns[i].name, patterns[i].longest);
            return false;
        }
        cJSON_AddStringToObject(reading->json, patterns[i].name, item->valuestring);
    }
    return true;
}

static bool is_attribute(const char *text)
{
    return text && *text && sampling_characters(text) <= ATTRIBUTE_MAX;
}

/* Always there in the result: some SDKs pass over a rule without it. */
static bool read_attributes(const struct reading *reading)
{
    const cJSON *item;
    const cJSON *attributes = sampling_member(reading->input, "Attributes");
    if (!attributes)
        attributes = sampling_member(reading->former, "Attributes");
    cJSON *copy = cJSON_AddObjectToObject(reading->json, "Attributes");
    if (!attributes)
        return true;
    if (!cJSON_IsObject(attributes) || cJSON_GetArraySize(attributes) > ATTRIBUTES_MAX) {
        sampling_problem_set(reading->problem, "Attributes must be an object of at most %d strings",
                             ATTRIBUTES_MAX);
        return false;
    }
    cJSON_ArrayForEach(item, attributes)
    {
        if (!is_attribute(item->string) || !is_attribute(cJSON_GetStringValue(item))) {
            sampling_problem_set(reading->problem,
                                 "Attributes must have keys and values of 1 to %d characters",
                                 ATTRIBUTE_MAX);
            return false;
        }
        cJSON_AddStringToObject(copy, item->string, item->valuestring);
    }
    return true;
}

static bool read_boost(const struct reading *reading)
{
    const char *const name = "SamplingRateBoost";
    const cJSON *boost = sampling_member(reading->input, name);
    if (!boost)
        boost = sampling_member(reading->former, name);
    if (!boost)
        return true;
    struct reading inner = { .input = boost, .problem = reading->problem };
    inner.json = cJSON_AddObjectToObject(reading->json, name);
    if (read_number(&inner, "MaxRate", 0, 1, false) &&
        read_number(&inner, "CooldownWindowMinutes", 0, INT32_MAX, true))
        return true;
    struct sampling_problem problem = *reading->problem;
    sampling_problem_set(reading->problem, "%s.%.250s", name, problem.text);
    return false;
}

static bool read_rule(const struct reading *reading)
{
    unsigned first = reading->is_default ? SAMPLING_DEFAULT_PRIORITY : 1;
    unsigned last = reading->is_default ? SAMPLING_DEFAULT_PRIORITY : SAMPLING_DEFAULT_PRIORITY - 1;
    return read_name(reading) && read_number(reading, "Priority", first, last, true) &&
           read_number(reading, "FixedRate", 0, 1, false) &&
           read_number(reading, "ReservoirSize", 0, INT32_MAX, true) && read_patterns(reading) &&
           read_number(reading, "Version", 1, 1, true) && read_attributes(reading) &&
           read_boost(reading);
}

/* ---- Rules ------------------------------------------------------------------- */

static double number(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    return item ? item->valuedouble : 0;
}

/* 0, or -ENOMEM if a member could not be added. */
static int index_rule(struct sampling_rule *rule, cJSON *json)
{
    static const char *const last_members[] = { "FixedRate", "ReservoirSize", "URLPath", "Version",
                                                "Attributes" };
    const cJSON *boost = cJSON_GetObjectItemCaseSensitive(json, "SamplingRateBoost");
    for (size_t i = 0; i < sizeof last_members / sizeof *last_members; i++)
        if (!cJSON_GetObjectItemCaseSensitive(json, last_members[i]))
            return -ENOMEM;
    *rule = (struct sampling_rule){
        .json = json,
        .name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "RuleName")),
        .arn = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "RuleARN")),
        .priority = (unsigned)number(json, "Priority"),
        .fixed_rate = number(json, "FixedRate"),
        .reservoir_size = (uint32_t)number(json, "ReservoirSize"),
        .has_boost = boost,
        .boost_rate = number(boost, "MaxRate"),
        .boost_cooldown_minutes = (uint32_t)number(boost, "CooldownWindowMinutes"),
    };
    return rule->name && rule->arn && rule->priority ? 0 : -ENOMEM;
}

static int read_new(struct sampling_rule *ret, struct reading *reading)
{
    reading->json = cJSON_CreateObject();
    int r = !reading->json ? -ENOMEM : read_rule(reading) ? 0 : -EINVAL;
    if (r == 0)
        r = index_rule(ret, reading->json);
    if (r < 0)
        cJSON_Delete(reading->json);
    return r;
}

int sampling_rule_new(struct sampling_rule *ret, const cJSON *input,
                      const struct sampling_rule *former, struct sampling_problem *problem)
{
    struct reading reading = { .input = input,
                               .former = former ? former->json : NULL,
                               .problem = problem,
                               .is_default = former && sampling_rule_is_default(former) };
    if (!cJSON_IsObject(input)) {
        sampling_problem_set(problem, "must be an object");
        return -EINVAL;
    }
    return read_new(ret, &reading);
}

int sampling_rule_default(struct sampling_rule *ret, double fixed_rate, uint32_t reservoir_size)
{
    struct sampling_problem problem;
    cJSON *input = cJSON_CreateObject();
    struct reading reading = { .input = input, .problem = &problem, .is_default = true };
    cJSON_AddStringToObject(input, "RuleName", SAMPLING_DEFAULT);
    cJSON_AddNumberToObject(input, "Priority", SAMPLING_DEFAULT_PRIORITY);
    cJSON_AddNumberToObject(input, "FixedRate", fixed_rate);
    cJSON_AddNumberToObject(input, "ReservoirSize", reservoir_size);
    cJSON_AddNumberToObject(input, "Version", 1);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        cJSON_AddStringToObject(input, patterns[i].name, "*");
    int r = read_new(ret, &reading);
    cJSON_Delete(input);
    return r;
}

void sampling_rule_free(struct sampling_rule *rule)
{
    cJSON_Delete(rule->json);
    rule->json = NULL;
}

bool sampling_rule_is_default(const struct sampling_rule *rule)
{
    return rule->priority == SAMPLING_DEFAULT_PRIORITY;
}

int sampling_rule_compare(const struct sampling_rule *a, const struct sampling_rule *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    return strcmp(a->name, b->name);
}
