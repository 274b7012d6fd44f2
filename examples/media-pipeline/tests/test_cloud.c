/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent to AWS services and understood of their answers; a peer stands for the service. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws/dynamodb.h"
#include "aws/lambda.h"
#include "aws/sns.h"
#include "media/file.h"
#include "media/push.h"
#include "media/upload.h"
#include "peer.h"
#include "runtime/clock.h"

#define REPLIES(...)                            \
    (const struct peer_reply[]){ __VA_ARGS__ }, \
        sizeof((const struct peer_reply[]){ __VA_ARGS__ }) / sizeof(struct peer_reply)

static struct peer *peer;
static struct aws aws;
static struct failure failure;

static void start(const struct peer_reply *replies, size_t count)
{
    static const char *const unset[] = { "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_S3",
                                         "AWS_ENDPOINT_URL_SNS", "AWS_ENDPOINT_URL_LAMBDA",
                                         "_X_AMZN_TRACE_ID" };
    for (size_t i = 0; i < sizeof(unset) / sizeof(*unset); i++)
        unsetenv(unset[i]);
    peer = peer_start(replies, count);
    setenv("AWS_ENDPOINT_URL", peer_url(peer), 1);
    setenv("AWS_REGION", "us-east-1", 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
}

static void begin(void)
{
    cr_redirect_stdout();
}

static void end(void)
{
    aws_release(&aws);
    if (peer)
        peer_stop(peer);
}

/* The body of a request, parsed; the caller deletes it. */
static cJSON *sent(size_t index)
{
    const char *body = strstr(peer_request(peer, index), "\r\n\r\n");
    cr_assert(body);
    cJSON *json = cJSON_Parse(body + 4);
    cr_assert(json, "%s", body);
    return json;
}

static const char *sent_text(size_t index, const char *name)
{
    static char text[1024];
    cJSON *json = sent(index);
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(json, name);
    char *printed = cJSON_PrintUnformatted(member);
    snprintf(text, sizeof(text), "%s", printed ? printed : "");
    cJSON_free(printed);
    cJSON_Delete(json);
    return text;
}

static bool has_line(size_t index, const char *line)
{
    return strstr(peer_request(peer, index), line) != NULL;
}

TestSuite(dynamodb, .init = begin, .fini = end, .timeout = 60);

Test(dynamodb, names_its_operation_and_reads_consistently)
{
    cJSON *item = NULL;
    start(REPLIES({ .body = "{\"Item\":{\"a\":{\"S\":\"b\"}}}" }));
    cr_assert_eq(dynamodb_get(&aws, "Files", attribute_key("fileId", "x"), &item, &failure), 0);
    cr_expect_str_eq(attribute_get_string(item, "a"), "b");
    cr_expect(has_line(0, "X-Amz-Target: DynamoDB_20120810.GetItem\r\n"));
    cr_expect_str_eq(sent_text(0, "Key"), "{\"fileId\":{\"S\":\"x\"}}");
    cr_expect_str_eq(sent_text(0, "ConsistentRead"), "true");
    cJSON_Delete(item);
}

Test(dynamodb, tells_an_item_that_is_not_there)
{
    cJSON *item = (cJSON *)-1;
    start(REPLIES({ .body = "{}" }));
    cr_assert_eq(dynamodb_get(&aws, "Files", attribute_key("fileId", "x"), &item, &failure), 0);
    cr_assert_null(item);
}

Test(dynamodb, writes_updates_with_placeholders_only)
{
    struct update update = { 0 };
    start(REPLIES({ .body = "{}" }));
    update_set(&update, "status", attribute_string("Failed"));
    update_set(&update, "size", attribute_number(5));
    update_remove(&update, "leaseUntil");
    update_add(&update, "ids", attribute_string_set("i"));
    update_if_equal(&update, "status", attribute_string("Downloading"));
    update_if_absent(&update, "url");
    cr_assert_eq(
        dynamodb_update(&aws, "Files", attribute_key("fileId", "x"), &update, NULL, &failure), 0);
    cr_expect_str_eq(sent_text(0, "UpdateExpression"),
                     "\"SET #n0 = :v0, #n1 = :v1 REMOVE #n2 ADD #n3 :v3\"");
    cr_expect_str_eq(sent_text(0, "ConditionExpression"),
                     "\"#n4 = :v4 AND attribute_not_exists(#n5)\"");
    cr_expect_str_eq(sent_text(0, "ExpressionAttributeNames"),
                     "{\"#n0\":\"status\",\"#n1\":\"size\",\"#n2\":\"leaseUntil\",\"#n3\":\"ids\","
                     "\"#n4\":\"status\",\"#n5\":\"url\"}");
    cr_expect_str_eq(sent_text(0, "ExpressionAttributeValues"),
                     "{\":v0\":{\"S\":\"Failed\"},\":v1\":{\"N\":\"5\"},\":v3\":{\"SS\":[\"i\"]},"
                     "\":v4\":{\"S\":\"Downloading\"}}");
}

#define CONDITION_FAILED                                                                \
    "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException\"," \
    "\"message\":\"The conditional request failed\"}"

Test(dynamodb, tells_a_condition_that_does_not_hold)
{
    struct update update = { 0 };
    start(REPLIES({ .status = 400, .body = CONDITION_FAILED }));
    update_set(&update, "a", attribute_string("b"));
    cr_assert_eq(
        dynamodb_update(&aws, "Files", attribute_key("fileId", "x"), &update, NULL, &failure),
        -EAGAIN);
}

Test(dynamodb, names_service_operation_and_reason_of_a_failure)
{
    cJSON *item = NULL;
    start(REPLIES({ .status = 400,
                    .body = "{\"__type\":\"com.amazonaws.dynamodb.v20120810#"
                            "ResourceNotFoundException\",\"message\":\"no table\"}" }));
    cr_assert_lt(dynamodb_get(&aws, "Files", attribute_key("fileId", "x"), &item, &failure), 0);
    cr_expect_str_eq(failure.type, "ResourceNotFoundException");
    cr_expect_str_eq(failure.message, "DynamoDB GetItem: no table");
}

static bool count_item(void *data, const cJSON *item)
{
    (void)item;
    ++*(int *)data;
    return true;
}

Test(dynamodb, follows_a_scan_over_all_pages)
{
    int count = 0;
    start(REPLIES({ .body = "{\"Items\":[{},{}],\"LastEvaluatedKey\":{\"fileId\":{\"S\":\"2\"}}}" },
                  { .body = "{\"Items\":[],\"LastEvaluatedKey\":{\"fileId\":{\"S\":\"4\"}}}" },
                  { .body = "{\"Items\":[{}]}" }));
    cr_assert_eq(dynamodb_scan(&aws, "Files", cJSON_CreateObject(), count_item, &count, &failure),
                 0);
    cr_expect_eq(count, 3);
    cr_expect_eq(peer_request_count(peer), 3);
    cr_expect_str_eq(sent_text(2, "ExclusiveStartKey"), "{\"fileId\":{\"S\":\"4\"}}");
}

static cJSON *ids(int count)
{
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < count; i++) {
        char id[16];
        snprintf(id, sizeof(id), "id-%d", i);
        cJSON_AddItemToArray(array, cJSON_CreateString(id));
    }
    return array;
}

static int key_count(size_t index)
{
    cJSON *json = sent(index);
    const cJSON *items = cJSON_GetObjectItem(json, "RequestItems");
    int count = cJSON_GetArraySize(cJSON_GetObjectItem(items->child, "Keys"));
    cJSON_Delete(json);
    return count;
}

static int batch_get(cJSON *wanted, cJSON **ret)
{
    int result = dynamodb_batch_get(&aws, "Files", "fileId", wanted, clock_now_ms() + 30000, ret,
                                    &failure);
    cJSON_Delete(wanted);
    return result;
}

Test(dynamodb, asks_for_a_hundred_keys_at_a_time)
{
    cJSON *items = NULL;
    start(REPLIES({ .body = "{\"Responses\":{\"Files\":[{\"a\":{}}]}}" }));
    cr_assert_eq(batch_get(ids(250), &items), 0);
    cr_expect_eq(peer_request_count(peer), 3);
    cr_expect_eq(key_count(0), 100);
    cr_expect_eq(key_count(2), 50);
    cr_expect_eq(cJSON_GetArraySize(items), 3);
    cJSON_Delete(items);
}

Test(dynamodb, asks_again_for_keys_that_were_left_over)
{
    cJSON *items = NULL;
    start(REPLIES({ .body = "{\"Responses\":{\"Files\":[{\"a\":{}}]},\"UnprocessedKeys\":{"
                            "\"Files\":{\"Keys\":[{\"fileId\":{\"S\":\"id-1\"}}]}}}" },
                  { .body = "{\"Responses\":{\"Files\":[{\"b\":{}}]},\"UnprocessedKeys\":{}}" }));
    cr_assert_eq(batch_get(ids(2), &items), 0);
    cr_expect_eq(key_count(1), 1);
    cr_expect_eq(cJSON_GetArraySize(items), 2);
    cJSON_Delete(items);
}

Test(dynamodb, gives_up_on_keys_that_are_always_left_over)
{
    cJSON *items = NULL;
    start(REPLIES({ .body = "{\"Responses\":{},\"UnprocessedKeys\":{\"Files\":{\"Keys\":[{"
                            "\"fileId\":{\"S\":\"id-1\"}}]}}}" }));
    cr_expect_eq(batch_get(ids(1), &items), -ETIMEDOUT);
    cr_expect_null(items);
}

Test(dynamodb, asks_once_for_a_key_that_comes_twice)
{
    cJSON *items = NULL, *wanted = ids(2);
    cJSON_AddItemToArray(wanted, cJSON_CreateString("id-1"));
    start(REPLIES({ .body = "{\"Responses\":{}}" }));
    cr_assert_eq(batch_get(wanted, &items), 0);
    cr_expect_eq(key_count(0), 2);
    cJSON_Delete(items);
}

Test(dynamodb, asks_nothing_without_keys)
{
    cJSON *items = NULL;
    start(REPLIES({ .status = 500 }));
    cr_assert_eq(batch_get(NULL, &items), 0);
    cr_expect_eq(peer_request_count(peer), 0);
    cr_expect_eq(cJSON_GetArraySize(items), 0);
    cJSON_Delete(items);
}

/* ---- Steps of a file -------------------------------------------------------------------- */

TestSuite(step, .init = begin, .fini = end, .timeout = 60);

Test(step, of_a_new_file_holds_only_while_there_is_none)
{
    struct file_table table = { &aws, "Files" };
    struct file file = { .id = "dQw4w9WgXcQ", .status = FILE_ABSENT };
    start(REPLIES({ .body = "{\"Attributes\":{\"fileId\":{\"S\":\"dQw4w9WgXcQ\"}}}" }));
    cr_assert_eq(file_request(&table, &file, "https://u", "c-1", 5, &failure), 0);
    cr_expect_eq(file.status, FILE_PENDING_METADATA);
    cr_expect(strstr(sent_text(0, "ConditionExpression"), "attribute_not_exists(#n"));
    file_release(&file);
}

Test(step, takes_a_lease_only_from_the_item_as_it_was_seen)
{
    struct file_table table = { &aws, "Files" };
    struct file file = { .id = "dQw4w9WgXcQ", .status = FILE_DOWNLOADING, .lease_until = 77 };
    start(REPLIES({ .body = "{\"Attributes\":{}}" }));
    cr_assert_eq(file_claim(&table, &file, 999, 100, &failure), 0);
    cr_expect_eq(file.lease_until, 999);
    cr_expect_eq(file.retry_count, 1, "a lost lease counts");
    const char *values = sent_text(0, "ExpressionAttributeValues");
    cr_expect(strstr(values, "{\"S\":\"Downloading\"}"), "%s", values);
    cr_expect(strstr(values, "{\"N\":\"77\"}"), "%s", values);
    file_release(&file);
}

Test(step, of_somebody_slower_changes_nothing)
{
    struct file_table table = { &aws, "Files" };
    struct file file = { .id = "dQw4w9WgXcQ", .status = FILE_PENDING_METADATA };
    start(REPLIES({ .status = 400, .body = CONDITION_FAILED }));
    cr_expect_eq(file_claim(&table, &file, 999, 100, &failure), -EAGAIN);
    cr_expect_eq(file.lease_until, 0);
}

Test(step, ends_a_file_whose_function_died_too_often)
{
    struct file_table table = { &aws, "Files" };
    struct file file = {
        .id = "dQw4w9WgXcQ", .status = FILE_DOWNLOADING, .lease_until = 77, .retry_count = 5
    };
    start(REPLIES({ .body = "{\"Attributes\":{}}" }));
    cr_expect_eq(file_claim(&table, &file, 999, 100, &failure), -ECANCELED);
    cr_expect_eq(file.status, FILE_FAILED);
    file_release(&file);
}

Test(step, schedules_a_problem_that_may_go_away)
{
    struct file_table table = { &aws, "Files" };
    struct file file = { .id = "dQw4w9WgXcQ", .status = FILE_DOWNLOADING, .lease_until = 77 };
    struct problem problem;
    problem_set(&problem, PROBLEM_TRANSIENT, "reset");
    start(REPLIES({ .body = "{\"Attributes\":{}}" }));
    cr_assert_eq(file_give_up(&table, &file, &problem, 1000, &failure), 0);
    cr_expect_eq(file.status, FILE_SCHEDULED);
    cr_expect_eq(file.retry_after, 1000 + 15 * 60000);
    cr_expect_eq(file.retry_count, 1);
    file_release(&file);
}

/* ---- S3 ----------------------------------------------------------------------------------- */

static const struct s3_object OBJECT = { "media", "u-1.mp4" };
static char path[64];

static void begin_s3(void)
{
    cr_redirect_stdout();
    snprintf(path, sizeof(path), "/tmp/upload-test.XXXXXX");
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(ftruncate(file, 6 * 1024 * 1024), 0);
    close(file);
}

static void end_s3(void)
{
    unlink(path);
    end();
}

static struct upload uploaded;

static int upload(int64_t deadline_ms)
{
    return upload_file(&aws, &OBJECT, path, "video/mp4", UPLOAD_MIN_PART_BYTES, deadline_ms,
                       &uploaded, &failure);
}

#define CREATED                                    \
    {                                              \
        .body = "<R><UploadId>up/1</UploadId></R>" \
    }
#define ACCEPTED                      \
    {                                 \
        .headers = "ETag: \"e1\"\r\n" \
    }
#define REFUSED                                                           \
    {                                                                     \
        .status = 403, .body = "<Error><Code>AccessDenied</Code></Error>" \
    }

TestSuite(upload, .init = begin_s3, .fini = end_s3, .timeout = 60);

Test(upload, sends_parts_and_then_completes)
{
    start(REPLIES(CREATED, ACCEPTED, ACCEPTED, { .body = "<Done/>" },
                  { .padding = 6 * 1024 * 1024 }));
    cr_assert_eq(upload(clock_now_ms() + 30000), 0, "%s", failure.message);
    cr_expect_eq(uploaded.parts, 2);
    cr_expect_eq(uploaded.bytes, 6 * 1024 * 1024);
    cr_expect(has_line(0, "POST /media/u-1.mp4?uploads"));
    cr_expect(has_line(0, "Content-Type: video/mp4\r\n"));
    cr_expect(has_line(2, "PUT /media/u-1.mp4?partNumber=2&uploadId=up%2F1 "));
    cr_expect(has_line(3, "<PartNumber>2</PartNumber><ETag>&quot;e1&quot;</ETag></Part>"));
    cr_expect(has_line(4, "HEAD /media/u-1.mp4 "));
}

Test(upload, is_aborted_when_a_part_fails)
{
    start(REPLIES(CREATED, ACCEPTED, REFUSED, { .status = 204 }));
    cr_assert_lt(upload(clock_now_ms() + 30000), 0);
    cr_expect_str_eq(failure.type, "AccessDenied");
    cr_expect_eq(peer_request_count(peer), 4);
    cr_expect(has_line(3, "DELETE /media/u-1.mp4?uploadId=up%2F1 "));
}

#define LATE_FAILURE                                                            \
    {                                                                           \
        .body = "<Error><Code>InternalError</Code><Message>m</Message></Error>" \
    }

Test(upload, is_aborted_when_completing_fails_after_a_200)
{
    start(REPLIES(CREATED, ACCEPTED, ACCEPTED, LATE_FAILURE, LATE_FAILURE, LATE_FAILURE,
                  { .status = 204 }));
    cr_assert_lt(upload(clock_now_ms() + 30000), 0);
    cr_expect_str_eq(failure.type, "InternalError");
    cr_expect(has_line(6, "DELETE /media/u-1.mp4?uploadId="));
}

#define NO_UPLOAD                                                         \
    {                                                                     \
        .status = 404, .body = "<Error><Code>NoSuchUpload</Code></Error>" \
    }

Test(upload, has_worked_when_only_the_answer_got_lost)
{
    start(
        REPLIES(CREATED, ACCEPTED, ACCEPTED, NO_UPLOAD, NO_UPLOAD, { .padding = 6 * 1024 * 1024 }));
    cr_assert_eq(upload(clock_now_ms() + 30000), 0, "%s", failure.message);
    cr_assert_eq(uploaded.parts, 2);
}

Test(upload, leaves_no_object_of_another_size)
{
    start(REPLIES(CREATED, ACCEPTED, ACCEPTED, { .body = "<Done/>" }, { .padding = 5 },
                  { .status = 204 }));
    cr_assert_lt(upload(clock_now_ms() + 30000), 0);
    cr_expect_str_eq(failure.type, "SizeDiffers");
    cr_expect(has_line(5, "DELETE /media/u-1.mp4 "));
}

Test(upload, begins_nothing_after_the_deadline)
{
    start(REPLIES(CREATED));
    cr_expect_eq(upload(clock_now_ms() - 1), -ETIMEDOUT);
    cr_expect_eq(peer_request_count(peer), 0);
}

Test(upload, makes_parts_larger_when_there_would_be_too_many)
{
    int64_t gib = (int64_t)1024 * 1024 * 1024;
    cr_expect_eq(upload_part_size(gib, UPLOAD_MIN_PART_BYTES), UPLOAD_MIN_PART_BYTES);
    int64_t size = upload_part_size(100 * gib, UPLOAD_MIN_PART_BYTES);
    cr_expect_leq((100 * gib + size - 1) / size, S3_MAX_PARTS);
    cr_expect_eq(upload_part_size(gib, 1), UPLOAD_MIN_PART_BYTES, "S3's smallest part");
}

/* ---- SNS and Lambda ------------------------------------------------------------------------- */

TestSuite(sns, .init = begin, .fini = end, .timeout = 60);

Test(sns, makes_an_endpoint)
{
    char *arn = NULL;
    start(REPLIES({ .body = "<R><EndpointArn>arn:aws:sns:e</EndpointArn></R>" }));
    cr_assert_eq(sns_create_platform_endpoint(&aws, "arn:app", "t+1", &arn, &failure), 0);
    cr_expect_str_eq(arn, "arn:aws:sns:e");
    cr_expect(has_line(0, "PlatformApplicationArn=arn%3Aapp&Token=t%2B1&"
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
    cr_assert_eq(sns_create_platform_endpoint(&aws, "arn:app", "t", &arn, &failure), 0);
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
    cr_assert_eq(sns_endpoint_is_ready(&aws, "arn:e", "t", &is_ready, &failure), 0);
    cr_expect(is_ready);
    cr_assert_eq(sns_endpoint_is_ready(&aws, "arn:e", "t", &is_ready, &failure), 0);
    cr_expect_not(is_ready, "disabled");
    cr_assert_eq(sns_endpoint_is_ready(&aws, "arn:e", "t", &is_ready, &failure), 0);
    cr_expect_not(is_ready, "another token");
}

#define DOWNLOADED                                                                     \
    "{\"fileId\":{\"S\":\"dQw4w9WgXcQ\"},\"key\":{\"S\":\"k\"},\"url\":{\"S\":\"u\"}," \
    "\"publishDate\":{\"S\":\"d\"},\"size\":{\"N\":\"1\"}}"

Test(sns, reaches_the_other_devices_when_one_is_disabled)
{
    struct push_tables tables = { &aws, "UserFiles", "UserDevices", "Devices" };
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
    cr_expect(has_line(3, "TargetArn=arn%3A2&MessageStructure=json&Message=%7B%22default%22"));
    cr_expect(has_line(3, "AWS.SNS.MOBILE.APNS.PUSH_TYPE"));
    cJSON_Delete(item);
}

TestSuite(lambda, .init = begin, .fini = end, .timeout = 60);

Test(lambda, is_invoked_as_an_event)
{
    start(REPLIES({ .status = 202 }));
    cJSON *payload = cJSON_Parse("{\"fileId\":\"x\"}");
    cr_assert_eq(lambda_invoke_event(&aws, "StartFileUpload", payload, &failure), 0);
    cr_expect(has_line(0, "POST /2015-03-31/functions/StartFileUpload/invocations "));
    cr_expect(has_line(0, "X-Amz-Invocation-Type: Event\r\n"));
    cr_expect(has_line(0, "{\"fileId\":\"x\"}"));
}
