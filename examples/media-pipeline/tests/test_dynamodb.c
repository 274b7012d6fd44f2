/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent to DynamoDB and understood of its answers, and the steps of a file. */
#include <errno.h>

#include "aws/dynamodb.h"
#include "media/file.h"
#include "support.h"

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

TestSuite(dynamodb, .init = support_begin, .fini = support_end, .timeout = 60);

Test(dynamodb, names_its_operation_and_reads_consistently)
{
    cJSON *item = NULL;
    start(REPLIES({ .body = "{\"Item\":{\"a\":{\"S\":\"b\"}}}" }));
    cr_assert_eq(
        dynamodb_get(&pipeline.aws, "Files", attribute_key("fileId", "x"), &item, &failure), 0);
    cr_expect_str_eq(attribute_get_string(item, "a"), "b");
    cr_expect(has(0, "X-Amz-Target: DynamoDB_20120810.GetItem\r\n"));
    cr_expect_str_eq(sent_text(0, "Key"), "{\"fileId\":{\"S\":\"x\"}}");
    cr_expect_str_eq(sent_text(0, "ConsistentRead"), "true");
    cJSON_Delete(item);
}

Test(dynamodb, tells_an_item_that_is_not_there)
{
    cJSON *item = (cJSON *)-1;
    start(REPLIES({ .body = "{}" }));
    cr_assert_eq(
        dynamodb_get(&pipeline.aws, "Files", attribute_key("fileId", "x"), &item, &failure), 0);
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
    cr_assert_eq(dynamodb_update(&pipeline.aws, "Files", attribute_key("fileId", "x"), &update,
                                 NULL, &failure),
                 0);
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

Test(dynamodb, tells_a_condition_that_does_not_hold)
{
    struct update update = { 0 };
    start(REPLIES(CONDITION_FAILED));
    update_set(&update, "a", attribute_string("b"));
    cr_assert_eq(dynamodb_update(&pipeline.aws, "Files", attribute_key("fileId", "x"), &update,
                                 NULL, &failure),
                 -EAGAIN);
}

Test(dynamodb, names_service_operation_and_reason_of_a_failure)
{
    cJSON *item = NULL;
    start(REPLIES({ .status = 400,
                    .body = "{\"__type\":\"com.amazonaws.dynamodb.v20120810#"
                            "ResourceNotFoundException\",\"message\":\"no table\"}" }));
    cr_assert_lt(
        dynamodb_get(&pipeline.aws, "Files", attribute_key("fileId", "x"), &item, &failure), 0);
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
    cr_assert_eq(
        dynamodb_scan(&pipeline.aws, "Files", cJSON_CreateObject(), count_item, &count, &failure),
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
    int result = dynamodb_batch_get(&pipeline.aws, "Files", "fileId", wanted,
                                    clock_now_ms() + 30000, ret, &failure);
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

TestSuite(step, .init = support_begin, .fini = support_end, .timeout = 60);

Test(step, of_a_new_file_holds_only_while_there_is_none)
{
    struct file_table table = { &pipeline.aws, "Files" };
    struct file file = { .id = "dQw4w9WgXcQ", .status = FILE_ABSENT };
    start(REPLIES({ .body = "{\"Attributes\":{\"fileId\":{\"S\":\"dQw4w9WgXcQ\"}}}" }));
    cr_assert_eq(file_request(&table, &file, "https://u", "c-1", 5, &failure), 0);
    cr_expect_eq(file.status, FILE_PENDING_METADATA);
    cr_expect(strstr(sent_text(0, "ConditionExpression"), "attribute_not_exists(#n"));
    file_release(&file);
}

Test(step, takes_a_lease_only_from_the_item_as_it_was_seen)
{
    struct file_table table = { &pipeline.aws, "Files" };
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
    struct file_table table = { &pipeline.aws, "Files" };
    struct file file = { .id = "dQw4w9WgXcQ", .status = FILE_PENDING_METADATA };
    start(REPLIES(CONDITION_FAILED));
    cr_expect_eq(file_claim(&table, &file, 999, 100, &failure), -EAGAIN);
    cr_expect_eq(file.lease_until, 0);
}

Test(step, ends_a_file_whose_function_died_too_often)
{
    struct file_table table = { &pipeline.aws, "Files" };
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
    struct file_table table = { &pipeline.aws, "Files" };
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
