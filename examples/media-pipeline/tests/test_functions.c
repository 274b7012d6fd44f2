/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers, with a peer that stands for all of AWS: what they ask for, and what they answer. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "functions/functions.h"
#include "peer.h"
#include "runtime/clock.h"

#define REPLIES(...)                            \
    (const struct peer_reply[]){ __VA_ARGS__ }, \
        sizeof((const struct peer_reply[]){ __VA_ARGS__ }) / sizeof(struct peer_reply)

#define ID   "dQw4w9WgXcQ"
#define USER "\"requestContext\":{\"authorizer\":{\"principalId\":\"u1\"}}"
#define FINE         \
    {                \
        .body = "{}" \
    }

static struct peer *peer;
static struct pipeline pipeline;
static struct invocation invocation;
static char directory[64];
static char program[128];
static char printed[2048];

static void begin(void)
{
    cr_redirect_stdout();
    snprintf(directory, sizeof(directory), "/tmp/functions-test.XXXXXX");
    cr_assert(mkdtemp(directory));
    snprintf(program, sizeof(program), "%s/yt-dlp", directory);
    pipeline.config = (struct config){
        .files_table = "Files",
        .user_files_table = "UserFiles",
        .devices_table = "Devices",
        .user_devices_table = "UserDevices",
        .api_tokens_table = "ApiTokens",
        .bucket = "media",
        .platform_application_arn = "arn:app",
        .file_url_base = "https://files/",
        .media_hosts = "media.example.org",
        .ytdlp_path = program,
        .start_file_upload_function = "StartFileUpload",
        .file_coordinator_function = "FileCoordinator",
        .download_directory = directory,
        .part_bytes = 5 * 1024 * 1024,
    };
    invocation = (struct invocation){ .function = "Test",
                                      .request_id = "r-1",
                                      .deadline_ms = clock_now_ms() + 60000 };
}

static void end(void)
{
    aws_release(&pipeline.aws);
    if (peer)
        peer_stop(peer);
    unlink(program);
    cr_expect_eq(rmdir(directory), 0, "something is left in %s", directory);
}

static void start(const struct peer_reply *replies, size_t count)
{
    peer = peer_start(replies, count);
    setenv("AWS_ENDPOINT_URL", peer_url(peer), 1);
    setenv("AWS_REGION", "us-east-1", 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
}

/* The handler's answer as text; "" when it failed. */
static const char *call(invocation_handler handler, const char *event_json)
{
    cJSON *event = cJSON_Parse(event_json);
    cr_assert(event, "%s", event_json);
    cJSON *answer = handler(&pipeline, &invocation, event);
    char *text = answer ? cJSON_PrintUnformatted(answer) : NULL;
    snprintf(printed, sizeof(printed), "%s", text ? text : "");
    cJSON_free(text);
    cJSON_Delete(answer);
    cJSON_Delete(event);
    return printed;
}

/* The number of requests that have this text. */
static int count_of(const char *text)
{
    int count = 0;
    for (size_t i = 0; i < peer_request_count(peer); i++)
        count += strstr(peer_request(peer, i), text) != NULL;
    return count;
}

static bool contains(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* ---- WebhookFeedly ----------------------------------------------------------------------- */

#define WEBHOOK(more) \
    "{" USER ",\"body\":\"{\\\"articleURL\\\":\\\"https://youtu.be/" ID "\\\"" more "}\"}"
#define ITEM(status, more)                                                                         \
    "{\"fileId\":{\"S\":\"" ID "\"},\"status\":{\"S\":\"" status                                   \
    "\"},\"correlationId\":{\"S\":\"c-0\"},\"sourceUrl\":{\"S\":\"https://youtu.be/" ID "\"}" more \
    "}"
#define FOUND(status, more)                         \
    {                                               \
        .body = "{\"Item\":" ITEM(status, more) "}" \
    }
#define UPDATED(status, more)                             \
    {                                                     \
        .body = "{\"Attributes\":" ITEM(status, more) "}" \
    }
#define LEASED ",\"leaseUntil\":{\"N\":\"9000000000000\"}"

TestSuite(webhook, .init = begin, .fini = end, .timeout = 60);

Test(webhook, starts_a_file_that_nobody_asked_for_before)
{
    start(REPLIES(FINE, FINE, UPDATED("PendingMetadata", ""), { .status = 202 }));
    const char *answer = call(webhook_feedly, WEBHOOK(""));
    cr_expect(contains(answer, "\"statusCode\":202"), "%s", answer);
    cr_expect(contains(answer, "\\\"status\\\":\\\"Initiated\\\""), "%s", answer);
    cr_expect_eq(peer_request_count(peer), 4);
    cr_expect(contains(peer_request(peer, 3), "/functions/FileCoordinator/invocations"));
    cr_expect(
        contains(peer_request(peer, 3), "{\"fileIds\":[\"" ID "\"],\"correlationId\":\"c-0\"}"));
}

Test(webhook, associates_the_user_before_anything_else)
{
    start(REPLIES(FINE, FINE, UPDATED("PendingMetadata", ""), { .status = 202 }));
    call(webhook_feedly, WEBHOOK(""));
    cr_expect(contains(peer_request(peer, 0), "\"UserFiles\""));
    cr_expect(contains(peer_request(peer, 0), "ADD #n0 :v0"));
    cr_expect(contains(peer_request(peer, 0), "{\"SS\":[\"" ID "\"]}"));
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
    start(
        REPLIES(FINE, FINE,
                { .status = 400,
                  .body = "{\"__type\":\"a#ConditionalCheckFailedException\",\"message\":\"m\"}" },
                FOUND("Downloading", LEASED)));
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

TestSuite(coordinator, .init = begin, .fini = end, .timeout = 60);

Test(coordinator, starts_each_file_of_the_event)
{
    start(REPLIES({ .status = 202 }));
    const char *answer = call(file_coordinator, "{\"fileIds\":[\"" ID "\",\"u-0123456789abcdef\"],"
                                                "\"correlationId\":\"c-1\"}");
    cr_expect_str_eq(answer, "{\"started\":2,\"failed\":0}");
    cr_expect(contains(peer_request(peer, 0), "/functions/StartFileUpload/invocations"));
    cr_expect(contains(peer_request(peer, 0), "{\"fileId\":\"" ID "\",\"correlationId\":\"c-1\"}"));
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
        { .status = 202 }, { .body = "{\"Items\":[" ITEM("PendingMetadata", "") "]}" },
        { .status = 202 }));
    cr_expect_str_eq(call(file_coordinator, "{\"source\":\"aws.events\"}"),
                     "{\"started\":2,\"failed\":0}");
    cr_expect(contains(peer_request(peer, 0), "DynamoDB_20120810.Scan"));
    cr_expect(contains(peer_request(peer, 1), "\"correlationId\":\"c-0\""));
}

/* ---- RegisterDevice -------------------------------------------------------------------------- */

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

TestSuite(device, .init = begin, .fini = end, .timeout = 60);

Test(device, is_stored_with_the_fields_that_are_allowed)
{
    start(REPLIES(ENDPOINT, READY, FINE, FINE));
    const char *answer = call(register_device, DEVICE);
    cr_expect(contains(answer, "\"statusCode\":200"), "%s", answer);
    cr_expect(contains(answer, "\\\"endpointArn\\\":\\\"arn:e\\\""), "%s", answer);
    cr_expect(contains(peer_request(peer, 2), "\"name\":{\"S\":\"Phone\"}"));
    cr_expect_not(contains(peer_request(peer, 2), "admin"));
    cr_expect(contains(peer_request(peer, 3), "\"UserDevices\""));
}

Test(device, gets_its_endpoint_enabled_again)
{
    start(REPLIES(ENDPOINT, NOT_READY, { .body = "<R/>" }, FINE, FINE));
    call(register_device, DEVICE);
    cr_expect(contains(peer_request(peer, 2), "Action=SetEndpointAttributes"));
    cr_expect(contains(peer_request(peer, 2), "Attributes.entry.2.value=true"));
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
    cr_expect(contains(peer_request(peer, 3), "DELETE #n0 :v0"));
    cr_expect(contains(peer_request(peer, 3), "{\"userId\":{\"S\":\"u0\"}}"));
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

TestSuite(authorizer, .init = begin, .fini = end, .timeout = 60);

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

TestSuite(list, .init = begin, .fini = end, .timeout = 60);

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

/* ---- StartFileUpload ---------------------------------------------------------------------------
 */

#define EVENT "{\"fileId\":\"" ID "\",\"correlationId\":\"c-1\"}"

static void write_program(const char *script)
{
    FILE *stream = fopen(program, "w");
    cr_assert(stream);
    fprintf(stream, "#!/bin/sh\ncase \"$*\" in *-J*) echo '{\"title\":\"T\"}'; exit 0;; esac\n%s\n",
            script);
    fclose(stream);
    cr_assert_eq(chmod(program, 0700), 0);
}

#define CLAIMED     UPDATED("PendingMetadata", LEASED)
#define DESCRIBED   UPDATED("PendingDownload", LEASED)
#define DOWNLOADING UPDATED("Downloading", LEASED)
#define GIVEN_UP    UPDATED("Failed", "")

TestSuite(upload_function, .init = begin, .fini = end, .timeout = 90);

Test(upload_function, gets_stores_and_announces_a_video)
{
    write_program("echo data > media.mp4; echo \"file $(pwd)/media.mp4\"");
    start(
        REPLIES(FOUND("PendingMetadata", ""), CLAIMED, DESCRIBED, DOWNLOADING,
                { .body = "<UploadId>up</UploadId>" }, { .headers = "ETag: \"e\"\r\n" },
                { .body = "<R/>" }, { .body = "data\n" },
                UPDATED("Downloaded", ",\"key\":{\"S\":\"k\"},\"url\":{\"S\":\"u\"},"
                                      "\"publishDate\":{\"S\":\"d\"}"),
                { .body = "{\"Items\":[{\"userId\":{\"S\":\"u1\"}}]}" },
                { .body = "{\"Responses\":{\"UserDevices\":[{\"deviceIds\":{\"SS\":[\"1\"]}}]}}" },
                { .body = "{\"Responses\":{\"Devices\":[{\"endpointArn\":{\"S\":\"arn:1\"}}]}}" },
                { .body = "<R/>" }));
    cr_expect_str_eq(call(start_file_upload, EVENT),
                     "{\"fileId\":\"" ID "\",\"status\":\"Downloaded\",\"outcome\":\"done\"}");
    cr_expect(contains(peer_request(peer, 2), "{\"S\":\"PendingDownload\"}"));
    cr_expect(contains(peer_request(peer, 3), "{\"S\":\"Downloading\"}"));
    cr_expect(contains(peer_request(peer, 4), "POST /media/" ID ".mp4?uploads"));
    cr_expect(contains(peer_request(peer, 8), "{\"S\":\"https://files/" ID ".mp4\"}"));
    cr_expect_eq(count_of("Action=Publish"), 1);
}

Test(upload_function, leaves_nothing_of_a_yt_dlp_that_was_killed)
{
    write_program("echo data > media.mp4.part; kill -9 $$");
    start(REPLIES(FOUND("PendingMetadata", ""), CLAIMED, DESCRIBED, DOWNLOADING, GIVEN_UP));
    cr_expect(contains(call(start_file_upload, EVENT), "\"status\":\"Failed\""), "%s", printed);
    cr_expect_eq(count_of("/media/"), 0, "S3 was never asked");
    cr_expect(contains(peer_request(peer, 4), "{\"S\":\"Failed\"}"));
    cr_expect(contains(peer_request(peer, 4), "{\"S\":\"yt-dlp was killed: signal 9 (Killed)\"}"));
    cr_expect(contains(peer_request(peer, 4), "{\"S\":\"killed\"}"));
}

Test(upload_function, fails_the_file_when_its_time_is_up)
{
    write_program("exec sleep 600");
    invocation.deadline_ms = clock_now_ms() + 2000;
    start(REPLIES(FOUND("PendingMetadata", ""), CLAIMED, DESCRIBED, DOWNLOADING, GIVEN_UP));
    call(start_file_upload, EVENT);
    cr_expect(contains(printed, "\"errorCategory\":\"deadline\""), "%s", printed);
    cr_expect(contains(peer_request(peer, 4), "{\"S\":\"Failed\"}"));
}

Test(upload_function, schedules_what_may_work_later)
{
    write_program("echo 'ERROR: Connection reset by peer' >&2; exit 1");
    start(REPLIES(FOUND("PendingMetadata", ""), CLAIMED, DESCRIBED, DOWNLOADING,
                  UPDATED("Scheduled", "")));
    call(start_file_upload, EVENT);
    cr_expect(contains(printed, "\"status\":\"Scheduled\""), "%s", printed);
    cr_expect(contains(peer_request(peer, 4), "retryAfter"));
}

Test(upload_function, aborts_an_upload_that_s3_refuses)
{
    write_program("echo data > media.mp4; echo \"file $(pwd)/media.mp4\"");
    start(REPLIES(FOUND("PendingMetadata", ""), CLAIMED, DESCRIBED, DOWNLOADING,
                  { .body = "<UploadId>up</UploadId>" },
                  { .status = 403, .body = "<Error><Code>AccessDenied</Code></Error>" },
                  { .status = 204 }, UPDATED("Scheduled", "")));
    call(start_file_upload, EVENT);
    cr_expect(contains(printed, "\"errorCategory\":\"upload\""), "%s", printed);
    cr_expect(contains(peer_request(peer, 6), "DELETE /media/" ID ".mp4?uploadId=up"));
}

Test(upload_function, does_nothing_about_a_file_that_somebody_has)
{
    start(REPLIES(FOUND("Downloading", LEASED)));
    cr_expect(contains(call(start_file_upload, EVENT), "nothing to do"), "%s", printed);
    cr_expect_eq(peer_request_count(peer), 1);
}

Test(upload_function, does_nothing_when_another_one_gets_the_lease)
{
    start(REPLIES(
        FOUND("PendingMetadata", ""),
        { .status = 400,
          .body = "{\"__type\":\"a#ConditionalCheckFailedException\",\"message\":\"m\"}" }));
    cr_expect(contains(call(start_file_upload, EVENT), "nothing to do"), "%s", printed);
    cr_expect_eq(peer_request_count(peer), 2);
}

Test(upload_function, refuses_an_event_without_a_file_id)
{
    cr_expect_str_eq(call(start_file_upload, "{}"), "");
    cr_expect_str_eq(invocation.failure.type, "BadEvent");
    cr_expect_str_eq(call(start_file_upload, "{\"fileId\":\"../../etc\"}"), "");
}

Test(upload_function, does_not_trust_an_address_whose_host_is_no_longer_allowed)
{
    start(
        REPLIES({ .body = "{\"Item\":{\"fileId\":{\"S\":\"" ID "\"},\"status\":{\"S\":"
                          "\"PendingMetadata\"},\"sourceUrl\":{\"S\":\"http://old.example.org/v\"}"
                          "}}" },
                { .body = "{\"Attributes\":{\"fileId\":{\"S\":\"" ID "\"},\"status\":{\"S\":"
                          "\"PendingMetadata\"},\"sourceUrl\":{\"S\":\"http://old.example.org/v\"}"
                          "}}" },
                GIVEN_UP));
    call(start_file_upload, EVENT);
    cr_expect(contains(printed, "\"errorCategory\":\"unsupported\""), "%s", printed);
}
