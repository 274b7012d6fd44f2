/* SPDX-License-Identifier: Apache-2.0 */
/* What is reported to X-Ray and when, and what its targets do to decisions. */
#include "central.h"

#include "random_zero.h"

#define DUE   (NOW + 11 * NS_PER_S) /* a report is, whatever the jitter */
#define DUE_S (NOW_S + 11)
#define AGAIN (NOW + 22 * NS_PER_S)

#define UNPROCESSED(name, code)                                                        \
    "{\"SamplingTargetDocuments\":[],\"UnprocessedStatistics\":[{\"RuleName\":\"" name \
    "\",\"ErrorCode\":" code ",\"Message\":\"x\"}]}"
#define MODIFIED(time) "{\"SamplingTargetDocuments\":[],\"LastRuleModification\":" #time "}"

/* One request, so that there is something to report, and the target in reply to it. */
static void give_target(struct xr_central *central, const char *target, int64_t now_ns)
{
    decision(central, "/", now_ns);
    asked(central, "/SamplingTargets", now_ns);
    reply(central, 200, target, now_ns);
}

/* ---- Decisions --------------------------------------------------------------- */

Test(central_decision, borrows_one_a_second_before_there_is_a_quota)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 5)));

    cr_expect_eq(sampled(central, "/", NOW, 10), 1);
    cr_expect_eq(sampled(central, "/", NOW + NS_PER_S, 10), 1);
    xr_central_free(central);
}

Test(central_decision, borrows_nothing_without_a_reservoir)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 0)));

    cr_expect_eq(sampled(central, "/", NOW, 10), 0);
    xr_central_free(central);
}

Test(central_decision, takes_the_quota_of_each_second)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 50)));

    give_target(central, TARGETS(TARGET("Default", 0, QUOTA(5, 1500000300))), DUE);
    cr_expect_eq(sampled(central, "/", DUE + NS_PER_S, 100), 5);
    cr_expect_eq(sampled(central, "/", DUE + 2 * NS_PER_S, 100), 5);
    xr_central_free(central);
}

Test(central_decision, believes_a_ttl_in_seconds)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 50)));

    give_target(central, TARGETS(TARGET("Default", 0, QUOTA(5, 1500000041))), DUE);
    cr_expect_eq(sampled(central, "/", NOW + 12 * NS_PER_S, 100), 5);
    cr_expect_eq(sampled(central, "/", NOW + 41 * NS_PER_S, 100), 5);
    cr_expect_eq(sampled(central, "/", NOW + 42 * NS_PER_S, 100), 1, "it borrows again");
    xr_central_free(central);
}

Test(central_decision, believes_a_fraction_of_a_second)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 50)));

    give_target(central, TARGETS(TARGET("Default", 0, QUOTA(5, 1.5000000415E9))), DUE);
    cr_expect_eq(sampled(central, "/", NOW + 41 * NS_PER_S + NS_PER_S / 4, 3), 3);
    cr_expect_eq(sampled(central, "/", NOW + 41 * NS_PER_S + NS_PER_S * 3 / 4, 3), 0);
    xr_central_free(central);
}

Test(central_decision, stops_at_a_quota_of_zero)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 50)));

    give_target(central, TARGETS(TARGET("Default", 0, QUOTA(5, 1500000300))), DUE);
    cr_expect_eq(sampled(central, "/", DUE + NS_PER_S, 100), 5);
    give_target(central, TARGETS(TARGET("Default", 0, QUOTA(0, 1500000300))), AGAIN);
    cr_expect_eq(sampled(central, "/", AGAIN + NS_PER_S, 100), 0);
    xr_central_free(central);
}

Test(central_decision, keeps_a_quota_that_a_target_does_not_mention)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 50)));

    give_target(central, TARGETS(TARGET("Default", 0, QUOTA(5, 1500000300))), DUE);
    give_target(central, TARGETS(TARGET("Default", 0, QUOTA(null, null))), AGAIN);
    cr_expect_eq(sampled(central, "/", AGAIN + NS_PER_S, 100), 5);
    xr_central_free(central);
}

Test(central_decision, samples_by_the_rate_of_the_target)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 0)));

    give_target(central, TARGETS(TARGET("Default", 1, "")), DUE);
    cr_expect_eq(sampled(central, "/", DUE, 100), 100);
    xr_central_free(central);
}

Test(central_decision, ignores_targets_that_make_no_sense)
{
    static const char *const targets[] = {
        TARGETS("null,7,[],{}"),
        TARGETS("{\"RuleName\":7,\"FixedRate\":1}"),
        TARGETS("{\"FixedRate\":1}"),
        TARGETS(TARGET("other", 1, "")),
        TARGETS(TARGET("Default", 1.5, "")),
        TARGETS(TARGET("Default", -1, "")),
        TARGETS(TARGET("Default", null, "")),
        TARGETS(TARGET("Default", "x", "")),
        TARGETS(TARGET("Default", 0, QUOTA(-5, 1500000300))),
        TARGETS(TARGET("Default", 0, QUOTA("x", 1500000300))),
        TARGETS(TARGET("Default", 0, QUOTA(5, "soon"))),
        TARGETS(TARGET("Default", 0, QUOTA(5, 1e999))),
        TARGETS(TARGET("Default", 0, QUOTA(5, -1e300))),
        ("{\"SamplingTargetDocuments\":7,\"UnprocessedStatistics\":[7,null,{}],"
         "\"LastRuleModification\":\"x\",\"UnprocessedBoostStatistics\":{}}"),
    };

    for (size_t i = 0; i < LENGTH_OF(targets); i++) {
        struct xr_central *central = central_with(PAGE(DEFAULT(0, 0)));

        give_target(central, targets[i], DUE);
        cr_expect_eq(sampled(central, "/", DUE + NS_PER_S, 100), 0, "%s", targets[i]);
        cr_expect_null(next(central, DUE).path);
        xr_central_free(central);
    }
}

/* The quota and the TTL are above what fits. */
Test(central_decision, survives_numbers_that_are_too_large)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 1e18)));

    give_target(central, TARGETS(TARGET("Default", 0, QUOTA(1e300, 1e300) ",\"Interval\":1e300")),
                DUE);
    cr_expect_eq(sampled(central, "/", DUE + NS_PER_S, 100), 100);
    xr_central_free(central);
}

Test(central_decision, never_samples_at_rate_zero_with_a_random_zero)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 0)));

    for (int i = 0; i < 10; i++) {
        xr_random_make_zero();
        cr_expect_eq(sampled(central, "/", NOW, 1), 0);
    }
    xr_central_free(central);
}

Test(central_decision, always_samples_at_rate_one)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));

    cr_expect_eq(sampled(central, "/", NOW, 1000), 1000);
    xr_central_free(central);
}

Test(central_decision, samples_its_rate_of_the_rest)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0.25, 0)));
    int count = sampled(central, "/", NOW, 100000);

    cr_expect_leq(abs(count - 25000), 1370, "%d", count); /* ten standard deviations */
    xr_central_free(central);
}

Test(central_decision, goes_on_when_the_clock_is_set_back_an_hour)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 50)));
    int64_t back = DUE - 3600 * NS_PER_S;

    give_target(central, TARGETS(TARGET("Default", 0, QUOTA(5, 1500000300))), DUE);
    cr_expect_eq(sampled(central, "/", DUE + NS_PER_S, 100), 5);
    for (int second = 0; second < 3; second++)
        cr_expect_eq(sampled(central, "/", back + second * NS_PER_S, 100), 5);
    asked(central, "/GetSamplingRules", back);
    reply(central, 200, PAGE(DEFAULT(0, 50)), back);
    asked(central, "/SamplingTargets", back);
    xr_central_free(central);
}

Test(central_decision, borrows_on_when_the_clock_is_set_back_an_hour)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 50)));

    cr_expect_eq(sampled(central, "/", NOW, 100), 1);
    for (int second = 0; second < 3; second++)
        cr_expect_eq(sampled(central, "/", NOW + (second - 3600) * NS_PER_S, 100), 1);
    xr_central_free(central);
}

/* ---- After a refresh of the rules -------------------------------------------- */

/* A target, then these rules. */
static struct xr_central *refreshed(const char *target, const char *rules, int64_t *ret_now_ns)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 50)));

    give_target(central, target, DUE);
    *ret_now_ns = NOW + 306 * NS_PER_S;
    asked(central, "/GetSamplingRules", *ret_now_ns);
    reply(central, 200, rules, *ret_now_ns);
    return central;
}

#define ALL   TARGETS(TARGET("Default", 1, QUOTA(3, 1500009999)))
#define THREE TARGETS(TARGET("Default", 0, QUOTA(3, 1500009999)))

Test(central_refresh, leaves_the_rate_of_the_target_in_force)
{
    int64_t now;
    struct xr_central *central = refreshed(ALL, PAGE(DEFAULT(0, 50)), &now);

    cr_expect_eq(sampled(central, "/", now, 100), 100);
    xr_central_free(central);
}

Test(central_refresh, leaves_the_quota)
{
    int64_t now;
    struct xr_central *central = refreshed(THREE, PAGE(DEFAULT(0, 50)), &now);

    cr_expect_eq(sampled(central, "/", now, 100), 3);
    xr_central_free(central);
}

Test(central_refresh, that_changes_the_rate_takes_the_new_one)
{
    int64_t now;
    struct xr_central *central = refreshed(THREE, PAGE(DEFAULT(1, 50)), &now);

    cr_expect_eq(sampled(central, "/", now, 100), 100);
    xr_central_free(central);
}

Test(central_refresh, that_changes_the_reservoir_ends_the_quota)
{
    int64_t now;
    struct xr_central *central = refreshed(THREE, PAGE(DEFAULT(0, 20)), &now);

    cr_expect_eq(sampled(central, "/", now, 100), 1);
    xr_central_free(central);
}

/* ---- Reports ----------------------------------------------------------------- */

Test(central_report, counts_each_request_once)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 1)));
    struct report report;

    cr_expect_eq(sampled(central, "/", NOW, 10), 1);
    report = reported(central, "Default", DUE);
    cr_expect_eq(report.documents, 1);
    cr_expect_eq(report.requests, 10);
    cr_expect_eq(report.sampled, 0);
    cr_expect_eq(report.borrowed, 1);
    cr_expect_eq(report.timestamp, DUE_S);
    xr_central_free(central);
}

Test(central_report, counts_what_the_quota_gave_as_sampled)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 9)));
    struct report report;

    give_target(central, TARGETS(TARGET("Default", 0, QUOTA(4, 1500000300))), DUE);
    sampled(central, "/", DUE + NS_PER_S, 10);
    report = reported(central, "Default", AGAIN);
    cr_expect_eq(report.requests, 10);
    cr_expect_eq(report.sampled, 4);
    cr_expect_eq(report.borrowed, 0);
    xr_central_free(central);
}

Test(central_report, names_the_client)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 1)));
    struct xr_central_call call;
    char text[1024];

    decision(central, "/", NOW);
    call = asked(central, "/SamplingTargets", DUE);
    snprintf(text, sizeof(text), "%.*s", (int)call.body_length, call.body);
    cr_expect_str_eq(text, "{\"SamplingStatisticsDocuments\":[{\"RuleName\":\"Default\","
                           "\"ClientID\":\"" CLIENT "\",\"Timestamp\":1500000011,"
                           "\"RequestCount\":1,\"SampledCount\":0,\"BorrowCount\":1}]}");
    xr_central_free(central);
}

Test(central_report, takes_off_what_arrived)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));
    struct report report;

    sampled(central, "/", NOW, 10);
    reported(central, "Default", DUE);
    sampled(central, "/", DUE, 3); /* on the way */
    reply(central, 200, TARGETS(""), DUE);
    report = reported(central, "Default", AGAIN);
    cr_expect_eq(report.requests, 3);
    cr_expect_eq(report.sampled, 3);
    xr_central_free(central);
}

Test(central_report, is_not_made_without_requests)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));
    int64_t now = NOW;

    cr_expect_str_eq(wait_for_call(central, &now).path, "/GetSamplingRules");
    xr_central_free(central);
}

Test(central_report, leaves_out_rules_without_requests)
{
    struct xr_central *central = central_with(
        PAGE(RULE("a", 1, 0, 0, PATH("/a")) "," DEFAULT(0, 0)));

    decision(central, "/a", NOW);
    cr_expect_eq(reported(central, NULL, DUE).documents, 1);
    xr_central_free(central);
}

Test(central_report, is_made_every_ten_seconds)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));
    int64_t now = NOW;

    for (int i = 0; i < 20; i++) {
        int64_t before = now;

        decision(central, "/", now);
        cr_assert_str_eq(wait_for_call(central, &now).path, "/SamplingTargets");
        cr_expect_geq(now - before, 10 * NS_PER_S);
        cr_expect_leq(now - before, 10 * NS_PER_S + NS_PER_S / 10);
        reply(central, 200, TARGETS(TARGET("Default", 1, "")), now);
    }
    xr_central_free(central);
}

Test(central_report, is_made_when_the_interval_says)
{
    struct xr_central *central = central_with(
        PAGE(RULE("a", 1, 0, 0, PATH("/a")) "," DEFAULT(0, 0)));
    int64_t now = NOW;
    int count[2] = { 0 };

    decision(central, "/a", now);
    decision(central, "/", now);
    for (;;) {
        struct xr_central_call call = wait_for_call(central, &now);

        if (now > NOW + 200 * NS_PER_S)
            break;
        count[0] += report_of(&call, "a").documents;
        count[1] += report_of(&call, "Default").documents;
        reply(central, 200,
              TARGETS(
                  TARGET("a", 0, ",\"Interval\":20") "," TARGET("Default", 0, ",\"Interval\":50")),
              now);
        decision(central, "/a", now);
        decision(central, "/", now);
    }
    cr_expect_eq(count[0], 10);
    cr_expect_eq(count[1], 4);
    xr_central_free(central);
}

Test(central_report, of_the_first_rules_does_not_wait_for_others)
{
    struct xr_central *central = central_with(PAGE(""));
    int64_t now = NOW, began;

    wait_for_call(central, &now);
    reply(central, 200, PAGE(DEFAULT(1, 0)), now);
    began = now;
    decision(central, "/", now);
    cr_expect_str_eq(wait_for_call(central, &now).path, "/SamplingTargets");
    cr_expect_leq(now, began + 11 * NS_PER_S);
    xr_central_free(central);
}

#define SIXTY 60

static void give_sixty_rules(struct xr_central *central)
{
    static char text[SIXTY * 256];
    char *p = text;

    p += sprintf(p, "{\"SamplingRuleRecords\":[");
    for (int i = 0; i < SIXTY; i++)
        p += sprintf(p,
                     "%s{\"SamplingRule\":{\"RuleName\":\"%c%031d\",\"Version\":1,"
                     "\"Priority\":%d,\"FixedRate\":0,\"URLPath\":\"/%d\"}}",
                     i > 0 ? "," : "", i % 2 ? 'b' : 'a', i, i + 1, i);
    sprintf(p, "]}");
    give_rules(central, text, NOW);
    for (int i = 0; i < SIXTY; i++) {
        char path[8];

        snprintf(path, sizeof(path), "/%d", i);
        decision(central, path, NOW);
    }
}

Test(central_report, of_sixty_rules_takes_three_calls)
{
    static const int wanted[] = { 25, 25, 10 };
    struct xr_central *central = central_new(NULL);

    give_sixty_rules(central);
    for (size_t i = 0; i < LENGTH_OF(wanted); i++) {
        struct report report = reported(central, NULL, DUE);

        cr_expect_eq(report.documents, wanted[i]);
        cr_expect_eq(report.requests, wanted[i]);
        reply(central, 200, TARGETS(""), DUE);
    }
    cr_expect_null(next(central, DUE).path);
    xr_central_free(central);
}

Test(central_report, that_fails_is_made_again_and_the_others_are_not)
{
    struct xr_central *central = central_new(NULL);
    int64_t now = DUE;

    give_sixty_rules(central);
    reported(central, NULL, now);
    reply(central, 200, TARGETS(""), now);
    reported(central, NULL, now);
    reply(central, 500, "", now);
    wait_for_call(central, &now);
    cr_expect_leq(now, DUE + NS_PER_S);
    cr_expect_eq(reported(central, NULL, now).documents, 25);
    reply(central, 200, TARGETS(""), now);
    cr_expect_eq(reported(central, NULL, now).documents, 10);
    reply(central, 200, TARGETS(""), now);
    cr_expect_null(next(central, now).path);
    xr_central_free(central);
}

Test(central_report, writes_names_that_need_care)
{
    struct xr_central *central = central_with(
        PAGE(RULE("\\\"\\u0001\\\\\xc3\xa9\\\"\\u0002\\u0003\\u0004\\u0005", 1, 0, 0, PATH("*"))));

    decision(central, "/", NOW);
    cr_expect_eq(reported(central, "\"\001\\\xc3\xa9\"\002\003\004\005", DUE).requests, 1);
    xr_central_free(central);
}

/* ---- What was not processed -------------------------------------------------- */

Test(central_unprocessed, by_an_error_of_theirs_is_reported_again)
{
    static const char *const codes[] = { "\"500\"", "500", "\"503\"", "\"InternalFailure\"",
                                         "null" };

    for (size_t i = 0; i < LENGTH_OF(codes); i++) {
        struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));
        char text[256];

        sampled(central, "/", NOW, 5);
        reported(central, "Default", DUE);
        snprintf(text, sizeof(text), UNPROCESSED("Default", "%s"), codes[i]);
        reply(central, 200, text, DUE);
        cr_expect_null(next(central, DUE).path, "%s", codes[i]);
        cr_expect_eq(reported(central, "Default", AGAIN).requests, 5, "%s", codes[i]);
        xr_central_free(central);
    }
}

Test(central_unprocessed, by_an_error_of_ours_asks_for_the_rules)
{
    static const char *const codes[] = { "\"400\"", "404" };

    for (size_t i = 0; i < LENGTH_OF(codes); i++) {
        struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));
        char text[256];

        sampled(central, "/", NOW, 5);
        reported(central, "Default", DUE);
        snprintf(text, sizeof(text), UNPROCESSED("Default", "%s"), codes[i]);
        reply(central, 200, text, DUE);
        give_rules(central, PAGE(DEFAULT(1, 0)), DUE);
        cr_expect_null(next(central, AGAIN).path, "it was told twice");
        xr_central_free(central);
    }
}

Test(central_unprocessed, of_one_rule_is_not_of_another)
{
    struct xr_central *central = central_with(
        PAGE(RULE("a", 1, 0, 0, PATH("/a")) "," DEFAULT(0, 0)));
    struct xr_central_call call;

    decision(central, "/a", NOW);
    decision(central, "/", NOW);
    reported(central, NULL, DUE);
    reply(central, 200, UNPROCESSED("a", "\"500\""), DUE);
    call = asked(central, "/SamplingTargets", AGAIN);
    cr_expect_eq(report_of(&call, "a").documents, 1);
    cr_expect_eq(report_of(&call, NULL).documents, 1);
    xr_central_free(central);
}

/* ---- Modified rules ---------------------------------------------------------- */

Test(central_modified, asks_for_the_rules_at_once)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));

    give_target(central, MODIFIED(1500000005.5), DUE);
    give_rules(central, PAGE(DEFAULT(1, 0)), DUE);
    xr_central_free(central);
}

Test(central_modified, asks_for_no_rules_that_are_known)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));

    give_target(central, MODIFIED(1499999999.5), DUE);
    cr_expect_null(next(central, DUE).path);
    xr_central_free(central);
}

Test(central_modified, asks_once_for_each_modification)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));

    /* By a clock that is an hour ahead of ours. */
    give_target(central, MODIFIED(1500003605), DUE);
    give_rules(central, PAGE(DEFAULT(1, 0)), DUE);
    give_target(central, MODIFIED(1500003605), AGAIN);
    cr_expect_null(next(central, AGAIN).path);
    give_target(central, MODIFIED(1500003606), AGAIN + 11 * NS_PER_S);
    asked(central, "/GetSamplingRules", AGAIN + 11 * NS_PER_S);
    xr_central_free(central);
}

/* ---- Jitter ------------------------------------------------------------------ */

Test(central_jitter, of_rules_is_seconds_apart_between_clients)
{
    int64_t least = INT64_MAX, most = 0;

    for (int i = 0; i < 200; i++) {
        struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));
        int64_t now = NOW;

        wait_for_call(central, &now);
        least = now < least ? now : least;
        most = now > most ? now : most;
        xr_central_free(central);
    }
    cr_expect_geq(least, NOW + 300 * NS_PER_S);
    cr_expect_leq(most, NOW + 305 * NS_PER_S);
    cr_expect_geq(most - least, 3 * NS_PER_S);
}

Test(central_jitter, of_rules_is_the_same_each_time)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));
    int64_t now = NOW, first;

    wait_for_call(central, &now);
    first = now - NOW;
    for (int i = 0; i < 5; i++) {
        int64_t before = now;

        reply(central, 200, PAGE(DEFAULT(1, 0)), now);
        wait_for_call(central, &now);
        cr_expect_eq(now - before, first);
    }
    xr_central_free(central);
}

Test(central_jitter, of_targets_is_within_a_tenth_of_a_second)
{
    int64_t least = INT64_MAX, most = 0;

    for (int i = 0; i < 200; i++) {
        struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));
        int64_t now = NOW;

        decision(central, "/", NOW);
        wait_for_call(central, &now);
        least = now < least ? now : least;
        most = now > most ? now : most;
        xr_central_free(central);
    }
    cr_expect_geq(least, NOW + 10 * NS_PER_S);
    cr_expect_leq(most, NOW + 10 * NS_PER_S + NS_PER_S / 10);
    cr_expect_geq(most - least, NS_PER_S / 20);
}
