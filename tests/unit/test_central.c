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
