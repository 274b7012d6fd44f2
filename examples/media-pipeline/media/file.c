/* SPDX-License-Identifier: Apache-2.0 */
#include "media/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cleanup.h"

/* A function that dies at it this often will die at it again. */
#define MAX_LOST_LEASES 5

static const char *const status_names[] = {
    [FILE_ABSENT] = "absent",
    [FILE_PENDING_METADATA] = "PendingMetadata",
    [FILE_PENDING_DOWNLOAD] = "PendingDownload",
    [FILE_DOWNLOADING] = "Downloading",
    [FILE_DOWNLOADED] = "Downloaded",
    [FILE_SCHEDULED] = "Scheduled",
    [FILE_FAILED] = "Failed",
    [FILE_UNKNOWN] = "unknown",
};

const char *file_status_name(enum file_status status)
{
    return status_names[status];
}

static enum file_status status_of(const cJSON *item)
{
    const char *name = attribute_get_string(item, "status");
    for (int i = FILE_PENDING_METADATA; name && i <= FILE_FAILED; i++)
        if (strcmp(name, status_names[i]) == 0)
            return (enum file_status)i;
    return FILE_UNKNOWN;
}

void file_release(struct file *file)
{
    cJSON_Delete(file->item);
    file->item = NULL;
}

bool file_from_item(struct file *ret, cJSON *item)
{
    const char *id = attribute_get_string(item, "fileId");
    if (!id || strlen(id) >= sizeof(ret->id)) {
        cJSON_Delete(item);
        return false;
    }
    memset(ret, 0, sizeof(*ret));
    snprintf(ret->id, sizeof(ret->id), "%s", id);
    ret->status = status_of(item);
    ret->lease_until = attribute_get_number(item, "leaseUntil", 0);
    ret->retry_after = attribute_get_number(item, "retryAfter", 0);
    ret->retry_count = attribute_get_number(item, "retryCount", 0);
    ret->item = item;
    return true;
}

bool file_is_due(const struct file *file, int64_t now_ms)
{
    switch (file->status) {
    case FILE_PENDING_METADATA:
        return file->lease_until <= now_ms && file->retry_after <= now_ms;
    case FILE_PENDING_DOWNLOAD:
    case FILE_DOWNLOADING:
        return file->lease_until <= now_ms;
    case FILE_SCHEDULED:
        return file->retry_after <= now_ms;
    case FILE_DOWNLOADED:
        return file->lease_until > 0 && file->lease_until <= now_ms;
    default:
        return false;
    }
}

bool file_is_under_way(const struct file *file, int64_t now_ms)
{
    return file->lease_until > now_ms &&
           (file->status == FILE_PENDING_METADATA || file->status == FILE_PENDING_DOWNLOAD ||
            file->status == FILE_DOWNLOADING);
}

/* ---- The table ------------------------------------------------------------------ */

int file_read(const struct file_table *table, const char *id, struct file *ret,
              struct failure *failure)
{
    cJSON *item = NULL;
    int result = dynamodb_get(table->aws, table->name, attribute_key("fileId", id), &item, failure);
    if (result < 0)
        return result;
    if (item && !file_from_item(ret, item))
        return failure_set(failure, -EPROTO, "BadItem", "the item of %s has another id", id);
    if (!item) {
        memset(ret, 0, sizeof(*ret));
        snprintf(ret->id, sizeof(ret->id), "%s", id);
    }
    return 0;
}

/*
 * Performs changes (consumed) and the step to the new status, unless the item
 * is no longer as *file says: the status, and the lease, whose end is different
 * for each holder.
 */
static int step(const struct file_table *table, struct file *file, enum file_status status,
                int64_t lease_until, struct update *changes, int64_t now_ms,
                struct failure *failure)
{
    update_set(changes, "status", attribute_string(status_names[status]));
    update_set(changes, "updatedAt", attribute_number(now_ms));
    if (lease_until > 0 && lease_until != file->lease_until)
        update_set(changes, "leaseUntil", attribute_number(lease_until));
    else if (lease_until == 0)
        update_remove(changes, "leaseUntil");

    if (file->status == FILE_ABSENT)
        update_if_absent(changes, "fileId");
    else
        update_if_equal(changes, "status", attribute_string(status_names[file->status]));
    if (file->status != FILE_ABSENT && file->lease_until > 0)
        update_if_equal(changes, "leaseUntil", attribute_number(file->lease_until));
    else if (file->status != FILE_ABSENT)
        update_if_absent(changes, "leaseUntil");

    cJSON *item = NULL;
    int result = dynamodb_update(table->aws, table->name, attribute_key("fileId", file->id),
                                 changes, &item, failure);
    if (result < 0)
        return result;
    cJSON_Delete(file->item);
    file->item = item;
    file->status = status;
    file->lease_until = lease_until;
    return 0;
}

int file_request(const struct file_table *table, struct file *file, const char *source_url,
                 const char *correlation_id, int64_t now_ms, struct failure *failure)
{
    struct update changes = { 0 };
    update_set(&changes, "sourceUrl", attribute_string(source_url));
    update_set(&changes, "correlationId", attribute_string(correlation_id));
    update_set(&changes, "availableAt", attribute_number(now_ms));
    update_set(&changes, "retryCount", attribute_number(0));
    update_remove(&changes, "retryAfter");
    update_remove(&changes, "errorCategory");
    update_remove(&changes, "lastError");
    int result = step(table, file, FILE_PENDING_METADATA, 0, &changes, now_ms, failure);
    if (result == 0)
        file->retry_after = file->retry_count = 0;
    return result;
}

int file_claim(const struct file_table *table, struct file *file, int64_t lease_until,
               int64_t now_ms, struct failure *failure)
{
    struct update changes = { 0 };
    int64_t retry_count = file->retry_count + (file->lease_until > 0 ? 1 : 0);
    if (retry_count > MAX_LOST_LEASES && file->lease_until > 0) {
        struct problem problem;
        problem_set(&problem, PROBLEM_ABANDONED, "the function died at it %d times",
                    MAX_LOST_LEASES);
        int result = file->status == FILE_DOWNLOADED
                         ? file_release_lease(table, file, now_ms, failure)
                         : file_give_up(table, file, &problem, now_ms, failure);
        return result < 0 ? result
                          : failure_set(failure, -ECANCELED, "Abandoned", "%s: %s", file->id,
                                        problem.message);
    }
    update_set(&changes, "retryCount", attribute_number(retry_count));
    update_remove(&changes, "retryAfter");
    enum file_status status = file->status == FILE_DOWNLOADED ? FILE_DOWNLOADED
                                                              : FILE_PENDING_METADATA;
    int result = step(table, file, status, lease_until, &changes, now_ms, failure);
    if (result == 0) {
        file->retry_count = retry_count;
        file->retry_after = 0;
    }
    return result;
}

int file_describe(const struct file_table *table, struct file *file, const struct video *video,
                  int64_t now_ms, struct failure *failure)
{
    struct update changes = { 0 };
    update_set(&changes, "title", attribute_string(video->title));
    update_set(&changes, "description", attribute_string(video->description));
    update_set(&changes, "authorName", attribute_string(video->author_name));
    update_set(&changes, "authorUser", attribute_string(video->author_user));
    update_set(&changes, "publishDate", attribute_string(video->publish_date));
    update_set(&changes, "size", attribute_number(video->size));
    return step(table, file, FILE_PENDING_DOWNLOAD, file->lease_until, &changes, now_ms, failure);
}

int file_begin_download(const struct file_table *table, struct file *file, int64_t now_ms,
                        struct failure *failure)
{
    struct update changes = { 0 };
    return step(table, file, FILE_DOWNLOADING, file->lease_until, &changes, now_ms, failure);
}

int file_finish(const struct file_table *table, struct file *file, const struct file_object *object,
                int64_t now_ms, struct failure *failure)
{
    struct update changes = { 0 };
    update_set(&changes, "key", attribute_string(object->key));
    update_set(&changes, "url", attribute_string(object->url));
    update_set(&changes, "contentType", attribute_string(object->content_type));
    update_set(&changes, "size", attribute_number(object->size));
    update_set(&changes, "availableAt", attribute_number(now_ms));
    update_remove(&changes, "retryAfter");
    update_remove(&changes, "errorCategory");
    update_remove(&changes, "lastError");
    return step(table, file, FILE_DOWNLOADED, file->lease_until, &changes, now_ms, failure);
}

int file_release_lease(const struct file_table *table, struct file *file, int64_t now_ms,
                       struct failure *failure)
{
    struct update changes = { 0 };
    return step(table, file, file->status, 0, &changes, now_ms, failure);
}

int file_give_up(const struct file_table *table, struct file *file, const struct problem *problem,
                 int64_t now_ms, struct failure *failure)
{
    struct update changes = { 0 };
    int64_t retry_at = problem_retry_at(problem, file->retry_count, now_ms);
    update_set(&changes, "errorCategory", attribute_string(problem_name(problem->class)));
    update_set(&changes, "lastError", attribute_string(problem->message));
    if (retry_at > 0) {
        update_set(&changes, "retryAfter", attribute_number(retry_at));
        update_set(&changes, "retryCount", attribute_number(file->retry_count + 1));
        update_set(&changes, "availableAt", attribute_number(retry_at));
    } else {
        update_remove(&changes, "retryAfter");
    }
    int result = step(table, file, retry_at > 0 ? FILE_SCHEDULED : FILE_FAILED, 0, &changes, now_ms,
                      failure);
    if (result == 0) {
        file->retry_after = retry_at;
        file->retry_count += retry_at > 0 ? 1 : 0;
    }
    return result;
}

/* ---- What others see ---------------------------------------------------------------- */

static void copy_string(cJSON *json, const cJSON *item, const char *name)
{
    const char *value = attribute_get_string(item, name);
    if (value)
        cJSON_AddStringToObject(json, name, value);
}

/* Times before 2001 in ms are seconds: an older writer's. */
static double available_at(const cJSON *item)
{
    int64_t time = attribute_get_number(item, "availableAt", 0);
    return (double)(time > 0 && time < 1000000000000 ? time * 1000 : time);
}

cJSON *file_to_json(const cJSON *item)
{
    static const char *const names[] = {
        "fileId",     "key",        "status",      "title", "description",
        "authorName", "authorUser", "publishDate", "url",   "contentType",
    };
    cJSON *json = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        copy_string(json, item, names[i]);
    cJSON_AddNumberToObject(json, "size", (double)attribute_get_number(item, "size", 0));
    cJSON_AddNumberToObject(json, "availableAt", available_at(item));
    return json;
}

char *file_notification(const cJSON *item)
{
    static const char *const names[] = { "fileId", "key", "publishDate", "url" };
    AUTO_JSON cJSON *payload = cJSON_CreateObject();
    cJSON *aps = cJSON_AddObjectToObject(payload, "aps");
    cJSON_AddNumberToObject(aps, "content-available", 1);
    cJSON *file = cJSON_AddObjectToObject(payload, "file");
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *value = attribute_get_string(item, names[i]);
        if (!value || !*value)
            return NULL;
        cJSON_AddStringToObject(file, names[i], value);
    }
    cJSON_AddNumberToObject(file, "size", (double)attribute_get_number(item, "size", 0));

    AUTO_FREE char *text = cJSON_PrintUnformatted(payload);
    if (!text)
        return NULL;
    AUTO_JSON cJSON *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "default", text);
    cJSON_AddStringToObject(message, "APNS_SANDBOX", text);
    return cJSON_PrintUnformatted(message);
}
