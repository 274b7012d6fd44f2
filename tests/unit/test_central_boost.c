/* SPDX-License-Identifier: Apache-2.0 */
/* Rates that rise for a while, and what X-Ray is told so that it knows when. */
#include "central.h"
#include "sampling/central_seen.h"

#define DUE   (NOW + 11 * NS_PER_S)
#define AGAIN (NOW + 22 * NS_PER_S)
#define BOOST ",\"SamplingRateBoost\":{\"MaxRate\":0.5,\"CooldownWindowMinutes\":10}"
#define NO_GUESS                                                            \
    ",\"SamplingRateBoost\":{\"MaxRate\":0.5,\"CooldownWindowMinutes\":10," \
    "\"DisableDefaultAnomalyDetection\":true}"
#define BOOSTED(rate, until) \
    ",\"SamplingBoost\":{\"BoostRate\":" #rate ",\"BoostRateTTL\":" #until "}"

/* The first 16 digits of the SHA-256 of "boosted". */
#define HASH_OF_BOOSTED "8f88f4f1059c4320"

static struct xr_central *central_boosted(void)
{
    return central_with(PAGE(RULE("boosted", 1, 0, 0, PATH("*") BOOST) "," RULE(
        "quiet", 2, 0, 0, PATH("*") NO_GUESS) "," DEFAULT(0, 0)));
}

/* ---- Rates ------------------------------------------------------------------- */

static void give_target(struct xr_central *central, const char *target)
{
    decision(central, "/", DUE);
    asked(central, "/SamplingTargets", DUE);
    reply(central, 200, target, DUE);
}

Test(central_boost, raises_the_rate_until_it_ends)
{
    struct xr_central *central = central_boosted();

    give_target(central, TARGETS(TARGET("boosted", 0, BOOSTED(1, 1500000071.5))));
    cr_expect_eq(sampled(central, "/", DUE, 50), 50);
    cr_expect_eq(sampled(central, "/", NOW + 71 * NS_PER_S, 50), 50);
    cr_expect_eq(sampled(central, "/", NOW + 72 * NS_PER_S, 50), 0);
    xr_central_free(central);
}

Test(central_boost, lowers_no_rate)
{
    struct xr_central *central = central_boosted();

    give_target(central, TARGETS(TARGET("boosted", 1, BOOSTED(0.1, 1500000071))));
    cr_expect_eq(sampled(central, "/", DUE, 50), 50);
    xr_central_free(central);
}

Test(central_boost, that_makes_no_sense_is_ignored)
{
    static const char *const targets[] = {
        TARGETS(TARGET("boosted", 0, BOOSTED(2, 1500000071))),
        TARGETS(TARGET("boosted", 0, BOOSTED("x", 1500000071))),
        TARGETS(TARGET("boosted", 0, BOOSTED(1, null))),
        TARGETS(TARGET("boosted", 0, BOOSTED(null, 1500000071))),
        TARGETS(TARGET("boosted", 0, ",\"SamplingBoost\":null")),
        TARGETS(TARGET("boosted", 0, ",\"SamplingBoost\":[7]")),
    };

    for (size_t i = 0; i < LENGTH_OF(targets); i++) {
        struct xr_central *central = central_boosted();

        give_target(central, targets[i]);
        cr_expect_eq(sampled(central, "/", DUE, 50), 0, "%s", targets[i]);
        xr_central_free(central);
    }
}

/* ---- Statistics -------------------------------------------------------------- */

struct boosts {
    int documents;
    double total, anomalies, sampled;
    char service[300];
};

static struct boosts boosts_of(const struct xr_central_call *call, const char *rule,
                               const char *service)
{
    cJSON *body = cJSON_ParseWithLength(call->body, call->body_length);
    struct boosts boosts = { 0 };
    const cJSON *item;

    cr_assert_not_null(body, "not JSON: %.*s", (int)call->body_length, call->body);
    cr_expect(cJSON_HasObjectItem(body, "SamplingStatisticsDocuments"));
    cJSON_ArrayForEach(item,
                       cJSON_GetObjectItemCaseSensitive(body, "SamplingBoostStatisticsDocuments"))
    {
        const char *name = cJSON_GetObjectItem(item, "RuleName")->valuestring;
        const char *of = cJSON_GetObjectItem(item, "ServiceName")->valuestring;

        if ((rule && strcmp(name, rule) != 0) || (service && strcmp(of, service) != 0))
            continue;
        boosts.documents++;
        boosts.total += number(item, "TotalCount");
        boosts.anomalies += number(item, "AnomalyCount");
        boosts.sampled += number(item, "SampledAnomalyCount");
        cr_expect_geq(number(item, "Timestamp"), NOW_S);
        snprintf(boosts.service, sizeof(boosts.service), "%s", of);
    }
    cJSON_Delete(body);
    return boosts;
}

static struct boosts reported_boosts(struct xr_central *central, const char *rule, int64_t now_ns)
{
    struct xr_central_call call = asked(central, "/SamplingTargets", now_ns);

    return boosts_of(&call, rule, NULL);
}

static xray_sampling_outcome outcome(uint32_t trace, const char *rule, int anomaly)
{
    xray_sampling_outcome ended = { .size = sizeof(ended),
                                    .rule = rule,
                                    .upstream = "",
                                    .service = "shop",
                                    .anomaly = anomaly,
                                    .now_ns = NOW };

    for (int i = 0; i < 4; i++)
        ended.trace_id.bytes[8 + i] = (uint8_t)(trace >> (8 * i));
    ended.trace_id.bytes[15] = (uint8_t)(trace * 7 + 1);
    return ended;
}

static void end(struct xr_central *central, uint32_t trace, const char *rule, int anomaly)
{
    xray_sampling_outcome ended = outcome(trace, rule, anomaly);

    xr_central_report(central, &ended);
}

Test(central_boost, asks_to_hear_the_end_of_its_own_traces_only)
{
    struct xr_central *central = central_with(
        PAGE(RULE("boosted", 1, 0, 0, PATH("/b") BOOST) "," DEFAULT(0, 0)));

    cr_expect_eq(decision(central, "/b", NOW).report, 1);
    cr_expect_eq(decision(central, "/", NOW).report, 0);
    xr_central_free(central);
}

Test(central_boost, counts_traces_and_anomalies)
{
    struct xr_central *central = central_boosted();
    xray_sampling_outcome ended = outcome(9, "boosted", 1);
    struct boosts boosts;

    for (uint32_t trace = 0; trace < 6; trace++)
        end(central, trace, "boosted", trace < 2);
    ended.sampled = 1;
    xr_central_report(central, &ended);
    boosts = reported_boosts(central, NULL, DUE);
    cr_expect_eq(boosts.documents, 1);
    cr_expect_eq(boosts.total, 7);
    cr_expect_eq(boosts.anomalies, 3);
    cr_expect_eq(boosts.sampled, 1);
    cr_expect_str_eq(boosts.service, "shop");
    xr_central_free(central);
}

Test(central_boost, counts_a_trace_once)
{
    struct xr_central *central = central_boosted();
    struct boosts boosts;

    end(central, 1, "boosted", 0);
    end(central, 1, "boosted", 1);
    end(central, 1, "boosted", 1);
    end(central, 1, "boosted", 0);
    boosts = reported_boosts(central, NULL, DUE);
    cr_expect_eq(boosts.total, 1);
    cr_expect_eq(boosts.anomalies, 1);
    xr_central_free(central);
}

Test(central_boost, counts_no_default_anomalies_where_the_rule_forbids_it)
{
    struct xr_central *central = central_boosted();
    struct xr_central_call call;

    end(central, 1, "boosted", 2);
    end(central, 2, "quiet", 2);
    end(central, 3, "quiet", 1);
    call = asked(central, "/SamplingTargets", DUE);
    cr_expect_eq(boosts_of(&call, "boosted", NULL).anomalies, 1);
    cr_expect_eq(boosts_of(&call, "quiet", NULL).total, 2);
    cr_expect_eq(boosts_of(&call, "quiet", NULL).anomalies, 1);
    xr_central_free(central);
}

Test(central_boost, counts_nothing_for_rules_without_one)
{
    struct xr_central *central = central_boosted();

    end(central, 1, "Default", 1);
    end(central, 2, "unknown", 1);
    end(central, 3, "", 1);
    end(central, 4, NULL, 1);
    cr_expect_null(next(central, DUE).path);
    xr_central_free(central);
}

Test(central_boost, survives_outcomes_without_rules)
{
    struct xr_central *central = central_new(NULL);

    end(central, 1, "boosted", 1);
    xr_central_report(central, NULL);
    give_rules(central, PAGE(DEFAULT(0, 0)), NOW);
    end(central, 1, "Default", 1);
    cr_expect_null(next(central, DUE).path);
    xr_central_free(central);
}

/* The rule that began the trace is told by its hash. */
Test(central_boost, counts_for_the_rule_of_the_caller)
{
    struct xr_central *central = central_boosted();
    xray_sampling_outcome ended = outcome(1, "quiet", 1);
    struct xr_central_call call;

    ended.upstream = HASH_OF_BOOSTED;
    xr_central_report(central, &ended);
    call = asked(central, "/SamplingTargets", DUE);
    cr_expect_eq(boosts_of(&call, "boosted", NULL).total, 1);
    cr_expect_eq(boosts_of(&call, "quiet", NULL).total, 0);
    xr_central_free(central);
}

Test(central_boost, counts_nothing_for_a_caller_whose_rule_is_unknown)
{
    static const char *const hashes[] = { "0123456789abcdef", "8f88", "x", "zzzzzzzzzzzzzzzz",
                                          HASH_OF_BOOSTED "0" };
    struct xr_central *central = central_boosted();

    for (size_t i = 0; i < LENGTH_OF(hashes); i++) {
        xray_sampling_outcome ended = outcome((uint32_t)i, "boosted", 1);

        ended.upstream = hashes[i];
        xr_central_report(central, &ended);
    }
    cr_expect_null(next(central, DUE).path);
    xr_central_free(central);
}

Test(central_boost, is_reported_again_only_with_new_traces)
{
    struct xr_central *central = central_boosted();

    end(central, 1, "boosted", 1);
    cr_expect_eq(reported_boosts(central, NULL, DUE).total, 1);
    end(central, 2, "boosted", 0);
    reply(central, 200, TARGETS(""), DUE);
    cr_expect_null(next(central, DUE).path);
    cr_expect_eq(reported_boosts(central, NULL, AGAIN).total, 1);
    reply(central, 200, TARGETS(""), AGAIN);
    cr_expect_null(next(central, AGAIN + 11 * NS_PER_S).path);
    xr_central_free(central);
}

Test(central_boost, is_reported_again_after_a_failure)
{
    struct xr_central *central = central_boosted();

    end(central, 1, "boosted", 1);
    reported_boosts(central, NULL, DUE);
    reply(central, 500, "", DUE);
    cr_expect_eq(reported_boosts(central, NULL, AGAIN).anomalies, 1);
    xr_central_free(central);
}

Test(central_boost, is_reported_again_when_it_was_not_processed)
{
    struct xr_central *central = central_boosted();

    end(central, 1, "boosted", 1);
    reported_boosts(central, NULL, DUE);
    reply(central, 200,
          "{\"SamplingTargetDocuments\":[],\"UnprocessedBoostStatistics\":"
          "[{\"RuleName\":\"boosted\",\"ErrorCode\":\"500\"}]}",
          DUE);
    cr_expect_eq(reported_boosts(central, NULL, AGAIN).anomalies, 1);
    xr_central_free(central);
}

Test(central_boost, that_is_refused_asks_for_the_rules)
{
    struct xr_central *central = central_boosted();

    end(central, 1, "boosted", 1);
    reported_boosts(central, NULL, DUE);
    reply(central, 200,
          "{\"SamplingTargetDocuments\":[],\"UnprocessedBoostStatistics\":"
          "[{\"RuleName\":\"boosted\",\"ErrorCode\":\"400\"}]}",
          DUE);
    give_rules(central, PAGE(DEFAULT(0, 0)), DUE);
    cr_expect_null(next(central, AGAIN).path);
    xr_central_free(central);
}

/* ---- Services ---------------------------------------------------------------- */

static void end_in(struct xr_central *central, uint32_t trace, const char *service)
{
    xray_sampling_outcome ended = outcome(trace, "boosted", 0);

    ended.service = service;
    xr_central_report(central, &ended);
}

Test(central_boost, tells_services_apart)
{
    struct xr_central *central = central_boosted();
    struct xr_central_call call;

    end_in(central, 1, "shop");
    end_in(central, 2, "shop-admin");
    end_in(central, 3, "shop");
    call = asked(central, "/SamplingTargets", DUE);
    cr_expect_eq(boosts_of(&call, "boosted", "shop").total, 2);
    cr_expect_eq(boosts_of(&call, "boosted", "shop-admin").total, 1);
    xr_central_free(central);
}

Test(central_boost, has_a_name_for_services_without_one)
{
    struct xr_central *central = central_boosted();

    end_in(central, 1, "");
    end_in(central, 2, NULL);
    cr_expect_str_eq(reported_boosts(central, "boosted", DUE).service, "default");
    xr_central_free(central);
}

Test(central_boost, cuts_names_of_services_after_64_characters)
{
    struct xr_central *central = central_boosted();
    char name[201] = { 0 }, wanted[129] = { 0 };

    for (int i = 0; i < 100; i++)
        memcpy(name + 2 * i, "\xc3\xa9", 2);
    memcpy(wanted, name, 128);
    end_in(central, 1, name);
    cr_expect_str_eq(reported_boosts(central, "boosted", DUE).service, wanted);
    xr_central_free(central);
}

Test(central_boost, counts_many_services_as_the_default_one)
{
    struct xr_central *central = central_boosted();
    struct xr_central_call call;

    for (uint32_t i = 0; i < 100; i++) {
        char name[16];

        snprintf(name, sizeof(name), "s%u", i);
        end_in(central, i, name);
    }
    call = asked(central, "/SamplingTargets", DUE);
    cr_expect_eq(boosts_of(&call, NULL, NULL).documents, 9);
    cr_expect_eq(boosts_of(&call, NULL, NULL).total, 100);
    cr_expect_eq(boosts_of(&call, NULL, "default").total, 92);
    xr_central_free(central);
}

/* Thirty rules, of two services each. */
Test(central_boost, is_reported_by_25_documents_at_most)
{
    static char text[30 * 256];
    struct xr_central *central = central_new(NULL);
    struct boosts boosts;
    char *p = text, rule[4];
    int documents = 0;
    double total = 0;

    p += sprintf(p, "{\"SamplingRuleRecords\":[");
    for (int i = 0; i < 30; i++)
        p += sprintf(p,
                     "%s{\"SamplingRule\":{\"RuleName\":\"r%d\",\"Version\":1,\"Priority\":%d,"
                     "\"FixedRate\":0" BOOST "}}",
                     i > 0 ? "," : "", i, i + 1);
    sprintf(p, "]}");
    give_rules(central, text, NOW);
    for (uint32_t i = 0; i < 60; i++) {
        xray_sampling_outcome ended = outcome(i, rule, 0);

        snprintf(rule, sizeof(rule), "r%u", i / 2);
        ended.service = i % 2 ? "a" : "b";
        xr_central_report(central, &ended);
    }
    while (next(central, DUE).path) {
        boosts = reported_boosts(central, NULL, DUE);
        cr_expect_leq(boosts.documents, 25);
        documents += boosts.documents;
        total += boosts.total;
        reply(central, 200, TARGETS(""), DUE);
    }
    cr_expect_eq(documents, 60);
    cr_expect_eq(total, 60);
    xr_central_free(central);
}

/* Three rules of nine services each, which have decided, too: the third one's do not fit. */
Test(central_boost, that_has_to_wait_for_room_comes_with_the_next_call)
{
    struct xr_central *central = central_new(NULL);
    int documents = 0, requests = 0;
    struct xr_central_call call;

    give_rules(central,
               PAGE(RULE("r0", 1, 0, 0, PATH("/r0") BOOST) "," RULE(
                   "r1", 2, 0, 0, PATH("/r1") BOOST) "," RULE("r2", 3, 0, 0, PATH("/r2") BOOST)),
               NOW);
    for (uint32_t i = 0; i < 27; i++) {
        char rule[] = "/r0", service[] = "s0";
        xray_sampling_outcome ended;

        rule[2] = (char)('0' + i / 9);
        service[1] = (char)('0' + i % 9);
        ended = outcome(i, decision(central, rule, NOW).rule, 0);
        ended.rule = rule + 1;
        ended.service = service;
        xr_central_report(central, &ended);
    }
    for (int i = 0; i < 2; i++) {
        call = asked(central, "/SamplingTargets", DUE);
        documents += boosts_of(&call, NULL, NULL).documents;
        requests += (int)report_of(&call, NULL).requests;
        reply(central, 200, TARGETS(""), DUE);
    }
    cr_expect_eq(documents, 27);
    cr_expect_eq(requests, 27);
    cr_expect_null(next(central, DUE).path);
    xr_central_free(central);
}

/* ---- Traces that were seen --------------------------------------------------- */

static xray_trace_id trace_of(uint64_t number)
{
    xray_trace_id trace = { { 0 } };

    number *= 0x9E3779B97F4A7C15u; /* as random as those of traces */
    memcpy(trace.bytes + 8, &number, sizeof(number));
    return trace;
}

Test(central_seen, remembers_a_trace_among_a_thousand)
{
    static struct xr_seen seen;
    int again = 0;

    for (uint64_t i = 1; i <= 1000; i++)
        cr_expect(xr_seen_add(&seen, trace_of(i), false, NOW).trace);
    for (uint64_t i = 1; i <= 1000; i++)
        again += !xr_seen_add(&seen, trace_of(i), false, NOW).trace;
    cr_expect_geq(again, 980);
}

Test(central_seen, forgets_the_oldest)
{
    static struct xr_seen seen;
    int64_t now = NOW;

    for (uint64_t i = 1; i <= 100000; i++) {
        cr_assert(xr_seen_add(&seen, trace_of(i), false, now += NS_PER_S / 100).trace);
        cr_assert_not(xr_seen_add(&seen, trace_of(i), false, now).trace);
        if (i > 10)
            cr_assert_not(xr_seen_add(&seen, trace_of(i - 10), false, now).trace);
    }
    cr_expect(xr_seen_add(&seen, trace_of(1), false, now).trace);
}

Test(central_seen, remembers_the_anomaly)
{
    static struct xr_seen seen;

    cr_expect_not(xr_seen_add(&seen, trace_of(1), false, NOW).anomaly);
    cr_expect(xr_seen_add(&seen, trace_of(1), true, NOW).anomaly);
    cr_expect_not(xr_seen_add(&seen, trace_of(1), true, NOW).anomaly);
    cr_expect_not(xr_seen_add(&seen, trace_of(1), false, NOW).anomaly);
    cr_expect_not(xr_seen_add(&seen, trace_of(1), true, NOW).anomaly);
    cr_expect(xr_seen_add(&seen, trace_of(2), true, NOW).anomaly);
}

Test(central_seen, takes_a_trace_of_zeros)
{
    static struct xr_seen seen;

    cr_expect(xr_seen_add(&seen, (xray_trace_id){ { 0 } }, false, 0).trace);
    cr_expect_not(xr_seen_add(&seen, (xray_trace_id){ { 0 } }, false, 0).trace);
}
