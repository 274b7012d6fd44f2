/* SPDX-License-Identifier: Apache-2.0 */
/* WebhookFeedly and FileCoordinator: what they ask for, and what they answer. */
#include "support.h"

#define WEBHOOK(more) \
    "{" USER ",\"body\":\"{\\\"articleURL\\\":\\\"https://youtu.be/" ID "\\\"" more "}\"}"

TestSuite(webhook, .init = support_begin, .fini = support_end, .timeout = 60);

Test(webhook, starts_a_file_that_nobody_asked_for_before)
{
    start(REPLIES(FINE, FINE, UPDATED("PendingMetadata", ""), { .status = 202 }));
    const char *answer = call(webhook_feedly, WEBHOOK(""));
    cr_expect(contains(answer, "\"statusCode\":202"), "%s", answer);
    cr_expect(contains(answer, "\\\"status\\\":\\\"Initiated\\\""), "%s", answer);
    cr_expect_eq(peer_request_count(peer), 4);
    cr_expect(has(3, "/functions/FileCoordinator/invocations"));
    cr_expect(has(3, "{\"fileIds\":[\"" ID "\"],\"correlationId\":\"c-0\"}"));
}

Test(webhook, associates_the_user_before_anything_else)
{
    start(REPLIES(FINE, FINE, UPDATED("PendingMetadata", ""), { .status = 202 }));
    call(webhook_feedly, WEBHOOK(""));
    cr_expect(has(0, "\"UserFiles\""));
    cr_expect(has(0, "ADD #n0 :v0"));
    cr_expect(has(0, "{\"SS\":[\"" ID "\"]}"));
}

Test(webhook, leaves_a_background_request_to_the_schedule)
{
    start(REPLIES(FINE, FINE, UPDATED("PendingMetadata", "")));
    const char *answer = call(webhook_feedly, WEBHOOK(",\\\"backgroundMode\\\":true"));
    cr_expect(contains(answer, "\\\"status\\\":\\\"Accepted\\\""), "%s", answer);
    cr_expect_eq(count_of("/invocations"), 0);
}

Test(webhook, starts_a_failed_file_again)
{
    start(REPLIES(FINE, FOUND("Failed", ""), UPDATED("PendingMetadata", ""), { .status = 202 }));
    const char *answer = call(webhook_feedly, WEBHOOK(""));
    cr_expect(contains(answer, "Initiated"), "%s", answer);
    cr_expect_eq(count_of("/invocations"), 1);
}

Test(webhook, does_not_start_what_is_under_way)
{
    start(REPLIES(FINE, FOUND("Downloading", LEASED)));
    const char *answer = call(webhook_feedly, WEBHOOK(""));
    cr_expect(contains(answer, "Initiated"), "%s", answer);
    cr_expect_eq(peer_request_count(peer), 2);
}

Test(webhook, does_not_start_what_waits_for_its_time)
{
    start(REPLIES(FINE, FOUND("Scheduled", ",\"retryAfter\":{\"N\":\"9000000000000\"}")));
    const char *answer = call(webhook_feedly, WEBHOOK(""));
    cr_expect(contains(answer, "Accepted"), "%s", answer);
    cr_expect_eq(peer_request_count(peer), 2);
}

Test(webhook, looks_again_when_another_one_was_quicker)
{
    start(REPLIES(FINE, FINE, CONDITION_FAILED, FOUND("Downloading", LEASED)));
    const char *answer = call(webhook_feedly, WEBHOOK(""));
    cr_expect(contains(answer, "Initiated"), "%s", answer);
    cr_expect_eq(count_of("/invocations"), 0);
}

Test(webhook, pushes_a_file_that_is_there)
{
    start(
        REPLIES(FINE,
                FOUND("Downloaded", ",\"key\":{\"S\":\"k\"},\"url\":{\"S\":\"u\"},"
                                    "\"publishDate\":{\"S\":\"d\"}"),
                { .body = "{\"Responses\":{\"UserDevices\":[{\"deviceIds\":{\"SS\":[\"1\"]}}]}}" },
                { .body = "{\"Responses\":{\"Devices\":[{\"endpointArn\":{\"S\":\"arn:1\"}}]}}" },
                { .body = "<R/>" }));
    const char *answer = call(webhook_feedly, WEBHOOK(""));
    cr_expect(contains(answer, "\"statusCode\":200"), "%s", answer);
    cr_expect(contains(answer, "Dispatched"), "%s", answer);
    cr_expect_eq(count_of("Action=Publish"), 1);
}

Test(webhook, writes_nothing_for_an_address_that_it_refuses)
{
    start(REPLIES(FINE));
    const char *answer = call(webhook_feedly,
                              "{" USER
                              ",\"body\":\"{\\\"articleURL\\\":\\\"https://example.org/\\\"}\"}");
    cr_expect(contains(answer, "\"statusCode\":400"), "%s", answer);
    cr_expect(contains(answer, "{\\\"articleURL\\\":[\\\"is not a valid YouTube URL\\\"]}"), "%s",
              answer);
    cr_expect_eq(peer_request_count(peer), 0);
}

Test(webhook, knows_nobody_without_the_authorizer)
{
    start(REPLIES(FINE));
    const char *answer = call(webhook_feedly, "{\"body\":\"{}\"}");
    cr_expect(contains(answer, "\"statusCode\":401"), "%s", answer);
    cr_expect_eq(peer_request_count(peer), 0);
}

Test(webhook, answers_500_when_the_table_cannot_be_reached)
{
    start(REPLIES({ .status = 400,
                    .body = "{\"__type\":\"a#AccessDeniedException\",\"message\":\"not you\"}" }));
    const char *answer = call(webhook_feedly, WEBHOOK(""));
    cr_expect(contains(answer, "\"statusCode\":500"), "%s", answer);
    cr_expect(contains(answer, "DynamoDB UpdateItem: not you"), "%s", answer);
}

/* ---- FileCoordinator ------------------------------------------------------------------------ */

TestSuite(coordinator, .init = support_begin, .fini = support_end, .timeout = 60);

Test(coordinator, starts_each_file_of_the_event)
{
    start(REPLIES({ .status = 202 }));
    const char *answer = call(file_coordinator, "{\"fileIds\":[\"" ID "\",\"u-0123456789abcdef\"],"
                                                "\"correlationId\":\"c-1\"}");
    cr_expect_str_eq(answer, "{\"started\":2,\"failed\":0}");
    cr_expect(has(0, "/functions/StartFileUpload/invocations"));
    cr_expect(has(0, "{\"fileId\":\"" ID "\",\"correlationId\":\"c-1\"}"));
}

#define DENIED                                        \
    {                                                 \
        .status = 403, .body = "{\"Message\":\"no\"}" \
    }

Test(coordinator, goes_on_after_one_that_cannot_be_started)
{
    start(REPLIES(DENIED, { .status = 202 }));
    const char *answer = call(file_coordinator,
                              "{\"fileIds\":[\"" ID "\",\"u-0123456789abcdef\"]}");
    cr_assert_str_eq(answer, "{\"started\":1,\"failed\":1}");
}

Test(coordinator, fails_when_none_can_be_started)
{
    start(REPLIES(DENIED));
    cr_expect_str_eq(call(file_coordinator, "{\"fileIds\":[\"" ID "\"]}"), "");
    cr_expect(contains(invocation.failure.message, "Lambda Invoke"), "%s",
              invocation.failure.message);
}

Test(coordinator, skips_what_is_no_file_id)
{
    start(REPLIES({ .status = 202 }));
    cr_expect_str_eq(call(file_coordinator, "{\"fileIds\":[\"../x\",5]}"),
                     "{\"started\":0,\"failed\":0}");
    cr_expect_eq(peer_request_count(peer), 0);
}

Test(coordinator, looks_for_what_is_due_when_the_schedule_calls)
{
    start(REPLIES(
        { .body = "{\"Items\":[" ITEM("Scheduled", ",\"retryAfter\":{\"N\":\"5\"}") "," ITEM(
              "Downloading", LEASED) "],\"LastEvaluatedKey\":{\"fileId\":{\"S\":\"x\"}}}" },
        { .body = "{\"Items\":[" ITEM("PendingMetadata", "") "]}" }, { .status = 202 }));
    cr_expect_str_eq(call(file_coordinator, "{\"source\":\"aws.events\"}"),
                     "{\"started\":2,\"failed\":0}");
    cr_expect(has(0, "DynamoDB_20120810.Scan"));
    cr_expect(has(1, "\"ExclusiveStartKey\":{\"fileId\":{\"S\":\"x\"}}"));
    cr_expect(has(2, "\"correlationId\":\"c-0\""));
}

#define WAITING(id, since)                                                   \
    "{\"fileId\":{\"S\":\"" id "\"},\"status\":{\"S\":\"PendingMetadata\"}," \
    "\"availableAt\":{\"N\":\"" since "\"}}"

Test(coordinator, leaves_no_more_under_way_than_may_be)
{
    pipeline.config.max_downloads = 3;
    start(REPLIES(
        { .body = "{\"Items\":[" WAITING("aaaaaaaaaaa", "1763626530003") "," WAITING(
              "bbbbbbbbbbb", "1763626530001") "," WAITING("ccccccccccc",
                                                          "1763626530002") "," ITEM("Downloading",
                                                                                    LEASED) "]}" },
        { .status = 202 }));
    cr_expect_str_eq(call(file_coordinator, "{}"), "{\"started\":2,\"failed\":0}");
    cr_expect(has(1, "bbbbbbbbbbb"), "the one that waits longest");
    cr_expect(has(2, "ccccccccccc"));
}

Test(coordinator, starts_nothing_while_all_places_are_taken)
{
    pipeline.config.max_downloads = 1;
    start(REPLIES({ .body = "{\"Items\":[" WAITING("aaaaaaaaaaa", "1") "," ITEM("Downloading",
                                                                                LEASED) "]}" }));
    cr_expect_str_eq(call(file_coordinator, "{}"), "{\"started\":0,\"failed\":0}");
    cr_expect_eq(peer_request_count(peer), 1);
}
