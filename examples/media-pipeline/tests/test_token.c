/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "functions/token.h"

/* printf %s secret | sha256sum */
#define HASH "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"

static const char *token_of(const char *event_json)
{
    static char token[TOKEN_SIZE];
    cJSON *event = cJSON_Parse(event_json);
    bool is_there = token_read(event, token);
    cJSON_Delete(event);
    return is_there ? token : "none";
}

Test(token, comes_as_bearer_in_any_case)
{
    cr_expect_str_eq(token_of("{\"headers\":{\"Authorization\":\"Bearer abc\"}}"), "abc");
    cr_expect_str_eq(token_of("{\"headers\":{\"authorization\":\"bearer  abc\"}}"), "abc");
    cr_expect_str_eq(token_of("{\"headers\":{\"AUTHORIZATION\":\"BEARER a.b-c~\"}}"), "a.b-c~");
}

Test(token, comes_as_a_parameter_where_headers_cannot_be_set)
{
    cr_expect_str_eq(token_of("{\"queryStringParameters\":{\"ApiKey\":\"abc\"}}"), "abc");
    cr_expect_str_eq(token_of("{\"headers\":{\"Authorization\":\"Basic eA==\"},"
                              "\"queryStringParameters\":{\"ApiKey\":\"abc\"}}"),
                     "abc");
}

Test(token, is_taken_from_the_header_when_both_are_there)
{
    cr_assert_str_eq(token_of("{\"headers\":{\"Authorization\":\"Bearer h\"},"
                              "\"queryStringParameters\":{\"ApiKey\":\"q\"}}"),
                     "h");
}

Test(token, is_missing_where_nothing_usable_is_sent)
{
    static const char *const events[] = {
        "{}",
        "{\"headers\":null,\"queryStringParameters\":null}",
        "{\"headers\":{\"Authorization\":\"Bearer \"}}",
        "{\"headers\":{\"Authorization\":\"Bearerabc\"}}",
        "{\"headers\":{\"Authorization\":\"Bearer a b\"}}",
        "{\"headers\":{\"Authorization\":\"Bearer \\u00e4\"}}",
        "{\"headers\":{\"Authorization\":5}}",
        "{\"queryStringParameters\":{\"apikey\":\"abc\"}}",
        "{\"queryStringParameters\":{\"ApiKey\":\"\"}}",
    };
    for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
        cr_expect_str_eq(token_of(events[i]), "none", "%s", events[i]);
}

Test(token, is_missing_when_it_is_too_long)
{
    char event[TOKEN_SIZE + 128];
    char token[TOKEN_SIZE + 1];
    memset(token, 'a', TOKEN_SIZE);
    token[TOKEN_SIZE] = '\0';
    snprintf(event, sizeof(event), "{\"queryStringParameters\":{\"ApiKey\":\"%s\"}}", token);
    cr_expect_str_eq(token_of(event), "none");
    token[TOKEN_SIZE - 1] = '\0';
    snprintf(event, sizeof(event), "{\"queryStringParameters\":{\"ApiKey\":\"%s\"}}", token);
    cr_expect_eq(strlen(token_of(event)), TOKEN_SIZE - 1);
}

static enum token_verdict verdict(const char *attributes)
{
    char json[512], hash[TEXT_HASH_SIZE];
    snprintf(json, sizeof(json), "{%s}", attributes);
    cJSON *item = cJSON_Parse(json);
    cr_assert(item, "%s", json);
    cr_assert(text_hash("secret", 6, hash));
    enum token_verdict result = token_check(item, hash, 1000000);
    cJSON_Delete(item);
    return result;
}

#define STORED "\"tokenHash\":{\"S\":\"" HASH "\"},\"userId\":{\"S\":\"u1\"}"

Test(token, is_good_when_it_is_known_enabled_and_not_expired)
{
    cr_expect_eq(verdict(STORED ",\"enabled\":{\"BOOL\":true}"), TOKEN_GOOD);
    cr_expect_eq(verdict(STORED ",\"enabled\":{\"BOOL\":true},\"expiresAt\":{\"N\":\"1000001\"}"),
                 TOKEN_GOOD);
}

Test(token, is_unknown_when_the_hash_is_another_one)
{
    cr_expect_eq(verdict("\"tokenHash\":{\"S\":\"00" HASH "\"},\"enabled\":{\"BOOL\":true}"),
                 TOKEN_UNKNOWN);
    cr_expect_eq(token_check(NULL, HASH, 0), TOKEN_UNKNOWN);
}

Test(token, is_unknown_when_it_belongs_to_nobody)
{
    cr_assert_eq(verdict("\"tokenHash\":{\"S\":\"" HASH "\"},\"enabled\":{\"BOOL\":true}"),
                 TOKEN_UNKNOWN);
}

Test(token, is_unknown_once_it_has_expired)
{
    cr_assert_eq(verdict(STORED ",\"enabled\":{\"BOOL\":true},\"expiresAt\":{\"N\":\"1000000\"}"),
                 TOKEN_UNKNOWN);
}

Test(token, is_disabled_unless_it_says_enabled)
{
    cr_expect_eq(verdict(STORED ",\"enabled\":{\"BOOL\":false}"), TOKEN_DISABLED);
    cr_expect_eq(verdict(STORED), TOKEN_DISABLED);
    cr_expect_eq(verdict(STORED ",\"enabled\":{\"S\":\"true\"}"), TOKEN_DISABLED);
}

Test(token, becomes_the_policy_that_api_gateway_wants)
{
    cJSON *policy = token_policy("u1", true, "arn:aws:execute-api:r:1:a/prod/POST/webhook");
    char *text = cJSON_PrintUnformatted(policy);
    cr_assert_str_eq(text, "{\"principalId\":\"u1\",\"policyDocument\":{"
                           "\"Version\":\"2012-10-17\",\"Statement\":[{"
                           "\"Action\":\"execute-api:Invoke\",\"Effect\":\"Allow\","
                           "\"Resource\":\"arn:aws:execute-api:r:1:a/prod/POST/webhook\"}]},"
                           "\"context\":{}}");
    cJSON_free(text);
    cJSON_Delete(policy);
}
