/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "media/file.h"

#define NOW ((int64_t)1000000)

static struct file file_of(const char *json)
{
    struct file file = { 0 };
    cr_assert(file_from_item(&file, cJSON_Parse(json)), "%s", json);
    return file;
}

static bool is_due(const char *attributes)
{
    char json[512];
    snprintf(json, sizeof(json), "{\"fileId\":{\"S\":\"dQw4w9WgXcQ\"},%s}", attributes);
    struct file file = file_of(json);
    bool result = file_is_due(&file, NOW);
    file_release(&file);
    return result;
}

#define STATUS(name) "\"status\":{\"S\":\"" name "\"}"

Test(file, reads_what_transitions_depend_on)
{
    struct file file = file_of("{\"fileId\":{\"S\":\"dQw4w9WgXcQ\"}," STATUS(
        "Scheduled") ",\"leaseUntil\":{\"N\":\"5\"},\"retryAfter\":{\"N\":\"6\"},\"retryCount\":{"
                     "\"N\":\"7\"}}");
    cr_expect_str_eq(file.id, "dQw4w9WgXcQ");
    cr_expect_eq(file.status, FILE_SCHEDULED);
    cr_expect_eq(file.lease_until, 5);
    cr_expect_eq(file.retry_after, 6);
    cr_expect_eq(file.retry_count, 7);
    file_release(&file);
}

Test(file, refuses_an_item_without_an_id)
{
    struct file file;
    cr_expect_not(file_from_item(&file, cJSON_Parse("{}")));
    cr_expect_not(file_from_item(&file, cJSON_Parse("{\"fileId\":{\"N\":\"1\"}}")));
    cr_expect_not(
        file_from_item(&file, cJSON_Parse("{\"fileId\":{\"S\":\"an id that is far too long\"}}")));
}

Test(file, leaves_a_status_alone_that_it_does_not_know)
{
    cr_expect_not(is_due(STATUS("Archived")));
    cr_expect_not(is_due("\"status\":{\"N\":\"1\"}"));
}

Test(file, is_due_while_it_waits_and_nobody_has_it)
{
    cr_expect(is_due(STATUS("PendingMetadata")));
    cr_expect(is_due(STATUS("PendingMetadata") ",\"leaseUntil\":{\"N\":\"1000000\"}"));
    cr_expect_not(is_due(STATUS("PendingMetadata") ",\"leaseUntil\":{\"N\":\"1000001\"}"));
}

Test(file, is_due_again_when_a_lease_ran_out)
{
    cr_expect(is_due(STATUS("Downloading") ",\"leaseUntil\":{\"N\":\"999999\"}"));
    cr_expect(is_due(STATUS("PendingDownload") ",\"leaseUntil\":{\"N\":\"999999\"}"));
    cr_expect_not(is_due(STATUS("Downloading") ",\"leaseUntil\":{\"N\":\"1000001\"}"));
}

Test(file, is_due_when_its_time_has_come)
{
    cr_expect(is_due(STATUS("Scheduled") ",\"retryAfter\":{\"N\":\"1000000\"}"));
    cr_expect_not(is_due(STATUS("Scheduled") ",\"retryAfter\":{\"N\":\"1000001\"}"));
}

Test(file, is_due_when_it_is_there_and_nobody_was_told)
{
    cr_expect(is_due(STATUS("Downloaded") ",\"leaseUntil\":{\"N\":\"1000000\"}"));
    cr_expect_not(is_due(STATUS("Downloaded") ",\"leaseUntil\":{\"N\":\"1000001\"}"));
}

Test(file, is_never_due_at_its_end)
{
    cr_expect_not(is_due(STATUS("Downloaded")));
    cr_expect_not(is_due(STATUS("Failed")));
}

Test(file, is_under_way_only_with_a_lease)
{
    struct file file = { .status = FILE_DOWNLOADING, .lease_until = NOW + 1 };
    cr_expect(file_is_under_way(&file, NOW));
    file.lease_until = NOW;
    cr_expect_not(file_is_under_way(&file, NOW));
    file = (struct file){ .status = FILE_FAILED, .lease_until = NOW + 1 };
    cr_expect_not(file_is_under_way(&file, NOW));
}

/* ---- What others see ---------------------------------------------------------------- */

#define ITEM                                                                                      \
    "{\"fileId\":{\"S\":\"dQw4w9WgXcQ\"},\"key\":{\"S\":\"dQw4w9WgXcQ.mp4\"},"                    \
    "\"status\":{\"S\":\"Downloaded\"},\"size\":{\"N\":\"15000000000\"},"                         \
    "\"publishDate\":{\"S\":\"2025-11-20T00:00:00.000Z\"},"                                       \
    "\"url\":{\"S\":\"https://files/dQw4w9WgXcQ.mp4\"},\"availableAt\":{\"N\":\"1763626530123\"}" \
    ",\"leaseUntil\":{\"N\":\"1\"},\"lastError\":{\"S\":\"x\"},\"sourceUrl\":{\"S\":\"y\"}}"

Test(file, shows_the_video_and_not_our_work)
{
    cJSON *item = cJSON_Parse(ITEM);
    cJSON *json = file_to_json(item);
    char *text = cJSON_PrintUnformatted(json);
    cr_assert_str_eq(text, "{\"fileId\":\"dQw4w9WgXcQ\",\"key\":\"dQw4w9WgXcQ.mp4\","
                           "\"status\":\"Downloaded\","
                           "\"publishDate\":\"2025-11-20T00:00:00.000Z\","
                           "\"url\":\"https://files/dQw4w9WgXcQ.mp4\","
                           "\"size\":15000000000,\"availableAt\":1763626530123}");
    cJSON_free(text);
    cJSON_Delete(json);
    cJSON_Delete(item);
}

Test(file, reads_a_time_in_seconds_as_one)
{
    cJSON *item = cJSON_Parse("{\"availableAt\":{\"N\":\"1763626530.5\"}}");
    cJSON *json = file_to_json(item);
    cr_assert_eq(cJSON_GetObjectItem(json, "availableAt")->valuedouble, 1763626530000.0);
    cJSON_Delete(json);
    cJSON_Delete(item);
}

Test(file, is_announced_as_text_in_text)
{
    cJSON *item = cJSON_Parse(ITEM);
    char *message = file_notification(item);
    cJSON *outer = cJSON_Parse(message);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(outer, "APNS_SANDBOX"));
    cr_expect_str_eq(text, "{\"aps\":{\"content-available\":1},\"file\":{"
                           "\"fileId\":\"dQw4w9WgXcQ\",\"key\":\"dQw4w9WgXcQ.mp4\","
                           "\"publishDate\":\"2025-11-20T00:00:00.000Z\","
                           "\"url\":\"https://files/dQw4w9WgXcQ.mp4\",\"size\":15000000000}}");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(outer, "default")), text);
    cJSON_Delete(outer);
    cJSON_free(message);
    cJSON_Delete(item);
}

Test(file, is_not_announced_without_an_address)
{
    cJSON *item = cJSON_Parse(ITEM);
    cJSON_ReplaceItemInObject(item, "url", attribute_string(""));
    cr_expect_null(file_notification(item));
    cJSON_DeleteItemFromObject(item, "url");
    cr_expect_null(file_notification(item));
    cJSON_Delete(item);
}

/* ---- Attribute values --------------------------------------------------------------- */

Test(attribute, keeps_all_digits_of_a_number)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddItemToObject(item, "n", attribute_number(9007199254740993));
    cr_assert_eq(attribute_get_number(item, "n", 0), 9007199254740993);
    cJSON_Delete(item);
}

Test(attribute, has_only_the_type_that_it_says)
{
    cJSON *item = cJSON_Parse("{\"s\":{\"S\":\"1\"},\"n\":{\"N\":\"x\"},\"b\":{\"BOOL\":1}}");
    cr_expect_eq(attribute_get_number(item, "s", -1), -1);
    cr_expect_eq(attribute_get_number(item, "n", -1), -1);
    cr_expect_null(attribute_get_string(item, "n"));
    cr_expect_not(attribute_get_bool(item, "b"));
    cr_expect_null(attribute_get_string_set(item, "s"));
    cr_expect_null(attribute_get_string(NULL, "s"));
    cJSON_Delete(item);
}
