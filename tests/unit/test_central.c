/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of X-Ray: which are taken, which one decides, and how they change. */
#include "central.h"

/* ---- Asking for rules -------------------------------------------------------- */

Test(central, asks_for_rules_first)
{
    struct xr_central *central = central_new(NULL);
    struct xr_central_call call = asked(central, "/GetSamplingRules", NOW);

    cr_expect_eq(call.body_length, 2);
    cr_expect_eq(memcmp(call.body, "{}", 2), 0);
    xr_central_free(central);
}

Test(central, asks_the_same_until_there_is_a_reply)
{
    struct xr_central *central = central_new(NULL);
    struct xr_central_call first = asked(central, "/GetSamplingRules", NOW);
    struct xr_central_call again = asked(central, "/GetSamplingRules", NOW + 60 * NS_PER_S);

    cr_expect_eq(again.body, first.body);
    xr_central_free(central);
}

Test(central, ignores_a_reply_that_was_not_asked_for)
{
    struct xr_central *central = central_new(NULL);

    reply(central, 200, PAGE(DEFAULT(1, 0)), NOW);
    cr_expect_not(decides(central, NOW));
    xr_central_free(central);
}

Test(central, leaves_decisions_to_others_before_there_are_rules)
{
    struct xr_central *central = central_new(NULL);
    xray_sampling_decision decided = { .sampled = 7 };

    cr_expect_not(xr_central_decide(central, NULL, NOW, &decided));
    cr_expect_eq(decided.sampled, 7);
    xr_central_free(central);
}

Test(central, names_the_rule_that_decided)
{
    struct xr_central *central = central_with(
        PAGE(RULE("orders", 1, 1, 0, PATH("/orders*")) "," DEFAULT(0, 0)));
    xray_sampling_decision decided = decision(central, "/orders/7", NOW);

    cr_expect_eq(decided.sampled, 1);
    cr_expect_str_eq(decided.rule, "orders");
    cr_expect_eq(decided.report, 0);
    decided = decision(central, "/other", NOW);
    cr_expect_eq(decided.sampled, 0);
    cr_expect_str_eq(decided.rule, "Default");
    xr_central_free(central);
}

Test(central, asks_for_rules_again_after_five_minutes)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));
    int64_t now = NOW;

    cr_expect_str_eq(wait_for_call(central, &now).path, "/GetSamplingRules");
    cr_expect_geq(now, NOW + 300 * NS_PER_S);
    cr_expect_leq(now, NOW + 305 * NS_PER_S);
    xr_central_free(central);
}

/* ---- Pages ------------------------------------------------------------------- */

Test(central, follows_every_page)
{
    struct xr_central *central = central_new(NULL);
    struct xr_central_call call;

    give_rules(central, PAGE_BEFORE(RULE("a", 1, 0, 0, PATH("/a")), "t\\\"1"), NOW);
    cr_expect_not(decides(central, NOW));
    call = asked(central, "/GetSamplingRules", NOW);
    cr_expect_eq(call.body_length, strlen("{\"NextToken\":\"t\\\"1\"}"));
    cr_expect_eq(memcmp(call.body, "{\"NextToken\":\"t\\\"1\"}", call.body_length), 0);
    reply(central, 200, PAGE_BEFORE(RULE("b", 2, 0, 0, PATH("/b")), "t2"), NOW);
    give_rules(central, PAGE(DEFAULT(0, 0)), NOW);
    cr_expect_str_eq(decision(central, "/a", NOW).rule, "a");
    cr_expect_str_eq(decision(central, "/b", NOW).rule, "b");
    cr_expect_str_eq(decision(central, "/c", NOW).rule, "Default");
    xr_central_free(central);
}

Test(central, keeps_the_former_rules_when_a_page_fails)
{
    struct xr_central *central = central_with(PAGE(RULE("a", 1, 0, 0, PATH("*"))));
    int64_t now = NOW;

    wait_for_call(central, &now);
    reply(central, 200, PAGE_BEFORE(RULE("b", 1, 0, 0, PATH("*")), "t"), now);
    asked(central, "/GetSamplingRules", now);
    reply(central, 500, "", now);
    cr_expect_str_eq(decision(central, "/", now).rule, "a");
    xr_central_free(central);
}

Test(central, begins_with_the_first_page_after_one_that_failed)
{
    struct xr_central *central = central_new(NULL);
    int64_t now = NOW;

    give_rules(central, PAGE_BEFORE(RULE("old", 1, 0, 0, PATH("*")), "t"), now);
    asked(central, "/GetSamplingRules", now);
    reply(central, 500, "", now);
    cr_expect_eq(wait_for_call(central, &now).body_length, 2);
    reply(central, 200, PAGE(DEFAULT(0, 0)), now);
    cr_expect_str_eq(decision(central, "/", now).rule, "Default");
    xr_central_free(central);
}

Test(central, gives_up_pages_without_end)
{
    struct xr_central *central = central_new(NULL);
    int pages = 0;

    while (next(central, NOW).path) {
        reply(central, 200, PAGE_BEFORE("", "again"), NOW);
        cr_assert_leq(++pages, XR_CENTRAL_PAGES_MAX);
    }
    cr_expect_eq(pages, XR_CENTRAL_PAGES_MAX);
    xr_central_free(central);
}

/* ---- Order and change -------------------------------------------------------- */

Test(central, tries_rules_by_priority_then_by_name)
{
    struct xr_central *central = central_with(
        PAGE(DEFAULT(0, 0) "," RULE("b", 2, 0, 0, PATH("*")) "," RULE(
            "z", 1, 0, 0, PATH("/z")) "," RULE("a", 2, 0, 0, PATH("/a"))));

    cr_expect_str_eq(decision(central, "/z", NOW).rule, "z");
    cr_expect_str_eq(decision(central, "/a", NOW).rule, "a");
    cr_expect_str_eq(decision(central, "/x", NOW).rule, "b");
    xr_central_free(central);
}

Test(central, tries_the_default_last_and_it_matches_all)
{
    struct xr_central *central = central_with(
        PAGE(RULE("Default", 1, 0, 0, PATH("/only")) "," RULE("a", 9999, 0, 0, PATH("/a*"))));

    cr_expect_str_eq(decision(central, "/a", NOW).rule, "a");
    cr_expect_str_eq(decision(central, "/b", NOW).rule, "Default");
    xr_central_free(central);
}

Test(central, leaves_what_no_rule_matches_to_others)
{
    struct xr_central *central = central_with(PAGE(RULE("a", 1, 1, 1, PATH("/a"))));

    cr_expect_not(decides(central, NOW));
    xr_central_free(central);
}

Test(central, takes_an_empty_list_for_what_it_is)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 1)));
    int64_t now = NOW;

    wait_for_call(central, &now);
    reply(central, 200, PAGE(""), now);
    cr_expect_not(decides(central, now));
    xr_central_free(central);
}

Test(central, takes_the_last_of_rules_with_the_same_name)
{
    struct xr_central *central = central_with(
        PAGE(RULE("a", 1, 0, 0, PATH("*")) "," RULE("a", 1, 1, 0, PATH("*"))));

    cr_expect_eq(sampled(central, "/", NOW, 10), 10);
    xr_central_free(central);
}

#define LIST_MAX 5

/* A list of rules which each match one path, with the same name, and all of these in order. */
static void change_rules(struct xr_central *central, const char *names, int64_t *now_ns)
{
    char text[LIST_MAX * 512] = "{\"SamplingRuleRecords\":[", *p = text + strlen(text);

    for (int i = 0; names[i]; i++)
        p += snprintf(p, sizeof(text) - (size_t)(p - text),
                      "%s{\"SamplingRule\":{\"RuleName\":\"%c\",\"Version\":1,\"Priority\":%d,"
                      "\"FixedRate\":0,\"ReservoirSize\":0,\"URLPath\":\"*%c*\"}}",
                      i > 0 ? "," : "", names[i], i + 1, names[i]);
    snprintf(p, sizeof(text) - (size_t)(p - text), "]}");
    for (;;) {
        struct xr_central_call call = wait_for_call(central, now_ns);
        bool rules = strcmp(call.path, "/GetSamplingRules") == 0;

        reply(central, 200, rules ? text : TARGETS(""), *now_ns);
        if (rules)
            return;
    }
}

/* Of a path that all of them match, the first one is the one that decides. */
static void expect_rules(struct xr_central *central, const char *names, int64_t now_ns)
{
    for (int i = 0; names[i]; i++) {
        xray_sampling_decision decided = decision(central, names + i, now_ns);

        cr_expect_eq(decided.rule[0], names[i], "of %s: %s", names, decided.rule);
    }
}

Test(central_change, finds_a_new_rule_in_every_position)
{
    static const char *const lists[] = { "nabc", "anbc", "abnc", "abcn" };

    for (size_t i = 0; i < LENGTH_OF(lists); i++) {
        struct xr_central *central = central_new(NULL);
        int64_t now = NOW;

        change_rules(central, "abc", &now);
        change_rules(central, lists[i], &now);
        expect_rules(central, lists[i], now);
        xr_central_free(central);
    }
}

Test(central_change, forgets_a_deleted_rule_in_every_position)
{
    static const char *const lists[] = { "bcd", "acd", "abd", "abc" };

    for (size_t i = 0; i < LENGTH_OF(lists); i++) {
        struct xr_central *central = central_new(NULL);
        const char deleted[] = { "abcd"[i], '\0' };
        xray_sampling_request request = { .size = sizeof(request), .url_path = deleted };
        xray_sampling_decision decided;
        int64_t now = NOW;

        change_rules(central, "abcd", &now);
        expect_rules(central, "abcd", now);
        change_rules(central, lists[i], &now);
        expect_rules(central, lists[i], now);
        cr_expect_not(xr_central_decide(central, &request, now, &decided));
        xr_central_free(central);
    }
}

Test(central_change, follows_every_order)
{
    static const char *const lists[] = { "abc", "acb", "bac", "bca", "cab", "cba" };
    struct xr_central *central = central_new(NULL);
    int64_t now = NOW;

    for (size_t i = 0; i < LENGTH_OF(lists); i++)
        for (size_t k = 0; k < LENGTH_OF(lists); k++) {
            change_rules(central, lists[i], &now);
            change_rules(central, lists[k], &now);
            expect_rules(central, lists[k], now);
        }
    xr_central_free(central);
}

Test(central_change, keeps_what_is_not_reported_yet)
{
    struct xr_central *central = central_with(
        PAGE(RULE("a", 1, 1, 0, PATH("/a")) "," DEFAULT(0, 0)));
    int64_t now = NOW + 306 * NS_PER_S;

    sampled(central, "/a", NOW, 4);
    sampled(central, "/b", NOW, 5);
    asked(central, "/GetSamplingRules", now);
    reply(central, 200, PAGE(DEFAULT(0, 0) "," RULE("a", 7, 0, 3, PATH("/b"))), now);
    struct xr_central_call call = asked(central, "/SamplingTargets", now);

    cr_expect_eq(report_of(&call, "a").requests, 4);
    cr_expect_eq(report_of(&call, "a").sampled, 4);
    cr_expect_eq(report_of(&call, "Default").requests, 5);
    xr_central_free(central);
}

Test(central_change, drops_what_a_deleted_rule_counted)
{
    struct xr_central *central = central_with(
        PAGE(RULE("a", 1, 1, 0, PATH("*")) "," DEFAULT(0, 0)));
    int64_t now = NOW + 306 * NS_PER_S;

    sampled(central, "/", NOW, 4);
    asked(central, "/GetSamplingRules", now);
    reply(central, 200, PAGE(DEFAULT(0, 0)), now);
    cr_expect_null(next(central, now).path);
    xr_central_free(central);
}

/* ---- Matching ---------------------------------------------------------------- */

Test(central, matches_all_that_a_rule_names)
{
    static const char rules[] =
        "{\"SamplingRuleRecords\":[{\"SamplingRule\":{\"RuleName\":\"r\",\"Version\":1,"
        "\"Priority\":1,\"FixedRate\":1,\"ServiceName\":\"shop*\",\"ServiceType\":\"AWS::EC2::*\","
        "\"Host\":\"*.example.com\",\"HTTPMethod\":\"POST\",\"URLPath\":\"/v?/*\","
        "\"ResourceARN\":\"arn:aws:ec2:*\",\"Attributes\":{\"tier\":\"gold*\"}}}]}";
    const xray_sampling_attribute attributes[] = { { "tier", "Golden" } };
    const xray_sampling_request request = { .size = sizeof(request),
                                            .service = "shop-front",
                                            .service_type = "AWS::EC2::Instance",
                                            .host = "www.example.com",
                                            .http_method = "post",
                                            .url_path = "/v2/x",
                                            .resource_arn = "arn:aws:ec2:eu-west-1:1:i-1",
                                            .attributes = attributes,
                                            .attribute_count = 1 };
    xray_sampling_request others[7];
    struct xr_central *central = central_with(rules);
    xray_sampling_decision decided;

    cr_expect(xr_central_decide(central, &request, NOW, &decided));
    for (size_t i = 0; i < LENGTH_OF(others); i++)
        others[i] = request;
    others[0].service = "front";
    others[1].service_type = "AWS::ECS::Container";
    others[2].host = "example.com";
    others[3].http_method = "GET";
    others[4].url_path = "/v10/x";
    others[5].resource_arn = NULL;
    others[6].attribute_count = 0;
    for (size_t i = 0; i < LENGTH_OF(others); i++)
        cr_expect_not(xr_central_decide(central, &others[i], NOW, &decided), "%zu", i);
    xr_central_free(central);
}

/* ---- Age --------------------------------------------------------------------- */

Test(central, decides_for_an_hour_without_news)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));

    cr_expect(decides(central, NOW + 3600 * NS_PER_S));
    cr_expect_not(decides(central, NOW + 3600 * NS_PER_S + 1));
    xr_central_free(central);
}

Test(central, decides_again_once_old_rules_are_new)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));
    int64_t later = NOW + 7200 * NS_PER_S;

    cr_expect_not(decides(central, later));
    give_rules(central, PAGE(DEFAULT(1, 0)), later);
    cr_expect(decides(central, later));
    xr_central_free(central);
}

Test(central, asks_at_once_when_the_clock_is_set_back)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));

    cr_expect(decides(central, NOW - 3600 * NS_PER_S));
    asked(central, "/GetSamplingRules", NOW - 3600 * NS_PER_S);
    xr_central_free(central);
}
