/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the sampling service: what is allowed, and what becomes of a change. */
#include "sampling_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(sampling_rules, has_default_alone_at_first)
{
    struct asked asked = ask_new();
    ask(&asked, "/GetSamplingRules", "");
    expect_reply(&asked, 200,
                 "{'SamplingRuleRecords':[{'SamplingRule':{'RuleName':'Default',"
                 "'RuleARN':'arn:aws:xray:local:000000000000:sampling-rule/Default',"
                 "'Priority':10000,'FixedRate':0.05,'ReservoirSize':1,'ResourceARN':'*',"
                 "'ServiceName':'*','ServiceType':'*','Host':'*','HTTPMethod':'*','URLPath':'*',"
                 "'Version':1,'Attributes':{}},'CreatedAt':1700000000,'ModifiedAt':1700000000}]}");
    ask_free(&asked);
}

Test(sampling_rules, returns_a_rule_as_it_was_created)
{
    struct asked asked = ask_new();
    asked.now_ns += NS / 2;
    ask(&asked, "/CreateSamplingRule",
        "{'SamplingRule':{" RULE(
            "a", "7") ",'ResourceARN':'r','ServiceName':'n','ServiceType':'t','Host':'h','"
                      "HTTPMethod':'GET',"
                      "'URLPath':'/p','Version':1,'Attributes':{'k':'v'},"
                      "'SamplingRateBoost':{'MaxRate':0.5,'CooldownWindowMinutes':10}},'Tags':[]}");
    expect_reply(&asked, 200,
                 "{'SamplingRuleRecord':{'SamplingRule':{'RuleName':'a',"
                 "'RuleARN':'arn:aws:xray:local:000000000000:sampling-rule/a','Priority':7,"
                 "'FixedRate':0.1,'ReservoirSize':10,'ResourceARN':'r','ServiceName':'n',"
                 "'ServiceType':'t','Host':'h','HTTPMethod':'GET','URLPath':'/p','Version':1,"
                 "'Attributes':{'k':'v'},"
                 "'SamplingRateBoost':{'MaxRate':0.5,'CooldownWindowMinutes':10}},"
                 "'CreatedAt':1700000000.5,'ModifiedAt':1700000000.5}}");
    ask_free(&asked);
}

static void expect_names(struct asked *asked, const char *names)
{
    char found[512] = "";
    const cJSON *record;
    ask(asked, "/GetSamplingRules", "{}");
    cJSON *json = cJSON_Parse(asked->body);
    cJSON_ArrayForEach(record, cJSON_GetObjectItem(json, "SamplingRuleRecords"))
    {
        const cJSON *rule = cJSON_GetObjectItem(record, "SamplingRule");
        strcat(found, cJSON_GetObjectItem(rule, "RuleName")->valuestring);
        strcat(found, " ");
    }
    cJSON_Delete(json);
    cr_expect_str_eq(found, names);
}

Test(sampling_rules, lists_them_by_priority_and_then_by_name)
{
    struct asked asked = ask_new();
    create(&asked, "z", "1");
    create(&asked, "b", "2");
    create(&asked, "a", "2");
    create(&asked, "Z", "9999");
    expect_names(&asked, "z a b Z Default ");
    ask_free(&asked);
}

Test(sampling_rules, moves_a_rule_whose_priority_changes)
{
    struct asked asked = ask_new();
    create(&asked, "a", "1");
    create(&asked, "b", "2");
    ask(&asked, "/UpdateSamplingRule", "{'SamplingRuleUpdate':{'RuleName':'a','Priority':3}}");
    expect_names(&asked, "b a Default ");
    ask_free(&asked);
}

Test(sampling_rules, updates_only_what_is_given)
{
    struct asked asked = ask_new();
    create(&asked, "a", "1");
    asked.now_ns += 2 * NS;
    ask(&asked, "/UpdateSamplingRule",
        "{'SamplingRuleUpdate':{'RuleARN':'arn:aws:xray:local:000000000000:sampling-rule/a',"
        "'FixedRate':1,'Host':null,'Attributes':{'k':'v'}}}");
    expect_reply(&asked, 200,
                 "{'SamplingRuleRecord':{'SamplingRule':{'RuleName':'a',"
                 "'RuleARN':'arn:aws:xray:local:000000000000:sampling-rule/a','Priority':1,"
                 "'FixedRate':1,'ReservoirSize':10,'ResourceARN':'*','ServiceName':'*',"
                 "'ServiceType':'*','Host':'*','HTTPMethod':'*','URLPath':'*','Version':1,"
                 "'Attributes':{'k':'v'}},'CreatedAt':1700000000,'ModifiedAt':1700000002}}");
    ask_free(&asked);
}

Test(sampling_rules, keeps_attributes_and_boost_in_an_update_of_something_else)
{
    struct asked asked = ask_new();
    create(&asked, "a", "1");
    ask(&asked, "/UpdateSamplingRule",
        "{'SamplingRuleUpdate':{'RuleName':'a','Attributes':{'k':'v'},"
        "'SamplingRateBoost':{'MaxRate':0.5,'CooldownWindowMinutes':10}}}");
    ask(&asked, "/UpdateSamplingRule", "{'SamplingRuleUpdate':{'RuleName':'a','Priority':2}}");
    cr_expect(strstr(asked.body, "\"Attributes\":{\"k\":\"v\"},\"SamplingRateBoost\":"
                                 "{\"MaxRate\":0.5,\"CooldownWindowMinutes\":10}"),
              "%s", asked.body);
    ask_free(&asked);
}

Test(sampling_rules, leaves_a_rule_alone_when_an_update_is_wrong)
{
    struct asked asked = ask_new();
    create(&asked, "a", "1");
    ask(&asked, "/UpdateSamplingRule",
        "{'SamplingRuleUpdate':{'RuleName':'a','Priority':5,'FixedRate':2}}");
    expect_error(&asked, "SamplingRuleUpdate.FixedRate must be a number from 0 to 1");
    ask(&asked, "/GetSamplingRules", "");
    cr_expect(strstr(asked.body, "\"Priority\":1,\"FixedRate\":0.1"), "%s", asked.body);
    ask_free(&asked);
}

Test(sampling_rules, deletes_by_name_or_by_arn)
{
    struct asked asked = ask_new();
    create(&asked, "a", "1");
    create(&asked, "b", "2");
    ask(&asked, "/DeleteSamplingRule", "{'RuleName':'a'}");
    expect_names(&asked, "b Default ");
    ask(&asked, "/DeleteSamplingRule",
        "{'RuleARN':'arn:aws:xray:local:000000000000:sampling-rule/b'}");
    expect_names(&asked, "Default ");
    ask_free(&asked);
}

Test(sampling_rules, refuses_a_change_that_names_no_rule)
{
    struct asked asked = ask_new();
    create(&asked, "a", "1");
    ask(&asked, "/DeleteSamplingRule", "{}");
    expect_error(&asked, "name the rule by RuleName or by RuleARN, and not by both");
    ask(&asked, "/DeleteSamplingRule",
        "{'RuleName':'a','RuleARN':'arn:aws:xray:local:000000000000:sampling-rule/a'}");
    expect_error(&asked, "name the rule by RuleName or by RuleARN, and not by both");
    ask(&asked, "/UpdateSamplingRule", "{'SamplingRuleUpdate':{'RuleName':'b'}}");
    expect_error(&asked, "there is no sampling rule b");
    ask(&asked, "/UpdateSamplingRule", "{}");
    expect_error(&asked, "SamplingRuleUpdate is missing");
    ask_free(&asked);
}

Test(sampling_rules, changes_of_default_only_how_much_it_samples)
{
    struct asked asked = ask_new();
    ask(&asked, "/UpdateSamplingRule",
        "{'SamplingRuleUpdate':{'RuleName':'Default','FixedRate':0.5,'ReservoirSize':3}}");
    cr_expect(strstr(asked.body, "\"FixedRate\":0.5,\"ReservoirSize\":3"), "%s", asked.body);
    ask(&asked, "/UpdateSamplingRule", "{'SamplingRuleUpdate':{'RuleName':'Default','Host':'x'}}");
    expect_error(&asked, "SamplingRuleUpdate.Host of the rule Default can't be changed");
    ask(&asked, "/DeleteSamplingRule", "{'RuleName':'Default'}");
    expect_error(&asked, "the rule Default can't be deleted");
    ask_free(&asked);
}

/* What can be wrong with a rule: the member as it would be in a good one, as it is, and
   the complaint. */
static const struct {
    const char *good;
    const char *bad;
    const char *message;
} wrongs[] = {
    { "'RuleName':'a'", "'X':0", "RuleName is missing" },
    { "'RuleName':'a'", "'RuleName':''", "RuleName must have 1 to 32 characters" },
    { "'RuleName':'a'", "'RuleName':'123456789012345678901234567890123'",
      "RuleName must have 1 to 32 characters" },
    { "'RuleName':'a'", "'RuleName':'Default'",
      "RuleName must not be Default: that rule is always there; update it instead" },
    { "'RuleName':'a'", "'RuleName':'taken'",
      "RuleName must be new, but there is a rule taken already" },
    { "'RuleName':'a'", "'RuleName':'a','RuleARN':'b'",
      "RuleARN is given by the service: name a new rule by RuleName only" },
    { "'Priority':1", "'Priority':0", "Priority must be a whole number from 1 to 9999" },
    { "'Priority':1", "'Priority':10000", "Priority must be a whole number from 1 to 9999" },
    { "'Priority':1", "'Priority':1.5", "Priority must be a whole number from 1 to 9999" },
    { "'Priority':1", "'Priority':'1'", "Priority must be a whole number from 1 to 9999" },
    { "'FixedRate':0.1", "'FixedRate':-0.1", "FixedRate must be a number from 0 to 1" },
    { "'FixedRate':0.1", "'FixedRate':1.1", "FixedRate must be a number from 0 to 1" },
    { "'FixedRate':0.1", "'FixedRate':null", "FixedRate is missing" },
    { "'ReservoirSize':10", "'ReservoirSize':-1",
      "ReservoirSize must be a whole number from 0 to 2147483647" },
    { "'ReservoirSize':10", "'ReservoirSize':1e300",
      "ReservoirSize must be a whole number from 0 to 2147483647" },
    { "'Version':1", "'Version':2", "Version must be a whole number from 1 to 1" },
    { "'Host':'*'", "'Host':5", "Host must be a pattern of at most 64 characters, such as \"*\"" },
    { "'HTTPMethod':'*'", "'HTTPMethod':'12345678901'",
      "HTTPMethod must be a pattern of at most 10 characters, such as \"*\"" },
    { "'URLPath':'*'", "'X':0", "URLPath is missing" },
    { "'Attributes':{}", "'Attributes':[]", "Attributes must be an object of at most 5 strings" },
    { "'Attributes':{}", "'Attributes':{'1':'','2':'','3':'','4':'','5':'','6':''}",
      "Attributes must be an object of at most 5 strings" },
    { "'Attributes':{}", "'Attributes':{'k':''}",
      "Attributes must have keys and values of 1 to 32 characters" },
    { "'Attributes':{}", "'Attributes':{'k':1}",
      "Attributes must have keys and values of 1 to 32 characters" },
    { "'Attributes':{}", "'Attributes':{'123456789012345678901234567890123':'v'}",
      "Attributes must have keys and values of 1 to 32 characters" },
    { "'Attributes':{}", "'SamplingRateBoost':{'MaxRate':2,'CooldownWindowMinutes':1}",
      "SamplingRateBoost.MaxRate must be a number from 0 to 1" },
    { "'Attributes':{}", "'SamplingRateBoost':{'MaxRate':1}",
      "SamplingRateBoost.CooldownWindowMinutes is missing" },
};

Test(sampling_rules, refuses_what_the_service_would_not_take)
{
    static const char good[] = "{'SamplingRule':{" RULE("a", "1") "," ANY ",'Attributes':{}}}";
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        struct asked asked = ask_new();
        char request[1024];
        char message[256];
        const char *at = strstr(good, wrongs[i].good);
        create(&asked, "taken", "1");
        cr_assert(at, "%s", wrongs[i].good);
        snprintf(request, sizeof request, "%.*s%s%s", (int)(at - good), good, wrongs[i].bad,
                 at + strlen(wrongs[i].good));
        ask(&asked, "/CreateSamplingRule", request);
        snprintf(message, sizeof message, "SamplingRule.%s", wrongs[i].message);
        expect_error(&asked, message);
        expect_names(&asked, "taken Default ");
        ask_free(&asked);
    }
}

Test(sampling_rules, counts_characters_and_not_bytes)
{
    struct asked asked = ask_new();
    create(&asked, "ääääääääääääääääääääääääääääääää", "1");
    cr_expect_eq(asked.status, 200, "%s", asked.body);
    ask_free(&asked);
}

Test(sampling_rules, takes_as_many_as_the_service)
{
    struct asked asked = ask_new();
    for (int i = 0; i < SAMPLING_RULES_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "r%d", i);
        create(&asked, name, "1");
        cr_assert_eq(asked.status, 200);
    }
    create(&asked, "more", "1");
    cr_expect_eq(asked.status, 400);
    cr_expect_str_eq(asked.body,
                     "{\"Message\":\"there are as many rules as can be: delete one first\"}");
    ask_free(&asked);
}

Test(sampling_rules, turns_pages_that_miss_and_repeat_nothing)
{
    struct asked asked = ask_with(
        &(struct sampling_settings){ .fixed_rate = 1, .reservoir_size = 1, .page = 2 });
    char request[256] = "{}";
    int pages = 0;
    size_t records = 0;
    create(&asked, "a-1", "2");
    create(&asked, "a b", "1");
    create(&asked, "rules-00001-x", "1");
    create(&asked, "ä", "1");
    while (*request) {
        ask(&asked, "/GetSamplingRules", request);
        cJSON *json = cJSON_Parse(asked.body);
        const cJSON *token = cJSON_GetObjectItem(json, "NextToken");
        records += (size_t)cJSON_GetArraySize(cJSON_GetObjectItem(json, "SamplingRuleRecords"));
        *request = '\0';
        if (token)
            snprintf(request, sizeof request, "{'NextToken':'%s'}", token->valuestring);
        cJSON_Delete(json);
        cr_assert_lt(pages++, 3);
    }
    cr_expect_eq(pages, 3);
    cr_expect_eq(records, 5);
    ask_free(&asked);
}

Test(sampling_rules, goes_on_behind_a_rule_that_has_been_deleted)
{
    struct asked asked = ask_with(
        &(struct sampling_settings){ .fixed_rate = 1, .reservoir_size = 1, .page = 1 });
    create(&asked, "a", "1");
    create(&asked, "b", "2");
    ask(&asked, "/GetSamplingRules", "");
    cr_expect(strstr(asked.body, "\"NextToken\":\"rules-00001-a\""), "%s", asked.body);
    ask(&asked, "/DeleteSamplingRule", "{'RuleName':'a'}");
    ask(&asked, "/GetSamplingRules", "{'NextToken':'rules-00001-a'}");
    cr_expect(strstr(asked.body, "\"RuleName\":\"b\""), "%s", asked.body);
    ask_free(&asked);
}

Test(sampling_rules, refuses_a_token_of_somebody_else)
{
    static const char *const tokens[] = { "''", "'x'", "5", "'rules-1'", "'rules-00001'" };
    struct asked asked = ask_new();
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        char request[64];
        snprintf(request, sizeof request, "{'NextToken':%s}", tokens[i]);
        ask(&asked, "/GetSamplingRules", request);
        expect_error(&asked, "NextToken is not one that was returned here");
    }
    ask_free(&asked);
}

Test(sampling_rules, refuses_what_is_no_request)
{
    struct asked asked = ask_new();
    ask(&asked, "/GetSamplingRules", "[]");
    cr_expect_eq(asked.status, 400);
    ask(&asked, "/GetSamplingRules", "{} {}");
    cr_expect_eq(asked.status, 400);
    ask(&asked, "/Nothing", "{}");
    cr_expect_eq(asked.status, 404);
    ask_free(&asked);
}
