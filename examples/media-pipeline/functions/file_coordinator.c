/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a StartFileUpload for each file id of the event; for a scheduled event, for what is due.
 * One that cannot be started does not stop the others: the schedule comes back to it. */
#include <errno.h>

#include "aws/lambda.h"
#include "functions/functions.h"
#include "media/source.h"
#include "runtime/cleanup.h"
#include "runtime/clock.h"
#include "runtime/log.h"

/* For one run; the next one takes the rest. */
#define MAX_STARTS 100

struct run {
    struct pipeline *pipeline;
    struct invocation *invocation;
    int64_t now_ms;
    int started;
    int failed;
    struct failure last;
};

static void start(struct run *run, const char *file_id, const char *correlation_id)
{
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddStringToObject(payload, "fileId", file_id);
    cJSON_AddStringToObject(payload, "correlationId", correlation_id);
    struct pipeline *pipeline = run->pipeline;
    if (lambda_invoke_event(&pipeline->aws, pipeline->config.start_file_upload_function, payload,
                            &run->last) == 0) {
        run->started++;
        return;
    }
    run->failed++;
    cJSON *fields = cJSON_CreateObject();
    cJSON_AddStringToObject(fields, "fileId", file_id);
    cJSON_AddStringToObject(fields, "errorType", run->last.type);
    log_write(LOG_ERROR, fields, "not started: %s", run->last.message);
}

static bool may_go_on(const struct run *run)
{
    return run->started + run->failed < MAX_STARTS &&
           invocation_time_left(run->invocation, PIPELINE_RESERVE_MS) > 0;
}

static void start_named(struct run *run, const cJSON *event, const cJSON *file_ids)
{
    const char *correlation_id = cJSON_GetStringValue(
        cJSON_GetObjectItemCaseSensitive(event, "correlationId"));
    invocation_annotate(run->invocation, "correlation_id", correlation_id);
    const cJSON *id;
    cJSON_ArrayForEach(id, file_ids)
    {
        const char *text = cJSON_GetStringValue(id);
        if (!may_go_on(run))
            return;
        if (!text || !source_is_file_id(text)) {
            log_write(LOG_WARNING, NULL, "something in fileIds is no file id");
            continue;
        }
        if (cJSON_GetArraySize(file_ids) == 1)
            invocation_annotate(run->invocation, "video_id", text);
        start(run, text, correlation_id ? correlation_id : run->invocation->request_id);
    }
}

static bool start_due(void *data, const cJSON *item)
{
    struct run *run = data;
    AUTO_FILE struct file file = { 0 };
    if (!may_go_on(run))
        return false;
    if (!file_from_item(&file, cJSON_Duplicate(item, true)) || !source_is_file_id(file.id) ||
        !file_is_due(&file, run->now_ms))
        return true;
    const char *correlation_id = attribute_get_string(file.item, "correlationId");
    start(run, file.id, correlation_id ? correlation_id : run->invocation->request_id);
    return true;
}

/* Waiting and not before their time, or given up by a function that died. */
static cJSON *request_for_due(int64_t now_ms)
{
    static const char *const names[][2] = {
        { "#id", "fileId" },    { "#s", "status" },     { "#l", "leaseUntil" },
        { "#r", "retryAfter" }, { "#n", "retryCount" }, { "#c", "correlationId" },
    };
    static const char *const statuses[][2] = {
        { ":pm", "PendingMetadata" },
        { ":pd", "PendingDownload" },
        { ":dl", "Downloading" },
        { ":sc", "Scheduled" },
    };
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(
        request, "FilterExpression",
        "#s IN (:pm, :pd, :dl, :sc) AND (attribute_not_exists(#l) OR #l <= :now) AND "
        "(attribute_not_exists(#r) OR #r <= :now)");
    cJSON_AddStringToObject(request, "ProjectionExpression", "#id, #s, #l, #r, #n, #c");
    cJSON *placeholders = cJSON_AddObjectToObject(request, "ExpressionAttributeNames");
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        cJSON_AddStringToObject(placeholders, names[i][0], names[i][1]);
    cJSON *values = cJSON_AddObjectToObject(request, "ExpressionAttributeValues");
    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
        cJSON_AddItemToObject(values, statuses[i][0], attribute_string(statuses[i][1]));
    cJSON_AddItemToObject(values, ":now", attribute_number(now_ms));
    return request;
}

static cJSON *report(struct run *run)
{
    xray_annotate(run->invocation->segment, "files_started", run->started);
    xray_annotate(run->invocation->segment, "files_failed", run->failed);
    log_write(LOG_INFO, NULL, "%d started, %d failed", run->started, run->failed);
    if (run->failed > 0 && run->started == 0) {
        /* Then it is not about one of them: Lambda should try again. */
        run->invocation->failure = run->last;
        return NULL;
    }
    if (run->failed > 0)
        failure_record(&run->last, run->invocation->segment);
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "started", run->started);
    cJSON_AddNumberToObject(answer, "failed", run->failed);
    return answer;
}

cJSON *file_coordinator(void *data, struct invocation *invocation, const cJSON *event)
{
    struct pipeline *pipeline = data;
    struct run run = { .pipeline = pipeline, .invocation = invocation, .now_ms = clock_now_ms() };
    const cJSON *file_ids = cJSON_GetObjectItemCaseSensitive(event, "fileIds");
    if (file_ids) {
        if (!cJSON_IsArray(file_ids)) {
            failure_set(&invocation->failure, 0, "BadEvent", "fileIds should be a list");
            invocation->failure.caller = true;
            return NULL;
        }
        start_named(&run, event, file_ids);
        return report(&run);
    }
    if (dynamodb_scan(&pipeline->aws, pipeline->config.files_table, request_for_due(run.now_ms),
                      start_due, &run, &invocation->failure) < 0)
        return NULL;
    return report(&run);
}
