/* SPDX-License-Identifier: Apache-2.0 */
/* Rules from a file: as the API prints them, or the local rules of an SDK. All of it is
   read before any of it is used. */
#include "local/sampling/internal.h"

#include "local/base/json_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a file says, until it is known to be good. */
struct loading {
    struct sampling_service *service;
    struct sampling_problem *problem;
    struct sampling_rule *rules; /* room for as many as the service takes */
    size_t count;
    struct sampling_rule replaced_default; /* json is NULL if it stays */
};

/* Puts the place before the problem that is there. */
static int refuse_at(const struct loading *loading, const char *place)
{
    struct sampling_problem problem = *loading->problem;
    sampling_problem_set(loading->problem, "%s%.250s", place, problem.text);
    return -EINVAL;
}

static int refuse(const struct loading *loading, const char *place, const char *reason)
{
    sampling_problem_set(loading->problem, "%s %s", place, reason);
    return -EINVAL;
}

static bool is_taken(const struct loading *loading, const char *name)
{
    for (size_t i = 0; i < loading->count; i++)
        if (strcmp(loading->rules[i].name, name) == 0)
            return true;
    return sampling_entry_find(loading->service, name);
}

/* Takes input over, NULL if memory ran out. */
static int add_rule(struct loading *loading, cJSON *input, const char *place)
{
    struct sampling_rule rule;
    int r = input ? sampling_rule_new(&rule, input, NULL, loading->problem) : -ENOMEM;
    cJSON_Delete(input);
    if (r == -EINVAL)
        return refuse_at(loading, place);
    if (r < 0)
        return r;
    if (is_taken(loading, rule.name)) {
        sampling_rule_free(&rule);
        sampling_problem_set(loading->problem,
                             "%sRuleName is the name of another rule too: "
                             "give each its own",
                             place);
        return -EINVAL;
    }
    if (loading->service->count - 1 + loading->count == loading->service->settings.rules_max) {
        sampling_rule_free(&rule);
        sampling_problem_set(loading->problem,
                             "%sRuleName names one rule more than the %zu that "
                             "there can be: leave some out",
                             place, loading->service->settings.rules_max);
        return -EINVAL;
    }
    loading->rules[loading->count++] = rule;
    return 0;
}

/* Of the rule Default only how much it samples is taken. */
static int set_default(struct loading *loading, double fixed_rate, uint32_t reservoir_size)
{
    if (loading->replaced_default.json)
        sampling_rule_free(&loading->replaced_default);
    return sampling_rule_default(&loading->replaced_default, fixed_rate, reservoir_size);
}

/* ---- As the API has them ----------------------------------------------------- */

static int read_default(struct loading *loading, const cJSON *input, const char *place)
{
    const cJSON *rate = sampling_member(input, "FixedRate");
    const cJSON *size = sampling_member(input, "ReservoirSize");
    if (!cJSON_IsNumber(rate) || !(rate->valuedouble >= 0) || !(rate->valuedouble <= 1)) {
        sampling_problem_set(loading->problem, "FixedRate must be a number from 0 to 1");
        return refuse_at(loading, place);
    }
    if (!sampling_whole(size, 0, INT32_MAX)) {
        sampling_problem_set(loading->problem, "ReservoirSize must be a whole number, 0 or more");
        return refuse_at(loading, place);
    }
    return set_default(loading, rate->valuedouble, (uint32_t)size->valuedouble);
}

static int read_record(struct loading *loading, const cJSON *rule, const char *place)
{
    const char *name = cJSON_GetStringValue(sampling_member(rule, "RuleName"));
    if (name && strcmp(name, SAMPLING_DEFAULT) == 0)
        return read_default(loading, rule, place);
    return add_rule(loading, cJSON_Duplicate(rule, true), place);
}

static int read_records(struct loading *loading, const cJSON *records)
{
    const cJSON *record;
    char place[64];
    size_t at = 0;
    int r = 0;
    if (!cJSON_IsArray(records))
        return refuse(loading, "SamplingRuleRecords", "must be an array");
    cJSON_ArrayForEach(record, records)
    {
        const cJSON *rule = sampling_member(record, "SamplingRule");
        snprintf(place, sizeof place, "SamplingRuleRecords[%zu].SamplingRule", at++);
        if (!cJSON_IsObject(rule))
            return refuse(loading, place, "must be an object");
        strcat(place, ".");
        r = read_record(loading, rule, place);
        if (r < 0)
            break;
    }
    return r;
}

/* ---- As SDKs have them ------------------------------------------------------- */

struct local_pattern {
    const char *name; /* NULL: nothing in the file, "*" here */
    const char *api_name;
    size_t longest;
};

static int check_quota(const struct loading *loading, const cJSON *object, const char *place)
{
    const cJSON *target = sampling_member(object, "fixed_target");
    const cJSON *rate = sampling_member(object, "rate");
    char name[64];
    snprintf(name, sizeof name, "%s.fixed_target", place);
    if (!sampling_whole(target, 0, INT32_MAX))
        return refuse(loading, name, "must be a whole number, 0 or more");
    snprintf(name, sizeof name, "%s.rate", place);
    if (!cJSON_IsNumber(rate) || !(rate->valuedouble >= 0) || !(rate->valuedouble <= 1))
        return refuse(loading, name, "must be a number from 0 to 1");
    return 0;
}

/* The description, if it can be a name that no other rule has. */
static void name_rule(const struct loading *loading, const cJSON *rule, size_t at, char *ret,
                      size_t size)
{
    const char *description = cJSON_GetStringValue(sampling_member(rule, "description"));
    size_t length = description ? strlen(description) : 0;
    if (length > 0 && length <= 32 && !is_taken(loading, description))
        snprintf(ret, size, "%s", description);
    else
        snprintf(ret, size, "rule %zu", at + 1);
}

static int read_local_rule(struct loading *loading, const cJSON *rule, size_t at, int version)
{
    const struct local_pattern patterns[] = {
        { version == 1 ? "service_name" : "host", "Host", 64 },
        { "http_method", "HTTPMethod", 10 },
        { "url_path", "URLPath", 128 },
        { NULL, "ServiceName", 0 },
        { NULL, "ServiceType", 0 },
        { NULL, "ResourceARN", 0 },
    };
    char place[32];
    char name[64];
    snprintf(place, sizeof place, "rules[%zu]", at);
    if (!cJSON_IsObject(rule))
        return refuse(loading, place, "must be an object");
    int r = check_quota(loading, rule, place);
    if (r < 0)
        return r;
    cJSON *input = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const char *text = patterns[i].name
                               ? cJSON_GetStringValue(sampling_member(rule, patterns[i].name))
                               : "*";
        if (!text || !*text ||
            (patterns[i].longest && sampling_characters(text) > patterns[i].longest)) {
            cJSON_Delete(input);
            sampling_problem_set(loading->problem,
                                 "%s.%s must be a pattern of 1 to %zu characters, such as \"*\"",
                                 place, patterns[i].name, patterns[i].longest);
            return -EINVAL;
        }
        cJSON_AddStringToObject(input, patterns[i].api_name, text);
    }
    name_rule(loading, rule, at, name, sizeof name);
    cJSON_AddStringToObject(input, "RuleName", name);
    cJSON_AddNumberToObject(input, "Priority", (double)at + 1);
    cJSON_AddNumberToObject(input, "FixedRate", sampling_member(rule, "rate")->valuedouble);
    cJSON_AddNumberToObject(input, "ReservoirSize",
                            sampling_member(rule, "fixed_target")->valuedouble);
    cJSON_AddNumberToObject(input, "Version", 1);
    strcat(place, ".");
    return add_rule(loading, input, place);
}

static int read_local(struct loading *loading, const cJSON *document)
{
    const cJSON *version = sampling_member(document, "version");
    const cJSON *fallback = sampling_member(document, "default");
    const cJSON *rules = sampling_member(document, "rules");
    const cJSON *rule;
    size_t at = 0;
    if (!sampling_whole(version, 1, 2))
        return refuse(loading, "version", "must be the number 1 or 2");
    if (!cJSON_IsObject(fallback))
        return refuse(loading, "default", "must be an object with fixed_target and rate");
    if (rules && !cJSON_IsArray(rules))
        return refuse(loading, "rules", "must be an array");
    int r = check_quota(loading, fallback, "default");
    if (r == 0)
        r = set_default(loading, sampling_member(fallback, "rate")->valuedouble,
                        (uint32_t)sampling_member(fallback, "fixed_target")->valuedouble);
    cJSON_ArrayForEach(rule, rules)
    {
        if (r < 0)
            break;
        r = read_local_rule(loading, rule, at++, version->valueint);
    }
    return r;
}

/* ---- The file ---------------------------------------------------------------- */

static int read_document(struct loading *loading, const cJSON *document)
{
    const cJSON *records = sampling_member(document, "SamplingRuleRecords");
    const cJSON *rule = sampling_member(document, "SamplingRule");
    if (records)
        return read_records(loading, records);
    if (rule && !cJSON_IsObject(rule))
        return refuse(loading, "SamplingRule", "must be an object");
    if (rule)
        return read_record(loading, rule, "SamplingRule.");
    if (sampling_member(document, "version"))
        return read_local(loading, document);
    sampling_problem_set(loading->problem,
                         "there must be SamplingRuleRecords, as GetSamplingRules returns them, "
                         "or version, default and rules, as SDKs have them");
    return -EINVAL;
}

/* NULL with the problem; memory that ran out looks like a text that is no JSON. */
static cJSON *parse(const char *text, size_t length, struct sampling_problem *problem)
{
    struct json_error error;
    if (length > SAMPLING_FILE_MAX_BYTES) {
        sampling_problem_set(problem, "there must be at most %zu bytes", SAMPLING_FILE_MAX_BYTES);
        return NULL;
    }
    if (json_text_check(text, length, &error)) {
        cJSON *document = cJSON_ParseWithLength(text, length);
        if (!document)
            sampling_problem_set(problem, "there is not enough memory for it");
        return document;
    }
    size_t line = 1;
    size_t column = 1;
    for (size_t i = 0; i < error.offset; i++) {
        column = text[i] == '\n' ? 1 : column + 1;
        line += text[i] == '\n';
    }
    sampling_problem_set(problem, "line %zu, column %zu: %s", line, column, error.reason);
    return NULL;
}

static int use(struct loading *loading, int64_t now_ns)
{
    struct sampling_service *service = loading->service;
    int r = 0;
    if (loading->replaced_default.json) {
        sampling_entry_replace(service, sampling_entry_find(service, SAMPLING_DEFAULT),
                               &loading->replaced_default, now_ns);
        loading->replaced_default.json = NULL;
    }
    while (loading->count > 0 && r == 0) {
        r = sampling_entry_add(service, &loading->rules[loading->count - 1], now_ns,
                               loading->problem);
        if (r == 0)
            loading->count--;
    }
    return r;
}

int sampling_service_load(struct sampling_service *service, const char *text, size_t length,
                          int64_t now_ns, struct sampling_problem *problem)
{
    struct loading loading = { .service = service, .problem = problem };
    cJSON *document = parse(text, length, problem);
    if (!document)
        return -EINVAL;
    loading.rules = calloc(service->settings.rules_max, sizeof *loading.rules);
    int r = loading.rules ? read_document(&loading, document) : -ENOMEM;
    if (r == 0)
        r = use(&loading, now_ns);
    while (loading.count > 0)
        sampling_rule_free(&loading.rules[--loading.count]);
    if (loading.replaced_default.json)
        sampling_rule_free(&loading.replaced_default);
    free(loading.rules);
    cJSON_Delete(document);
    return r;
}
