/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a StartFileUpload for each file id of the event; for a scheduled event, for what is due,
 * as far as that leaves no more than MAX_DOWNLOADS under way. One that cannot be started does not
 * stop the others: the schedule comes back to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aws/lambda.h"
#include "functions/functions.h"
#include "media/source.h"
#include "runtime/cleanup.h"
#include "runtime/clock.h"
#include "runtime/log.h"

/* For one run; the next one takes the rest. */
#define MAX_STARTS 100

/* What a scheduled run chooses from: it need not know all of a long queue. */
#define MAX_DUE 1000

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

/* ---- What is due ------------------------------------------------------------------- */

struct queue {
    int64_t now_ms;
    int under_way;
    int count;
    struct file files[MAX_DUE];
};

static bool take(void *data, const cJSON *item)
{
    struct queue *queue = data;
    AUTO_FILE struct file file = { 0 };
    if (!file_from_item(&file, cJSON_Duplicate(item, true)) || !source_is_file_id(file.id))
        return true;
    if (file_is_under_way(&file, queue->now_ms)) {
        queue->under_way++;
    } else if (file_is_due(&file, queue->now_ms) && queue->count < MAX_DUE) {
        queue->files[queue->count++] = file;
        file.item = NULL;
    }
    return true;
}

static int longest_waiting_first(const void *left, const void *right)
{
    const struct file *a = left, *b = right;
    int64_t a_time = attribute_get_number(a->item, "availableAt", 0);
    int64_t b_time = attribute_get_number(b->item, "availableAt", 0);
    return a_time != b_time ? (a_time < b_time ? -1 : 1) : strcmp(a->id, b->id);
}

static void start_due(struct run *run, struct queue *queue)
{
    int64_t room = run->pipeline->config.max_downloads - queue->under_way;
    qsort(queue->files, (size_t)queue->count, sizeof(*queue->files), longest_waiting_first);
    for (int i = 0; i < queue->count && run->started < room && may_go_on(run); i++) {
        const char *correlation_id = attribute_get_string(queue->files[i].item, "correlationId");
        start(run, queue->files[i].id,
              correlation_id ? correlation_id : run->invocation->request_id);
    }
    if (queue->count > run->started + run->failed)
        log_write(LOG_INFO, NULL, "%d are under way: %d of %d wait for a later run",
                  queue->under_way, queue->count - run->started - run->failed, queue->count);
}

/* Waiting and not before their time, being worked on, or given up by a function that died. */
static cJSON *request_for_due(int64_t now_ms)
{
    static const char *const names[][2] = {
        { "#id", "fileId" },     { "#s", "status" },     { "#l", "leaseUntil" },
        { "#r", "retryAfter" },  { "#n", "retryCount" }, { "#c", "correlationId" },
        { "#a", "availableAt" },
    };
    static const char *const statuses[][2] = {
        { ":pm", "PendingMetadata" }, { ":pd", "PendingDownload" }, { ":dl", "Downloading" },
        { ":sc", "Scheduled" },       { ":do", "Downloaded" }, /* and not everybody was told */
    };
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(
        request, "FilterExpression",
        "(#s IN (:pm, :pd, :dl, :sc) AND (attribute_not_exists(#r) OR #r <= :now)) OR "
        "(#s = :do AND #l <= :now)");
    cJSON_AddStringToObject(request, "ProjectionExpression", "#id, #s, #l, #r, #n, #c, #a");
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

static cJSON *run_schedule(struct run *run)
{
    struct pipeline *pipeline = run->pipeline;
    struct failure *failure = &run->invocation->failure;
    AUTO_FREE struct queue *queue = calloc(1, sizeof(*queue));
    if (!queue) {
        failure_set(failure, 0, "OutOfMemory", "out of memory for what is due");
        return NULL;
    }
    queue->now_ms = run->now_ms;
    int result = dynamodb_scan(&pipeline->aws, pipeline->config.files_table,
                               request_for_due(run->now_ms), take, queue, failure);
    if (result == 0)
        start_due(run, queue);
    for (int i = 0; i < queue->count; i++)
        file_release(&queue->files[i]);
    return result == 0 ? report(run) : NULL;
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
    return run_schedule(&run);
}
