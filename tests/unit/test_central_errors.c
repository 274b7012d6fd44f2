/* SPDX-License-Identifier: Apache-2.0 */
/* Replies that are none: what was known stays, and it is asked again, less and less often. */
#include "central.h"

#define DUE   (NOW + 11 * NS_PER_S)
#define AGAIN (NOW + 22 * NS_PER_S)

/* What comes instead of a reply, with the status of one. */
static const char *const GARBAGE[] = {
    "",
    " ",
    "null",
    "[]",
    "7",
    "\"SamplingRuleRecords\"",
    "{",
    "{}",
    "{\"message\":null}",
    "{\"SamplingRuleRecords\":{}}",
    "{\"SamplingRuleRecords\":[{\"SamplingRule\":{\"RuleName\":\"cut",
    "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>",
    "\xff\xfe\x01",
};

/* Which calls fail from here on. */
static void expect_rules_kept(int status, const char *text)
{
    struct xr_central *central = central_with(PAGE(RULE("kept", 1, 0, 0, PATH("*"))));
    int64_t now = NOW;

    wait_for_call(central, &now);
    reply(central, status, text, now);
    cr_expect_str_eq(decision(central, "/", now).rule, "kept", "after %d and %s", status, text);
    cr_expect_leq(next(central, now).wait_until_ns, now + NS_PER_S, "after %d and %s", status,
                  text);
    xr_central_free(central);
}

static void expect_counts_kept(int status, const char *text)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));
    struct report report;

    sampled(central, "/", NOW, 5);
    reported(central, "Default", DUE);
    reply(central, status, text, DUE);
    sampled(central, "/", DUE, 2);
    report = reported(central, "Default", AGAIN);
    cr_expect_eq(report.requests, 7, "after %d and %s", status, text);
    cr_expect_eq(report.sampled, 7, "after %d and %s", status, text);
    xr_central_free(central);
}

Test(central_error, of_any_status_keeps_the_rules)
{
    for (int status = 201; status <= 599; status++)
        expect_rules_kept(status, PAGE(RULE("other", 1, 0, 0, PATH("*"))));
}

Test(central_error, of_any_status_keeps_the_counts)
{
    for (int status = 201; status <= 599; status++)
        expect_counts_kept(status, TARGETS(TARGET("Default", 0, "")));
}

Test(central_error, without_a_reply_keeps_both)
{
    static const int errors[] = { -ECONNREFUSED, -ETIMEDOUT, -ENOMEM, -EBADMSG, 0, 1, -1000000 };

    for (size_t i = 0; i < LENGTH_OF(errors); i++) {
        expect_rules_kept(errors[i], NULL);
        expect_counts_kept(errors[i], NULL);
    }
}

Test(central_error, of_garbage_keeps_the_rules)
{
    for (size_t i = 0; i < LENGTH_OF(GARBAGE); i++)
        expect_rules_kept(200, GARBAGE[i]);
    expect_rules_kept(200, NULL);
}

Test(central_error, of_garbage_keeps_the_counts)
{
    for (size_t i = 0; i < LENGTH_OF(GARBAGE); i++)
        expect_counts_kept(200, GARBAGE[i]);
    expect_counts_kept(200, NULL);
}

Test(central_error, of_a_reply_cut_anywhere_keeps_the_rules)
{
    const char *text = PAGE(RULE("other", 1, 0, 0, PATH("*")));
    struct xr_central *central = central_with(PAGE(RULE("kept", 1, 0, 0, PATH("*"))));
    int64_t now = NOW;

    for (size_t length = 0; length < strlen(text); length++) {
        wait_for_call(central, &now);
        xr_central_reply(central, 200, text, length, now);
    }
    /* At a time when they were not too old. */
    cr_expect_str_eq(decision(central, "/", NOW).rule, "kept");
    xr_central_free(central);
}

Test(central_error, for_over_an_hour_leaves_decisions_to_others)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));
    int64_t now = NOW;

    while (now <= NOW + 3600 * NS_PER_S) {
        cr_assert(decides(central, now));
        wait_for_call(central, &now);
        reply(central, 429, "{\"message\":\"Rate exceeded\"}", now);
    }
    cr_expect_not(decides(central, now));
    xr_central_free(central);
}

/* ---- Again ------------------------------------------------------------------- */

Test(central_error, of_rules_is_tried_again_less_and_less_often)
{
    struct xr_central *central = central_new(NULL);
    int64_t now = NOW, most = NS_PER_S;

    for (int i = 0; i < 20; i++) {
        int64_t before = now;

        wait_for_call(central, &now);
        if (i > 0) {
            cr_expect_geq(now - before, most / 2, "at %d", i);
            cr_expect_leq(now - before, most, "at %d", i);
            most = 2 * most < 300 * NS_PER_S ? 2 * most : 300 * NS_PER_S;
        }
        reply(central, -ECONNREFUSED, NULL, now);
    }
    xr_central_free(central);
}

Test(central_error, of_targets_is_tried_again_every_ten_seconds_at_last)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));
    int64_t now = NOW, before;

    decision(central, "/", now);
    for (int i = 0; i < 20; i++) {
        before = now;
        cr_assert_str_eq(wait_for_call(central, &now).path, "/SamplingTargets");
        reply(central, 503, "", now);
    }
    cr_expect_geq(now - before, 5 * NS_PER_S);
    cr_expect_leq(now - before, 10 * NS_PER_S);
    xr_central_free(central);
}

Test(central_error, is_forgotten_with_the_next_success)
{
    struct xr_central *central = central_new(NULL);
    int64_t now = NOW, before;

    for (int i = 0; i < 10; i++) {
        wait_for_call(central, &now);
        reply(central, 500, "", now);
    }
    wait_for_call(central, &now);
    reply(central, 200, PAGE(DEFAULT(1, 0)), now);
    wait_for_call(central, &now);
    reply(central, 500, "", now);
    before = now;
    wait_for_call(central, &now);
    cr_expect_leq(now - before, NS_PER_S);
    xr_central_free(central);
}

/* A first page is no success. */
Test(central_error, of_a_later_page_counts_like_that_of_the_first)
{
    struct log_lines lines = { 0 };
    struct xr_central *central = central_new(&lines);
    int64_t now = NOW, before = NOW;

    for (int i = 0; i < 8; i++) {
        before = now;
        wait_for_call(central, &now);
        reply(central, 200, PAGE_BEFORE("", "t"), now);
        asked(central, "/GetSamplingRules", now);
        reply(central, 500, "", now);
    }
    cr_expect_geq(now - before, 32 * NS_PER_S);
    cr_expect_leq(lines.count, 3);
    xr_central_free(central);
}

/* ---- What is said ------------------------------------------------------------ */

Test(central_error, is_told_once_a_minute_at_most)
{
    struct log_lines lines = { 0 };
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));
    int64_t now = NOW;

    xr_central_free(central);
    central = central_new(&lines);
    give_rules(central, PAGE(DEFAULT(1, 0)), now);
    decision(central, "/", now);
    while (now < NOW + 250 * NS_PER_S) {
        wait_for_call(central, &now);
        reply(central, 500, "", now);
    }
    cr_expect_geq(lines.count, 3);
    cr_expect_leq(lines.count, 5);
    cr_expect_eq(lines.level, XR_LOG_WARNING);
    cr_expect(strstr(lines.last, "GetSamplingTargets") && strstr(lines.last, "500"), "%s",
              lines.last);
    xr_central_free(central);
}

Test(central_error, is_told_after_the_clock_is_set_back)
{
    struct log_lines lines = { 0 };
    struct xr_central *central = central_new(&lines);

    for (int64_t hour = 2; hour > 0; hour--) {
        asked(central, "/GetSamplingRules", NOW + hour * 3600 * NS_PER_S);
        reply(central, 500, "", NOW + hour * 3600 * NS_PER_S);
    }
    cr_expect_eq(lines.count, 2);
    xr_central_free(central);
}

Test(central_error, without_a_daemon_is_no_warning)
{
    struct log_lines lines = { 0 };
    struct xr_central *central = central_new(&lines);

    asked(central, "/GetSamplingRules", NOW);
    reply(central, -ECONNREFUSED, NULL, NOW);
    cr_expect_eq(lines.count, 1);
    cr_expect_eq(lines.level, XR_LOG_INFO);
    xr_central_free(central);
}

Test(central_error, of_something_that_is_no_daemon_is_a_warning)
{
    struct log_lines lines = { 0 };
    struct xr_central *central = central_new(&lines);

    asked(central, "/GetSamplingRules", NOW);
    reply(central, 200, "<html>", NOW);
    cr_expect_eq(lines.count, 1);
    cr_expect_eq(lines.level, XR_LOG_WARNING);
    xr_central_free(central);
}

Test(central_error, that_is_over_is_told)
{
    struct log_lines lines = { 0 };
    struct xr_central *central = central_new(&lines);

    asked(central, "/GetSamplingRules", NOW);
    reply(central, 403, "{}", NOW);
    cr_expect_eq(lines.level, XR_LOG_WARNING);
    give_rules(central, PAGE(DEFAULT(1, 0)), NOW + 2 * NS_PER_S);
    cr_expect_eq(lines.count, 2);
    cr_expect_eq(lines.level, XR_LOG_INFO);
    cr_expect(strstr(lines.last, "works again"), "%s", lines.last);
    xr_central_free(central);
}

Test(central_error, that_never_was_is_not_told)
{
    struct log_lines lines = { 0 };
    struct xr_central *central = central_new(&lines);

    give_rules(central, PAGE(DEFAULT(1, 0)), NOW);
    cr_expect_eq(lines.count, 0, "%s", lines.last);
    xr_central_free(central);
}
