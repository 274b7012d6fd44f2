/* SPDX-License-Identifier: Apache-2.0 */
/* POST /webhook. Repeating it is harmless: the user is associated with the file once, and only
 * an item that nobody works on is started. */
#include <errno.h>
#include <string.h>

#include "aws/lambda.h"
#include "functions/api.h"
#include "functions/functions.h"
#include "media/source.h"
#include "runtime/clock.h"
#include "runtime/log.h"

/* Others may change the item between our look and our update. */
#define MAX_TRIES 3

#define MAX_URL_BYTES ((size_t)64 * 1024)

static const struct api_field fields[] = {
    { "articleURL", API_STRING, true, MAX_URL_BYTES },
    { "backgroundMode", API_BOOL, false, 0 },
    { NULL, 0, false, 0 },
};

static cJSON *answer_status(struct invocation *invocation, int status, const char *text)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "status", text);
    return api_answer(invocation, status, body);
}

static int associate(struct pipeline *pipeline, const char *user_id, const char *file_id,
                     struct failure *failure)
{
    struct update update = { 0 };
    update_add(&update, "fileIds", attribute_string_set(file_id));
    return dynamodb_update(&pipeline->aws, pipeline->config.user_files_table,
                           attribute_key("userId", user_id), &update, NULL, failure);
}

/* The item as it is after the request for it. */
static int request_file(struct pipeline *pipeline, struct invocation *invocation,
                        const struct source *source, struct file *ret, struct failure *failure)
{
    struct file_table table = pipeline_files(pipeline);
    for (int tries = 0; tries < MAX_TRIES; tries++) {
        AUTO_FILE struct file file = { 0 };
        int result = file_read(&table, source->file_id, &file, failure);
        if (result < 0)
            return result;
        if (tries == 0)
            xray_annotate(invocation->segment, "status_before", file_status_name(file.status));
        if (file.status == FILE_ABSENT || file.status == FILE_FAILED)
            result = file_request(&table, &file, source->url, invocation->request_id,
                                  clock_now_ms(), failure);
        if (result == -EAGAIN)
            continue;
        if (result < 0)
            return result;
        xray_annotate(invocation->segment, "status_after", file_status_name(file.status));
        *ret = file;
        file.item = NULL;
        return 0;
    }
    return failure_set(failure, -EAGAIN, "Conflict",
                       "the item of %s is being changed by others: try again", source->file_id);
}

static int invoke_coordinator(struct pipeline *pipeline, const char *file_id,
                              const char *correlation_id, struct failure *failure)
{
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(payload, "fileIds"), cJSON_CreateString(file_id));
    cJSON_AddStringToObject(payload, "correlationId", correlation_id);
    return lambda_invoke_event(&pipeline->aws, pipeline->config.file_coordinator_function, payload,
                               failure);
}

static cJSON *dispatch(struct pipeline *pipeline, struct invocation *invocation,
                       const struct file *file, const char *user_id)
{
    struct failure failure = { 0 };
    struct push_counts counts;
    struct push_tables tables = pipeline_push(pipeline);
    if (push_to_user(&tables, file->item, user_id, invocation->deadline_ms - PIPELINE_RESERVE_MS,
                     &counts, &failure) < 0)
        return api_fail(invocation, &failure);
    xray_annotate(invocation->segment, "push_sent", counts.sent);
    xray_annotate(invocation->segment, "push_failed", counts.failed);
    return answer_status(invocation, 200, "Dispatched");
}

static cJSON *proceed(struct pipeline *pipeline, struct invocation *invocation,
                      const struct file *file, bool in_background)
{
    struct failure failure = { 0 };
    int64_t now_ms = clock_now_ms();
    if (file_is_under_way(file, now_ms))
        return answer_status(invocation, 202, "Initiated");
    /* Not before its time either: asking more often would only make a rate limit last longer. */
    if (in_background || !file_is_due(file, now_ms))
        return answer_status(invocation, 202, "Accepted");

    const char *correlation_id = attribute_get_string(file->item, "correlationId");
    if (invoke_coordinator(pipeline, file->id,
                           correlation_id ? correlation_id : invocation->request_id, &failure) < 0)
        return api_fail(invocation, &failure);
    return answer_status(invocation, 202, "Initiated");
}

cJSON *webhook_feedly(void *data, struct invocation *invocation, const cJSON *event)
{
    struct pipeline *pipeline = data;
    struct failure failure = { 0 };
    struct source source;
    cJSON *message = NULL;
    const char *reason = NULL;
    const char *user_id = api_identify(invocation, event);
    if (!user_id)
        return api_refuse_text(invocation, 401, "Invalid Authentication token; login");

    cJSON *body = api_parse_body(event, fields, &message);
    if (!body)
        return api_refuse(invocation, 400, message);
    bool in_background = api_truth(body, "backgroundMode");
    int result = source_parse(api_text(body, "articleURL"), pipeline->config.media_hosts, &source,
                              &reason);
    cJSON_Delete(body);
    if (result < 0) {
        log_write(LOG_INFO, NULL, "articleURL refused: %s", reason);
        return api_refuse(invocation, 400,
                          api_field_message("articleURL", "is not a valid YouTube URL"));
    }
    char shown[SOURCE_URL_SIZE];
    source_show(&source, shown, sizeof(shown));
    invocation_annotate(invocation, "video_id", source.file_id);
    xray_add_metadata(invocation->segment, "media", "url", shown);
    invocation_annotate(invocation, "correlation_id", invocation->request_id);

    AUTO_FILE struct file file = { 0 };
    if (associate(pipeline, user_id, source.file_id, &failure) < 0 ||
        request_file(pipeline, invocation, &source, &file, &failure) < 0)
        return api_fail(invocation, &failure);
    if (file.status == FILE_DOWNLOADED)
        return dispatch(pipeline, invocation, &file, user_id);
    return proceed(pipeline, invocation, &file, in_background);
}
