/* SPDX-License-Identifier: Apache-2.0 */
/* RegisterDevice, AuthorizerAPIToken and ListFiles: what they ask for, and what they answer. */
#include "support.h"

#define DEVICE                                                                               \
    "{" USER ",\"body\":\"{\\\"token\\\":\\\"t\\\",\\\"deviceId\\\":\\\"d\\\",\\\"name\\\":" \
    "\\\"Phone\\\",\\\"admin\\\":true}\"}"
#define ENDPOINT                                   \
    {                                              \
        .body = "<EndpointArn>arn:e</EndpointArn>" \
    }
#define READY                                                          \
    {                                                                  \
        .body = "<entry><key>Enabled</key><value>true</value></entry>" \
                "<entry><key>Token</key><value>t</value></entry>"      \
    }
#define NOT_READY                                                       \
    {                                                                   \
        .body = "<entry><key>Enabled</key><value>false</value></entry>" \
                "<entry><key>Token</key><value>t</value></entry>"       \
    }

TestSuite(device, .init = support_begin, .fini = support_end, .timeout = 60);

Test(device, is_stored_with_the_fields_that_are_allowed)
{
    start(REPLIES(ENDPOINT, READY, FINE, FINE));
    const char *answer = call(register_device, DEVICE);
    cr_expect(contains(answer, "\"statusCode\":200"), "%s", answer);
    cr_expect(contains(answer, "\\\"endpointArn\\\":\\\"arn:e\\\""), "%s", answer);
    cr_expect(has(2, "\"name\":{\"S\":\"Phone\"}"));
    cr_expect_not(has(2, "admin"));
    cr_expect(has(2, "\"registeredAt\":{\"N\":\""));
    cr_expect(has(3, "\"UserDevices\""));
}

Test(device, gets_its_endpoint_enabled_again)
{
    start(REPLIES(ENDPOINT, NOT_READY, { .body = "<R/>" }, FINE, FINE));
    call(register_device, DEVICE);
    cr_expect(has(2, "Action=SetEndpointAttributes"));
    cr_expect(has(2, "Attributes.entry.2.value=true"));
}

Test(device, gets_a_new_endpoint_when_the_old_one_was_deleted)
{
    start(REPLIES(ENDPOINT, { .status = 404, .body = "<Error><Code>NotFound</Code></Error>" },
                  ENDPOINT, READY, FINE, FINE));
    const char *answer = call(register_device, DEVICE);
    cr_expect(contains(answer, "\"statusCode\":200"), "%s", answer);
    cr_expect_eq(count_of("Action=CreatePlatformEndpoint"), 2);
}

Test(device, leaves_the_user_that_it_belonged_to)
{
    start(REPLIES(ENDPOINT, READY, { .body = "{\"Attributes\":{\"userId\":{\"S\":\"u0\"}}}" }, FINE,
                  FINE));
    call(register_device, DEVICE);
    cr_expect(has(3, "DELETE #n0 :v0"));
    cr_expect(has(3, "{\"userId\":{\"S\":\"u0\"}}"));
}

Test(device, is_refused_before_anything_is_written)
{
    start(REPLIES(FINE));
    const char *answer = call(register_device, "{" USER ",\"body\":\"{\\\"token\\\":\\\"\\\"}\"}");
    cr_expect(contains(answer, "\"statusCode\":400"), "%s", answer);
    cr_expect(contains(answer, "deviceId is required"), "%s", answer);
    cr_expect(contains(answer, "token is not allowed to be empty"), "%s", answer);
    cr_expect_eq(peer_request_count(peer), 0);
}

Test(device, of_nobody_is_refused_before_anything_is_written)
{
    start(REPLIES(FINE));
    const char *answer = call(register_device, "{\"body\":\"{}\"}");
    cr_expect(contains(answer, "\"statusCode\":401"), "%s", answer);
    cr_expect_eq(peer_request_count(peer), 0);
}

Test(device, cannot_be_registered_without_configuration)
{
    pipeline.config.platform_application_arn = "";
    const char *answer = call(register_device, DEVICE);
    cr_expect(contains(answer, "\"statusCode\":503"), "%s", answer);
    cr_expect(contains(answer, "requires configuration"), "%s", answer);
}

Test(device, with_a_token_that_sns_does_not_take_is_refused)
{
    start(REPLIES({ .status = 400,
                    .body = "<Error><Code>InvalidParameter</Code><Message>Invalid parameter: Token "
                            "Reason: too long</Message></Error>" }));
    const char *answer = call(register_device, DEVICE);
    cr_expect(contains(answer, "\"statusCode\":400"), "%s", answer);
}

/* ---- AuthorizerAPIToken ------------------------------------------------------------------------
 */

#define REQUEST "{\"methodArn\":\"arn:m\",\"headers\":{\"Authorization\":\"Bearer secret\"}}"
/* printf %s secret | sha256sum */
#define TOKEN(more)                                                                              \
    {                                                                                            \
        .body = "{\"Item\":{\"tokenHash\":{\"S\":\"2bb80d537b1da3e38bd30361aa855686bde0eacd7162" \
                "fef6a25fe97bf527a25b\"},\"userId\":{\"S\":\"u1\"}" more "}}"                    \
    }

TestSuite(authorizer, .init = support_begin, .fini = support_end, .timeout = 60);

Test(authorizer, lets_a_good_token_in)
{
    start(REPLIES(TOKEN(",\"enabled\":{\"BOOL\":true}")));
    const char *answer = call(authorizer_api_token, REQUEST);
    cr_expect(contains(answer, "{\"principalId\":\"u1\""), "%s", answer);
    cr_expect(contains(answer, "\"Effect\":\"Allow\",\"Resource\":\"arn:m\""), "%s", answer);
}

Test(authorizer, asks_for_the_hash_and_never_sends_the_token)
{
    start(REPLIES(FINE));
    call(authorizer_api_token, REQUEST);
    cr_expect_eq(count_of("2bb80d537b1da3e38bd30361aa855686"), 1);
    cr_expect_eq(count_of("Bearer"), 0);
}

Test(authorizer, denies_a_disabled_token)
{
    start(REPLIES(TOKEN(",\"enabled\":{\"BOOL\":false}")));
    cr_assert(contains(call(authorizer_api_token, REQUEST), "\"Effect\":\"Deny\""));
}

Test(authorizer, says_unauthorized_and_nothing_else)
{
    start(REPLIES(FINE));
    cr_expect_str_eq(call(authorizer_api_token, REQUEST), "");
    cr_expect_str_eq(invocation.failure.message, "Unauthorized");
    invocation.failure = (struct failure){ 0 };
    cr_expect_str_eq(call(authorizer_api_token, "{\"methodArn\":\"arn:m\"}"), "");
    cr_expect_str_eq(invocation.failure.message, "Unauthorized");
    cr_expect_eq(peer_request_count(peer), 1, "nothing to ask without a token");
}

Test(authorizer, does_not_call_its_own_trouble_unauthorized)
{
    start(REPLIES({ .status = 400, .body = "{\"__type\":\"a#AccessDeniedException\"}" }));
    cr_expect_str_eq(call(authorizer_api_token, REQUEST), "");
    cr_expect_str_eq(invocation.failure.type, "AccessDeniedException");
}

/* ---- ListFiles ------------------------------------------------------------------------------- */

#define LISTED(id, status, time)                                        \
    "{\"fileId\":{\"S\":\"" id "\"},\"status\":{\"S\":\"" status "\"}," \
    "\"availableAt\":{\"N\":\"" time "\"}}"

TestSuite(list, .init = support_begin, .fini = support_end, .timeout = 60);

Test(list, has_what_is_downloaded_the_newest_first)
{
    start(REPLIES(
        { .body = "{\"Item\":{\"fileIds\":{\"SS\":[\"a\",\"b\",\"c\"]}}}" },
        { .body =
              "{\"Responses\":{\"Files\":[" LISTED("a", "Downloaded", "1763626530001") "," LISTED(
                  "b", "Failed", "1763626530003") "," LISTED("c", "Downloaded",
                                                             "1763626530002") "]}}" }));
    const char *answer = call(list_files, "{" USER "}");
    const char *newest = strstr(answer, "\\\"fileId\\\":\\\"c\\\"");
    const char *oldest = strstr(answer, "\\\"fileId\\\":\\\"a\\\"");
    cr_expect(newest && oldest && newest < oldest, "%s", answer);
    cr_expect_not(contains(answer, "\\\"b\\\""), "%s", answer);
    cr_expect(contains(answer, "\\\"keyCount\\\":2"), "%s", answer);
}

Test(list, is_empty_for_who_asked_for_nothing)
{
    start(REPLIES(FINE));
    const char *answer = call(list_files, "{" USER "}");
    cr_expect(contains(answer, "{\\\"contents\\\":[],\\\"keyCount\\\":0}"), "%s", answer);
    cr_expect_eq(peer_request_count(peer), 1);
}

Test(list, is_not_for_nobody)
{
    start(REPLIES(FINE));
    cr_expect(contains(call(list_files, "{}"), "\"statusCode\":401"));
    cr_expect_eq(peer_request_count(peer), 0);
}
