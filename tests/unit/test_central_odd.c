/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that are unusual, broken, or too many. */
#include "base/alloc.h"
#include "central.h"

/* A rule of nothing but these members, for all paths, before a default which never samples. */
#define ODD(members)                                                                \
    "{\"SamplingRuleRecords\":[{\"SamplingRule\":{" members "}},{\"SamplingRule\":" \
    "{\"RuleName\":\"Default\",\"Version\":1,\"FixedRate\":0}}]}"
#define NEEDED "\"RuleName\":\"r\",\"Version\":1,\"Priority\":1,\"FixedRate\":1"

static void expect_rule(const char *text, const char *rule)
{
    struct xr_central *central = central_with(text);

    cr_expect_str_eq(decision(central, "/", NOW).rule, rule, "%s", text);
    xr_central_free(central);
}

Test(central_odd, members_that_are_unknown_do_not_matter)
{
    expect_rule(ODD(NEEDED ",\"New\":{\"a\":[1,{\"RuleName\":\"x\"}]},\"Other\":\"x\""), "r");
    expect_rule("{\"New\":[[]],\"SamplingRuleRecords\":[{\"New\":1,\"SamplingRule\":{" NEEDED
                "},\"CreatedAt\":\"2026-01-01T00:00:00Z\"}]}",
                "r");
}

Test(central_odd, members_that_are_null_are_as_if_not_there)
{
    expect_rule(ODD(NEEDED ",\"ServiceName\":null,\"Host\":null,\"URLPath\":null,"
                           "\"ReservoirSize\":null,\"Attributes\":null,\"ResourceARN\":null,"
                           "\"SamplingRateBoost\":null,\"RuleARN\":null"),
                "r");
}

Test(central_odd, members_that_can_be_missing_match_everything)
{
    expect_rule(ODD(NEEDED), "r");
}

Test(central_odd, numbers_may_be_strings)
{
    struct xr_central *central = central_with(
        ODD("\"RuleName\":\"r\",\"Version\":\"1\",\"Priority\":\"1\",\"FixedRate\":\"0.0\","
            "\"ReservoirSize\":\"1\""));

    cr_expect_eq(sampled(central, "/", NOW, 10), 1);
    cr_expect_str_eq(decision(central, "/", NOW).rule, "r");
    xr_central_free(central);
}

static size_t taken_bytes;

static void *take_memory(size_t bytes)
{
    taken_bytes += bytes;
    return malloc(bytes);
}

/* A reader's tree is many times as large as the text, and this one is hidden in a string. */
Test(central_odd, numbers_in_strings_are_short)
{
    static char text[(1 << 20) + 200];
    struct xr_central *central = central_new(NULL);
    char *p = text;

    p += sprintf(p, "{\"SamplingRuleRecords\":[{\"SamplingRule\":{\"RuleName\":\"r\","
                    "\"Version\":\"[");
    for (int i = 0; i < 1 << 19; i++, p += 2)
        memcpy(p, "1,", 2);
    strcpy(p, "1]\"}}]}");
    cJSON_InitHooks(&(cJSON_Hooks){ take_memory, free });
    give_rules(central, text, NOW);
    cr_expect_lt(taken_bytes, 4 * sizeof(text));
    xr_central_free(central);
}

Test(central_odd, name_of_32_bytes_is_whole)
{
    expect_rule(ODD("\"RuleName\":\"0123456789abcdef0123456789abcdef\",\"Version\":1,"
                    "\"Priority\":1,\"FixedRate\":1"),
                "0123456789abcdef0123456789abcdef");
}

/* Each would decide if it were taken. */
Test(central_odd, rules_that_are_broken_are_left_out)
{
    static const char *const broken[] = {
        ODD("\"Version\":1,\"Priority\":1,\"FixedRate\":1"),
        ODD("\"RuleName\":null,\"Version\":1,\"Priority\":1,\"FixedRate\":1"),
        ODD("\"RuleName\":7,\"Version\":1,\"Priority\":1,\"FixedRate\":1"),
        ODD("\"RuleName\":\"\",\"Version\":1,\"Priority\":1,\"FixedRate\":1"),
        ODD("\"RuleName\":\"0123456789abcdef0123456789abcdefg\",\"Version\":1,\"Priority\":1,"
            "\"FixedRate\":1"),
        ODD("\"RuleName\":\"a\xff\",\"Version\":1,\"Priority\":1,\"FixedRate\":1"),
        ODD("\"RuleName\":\"r\",\"Priority\":1,\"FixedRate\":1"),
        ODD("\"RuleName\":\"r\",\"Version\":2,\"Priority\":1,\"FixedRate\":1"),
        ODD("\"RuleName\":\"r\",\"Version\":1,\"FixedRate\":1"),
        ODD("\"RuleName\":\"r\",\"Version\":1,\"Priority\":0,\"FixedRate\":1"),
        ODD("\"RuleName\":\"r\",\"Version\":1,\"Priority\":10000,\"FixedRate\":1"),
        ODD("\"RuleName\":\"r\",\"Version\":1,\"Priority\":\"x\",\"FixedRate\":1"),
        ODD("\"RuleName\":\"r\",\"Version\":1,\"Priority\":\"1x\",\"FixedRate\":1"),
        ODD("\"RuleName\":\"r\",\"Version\":1,\"Priority\":1"),
        ODD("\"RuleName\":\"r\",\"Version\":1,\"Priority\":1,\"FixedRate\":1.1"),
        ODD("\"RuleName\":\"r\",\"Version\":1,\"Priority\":1,\"FixedRate\":-0.1"),
        ODD("\"RuleName\":\"r\",\"Version\":1,\"Priority\":1,\"FixedRate\":1e999"),
        ODD("\"RuleName\":\"r\",\"Version\":1,\"Priority\":1,\"FixedRate\":[1]"),
        ODD(NEEDED ",\"ReservoirSize\":-1"),
        ODD(NEEDED ",\"URLPath\":7"),
        ODD(NEEDED ",\"HTTPMethod\":\"***********\""),
        ODD(NEEDED ",\"Attributes\":[]"),
        ODD(NEEDED ",\"Attributes\":{\"a\":1}"),
        ODD(NEEDED ",\"Attributes\":{\"a\":\"*********************************\"}"),
        ODD(NEEDED ",\"Attributes\":{\"a\":\"*\",\"b\":\"*\",\"c\":\"*\",\"d\":\"*\",\"e\":\"*\","
                   "\"f\":\"*\"}"),
        ("{\"SamplingRuleRecords\":[null,7,[],{},{\"SamplingRule\":[]},{\"SamplingRule\":"
         "{\"RuleName\":\"Default\",\"Version\":1,\"FixedRate\":0}}]}"),
    };

    for (size_t i = 0; i < LENGTH_OF(broken); i++)
        expect_rule(broken[i], "Default");
}

Test(central_odd, rules_that_are_left_out_are_told_once)
{
    struct log_lines lines = { 0 };
    struct xr_central *central = central_new(&lines);
    int64_t now = NOW;

    give_rules(central, ODD("\"RuleName\":7"), now);
    cr_expect_eq(lines.count, 1);
    cr_expect_eq(lines.level, XR_LOG_WARNING);
    wait_for_call(central, &now);
    reply(central, 200, ODD("\"RuleName\":7"), now);
    cr_expect_eq(lines.count, 1, "%s", lines.last);
    xr_central_free(central);
}

/* ---- Many -------------------------------------------------------------------- */

static char *many_rules(int count)
{
    size_t size = (size_t)count * 128 + 128;
    char *text = malloc(size), *p = text;

    cr_assert_not_null(text);
    p += sprintf(p, "{\"SamplingRuleRecords\":[");
    for (int i = 0; i < count; i++)
        p += sprintf(p,
                     "{\"SamplingRule\":{\"RuleName\":\"r%d\",\"Version\":1,\"Priority\":%d,"
                     "\"FixedRate\":0,\"URLPath\":\"/%d\"}},",
                     i, i % 9999 + 1, i);
    sprintf(p, "{\"SamplingRule\":{\"RuleName\":\"Default\",\"Version\":1,\"FixedRate\":1}}]}");
    return text;
}

Test(central_odd, ten_thousand_rules_and_the_default_are_kept)
{
    char *text = many_rules(XR_CENTRAL_RULES_MAX + 10);
    struct xr_central *central = central_with(text);

    cr_expect_str_eq(decision(central, "/9999", NOW).rule, "r9999");
    cr_expect_str_eq(decision(central, "/10000", NOW).rule, "Default");
    xr_central_free(central);
    free(text);
}

static void expect_refused(const char *text, size_t length)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 0)));
    int64_t now = NOW;

    wait_for_call(central, &now);
    xr_central_reply(central, 200, text, length, now);
    cr_expect_str_eq(decision(central, "/", now).rule, "Default");
    cr_expect_leq(next(central, now).wait_until_ns, now + NS_PER_S, "it was taken");
    xr_central_free(central);
}

Test(central_odd, reply_of_over_eight_mebibytes_is_refused)
{
    static char text[(8 << 20) + 1];
    const char *rules = PAGE(RULE("a", 1, 0, 0, PATH("*")));

    memset(text, ' ', sizeof(text));
    memcpy(text, rules, strlen(rules));
    expect_refused(text, sizeof(text));
}

Test(central_odd, pages_of_over_eight_mebibytes_together_are_refused)
{
    static char text[5 << 20];
    const char *rules = PAGE_BEFORE(RULE("a", 1, 0, 0, PATH("*")), "t");
    struct xr_central *central = central_new(NULL);

    memset(text, ' ', sizeof(text));
    memcpy(text, rules, strlen(rules));
    asked(central, "/GetSamplingRules", NOW);
    xr_central_reply(central, 200, text, sizeof(text), NOW);
    asked(central, "/GetSamplingRules", NOW);
    xr_central_reply(central, 200, text, sizeof(text), NOW);
    cr_expect_null(next(central, NOW).path);
    xr_central_free(central);
}

Test(central_odd, targets_of_over_eight_mebibytes_are_refused)
{
    static char text[(8 << 20) + 1];
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 0)));

    memset(text, ' ', sizeof(text));
    memcpy(text, TARGETS(""), strlen(TARGETS("")));
    decision(central, "/", NOW);
    reported(central, "Default", NOW + 11 * NS_PER_S);
    xr_central_reply(central, 200, text, sizeof(text), NOW + 11 * NS_PER_S);
    cr_expect_eq(reported(central, "Default", NOW + 22 * NS_PER_S).requests, 1);
    xr_central_free(central);
}

Test(central_odd, reply_of_too_many_values_is_refused)
{
    static char text[4 << 20];
    const char *rules = "{\"SamplingRuleRecords\":[],\"more\":[";
    size_t length = strlen(rules);

    memset(text, ',', sizeof(text));
    memcpy(text, rules, length);
    for (size_t i = length; i < sizeof(text); i += 2)
        text[i] = '0';
    memcpy(text + sizeof(text) - 3, "0]}", 3);
    expect_refused(text, sizeof(text));
}

Test(central_odd, brackets_in_a_text_are_no_levels)
{
    expect_rule(ODD("\"RuleName\":\"r\",\"Version\":1,\"Priority\":1,\"FixedRate\":1,\"Host\":"
                    "\"*\",\"New\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\\\""),
                "r");
}

Test(central_odd, reply_of_a_million_levels_is_refused)
{
    static char text[1 << 20];

    memset(text, '[', sizeof(text));
    memcpy(text, "{\"SamplingRuleRecords\":", 23);
    expect_refused(text, sizeof(text));
}

Test(central_odd, reply_that_is_33_levels_deep_is_refused)
{
    expect_rule("{\"New\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],"
                "\"SamplingRuleRecords\":[{\"SamplingRule\":{" NEEDED "}}]}",
                "r");
    const char *text = "{\"New\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],"
                       "\"SamplingRuleRecords\":[{\"SamplingRule\":{" NEEDED "}}]}";

    expect_refused(text, strlen(text));
}

Test(central_odd, token_that_is_no_text_is_refused)
{
    const char *text = "{\"SamplingRuleRecords\":[],\"NextToken\":7}";

    expect_refused(text, strlen(text));
}

Test(central_odd, token_that_is_empty_is_none)
{
    expect_rule(PAGE_BEFORE(RULE("r", 1, 0, 0, PATH("*")), ""), "r");
}

/* ---- Memory ------------------------------------------------------------------ */

static int allocations_left;

static void *allocate(void *data, size_t bytes)
{
    (void)data;
    return allocations_left-- > 0 ? malloc(bytes) : NULL;
}

static void release(void *data, void *memory, size_t bytes)
{
    (void)data;
    (void)bytes;
    free(memory);
}

Test(central_odd, lack_of_memory_keeps_the_former_rules)
{
    const struct xr_allocator allocator = { NULL, allocate, release };
    struct xr_central *central;
    int64_t now = NOW;
    int failures = 0;

    cr_assert(xr_alloc_set(&allocator));
    allocations_left = 1000;
    central = central_with(PAGE(RULE("old", 1, 0, 0, PATH("/*")) "," DEFAULT(0, 0)));
    for (;;) {
        wait_for_call(central, &now);
        allocations_left = failures;
        reply(central, 200,
              PAGE(RULE("new", 1, 0, 0, PATH("*") ",\"SamplingRateBoost\":{}") "," DEFAULT(0, 0)),
              now);
        allocations_left = 1000;
        if (strcmp(decision(central, "/", now).rule, "new") == 0)
            break;
        cr_assert_str_eq(decision(central, "/", now).rule, "old");
        cr_assert_lt(++failures, 100);
    }
    cr_expect_gt(failures, 4);
    xr_central_free(central);
}
