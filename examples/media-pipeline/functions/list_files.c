/* SPDX-License-Identifier: Apache-2.0 */
/* GET /files: the user's files that are there, the newest first. */
#include <stdlib.h>
#include <string.h>

#include "functions/api.h"
#include "functions/functions.h"
#include "runtime/cleanup.h"
#include "runtime/log.h"

/* The body is text within an answer of at most 6 MiB, where quotes and backslashes double. */
#define MAX_CONTENT_BYTES ((size_t)2500 * 1024)

static int newest_first(const void *left, const void *right)
{
    const cJSON *a = *(const cJSON *const *)left, *b = *(const cJSON *const *)right;
    double a_time = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(a, "availableAt"));
    double b_time = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(b, "availableAt"));
    if (a_time != b_time)
        return a_time > b_time ? -1 : 1;
    return strcmp(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(a, "fileId")),
                  cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(b, "fileId")));
}

/* Fills contents, which then owns what fits; the rest is left out. */
static int fill(cJSON *contents, cJSON **files, int count)
{
    size_t bytes = 0;
    int kept = 0;
    for (int i = 0; i < count; i++) {
        AUTO_FREE char *text = cJSON_PrintUnformatted(files[i]);
        bytes += text ? strlen(text) + 1 : 0;
        if (text && bytes <= MAX_CONTENT_BYTES) {
            cJSON_AddItemToArray(contents, files[i]);
            kept++;
        } else {
            cJSON_Delete(files[i]);
        }
    }
    return kept;
}

/* {"contents": […], "keyCount": n} of the items that are downloaded. */
static cJSON *list(const cJSON *items)
{
    int size = cJSON_GetArraySize(items), count = 0;
    AUTO_FREE cJSON **files = calloc(size > 0 ? (size_t)size : 1, sizeof(*files));
    const cJSON *item;
    if (!files)
        return NULL;
    cJSON_ArrayForEach(item, items)
    {
        const char *status = attribute_get_string(item, "status");
        if (status && strcmp(status, file_status_name(FILE_DOWNLOADED)) == 0)
            files[count++] = file_to_json(item);
    }
    qsort(files, (size_t)count, sizeof(*files), newest_first);

    cJSON *body = cJSON_CreateObject();
    int kept = fill(cJSON_AddArrayToObject(body, "contents"), files, count);
    cJSON_AddNumberToObject(body, "keyCount", kept);
    if (kept < count)
        log_write(LOG_WARNING, NULL, "%d of %d files did not fit into the answer", count - kept,
                  count);
    return body;
}

cJSON *list_files(void *data, struct invocation *invocation, const cJSON *event)
{
    struct pipeline *pipeline = data;
    struct failure failure = { 0 };
    AUTO_JSON cJSON *owned = NULL;
    AUTO_JSON cJSON *items = NULL;
    const char *user_id = api_identify(invocation, event);
    if (!user_id)
        return api_refuse_text(invocation, 401, "Invalid Authentication token; login");

    if (dynamodb_get(&pipeline->aws, pipeline->config.user_files_table,
                     attribute_key("userId", user_id), &owned, &failure) < 0 ||
        dynamodb_batch_get(&pipeline->aws, pipeline->config.files_table, "fileId",
                           attribute_get_string_set(owned, "fileIds"),
                           invocation->deadline_ms - PIPELINE_RESERVE_MS, &items, &failure) < 0)
        return api_fail(invocation, &failure);
    cJSON *body = list(items);
    if (!body) {
        failure_set(&failure, 0, "OutOfMemory", "out of memory for the list");
        return api_fail(invocation, &failure);
    }
    xray_annotate(
        invocation->segment, "file_count",
        (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(body, "keyCount")));
    return api_answer(invocation, 200, body);
}
