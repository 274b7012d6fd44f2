/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 3 /* rules: so there are several pages */

/* Of a hundred calls so many fail, each in one of these ways. */
#define FAILURES_PERCENT 3

static void __attribute__((__format__(__printf__, 4, 5)))
post(struct service *service, int64_t now_ns, const char *path, const char *format, ...)
{
    char body[512], *reply;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(body, sizeof(body), format, arguments);
    va_end(arguments);
    if (sampling_service_post(service->insides, path, body, (size_t)length, now_ns, &reply) !=
        200) {
        printf("Bail out! %s: %s\n", path, reply);
        exit(99);
    }
    free(reply);
}

static void create(struct service *service, const struct rule *rule, int64_t now_ns)
{
    post(service, now_ns, "/CreateSamplingRule",
         "{\"SamplingRule\":{\"RuleName\":\"%s\",\"FixedRate\":%g,\"ReservoirSize\":%u,%s}}",
         rule->name, rule->fixed_rate, rule->reservoir, rule->rest);
}

void service_begin(struct service *ret, uint64_t seed, int64_t now_ns)
{
    struct sampling_settings settings = { .fixed_rate = rules[RULE_DEFAULT].fixed_rate,
                                          .reservoir_size = rules[RULE_DEFAULT].reservoir,
                                          .page = PAGE };

    *ret = (struct service){ .chance = { seed } };
    if (sampling_service_new(&ret->insides, &settings, now_ns) < 0)
        exit(99);
    for (int i = 0; i < RULE_COUNT; i++)
        if (i != RULE_DEFAULT && i != RULE_CAMPAIGN)
            create(ret, &rules[i], now_ns);
}

void service_end(struct service *service)
{
    sampling_service_free(service->insides);
}

void service_set_campaign(struct service *service, bool on, int64_t now_ns)
{
    if (on)
        create(service, &rules[RULE_CAMPAIGN], now_ns);
    else
        post(service, now_ns, "/DeleteSamplingRule", "{\"RuleName\":\"%s\"}",
             rules[RULE_CAMPAIGN].name);
    service->campaign = on;
    service->reported[RULE_CAMPAIGN] = (struct counts){ 0 };
}

void service_set_rate(struct service *service, int rule, double fixed_rate, int64_t now_ns)
{
    post(service, now_ns, "/UpdateSamplingRule",
         "{\"SamplingRuleUpdate\":{\"RuleName\":\"%s\",\"FixedRate\":%g}}", rules[rule].name,
         fixed_rate);
}

void service_check_totals(struct service *service, int rule, int64_t now_ns)
{
    const struct counts *reported = &service->reported[rule];
    struct sampling_totals totals;

    if (!sampling_service_totals(service->insides, rules[rule].name, now_ns, &totals) ||
        totals.requests != reported->requests || totals.sampled != reported->sampled ||
        totals.borrowed != reported->borrowed)
        service->wrong++;
}

/* ---- Calls ------------------------------------------------------------------- */

static uint64_t number_of(const cJSON *document, const char *name)
{
    return (uint64_t)cJSON_GetNumberValue(cJSON_GetObjectItem(document, name));
}

static void count_reported(struct service *service, const char *body, size_t length)
{
    cJSON *call = cJSON_ParseWithLength(body, length);
    const cJSON *document;

    cJSON_ArrayForEach(document, cJSON_GetObjectItem(call, "SamplingStatisticsDocuments"))
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(document, "RuleName"));
        int rule = rule_named(name);

        if (rule == RULE_COUNT || (rule == RULE_CAMPAIGN && !service->campaign))
            continue; /* one that is gone */
        service->reported[rule].requests += number_of(document, "RequestCount");
        service->reported[rule].sampled += number_of(document, "SampledCount");
        service->reported[rule].borrowed += number_of(document, "BorrowCount");
    }
    cJSON_Delete(call);
}

/* What the network, or a machine on the way, makes of a call. */
static void fail(struct service *service, struct answer *ret)
{
    static const struct {
        int status;
        const char *body;
        int64_t after_ms;
    } failures[] = {
        { -ECONNREFUSED, NULL, 1 },
        { 429, "{\"message\":\"Too Many Requests\"}", 30 },
        { 500, "", 30 },
        { 503, "<html>Service Unavailable</html>", 30 },
        { 200, "<html>Please sign in</html>", 30 },
        { 200, "{}", 30 },
    };
    int last = (int)(sizeof(failures) / sizeof(*failures)) - 1;
    int at = service->down ? 0 : (int)chance_between(&service->chance, 0, last);

    service->failures++;
    *ret = (struct answer){ .status = failures[at].status,
                            .body = failures[at].body ? strdup(failures[at].body) : NULL,
                            .after_ns = failures[at].after_ms * NS_PER_MS };
}

/* It arrived, and was answered, and nothing or a half comes back. */
static void lose_reply(struct service *service, struct answer *ret)
{
    service->lost_replies++;
    if (chance_next(&service->chance) & 1) {
        ret->body[strlen(ret->body) / 2] = '\0';
    } else {
        free(ret->body);
        *ret = (struct answer){ .status = -ETIMEDOUT, .after_ns = 2 * NS_PER_S };
    }
}

void service_ask(struct service *service, const char *path, const char *body, size_t length,
                 int64_t now_ns, struct answer *ret)
{
    service->calls++;
    if (service->down || chance_between(&service->chance, 1, 100) <= FAILURES_PERCENT) {
        fail(service, ret);
        return;
    }
    *ret = (struct answer){ .after_ns = chance_between(&service->chance, 5, 150) * NS_PER_MS };
    ret->status = (int)sampling_service_post(service->insides, path, body, length, now_ns,
                                             &ret->body);
    if (ret->status == 200)
        count_reported(service, body, length);
    if (chance_between(&service->chance, 1, 100) <= FAILURES_PERCENT)
        lose_reply(service, ret);
}
