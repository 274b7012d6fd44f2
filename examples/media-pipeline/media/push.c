/* SPDX-License-Identifier: Apache-2.0 */
#include "media/push.h"

#include <errno.h>
#include <string.h>

#include "aws/dynamodb.h"
#include "aws/sns.h"
#include "media/file.h"
#include "runtime/cleanup.h"
#include "runtime/clock.h"
#include "runtime/log.h"

/* SNS will take no more for it: the app was removed, its token is an old one, or it was deleted. */
static bool is_dead(const struct failure *failure)
{
    return strcmp(failure->type, "EndpointDisabled") == 0 ||
           strcmp(failure->type, "NotFound") == 0 ||
           (strcmp(failure->type, "InvalidParameter") == 0 &&
            strstr(failure->message, "No endpoint found"));
}

/*
 * Takes a dead endpoint from its device, which has no push again until it is
 * registered again; unless that has happened meanwhile.
 */
static void bury(const struct push_tables *tables, const cJSON *device)
{
    const char *device_id = attribute_get_string(device, "deviceId");
    int64_t registered_at = attribute_get_number(device, "registeredAt", 0);
    struct failure failure = { 0 };
    struct update update = { 0 };
    if (!device_id)
        return;
    update_remove(&update, "endpointArn");
    update_if_equal(&update, "endpointArn",
                    attribute_string(attribute_get_string(device, "endpointArn")));
    if (registered_at > 0)
        update_if_equal(&update, "registeredAt", attribute_number(registered_at));
    else
        update_if_absent(&update, "registeredAt");
    int result = dynamodb_update(tables->aws, tables->devices, attribute_key("deviceId", device_id),
                                 &update, NULL, &failure);
    if (result < 0 && result != -EAGAIN)
        log_write(LOG_ERROR, NULL, "the dead endpoint is kept: %s", failure.message);
}

static void publish(const struct push_tables *tables, const cJSON *device, const char *endpoint_arn,
                    const char *message, struct push_counts *counts)
{
    const char *device_id = attribute_get_string(device, "deviceId");
    struct failure failure = { 0 };
    if (sns_publish_background(tables->aws, endpoint_arn, message, &failure) == 0) {
        counts->sent++;
        return;
    }
    counts->failed++;
    cJSON *fields = cJSON_CreateObject();
    cJSON_AddStringToObject(fields, "deviceId", device_id ? device_id : "");
    cJSON_AddStringToObject(fields, "errorType", failure.type);
    log_write(LOG_WARNING, fields, "push not sent: %s", failure.message);
    if (is_dead(&failure))
        bury(tables, device);
}

/* The members of a string set of every item, as one array. */
static cJSON *collect(const cJSON *items, const char *set_name)
{
    cJSON *all = cJSON_CreateArray();
    const cJSON *item, *member;
    cJSON_ArrayForEach(item, items)
        cJSON_ArrayForEach(member, attribute_get_string_set(item, set_name))
            cJSON_AddItemToArray(all, cJSON_CreateString(member->valuestring));
    return all;
}

static int push_to_users(const struct push_tables *tables, const cJSON *item, const cJSON *users,
                         int64_t deadline_ms, struct push_counts *ret, struct failure *failure)
{
    AUTO_JSON cJSON *registrations = NULL;
    AUTO_JSON cJSON *devices = NULL;
    AUTO_FREE char *message = file_notification(item);
    *ret = (struct push_counts){ 0 };
    if (!message)
        return failure_set(failure, -EPROTO, "BadItem",
                           "the file lacks its key, url or date: it cannot be announced");
    int result = dynamodb_batch_get(tables->aws, tables->user_devices, "userId", users, deadline_ms,
                                    &registrations, failure);
    if (result < 0)
        return result;
    AUTO_JSON cJSON *device_ids = collect(registrations, "deviceIds");
    result = dynamodb_batch_get(tables->aws, tables->devices, "deviceId", device_ids, deadline_ms,
                                &devices, failure);
    if (result < 0)
        return result;

    const cJSON *device;
    AUTO_JSON cJSON *seen = cJSON_CreateObject(); /* a phone may be registered under two ids */
    cJSON_ArrayForEach(device, devices)
    {
        const char *endpoint_arn = attribute_get_string(device, "endpointArn");
        if (!endpoint_arn || cJSON_GetObjectItemCaseSensitive(seen, endpoint_arn))
            continue;
        cJSON_AddTrueToObject(seen, endpoint_arn);
        if (clock_now_ms() >= deadline_ms)
            return failure_set(failure, -ETIMEDOUT, "Deadline",
                               "no time for the push to all devices: %d of %d were sent", ret->sent,
                               cJSON_GetArraySize(devices));
        publish(tables, device, endpoint_arn, message, ret);
    }
    log_write(LOG_INFO, NULL, "push sent to %d devices, failed for %d", ret->sent, ret->failed);
    return 0;
}

static bool take_user(void *data, const cJSON *item)
{
    const char *user_id = attribute_get_string(item, "userId");
    if (user_id)
        cJSON_AddItemToArray(data, cJSON_CreateString(user_id));
    return true;
}

/* {"#f": "fileIds"}, {":id": {"S": …}} and the filter: who has the file in their set. */
static cJSON *request_for_users_of(const char *file_id)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "FilterExpression", "contains(#f, :id)");
    cJSON_AddStringToObject(request, "ProjectionExpression", "#u");
    cJSON *names = cJSON_AddObjectToObject(request, "ExpressionAttributeNames");
    cJSON_AddStringToObject(names, "#f", "fileIds");
    cJSON_AddStringToObject(names, "#u", "userId");
    cJSON *values = cJSON_AddObjectToObject(request, "ExpressionAttributeValues");
    cJSON_AddItemToObject(values, ":id", attribute_string(file_id));
    /* Who asked before the file was there must be seen; who asks later is told by the webhook. */
    cJSON_AddTrueToObject(request, "ConsistentRead");
    return request;
}

int push_to_all(const struct push_tables *tables, const cJSON *item, int64_t deadline_ms,
                struct push_counts *ret, struct failure *failure)
{
    AUTO_JSON cJSON *users = cJSON_CreateArray();
    const char *file_id = attribute_get_string(item, "fileId");
    int result = dynamodb_scan(tables->aws, tables->user_files,
                               request_for_users_of(file_id ? file_id : ""), take_user, users,
                               failure);
    return result < 0 ? result : push_to_users(tables, item, users, deadline_ms, ret, failure);
}

int push_to_user(const struct push_tables *tables, const cJSON *item, const char *user_id,
                 int64_t deadline_ms, struct push_counts *ret, struct failure *failure)
{
    AUTO_JSON cJSON *users = cJSON_CreateArray();
    cJSON_AddItemToArray(users, cJSON_CreateString(user_id));
    return push_to_users(tables, item, users, deadline_ms, ret, failure);
}
