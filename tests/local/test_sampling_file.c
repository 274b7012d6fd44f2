/* SPDX-License-Identifier: Apache-2.0 */
/* Rules from files: what they become, and what is said of one that is wrong. */
#include "sampling_support.h"
#include "support.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int load(struct asked *asked, const char *file, struct sampling_problem *problem)
{
    char *text = quoted(file);
    int r = sampling_service_load(asked->service, text, strlen(text), asked->now_ns, problem);
    free(text);
    return r;
}

/* "name priority rate reservoir" of each rule, in their order. */
static void expect_rules(struct asked *asked, const char *rules)
{
    char found[1024] = "";
    const cJSON *record;
    ask(asked, "/GetSamplingRules", "{}");
    cJSON *json = cJSON_Parse(asked->body);
    cJSON_ArrayForEach(record, cJSON_GetObjectItem(json, "SamplingRuleRecords"))
    {
        const cJSON *rule = cJSON_GetObjectItem(record, "SamplingRule");
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s %g %g %g; ",
                 cJSON_GetObjectItem(rule, "RuleName")->valuestring,
                 cJSON_GetObjectItem(rule, "Priority")->valuedouble,
                 cJSON_GetObjectItem(rule, "FixedRate")->valuedouble,
                 cJSON_GetObjectItem(rule, "ReservoirSize")->valuedouble);
    }
    cJSON_Delete(json);
    cr_expect_str_eq(found, rules);
}

static void expect_loaded(const char *file, const char *rules)
{
    struct asked asked = ask_new();
    struct sampling_problem problem = { "" };
    cr_expect_eq(load(&asked, file, &problem), 0, "%s", problem.text);
    expect_rules(&asked, rules);
    ask_free(&asked);
}

#define RECORD(name, priority) "{'SamplingRule':{" RULE(name, priority) "," ANY "}}"

Test(sampling_file, takes_what_get_sampling_rules_returns)
{
    expect_loaded(
        "{'SamplingRuleRecords':[" RECORD("b", "9") "," RECORD(
            "a", "8") ",{'SamplingRule':{'RuleName':'Default','Priority':10000,'FixedRate':0.5,"
                      "'ReservoirSize':3," ANY "},'CreatedAt':0}],'NextToken':null}",
        "a 8 0.1 10; b 9 0.1 10; Default 10000 0.5 3; ");
}

Test(sampling_file, gives_back_what_it_takes)
{
    struct asked first = ask_new();
    struct asked second = ask_new();
    struct sampling_problem problem;
    create(&first, "a", "3");
    ask(&first, "/UpdateSamplingRule",
        "{'SamplingRuleUpdate':{'RuleName':'Default','FixedRate':0.25,'ReservoirSize':5}}");
    ask(&first, "/GetSamplingRules", "");
    cr_expect_eq(load(&second, first.body, &problem), 0);
    ask(&second, "/GetSamplingRules", "");
    cr_expect_str_eq(second.body, first.body);
    ask_free(&first);
    ask_free(&second);
}

Test(sampling_file, takes_what_create_sampling_rule_takes)
{
    expect_loaded(RECORD("a", "8"), "a 8 0.1 10; Default 10000 0.05 1; ");
}

Test(sampling_file, makes_the_order_of_local_rules_their_priority)
{
    expect_loaded("{'version':2,'default':{'fixed_target':2,'rate':0.2},'rules':["
                  "{'description':'mine','host':'h','http_method':'GET','url_path':'/a',"
                  "'fixed_target':0,'rate':0},"
                  "{'host':'h','http_method':'GET','url_path':'/b','fixed_target':5,'rate':1}]}",
                  "mine 1 0 0; rule 2 2 1 5; Default 10000 0.2 2; ");
}

Test(sampling_file, matches_as_a_local_rule_did)
{
    struct asked asked = ask_new();
    struct sampling_problem problem;
    cr_expect_eq(load(&asked,
                      "{'version':2,'default':{'fixed_target':2,'rate':0.2},'rules':[{'host':'h',"
                      "'http_method':'GET','url_path':'/a','fixed_target':0,'rate':0}]}",
                      &problem),
                 0);
    ask(&asked, "/GetSamplingRules", "");
    cr_expect(strstr(asked.body, "\"ResourceARN\":\"*\",\"ServiceName\":\"*\",\"ServiceType\":"
                                 "\"*\",\"Host\":\"h\",\"HTTPMethod\":\"GET\",\"URLPath\":\"/a\""),
              "%s", asked.body);
    ask_free(&asked);
}

Test(sampling_file, reads_version_1_with_its_name_for_the_host)
{
    struct asked asked = ask_new();
    struct sampling_problem problem;
    cr_expect_eq(load(&asked,
                      "{'version':1,'default':{'fixed_target':2,'rate':0.2},'rules':["
                      "{'service_name':'h','http_method':'*','url_path':'*','fixed_target':0,"
                      "'rate':0}]}",
                      &problem),
                 0);
    ask(&asked, "/GetSamplingRules", "");
    cr_expect(strstr(asked.body, "\"ServiceName\":\"*\""), "%s", asked.body);
    cr_expect(strstr(asked.body, "\"Host\":\"h\""), "%s", asked.body);
    ask_free(&asked);
}

#define LOCAL_RULE(more) "{'host':'*','http_method':'*','url_path':'*'," more "}"
#define NO_QUOTA         "'fixed_target':0,'rate':0"
#define DESCRIBED(text)  LOCAL_RULE("'description':'" text "'," NO_QUOTA)

Test(sampling_file, gives_rules_of_the_same_description_different_names)
{
    static const char file[] =
        "{'version':2,'default':{" NO_QUOTA "},"
        "'rules':[" DESCRIBED("x") "," DESCRIBED("x") "," DESCRIBED("Default") "]}";
    expect_loaded(file, "x 1 0 0; rule 2 2 0 0; rule 3 3 0 0; Default 10000 0 0; ");
}

Test(sampling_file, names_no_rule_by_a_description_that_is_too_long)
{
    static const char file[] = "{'version':2,'default':{" NO_QUOTA "},"
                               "'rules':[" DESCRIBED("123456789012345678901234567890123") "]}";
    expect_loaded(file, "rule 1 1 0 0; Default 10000 0 0; ");
}

#define DEFAULT "'default':{'fixed_target':0,'rate':0}"

static const struct {
    const char *file;
    const char *message;
} wrongs[] = {
    { "{'version':2,\n  'rules'=1}", "line 2, column 10: a colon is missing" },
    { "", "line 1, column 1: it ends in the middle" },
    { "[]", "there must be SamplingRuleRecords, as GetSamplingRules returns them, or version, "
            "default and rules, as SDKs have them" },
    { "{'SamplingRuleRecords':{}}", "SamplingRuleRecords must be an array" },
    { "{'SamplingRuleRecords':[" RECORD("a", "1") ",{}]}",
      "SamplingRuleRecords[1].SamplingRule must be an object" },
    { "{'SamplingRuleRecords':[" RECORD("a", "1") "," RECORD("b", "0") "]}",
      "SamplingRuleRecords[1].SamplingRule.Priority must be a whole number from 1 to 9999" },
    { "{'SamplingRuleRecords':[" RECORD("a", "1") "," RECORD("a", "2") "]}",
      "SamplingRuleRecords[1].SamplingRule.RuleName is the name of another rule too: give each its "
      "own" },
    { "{'SamplingRuleRecords':[{'SamplingRule':{'RuleName':'Default','FixedRate':2}}]}",
      "SamplingRuleRecords[0].SamplingRule.FixedRate must be a number from 0 to 1" },
    { "{'SamplingRuleRecords':[{'SamplingRule':{'RuleName':'Default','FixedRate':1}}]}",
      "SamplingRuleRecords[0].SamplingRule.ReservoirSize must be a whole number, 0 or more" },
    { "{'SamplingRule':5}", "SamplingRule must be an object" },
    { "{'version':3," DEFAULT "}", "version must be the number 1 or 2" },
    { "{'version':2}", "default must be an object with fixed_target and rate" },
    { "{'version':2,'default':{'fixed_target':0.5,'rate':0}}",
      "default.fixed_target must be a whole number, 0 or more" },
    { "{'version':2,'default':{'fixed_target':0,'rate':1.5}}",
      "default.rate must be a number from 0 to 1" },
    { "{'version':2," DEFAULT ",'rules':{}}", "rules must be an array" },
    { "{'version':2," DEFAULT ",'rules':[5]}", "rules[0] must be an object" },
    { "{'version':2," DEFAULT ",'rules':[" LOCAL_RULE("'fixed_target':0") "]}",
      "rules[0].rate must be a number from 0 to 1" },
    { "{'version':2," DEFAULT
      ",'rules':[{'service_name':'*','http_method':'*','url_path':'*','fixed_target':0,'rate':0}]}",
      "rules[0].host must be a pattern of 1 to 64 characters, such as \"*\"" },
    { "{'version':1," DEFAULT ",'rules':[" LOCAL_RULE(NO_QUOTA) "]}",
      "rules[0].service_name must be a pattern of 1 to 64 characters, such as \"*\"" },
};

Test(sampling_file, names_the_place_and_adds_nothing_when_it_is_wrong)
{
    struct asked asked = ask_new();
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        struct sampling_problem problem = { "" };
        cr_expect_eq(load(&asked, wrongs[i].file, &problem), -EINVAL, "%s", wrongs[i].file);
        cr_expect_str_eq(problem.text, wrongs[i].message);
    }
    expect_rules(&asked, "Default 10000 0.05 1; ");
    ask_free(&asked);
}

Test(sampling_file, takes_no_more_rules_than_the_service)
{
    struct asked asked = ask_with(&(struct sampling_settings){ .rules_max = 2 });
    struct sampling_problem problem;
    create(&asked, "a", "1");
    cr_expect_eq(load(&asked, RECORD("b", "1"), &problem), 0);
    cr_expect_eq(load(&asked, RECORD("c", "1"), &problem), -EINVAL);
    cr_expect_str_eq(problem.text,
                     "SamplingRule.RuleName names one rule more than the 2 that there "
                     "can be: leave some out");
    ask_free(&asked);
}

Test(sampling_file, refuses_a_text_that_is_too_long)
{
    struct asked asked = ask_new();
    struct sampling_problem problem;
    char *text = malloc(SAMPLING_FILE_MAX_BYTES + 1);
    memset(text, ' ', SAMPLING_FILE_MAX_BYTES + 1);
    cr_expect_eq(
        sampling_service_load(asked.service, text, SAMPLING_FILE_MAX_BYTES + 1, 1, &problem),
        -EINVAL);
    cr_expect_str_eq(problem.text, "there must be at most 1048576 bytes");
    free(text);
    ask_free(&asked);
}
