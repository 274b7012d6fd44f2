/* SPDX-License-Identifier: Apache-2.0 */
/* What clients that report to the sampling service may sample. */
#include "sampling_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The only reply to one client's report: its quota. */
static int quota(struct asked *asked, const char *client, const char *requests)
{
    char statistics[512];
    snprintf(statistics, sizeof statistics, STATISTICS("r", "%s", "%s"), client, requests);
    report(asked, statistics, NULL);
    cJSON *json = cJSON_Parse(asked->body);
    const cJSON *targets = cJSON_GetObjectItem(json, "SamplingTargetDocuments");
    cr_assert_eq(cJSON_GetArraySize(targets), 1, "%s", asked->body);
    int found = cJSON_GetObjectItem(targets->child, "ReservoirQuota")->valueint;
    cJSON_Delete(json);
    return found;
}

/* With a rule r whose reservoir is 10. */
static struct asked with_rule(void)
{
    struct asked asked = ask_new();
    create(&asked, "r", "1");
    return asked;
}

Test(sampling_targets, gives_the_only_client_all_of_the_reservoir)
{
    struct asked asked = with_rule();
    asked.now_ns += 7 * NS + NS / 2;
    report(&asked, STATISTICS("r", "a", "5"), NULL);
    expect_reply(&asked, 200,
                 "{'SamplingTargetDocuments':[{'RuleName':'r','FixedRate':0.1,"
                 "'ReservoirQuota':10,'ReservoirQuotaTTL':1700000307,'Interval':10}],"
                 "'LastRuleModification':1700000000,'UnprocessedStatistics':[],"
                 "'UnprocessedBoostStatistics':[]}");
    ask_free(&asked);
}

Test(sampling_targets, divides_the_reservoir_and_gives_the_rest_to_the_first_ids)
{
    struct asked asked = with_rule();
    quota(&asked, "c", "1");
    quota(&asked, "a", "1");
    quota(&asked, "b", "1");
    cr_expect_eq(quota(&asked, "a", "1"), 4);
    cr_expect_eq(quota(&asked, "b", "1"), 3);
    cr_expect_eq(quota(&asked, "c", "1"), 3);
    ask_free(&asked);
}

Test(sampling_targets, gives_nothing_to_the_last_of_more_clients_than_the_reservoir_has)
{
    struct asked asked = with_rule();
    for (int i = 0; i < 11; i++) {
        char client[2] = { (char)('a' + i), '\0' };
        quota(&asked, client, "1");
    }
    cr_expect_eq(quota(&asked, "a", "1"), 1);
    cr_expect_eq(quota(&asked, "k", "1"), 0);
    ask_free(&asked);
}

Test(sampling_targets, sees_all_reports_of_a_call_before_it_divides)
{
    struct asked asked = with_rule();
    report(&asked, STATISTICS("r", "a", "1") "," STATISTICS("r", "b", "1"), NULL);
    cr_expect(strstr(asked.body, "\"ReservoirQuota\":5"), "%s", asked.body);
    cr_expect_not(strstr(asked.body, "\"ReservoirQuota\":10"), "%s", asked.body);
    ask_free(&asked);
}

Test(sampling_targets, keeps_the_share_of_a_client_for_three_intervals)
{
    struct asked asked = with_rule();
    quota(&asked, "a", "1");
    asked.now_ns += 30 * NS;
    cr_expect_eq(quota(&asked, "b", "1"), 5);
    asked.now_ns += NS;
    cr_expect_eq(quota(&asked, "b", "1"), 10);
    ask_free(&asked);
}

Test(sampling_targets, gives_no_share_to_a_client_without_requests)
{
    struct asked asked = with_rule();
    quota(&asked, "a", "1");
    cr_expect_eq(quota(&asked, "b", "0"), 0);
    cr_expect_eq(quota(&asked, "a", "1"), 10);
    ask_free(&asked);
}

Test(sampling_targets, forgets_clients_after_the_clock_was_set_back)
{
    struct asked asked = with_rule();
    quota(&asked, "a", "1");
    asked.now_ns -= 86400 * NS;
    cr_expect_eq(quota(&asked, "b", "1"), 5);
    asked.now_ns += 31 * NS;
    cr_expect_eq(quota(&asked, "b", "1"), 10);
    ask_free(&asked);
}

Test(sampling_targets, divides_each_rule_on_its_own)
{
    struct asked asked = with_rule();
    create(&asked, "s", "2");
    report(&asked, STATISTICS("s", "a", "1"), NULL);
    cr_expect_eq(quota(&asked, "b", "1"), 10);
    ask_free(&asked);
}

/* Client `number` reports that many requests, a moment after what was before. */
static void report_numbered(struct asked *asked, int number, int requests)
{
    char statistics[256];
    asked->now_ns++;
    snprintf(statistics, sizeof statistics,
             "{'RuleName':'r','ClientID':'%024d','Timestamp':1,'RequestCount':%d,'SampledCount':0}",
             number, requests);
    report(asked, statistics, NULL);
}

/* One client too many, in the order of their ids or against it. */
static void expect_bounded_clients(int first, int step)
{
    struct asked asked = with_rule();
    struct sampling_totals totals;
    int last = first;
    for (int i = 0; i <= SAMPLING_CLIENTS_MAX; i++) {
        last = first + i * step;
        report_numbered(&asked, last, 1);
    }
    cr_expect(sampling_service_totals(asked.service, "r", asked.now_ns, &totals));
    cr_expect_eq(totals.clients, SAMPLING_CLIENTS_MAX);
    cr_expect_eq(totals.requests, SAMPLING_CLIENTS_MAX + 1);
    /* Those with the least ids have shares, if they are still there. */
    report_numbered(&asked, step < 0 ? last - step : first + step, 0);
    cr_expect(strstr(asked.body, "\"ReservoirQuota\":1,"), "%s", asked.body);
    report_numbered(&asked, first, 0);
    cr_expect(strstr(asked.body, "\"ReservoirQuota\":0,"), "%s", asked.body);
    ask_free(&asked);
}

Test(sampling_targets, forget_the_client_that_was_silent_longest_when_there_are_too_many)
{
    expect_bounded_clients(5000, 1);
    expect_bounded_clients(5000, -1);
}

Test(sampling_targets, names_unknown_rules_and_serves_the_others)
{
    struct asked asked = with_rule();
    report(&asked, STATISTICS("gone", "a", "1") "," STATISTICS("r", "a", "1"), NULL);
    cr_expect(strstr(asked.body,
                     "\"UnprocessedStatistics\":[{\"RuleName\":\"gone\",\"ErrorCode\":\"400\","
                     "\"Message\":\"there is no sampling rule of this name\"}]"),
              "%s", asked.body);
    cr_expect(strstr(asked.body, "\"ReservoirQuota\":10"), "%s", asked.body);
    ask_free(&asked);
}

static void expect_modification(struct asked *asked, const char *time)
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\"LastRuleModification\":%s,", time);
    report(asked, "", NULL);
    cr_expect(strstr(asked->body, wanted), "%s in %s", wanted, asked->body);
}

Test(sampling_targets, tell_when_a_rule_was_last_changed)
{
    struct asked asked = with_rule();
    create(&asked, "s", "2");
    expect_modification(&asked, "1700000000");
    asked.now_ns += NS;
    ask(&asked, "/UpdateSamplingRule", "{'SamplingRuleUpdate':{'RuleName':'r','FixedRate':1}}");
    expect_modification(&asked, "1700000001");
    asked.now_ns += NS;
    ask(&asked, "/DeleteSamplingRule", "{'RuleName':'s'}");
    expect_modification(&asked, "1700000002");
    ask_free(&asked);
}

Test(sampling_targets, round_times_up_so_that_newer_looks_newer)
{
    struct asked asked = with_rule();
    asked.now_ns += NS + 1;
    create(&asked, "s", "2");
    expect_modification(&asked, "1700000001.001");
    ask_free(&asked);
}

Test(sampling_targets, refuse_the_call_for_a_document_that_is_wrong)
{
    static const struct {
        const char *good;
        const char *bad;
        const char *message;
    } wrongs[] = {
        { "'r'", "''", "[1].RuleName must be a string of 1 to 32 characters" },
        { "'ClientID':'a", "'ClientID':'", "[1].ClientID must be a string of 24 to 24 characters" },
        { "'ClientID':'a", "'ClientID':'aa",
          "[1].ClientID must be a string of 24 to 24 characters" },
        { "'Timestamp':1", "'Timestamp':'1'",
          "[1].Timestamp must be a time in seconds since 1970" },
        { "'RequestCount':5", "'X':0", "[1].RequestCount must be a whole number, 0 or more" },
        { "'SampledCount':2", "'SampledCount':-1",
          "[1].SampledCount must be a whole number, 0 or more" },
        { "'BorrowCount':1", "'BorrowCount':0.5",
          "[1].BorrowCount must be a whole number, 0 or more" },
    };
    static const char good[] = "{'SamplingStatisticsDocuments':[" STATISTICS(
        "Default", "a", "1") "," STATISTICS("r", "a", "5") "]}";
    struct asked asked = with_rule();
    struct sampling_totals totals;
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        char request[1024];
        char message[256];
        const char *at = good;
        for (const char *next = good; next; next = strstr(next + 1, wrongs[i].good))
            at = next;
        snprintf(request, sizeof request, "%.*s%s%s", (int)(at - good), good, wrongs[i].bad,
                 at + strlen(wrongs[i].good));
        ask(&asked, "/SamplingTargets", request);
        snprintf(message, sizeof message, "SamplingStatisticsDocuments%s", wrongs[i].message);
        expect_error(&asked, message);
    }
    sampling_service_totals(asked.service, "Default", asked.now_ns, &totals);
    cr_expect_eq(totals.requests, 0);
    ask_free(&asked);
}

Test(sampling_targets, refuse_more_documents_than_the_service)
{
    struct asked asked = with_rule();
    char request[8192] = "{'SamplingStatisticsDocuments':[" STATISTICS("r", "a", "1");
    for (int i = 1; i < 25; i++)
        strcat(request, "," STATISTICS("r", "a", "1"));
    char *end = request + strlen(request);
    strcat(request, "]}");
    ask(&asked, "/SamplingTargets", request);
    cr_expect_eq(asked.status, 200);
    strcpy(end, "," STATISTICS("r", "a", "1") "]}");
    ask(&asked, "/SamplingTargets", request);
    expect_error(&asked, "SamplingStatisticsDocuments has more than 25 documents: report them in "
                         "several calls");
    ask_free(&asked);
}

Test(sampling_targets, need_statistics)
{
    struct asked asked = with_rule();
    ask(&asked, "/SamplingTargets", "{}");
    expect_error(&asked, "SamplingStatisticsDocuments is missing");
    ask(&asked, "/SamplingTargets", "{'SamplingStatisticsDocuments':{}}");
    expect_error(&asked, "SamplingStatisticsDocuments must be an array");
    ask_free(&asked);
}

Test(sampling_targets, are_also_at_the_name_of_the_operation)
{
    struct asked asked = with_rule();
    ask(&asked, "/GetSamplingTargets", "{'SamplingStatisticsDocuments':[]}");
    cr_expect_eq(asked.status, 200, "%s", asked.body);
    ask_free(&asked);
}

/* ---- Boost ------------------------------------------------------------------- */

#define BOOST(rule, anomalies)                                                         \
    "{'RuleName':'" rule "','ServiceName':'s','Timestamp':1,'AnomalyCount':" anomalies \
    ",'TotalCount':9,'SampledAnomalyCount':0}"

/* With a rule r that may be boosted to 0.75 once in five minutes. */
static struct asked with_boost(void)
{
    struct asked asked = ask_new();
    ask(&asked, "/CreateSamplingRule",
        "{'SamplingRule':{" RULE("r", "1") "," ANY ",'SamplingRateBoost':{'MaxRate':0.75,"
                                           "'CooldownWindowMinutes':5}}}");
    cr_assert_eq(asked.status, 200);
    return asked;
}

/* Reports that many anomalies; the end of the boost that is in force, or 0. */
static double boosted(struct asked *asked, const char *anomalies)
{
    char boosts[256];
    snprintf(boosts, sizeof boosts, BOOST("r", "%s"), anomalies);
    report(asked, STATISTICS("r", "a", "1"), boosts);
    cJSON *json = cJSON_Parse(asked->body);
    const cJSON *boost = cJSON_GetObjectItem(
        cJSON_GetObjectItem(json, "SamplingTargetDocuments")->child, "SamplingBoost");
    double until = boost ? cJSON_GetObjectItem(boost, "BoostRateTTL")->valuedouble : 0;
    if (boost)
        cr_expect_eq(cJSON_GetObjectItem(boost, "BoostRate")->valuedouble, 0.75);
    cJSON_Delete(json);
    return until;
}

Test(sampling_boost, begins_with_an_anomaly_and_lasts_a_minute)
{
    struct asked asked = with_boost();
    cr_expect_eq(boosted(&asked, "0"), 0);
    asked.now_ns += 10 * NS;
    cr_expect_eq(boosted(&asked, "1"), 1700000070);
    asked.now_ns += 59 * NS;
    cr_expect_eq(boosted(&asked, "0"), 1700000070);
    asked.now_ns += NS;
    cr_expect_eq(boosted(&asked, "0"), 0);
    ask_free(&asked);
}

Test(sampling_boost, comes_once_in_the_cooldown_window)
{
    struct asked asked = with_boost();
    cr_expect_eq(boosted(&asked, "1"), 1700000060);
    asked.now_ns += 299 * NS;
    cr_expect_eq(boosted(&asked, "1"), 0);
    asked.now_ns += NS;
    cr_expect_eq(boosted(&asked, "1"), 1700000360);
    ask_free(&asked);
}

Test(sampling_boost, is_not_made_longer_by_anomalies_that_come_meanwhile)
{
    struct asked asked = with_boost();
    ask(&asked, "/UpdateSamplingRule",
        "{'SamplingRuleUpdate':{'RuleName':'r',"
        "'SamplingRateBoost':{'MaxRate':0.75,'CooldownWindowMinutes':0}}}");
    cr_expect_eq(boosted(&asked, "1"), 1700000060);
    asked.now_ns += 55 * NS;
    cr_expect_eq(boosted(&asked, "1"), 1700000060);
    asked.now_ns += 5 * NS;
    cr_expect_eq(boosted(&asked, "0"), 1700000120);
    ask_free(&asked);
}

Test(sampling_boost, follows_an_anomaly_of_the_last_interval_when_the_window_ends)
{
    struct asked asked = with_boost();
    boosted(&asked, "1");
    asked.now_ns += 290 * NS;
    cr_expect_eq(boosted(&asked, "1"), 0);
    asked.now_ns += 10 * NS;
    cr_expect_eq(boosted(&asked, "0"), 1700000360);
    ask_free(&asked);
}

Test(sampling_boost, does_not_follow_an_older_anomaly)
{
    struct asked asked = with_boost();
    boosted(&asked, "1");
    asked.now_ns += 289 * NS;
    cr_expect_eq(boosted(&asked, "1"), 0);
    asked.now_ns += 11 * NS;
    cr_expect_eq(boosted(&asked, "0"), 0);
    ask_free(&asked);
}

Test(sampling_boost, is_for_every_client_of_the_rule)
{
    struct asked asked = with_boost();
    boosted(&asked, "1");
    report(&asked, STATISTICS("r", "b", "1"), NULL);
    cr_expect(strstr(asked.body, "\"SamplingBoost\":{\"BoostRate\":0.75"), "%s", asked.body);
    ask_free(&asked);
}

Test(sampling_boost, is_not_for_rules_without_it)
{
    struct asked asked = with_rule();
    report(&asked, STATISTICS("r", "a", "1"), BOOST("r", "1") "," BOOST("gone", "1"));
    cr_expect(strstr(asked.body,
                     "\"UnprocessedBoostStatistics\":[{\"RuleName\":\"r\",\"ErrorCode\":\"400\","
                     "\"Message\":\"this rule has no SamplingRateBoost\"},{\"RuleName\":\"gone\","
                     "\"ErrorCode\":\"400\","
                     "\"Message\":\"there is no sampling rule of this name\"}]"),
              "%s", asked.body);
    cr_expect_not(strstr(asked.body, "BoostRate\""), "%s", asked.body);
    ask_free(&asked);
}

Test(sampling_boost, refuses_statistics_that_are_not_whole)
{
    struct asked asked = with_boost();
    ask(&asked, "/SamplingTargets",
        "{'SamplingStatisticsDocuments':[],'SamplingBoostStatisticsDocuments':[{'RuleName':'r',"
        "'ServiceName':'s','Timestamp':1,'AnomalyCount':1,'TotalCount':1}]}");
    expect_error(&asked, "SamplingBoostStatisticsDocuments[0].SampledAnomalyCount must be a whole "
                         "number, 0 or more");
    ask_free(&asked);
}

/* ---- Summaries --------------------------------------------------------------- */

Test(sampling_summaries, add_up_by_rule_and_ten_seconds)
{
    struct asked asked = with_rule();
    asked.now_ns += 3 * NS;
    report(&asked, STATISTICS("r", "a", "5") "," STATISTICS("Default", "a", "7"), NULL);
    asked.now_ns += 6 * NS;
    report(&asked, STATISTICS("r", "b", "6"), NULL);
    asked.now_ns += NS;
    report(&asked, STATISTICS("r", "b", "1"), NULL);
    ask(&asked, "/SamplingStatisticSummaries", "{}");
    expect_reply(&asked, 200,
                 "{'SamplingStatisticSummaries':["
                 "{'RuleName':'r','Timestamp':1700000010,'RequestCount':1,'BorrowCount':1,"
                 "'SampledCount':2},"
                 "{'RuleName':'r','Timestamp':1700000000,'RequestCount':11,'BorrowCount':2,"
                 "'SampledCount':4},"
                 "{'RuleName':'Default','Timestamp':1700000000,'RequestCount':7,'BorrowCount':1,"
                 "'SampledCount':2}]}");
    ask_free(&asked);
}

static size_t summary_pages(struct asked *asked, size_t *ret_summaries, int *ret_last)
{
    char request[256] = "{}";
    size_t pages = 0;
    *ret_summaries = 0;
    while (*request) {
        ask(asked, "/SamplingStatisticSummaries", request);
        cJSON *json = cJSON_Parse(asked->body);
        const cJSON *token = cJSON_GetObjectItem(json, "NextToken");
        *ret_last = cJSON_GetArraySize(cJSON_GetObjectItem(json, "SamplingStatisticSummaries"));
        *ret_summaries += (size_t)*ret_last;
        *request = '\0';
        if (token)
            snprintf(request, sizeof request, "{'NextToken':'%s'}", token->valuestring);
        cJSON_Delete(json);
        cr_assert_lt(pages++, 10);
    }
    return pages;
}

Test(sampling_summaries, are_kept_for_ten_minutes_and_turn_pages)
{
    struct asked asked = with_rule();
    size_t summaries;
    int last;
    create(&asked, "s", "1");
    for (int i = 0; i < 100; i++) {
        report(&asked, STATISTICS("r", "a", "5") "," STATISTICS("s", "a", "7"), NULL);
        asked.now_ns += 10 * NS;
    }
    asked.now_ns -= 10 * NS;
    cr_expect_eq(summary_pages(&asked, &summaries, &last), 2);
    cr_expect_eq(summaries, 120);
    cr_expect_eq(last, 20);
    asked.now_ns += 300 * NS;
    cr_expect_eq(summary_pages(&asked, &summaries, &last), 1);
    cr_expect_eq(summaries, 60);
    ask_free(&asked);
}

Test(sampling_summaries, refuse_a_token_of_somebody_else)
{
    struct asked asked = with_rule();
    ask(&asked, "/SamplingStatisticSummaries", "{'NextToken':'rules-00001-a'}");
    expect_error(&asked, "NextToken is not one that was returned here");
    ask_free(&asked);
}

Test(sampling_totals, count_what_was_reported_and_who_is_active)
{
    struct asked asked = with_rule();
    struct sampling_totals totals;
    quota(&asked, "a", "5");
    quota(&asked, "b", "6");
    cr_expect(sampling_service_totals(asked.service, "r", asked.now_ns, &totals));
    cr_expect_eq(totals.requests, 11);
    cr_expect_eq(totals.sampled, 4);
    cr_expect_eq(totals.borrowed, 2);
    cr_expect_eq(totals.clients, 2);
    cr_expect(sampling_service_totals(asked.service, "r", asked.now_ns + 31 * NS, &totals));
    cr_expect_eq(totals.clients, 0);
    cr_expect_not(sampling_service_totals(asked.service, "gone", asked.now_ns, &totals));
    ask_free(&asked);
}
