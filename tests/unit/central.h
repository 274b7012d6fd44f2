/* SPDX-License-Identifier: Apache-2.0 */
/* X-Ray's side of central sampling, as text, and a clock that the test sets. */
#ifndef TESTS_UNIT_CENTRAL_H
#define TESTS_UNIT_CENTRAL_H

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "sampling/central.h"

#define NS_PER_S INT64_C(1000000000)
#define NOW_S    INT64_C(1500000000)
#define NOW      (NOW_S * NS_PER_S)

#define CLIENT "0123456789abcdef01234567"

#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))

/* A record of a rule that matches everything, with further members. */
#define RULE(name, priority, rate, reservoir, more)                                                \
    "{\"SamplingRule\":{\"RuleName\":\"" name "\",\"Priority\":" #priority ",\"FixedRate\":" #rate \
    ",\"ReservoirSize\":" #reservoir                                                               \
    ",\"ServiceName\":\"*\",\"ServiceType\":\"*\",\"Host\":\"*\",\"HTTPMethod\":\"*\","            \
    "\"ResourceARN\":\"*\",\"Version\":1,\"Attributes\":{}" more "},\"CreatedAt\":1500000000.5,"   \
    "\"ModifiedAt\":1500000000.5}"
#define PATH(path)               ",\"URLPath\":\"" path "\""
#define DEFAULT(rate, reservoir) RULE("Default", 10000, rate, reservoir, PATH("*"))
#define PAGE(rules)              "{\"SamplingRuleRecords\":[" rules "],\"NextToken\":null}"
#define PAGE_BEFORE(rules, token) \
    "{\"SamplingRuleRecords\":[" rules "],\"NextToken\":\"" token "\"}"
#define TARGETS(targets)         "{\"SamplingTargetDocuments\":[" targets "],\"LastRuleModification\":1.0}"
#define TARGET(name, rate, more) "{\"RuleName\":\"" name "\",\"FixedRate\":" #rate more "}"
#define QUOTA(quota, until)      ",\"ReservoirQuota\":" #quota ",\"ReservoirQuotaTTL\":" #until

struct log_lines {
    int count;
    int level; /* of the last one */
    char last[512];
};

static inline void keep_line(void *data, int level, const char *message)
{
    struct log_lines *lines = data;

    lines->count++;
    lines->level = level;
    snprintf(lines->last, sizeof(lines->last), "%s", message);
}

static inline struct xr_central *central_new(struct log_lines *lines)
{
    struct xr_logger logger = { lines, lines ? XR_LOG_DEBUG : XR_LOG_SILENT, keep_line };
    struct xr_central *central = NULL;

    cr_assert_eq(xr_central_new(&central, CLIENT, &logger), 0);
    return central;
}

static inline struct xr_central_call next(struct xr_central *central, int64_t now_ns)
{
    struct xr_central_call call;

    memset(&call, 0x5a, sizeof(call));
    xr_central_next(central, now_ns, &call);
    return call;
}

/* It has to be asked now. */
static inline struct xr_central_call asked(struct xr_central *central, const char *path,
                                           int64_t now_ns)
{
    struct xr_central_call call = next(central, now_ns);

    cr_assert_not_null(call.path, "nothing is asked, but %s should be", path);
    cr_assert_str_eq(call.path, path);
    return call;
}

static inline void reply(struct xr_central *central, int status, const char *text, int64_t now_ns)
{
    xr_central_reply(central, status, text, text ? strlen(text) : 0, now_ns);
}

/* Rules as its one page. */
static inline void give_rules(struct xr_central *central, const char *text, int64_t now_ns)
{
    asked(central, "/GetSamplingRules", now_ns);
    reply(central, 200, text, now_ns);
}

static inline struct xr_central *central_with(const char *rules)
{
    struct xr_central *central = central_new(NULL);

    give_rules(central, rules, NOW);
    cr_assert_null(next(central, NOW).path);
    return central;
}

static inline xray_sampling_decision decision(struct xr_central *central, const char *path,
                                              int64_t now_ns)
{
    xray_sampling_request request = { .size = sizeof(request), .url_path = path };
    xray_sampling_decision decided;

    memset(&decided, 0x5a, sizeof(decided));
    cr_assert(xr_central_decide(central, &request, now_ns, &decided));
    return decided;
}

static inline int sampled(struct xr_central *central, const char *path, int64_t now_ns,
                          int requests)
{
    int count = 0;

    for (int i = 0; i < requests; i++)
        count += decision(central, path, now_ns).sampled;
    return count;
}

static inline bool decides(struct xr_central *central, int64_t now_ns)
{
    xray_sampling_decision decided;

    return xr_central_decide(central, NULL, now_ns, &decided);
}

/* What a call for targets says of a rule. */
struct report {
    int documents;
    double requests, sampled, borrowed;
    double timestamp;
};

static inline double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    cr_assert(cJSON_IsNumber(item), "%s is no number", name);
    return item->valuedouble;
}

static inline struct report report_of(const struct xr_central_call *call, const char *rule)
{
    cJSON *body = cJSON_ParseWithLength(call->body, call->body_length);
    struct report report = { 0 };
    const cJSON *item;

    cr_assert_not_null(body, "not JSON: %.*s", (int)call->body_length, call->body);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(body, "SamplingStatisticsDocuments"))
    {
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "RuleName");
        const cJSON *client = cJSON_GetObjectItemCaseSensitive(item, "ClientID");

        cr_assert(cJSON_IsString(name) && cJSON_IsString(client));
        if (rule && strcmp(name->valuestring, rule) != 0)
            continue;
        report.documents++;
        report.requests += number(item, "RequestCount");
        report.sampled += number(item, "SampledCount");
        report.borrowed += number(item, "BorrowCount");
        report.timestamp = number(item, "Timestamp");
    }
    cJSON_Delete(body);
    return report;
}

/* Targets are asked for at this time, with one report of this rule. */
static inline struct report reported(struct xr_central *central, const char *rule, int64_t now_ns)
{
    struct xr_central_call call = asked(central, "/SamplingTargets", now_ns);

    return report_of(&call, rule);
}

/* Asks at later and later times, until there is a call. */
static inline struct xr_central_call wait_for_call(struct xr_central *central, int64_t *now_ns)
{
    struct xr_central_call call = next(central, *now_ns);

    for (int i = 0; !call.path; i++) {
        cr_assert_lt(i, 1000, "nothing is ever asked");
        cr_assert_gt(call.wait_until_ns, *now_ns);
        *now_ns = call.wait_until_ns;
        call = next(central, *now_ns);
    }
    return call;
}

#endif /* TESTS_UNIT_CENTRAL_H */
