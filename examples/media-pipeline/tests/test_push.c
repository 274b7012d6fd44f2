/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent to SNS and to Lambda. */
#include "aws/lambda.h"
#include "aws/sns.h"
#include "media/push.h"
#include "support.h"

TestSuite(sns, .init = support_begin, .fini = support_end, .timeout = 60);

Test(sns, makes_an_endpoint)
{
    char *arn = NULL;
    start(REPLIES({ .body = "<R><EndpointArn>arn:aws:sns:e</EndpointArn></R>" }));
    cr_assert_eq(sns_create_platform_endpoint(&pipeline.aws, "arn:app", "t+1", &arn, &failure), 0);
    cr_expect_str_eq(arn, "arn:aws:sns:e");
    cr_expect(has(0, "PlatformApplicationArn=arn%3Aapp&Token=t%2B1&"
                     "Action=CreatePlatformEndpoint&Version=2010-03-31"));
    free(arn);
}

Test(sns, finds_the_endpoint_that_exists_with_other_attributes)
{
    char *arn = NULL;
    start(REPLIES({ .status = 400,
                    .body = "<ErrorResponse><Error><Code>InvalidParameter</Code><Message>Invalid "
                            "parameter: Token Reason: Endpoint arn:aws:sns:us-east-1:1:endpoint/"
                            "APNS/App/1 already exists with the same Token, but different "
                            "attributes.</Message></Error></ErrorResponse>" }));
    cr_assert_eq(sns_create_platform_endpoint(&pipeline.aws, "arn:app", "t", &arn, &failure), 0);
    cr_expect_str_eq(arn, "arn:aws:sns:us-east-1:1:endpoint/APNS/App/1");
    free(arn);
}

Test(sns, tells_whether_an_endpoint_is_ready)
{
    bool is_ready = false;
    start(REPLIES({ .body = "<entry><key>Enabled</key><value>true</value></entry>"
                            "<entry><key>Token</key><value>t</value></entry>" },
                  { .body = "<entry><key>Enabled</key><value>false</value></entry>"
                            "<entry><key>Token</key><value>t</value></entry>" },
                  { .body = "<entry><key>Enabled</key><value>true</value></entry>"
                            "<entry><key>Token</key><value>old</value></entry>" }));
    cr_assert_eq(sns_endpoint_is_ready(&pipeline.aws, "arn:e", "t", &is_ready, &failure), 0);
    cr_expect(is_ready);
    cr_assert_eq(sns_endpoint_is_ready(&pipeline.aws, "arn:e", "t", &is_ready, &failure), 0);
    cr_expect_not(is_ready, "disabled");
    cr_assert_eq(sns_endpoint_is_ready(&pipeline.aws, "arn:e", "t", &is_ready, &failure), 0);
    cr_expect_not(is_ready, "another token");
}

#define DOWNLOADED                                                                     \
    "{\"fileId\":{\"S\":\"dQw4w9WgXcQ\"},\"key\":{\"S\":\"k\"},\"url\":{\"S\":\"u\"}," \
    "\"publishDate\":{\"S\":\"d\"},\"size\":{\"N\":\"1\"}}"

Test(sns, reaches_the_other_devices_when_one_is_disabled)
{
    struct push_tables tables = { &pipeline.aws, "UserFiles", "UserDevices", "Devices" };
    struct push_counts counts;
    cJSON *item = cJSON_Parse(DOWNLOADED);
    start(REPLIES(
        { .body = "{\"Responses\":{\"UserDevices\":[{\"deviceIds\":{\"SS\":[\"1\",\"2\"]}}]}}" },
        { .body = "{\"Responses\":{\"Devices\":[{\"endpointArn\":{\"S\":\"arn:1\"}},"
                  "{\"endpointArn\":{\"S\":\"arn:2\"}}]}}" },
        { .status = 400,
          .body = "<ErrorResponse><Error><Code>EndpointDisabled</Code><Message>Endpoint "
                  "is disabled</Message></Error></ErrorResponse>" },
        { .body = "<PublishResponse/>" }));
    cr_assert_eq(push_to_user(&tables, item, "u1", clock_now_ms() + 30000, &counts, &failure), 0);
    cr_expect_eq(counts.sent, 1);
    cr_expect_eq(counts.failed, 1);
    cr_expect(has(3, "TargetArn=arn%3A2&MessageStructure=json&Message=%7B%22default%22"));
    cr_expect(has(3, "AWS.SNS.MOBILE.APNS.PUSH_TYPE"));
    cJSON_Delete(item);
}

#define PUSH_TO(devices)                                                                      \
    { .body = "{\"Responses\":{\"UserDevices\":[{\"deviceIds\":{\"SS\":[\"1\",\"2\"]}}]}}" }, \
    {                                                                                         \
        .body = "{\"Responses\":{\"Devices\":[" devices "]}}"                                 \
    }

/* Sends one push; gives what was counted. */
static struct push_counts push(void)
{
    struct push_tables tables = { &pipeline.aws, "UserFiles", "UserDevices", "Devices" };
    struct push_counts counts;
    cJSON *item = cJSON_Parse(DOWNLOADED);
    cr_assert_eq(push_to_user(&tables, item, "u1", clock_now_ms() + 30000, &counts, &failure), 0);
    cJSON_Delete(item);
    return counts;
}

Test(sns, loses_a_dead_endpoint_unless_its_device_was_registered_again)
{
    static const char *const errors[] = {
        "<Code>EndpointDisabled</Code>",
        "<Code>NotFound</Code>",
        "<Code>InvalidParameter</Code><Message>TargetArn Reason: No endpoint found</Message>",
    };
    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
        char body[256];
        snprintf(body, sizeof(body), "<Error>%s</Error>", errors[i]);
        start(REPLIES(PUSH_TO("{\"deviceId\":{\"S\":\"1\"},\"endpointArn\":{\"S\":\"arn:1\"},"
                              "\"registeredAt\":{\"N\":\"5\"}}"),
                      { .status = 400, .body = body }, FINE));
        cr_expect_eq(push().failed, 1);
        cr_expect(has(3, "DynamoDB_20120810.UpdateItem"), "%s", errors[i]);
        cr_expect(has(3, " REMOVE #n0\""));
        cr_expect(has(3, "\"ConditionExpression\":\"#n1 = :v1 AND #n2 = :v2\""));
        cr_expect(has(3, "\":v2\":{\"N\":\"5\"}"));
        aws_release(&pipeline.aws);
        peer_stop(peer);
        peer = NULL;
    }
}

Test(sns, keeps_an_endpoint_that_had_another_trouble)
{
    start(REPLIES(PUSH_TO("{\"deviceId\":{\"S\":\"1\"},\"endpointArn\":{\"S\":\"arn:1\"}}"),
                  { .status = 400, .body = "<Error><Code>InvalidParameter</Code></Error>" }));
    cr_expect_eq(push().failed, 1);
    cr_expect_eq(count_of("UpdateItem"), 0);
}

Test(sns, passes_devices_without_an_endpoint)
{
    start(REPLIES(PUSH_TO("{\"deviceId\":{\"S\":\"1\"}}")));
    cr_expect_eq(push().failed, 0);
    cr_expect_eq(peer_request_count(peer), 2);
}

Test(sns, notifies_a_phone_once_that_is_registered_under_two_ids)
{
    start(REPLIES(PUSH_TO("{\"deviceId\":{\"S\":\"1\"},\"endpointArn\":{\"S\":\"arn:1\"}},"
                          "{\"deviceId\":{\"S\":\"2\"},\"endpointArn\":{\"S\":\"arn:1\"}}"),
                  { .body = "<PublishResponse/>" }));
    cr_expect_eq(push().sent, 1);
    cr_expect_eq(count_of("Action=Publish"), 1);
}

TestSuite(lambda, .init = support_begin, .fini = support_end, .timeout = 60);

Test(lambda, is_invoked_as_an_event)
{
    start(REPLIES({ .status = 202 }));
    cJSON *payload = cJSON_Parse("{\"fileId\":\"x\"}");
    cr_assert_eq(lambda_invoke_event(&pipeline.aws, "StartFileUpload", payload, &failure), 0);
    cr_expect(has(0, "POST /2015-03-31/functions/StartFileUpload/invocations "));
    cr_expect(has(0, "X-Amz-Invocation-Type: Event\r\n"));
    cr_expect(has(0, "{\"fileId\":\"x\"}"));
}
