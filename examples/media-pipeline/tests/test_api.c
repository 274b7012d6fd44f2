/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <stdio.h>
#include <string.h>

#include "functions/api.h"

static const struct api_field FIELDS[] = {
    { "articleURL", API_STRING, true, 32 },
    { "backgroundMode", API_BOOL, false, 0 },
    { "name", API_STRING, false, 8 },
    { NULL, 0, false, 0 },
};

static void quietly(void)
{
    cr_redirect_stdout();
}

/* What is said about an event, as text; "" when it is right. */
static const char *message_for(const char *event_json)
{
    static char text[512];
    cJSON *event = cJSON_Parse(event_json), *message = NULL;
    cJSON *body = api_parse_body(event, FIELDS, &message);
    char *printed = body ? NULL : cJSON_PrintUnformatted(message);
    snprintf(text, sizeof(text), "%s", printed ? printed : "");
    cJSON_free(printed);
    cJSON_Delete(body);
    cJSON_Delete(message);
    cJSON_Delete(event);
    return text;
}

Test(api, says_what_is_wrong_with_a_body)
{
    static const char *const cases[][2] = {
        { "{}", "\"Missing request payload\"" },
        { "{\"body\":null}", "\"Request body must be valid JSON string\"" },
        { "{\"body\":{}}", "\"Request body must be valid JSON string\"" },
        { "{\"body\":\"\"}", "\"Request body must be valid JSON\"" },
        { "{\"body\":\"{\"}", "\"Request body must be valid JSON\"" },
        { "{\"body\":\"{} {}\"}", "\"Request body must be valid JSON\"" },
        { "{\"body\":\"5\"}", "{\"value\":[\"value must be of type object\"]}" },
        { "{\"body\":\"[]\"}", "{\"value\":[\"value must be of type object\"]}" },
        { "{\"body\":\"null\"}", "{\"value\":[\"value must be of type object\"]}" },
        { "{\"body\":\"{}\"}", "{\"articleURL\":[\"articleURL is required\"]}" },
        { "{\"body\":\"{\\\"articleURL\\\":5}\"}",
          "{\"articleURL\":[\"articleURL must be a string\"]}" },
        { "{\"body\":\"{\\\"articleURL\\\":null}\"}",
          "{\"articleURL\":[\"articleURL must be a string\"]}" },
        { "{\"body\":\"{\\\"articleURL\\\":\\\"\\\"}\"}",
          "{\"articleURL\":[\"articleURL is not allowed to be empty\"]}" },
        { "{\"body\":\"{\\\"articleURL\\\":\\\"123456789012345678901234567890123\\\"}\"}",
          "{\"articleURL\":[\"articleURL length must be less than or equal to 32 characters "
          "long\"]}" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        cr_expect_str_eq(message_for(cases[i][0]), cases[i][1], "%s: %s", cases[i][0],
                         message_for(cases[i][0]));
}

Test(api, takes_no_body_that_is_not_utf_8)
{
    static const char *const bodies[] = {
        "\"body\":\"{\\\"articleURL\\\":\\\"\xff\\\"}\"",
        "\"body\":\"eyJhcnRpY2xlVVJMIjoi/yJ9\",\"isBase64Encoded\":true",
        /* {"articleURL":"x"}, a zero byte, and more */
        "\"body\":\"eyJhcnRpY2xlVVJMIjoieCJ9AHt9\",\"isBase64Encoded\":true",
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        char event[256];
        snprintf(event, sizeof(event), "{%s}", bodies[i]);
        cr_expect_str_eq(message_for(event), "\"Request body must be valid JSON\"", "%zu", i);
    }
}

Test(api, reports_all_failures_of_all_fields)
{
    cr_assert_str_eq(message_for("{\"body\":\"{\\\"backgroundMode\\\":1,\\\"name\\\":[]}\"}"),
                     "{\"articleURL\":[\"articleURL is required\"],"
                     "\"backgroundMode\":[\"backgroundMode must be a boolean\"],"
                     "\"name\":[\"name must be a string\"]}");
}

Test(api, allows_fields_that_it_does_not_know)
{
    cr_assert_str_eq(message_for("{\"body\":\"{\\\"articleURL\\\":\\\"x\\\",\\\"more\\\":{}}\"}"),
                     "");
}

Test(api, reads_a_body_in_base64)
{
    /* {"articleURL":"x"} */
    cr_assert_str_eq(message_for("{\"isBase64Encoded\":true,"
                                 "\"body\":\"eyJhcnRpY2xlVVJMIjoieCJ9\"}"),
                     "");
}

Test(api, refuses_a_body_in_broken_base64)
{
    cr_expect_str_eq(message_for("{\"isBase64Encoded\":true,\"body\":\"eyJh*\"}"),
                     "\"Request body must be valid JSON\"");
    cr_expect_str_eq(message_for("{\"isBase64Encoded\":true,\"body\":\"\"}"),
                     "\"Request body must be valid JSON\"");
}

Test(api, takes_truth_as_text_too)
{
    cJSON *body = cJSON_Parse("{\"a\":true,\"b\":\"True\",\"c\":\"false\",\"d\":false}");
    cr_expect(api_truth(body, "a"));
    cr_expect(api_truth(body, "b"));
    cr_expect_not(api_truth(body, "c"));
    cr_expect_not(api_truth(body, "d"));
    cr_expect_not(api_truth(body, "e"));
    cJSON_Delete(body);
}

Test(api, finds_headers_in_any_case)
{
    cJSON *event = cJSON_Parse("{\"headers\":{\"authorization\":\"a\"},"
                               "\"multiValueHeaders\":{\"X-Many\":[\"m\",\"n\"]}}");
    cr_expect_str_eq(api_header(event, "Authorization"), "a");
    cr_expect_str_eq(api_header(event, "x-many"), "m");
    cr_expect_null(api_header(event, "Missing"));
    cJSON_Delete(event);
}

static bool has_user(const char *principal, const char *expected)
{
    char event_json[128];
    snprintf(event_json, sizeof(event_json),
             "{\"requestContext\":{\"authorizer\":{\"principalId\":%s}}}", principal);
    cJSON *event = cJSON_Parse(event_json);
    const char *user = api_identify(&(struct invocation){ 0 }, event);
    bool is_right = expected ? user && strcmp(user, expected) == 0 : !user;
    cJSON_Delete(event);
    return is_right;
}

Test(api, knows_the_user_from_the_authorizer)
{
    cr_expect(has_user("\"u1\"", "u1"));
    cr_expect(has_user("\"unknown\"", NULL));
    cr_expect(has_user("\"\"", NULL));
    cr_expect(has_user("null", NULL));
    cr_expect_null(api_identify(&(struct invocation){ 0 }, NULL));
}

/* An answer's status and body, as one text; deletes it. */
static const char *printed(cJSON *answer)
{
    static char text[512];
    snprintf(text, sizeof(text), "%d %s",
             cJSON_GetObjectItemCaseSensitive(answer, "statusCode")->valueint,
             cJSON_GetObjectItemCaseSensitive(answer, "body")->valuestring);
    cJSON_Delete(answer);
    return text;
}

Test(api, wraps_a_success_with_the_request_id)
{
    struct invocation invocation = { .request_id = "r-1" };
    cr_assert_str_eq(printed(api_answer(&invocation, 202, cJSON_Parse("{\"status\":\"x\"}"))),
                     "202 {\"body\":{\"status\":\"x\"},\"requestId\":\"r-1\"}");
}

Test(api, wraps_a_refusal_by_its_hundred, .init = quietly)
{
    struct invocation invocation = { .request_id = "r-1" };
    cr_expect_str_eq(printed(api_refuse_text(&invocation, 401, "login")),
                     "401 {\"error\":{\"code\":\"custom-4XX-generic\",\"message\":\"login\"},"
                     "\"requestId\":\"r-1\"}");
    cr_expect_str_eq(printed(api_refuse(&invocation, 400, api_field_message("token", "is bad"))),
                     "400 {\"error\":{\"code\":\"custom-4XX-generic\","
                     "\"message\":{\"token\":[\"is bad\"]}},\"requestId\":\"r-1\"}");
    cr_expect_str_eq(printed(api_refuse_text(&invocation, 503, "requires configuration")),
                     "503 {\"error\":{\"code\":\"custom-5XX-generic\","
                     "\"message\":\"requires configuration\"},\"requestId\":\"r-1\"}");
}

Test(api, answers_500_with_what_failed, .init = quietly)
{
    struct invocation invocation = { .request_id = "r-1" };
    struct failure failure;
    failure_set(&failure, 0, "Throttled", "DynamoDB GetItem: slow down");
    cr_assert_str_eq(printed(api_fail(&invocation, &failure)),
                     "500 {\"error\":{\"code\":\"custom-5XX-generic\","
                     "\"message\":\"DynamoDB GetItem: slow down\"},\"requestId\":\"r-1\"}");
}
