/* SPDX-License-Identifier: Apache-2.0 */
/* POST /registerDevice. Everything is checked before anything is written, and a device that
 * comes back gets its endpoint enabled again. */
#include <errno.h>
#include <string.h>

#include "aws/sns.h"
#include "functions/api.h"
#include "functions/functions.h"
#include "runtime/cleanup.h"
#include "runtime/clock.h"
#include "runtime/log.h"

#define MAX_TRIES 2

static const struct api_field fields[] = {
    { "token", API_STRING, true, 4096 },        { "deviceId", API_STRING, true, 128 },
    { "name", API_STRING, false, 256 },         { "systemName", API_STRING, false, 128 },
    { "systemVersion", API_STRING, false, 64 }, { NULL, 0, false, 0 },
};

/*
 * SNS gives the endpoint of a known token back as it is, which may be disabled
 * or have an older token. One that was deleted meanwhile is made again.
 */
static int make_endpoint(struct pipeline *pipeline, const char *token, char **ret,
                         struct failure *failure)
{
    for (int tries = 1;; tries++) {
        AUTO_FREE char *arn = NULL;
        bool is_ready = false;
        int result = sns_create_platform_endpoint(
            &pipeline->aws, pipeline->config.platform_application_arn, token, &arn, failure);
        if (result < 0)
            return result;
        result = sns_endpoint_is_ready(&pipeline->aws, arn, token, &is_ready, failure);
        if (result < 0 && strcmp(failure->type, "NotFound") == 0 && tries < MAX_TRIES)
            continue;
        if (result == 0 && !is_ready)
            result = sns_enable_endpoint(&pipeline->aws, arn, token, failure);
        if (result < 0)
            return result;
        *ret = arn;
        arn = NULL;
        return 0;
    }
}

/* A phone that has changed hands no longer belongs to the user before. */
static int leave_user(struct pipeline *pipeline, const char *user_id, const char *device_id,
                      struct failure *failure)
{
    struct update update = { 0 };
    update_delete(&update, "deviceIds", attribute_string_set(device_id));
    return dynamodb_update(&pipeline->aws, pipeline->config.user_devices_table,
                           attribute_key("userId", user_id), &update, NULL, failure);
}

static int join_user(struct pipeline *pipeline, const char *user_id, const char *device_id,
                     struct failure *failure)
{
    struct update update = { 0 };
    update_add(&update, "deviceIds", attribute_string_set(device_id));
    return dynamodb_update(&pipeline->aws, pipeline->config.user_devices_table,
                           attribute_key("userId", user_id), &update, NULL, failure);
}

static int store(struct pipeline *pipeline, const cJSON *body, const char *user_id,
                 const char *endpoint_arn, struct failure *failure)
{
    AUTO_JSON cJSON *old = NULL;
    const char *device_id = api_text(body, "deviceId");
    cJSON *item = cJSON_CreateObject();
    for (const struct api_field *field = fields; field->name; field++) {
        const char *value = api_text(body, field->name);
        if (value)
            cJSON_AddItemToObject(item, field->name, attribute_string(value));
    }
    cJSON_AddItemToObject(item, "endpointArn", attribute_string(endpoint_arn));
    cJSON_AddItemToObject(item, "userId", attribute_string(user_id));
    /* A push that failed before this registration must not undo it. */
    cJSON_AddItemToObject(item, "registeredAt", attribute_number(clock_now_ms()));
    int result = dynamodb_put(&pipeline->aws, pipeline->config.devices_table, item, &old, failure);
    if (result < 0)
        return result;
    const char *before = attribute_get_string(old, "userId");
    if (before && strcmp(before, user_id) != 0) {
        result = leave_user(pipeline, before, device_id, failure);
        if (result < 0)
            return result;
    }
    return join_user(pipeline, user_id, device_id, failure);
}

/* A token that SNS does not take is the caller's mistake. */
static cJSON *answer_failure(struct invocation *invocation, const struct failure *failure)
{
    if (strcmp(failure->type, "InvalidParameter") == 0 && strstr(failure->message, "Token"))
        return api_refuse(invocation, 400,
                          api_field_message("token", "token is not a valid device token"));
    return api_fail(invocation, failure);
}

cJSON *register_device(void *data, struct invocation *invocation, const cJSON *event)
{
    struct pipeline *pipeline = data;
    struct failure failure = { 0 };
    cJSON *message = NULL;
    const char *user_id = api_identify(invocation, event);
    if (!user_id)
        return api_refuse_text(invocation, 401, "Invalid Authentication token; login");
    if (!*pipeline->config.platform_application_arn) {
        log_write(LOG_ERROR, NULL, "PLATFORM_APPLICATION_ARN is not set");
        return api_refuse_text(invocation, 503, "requires configuration");
    }
    AUTO_JSON cJSON *body = api_parse_body(event, fields, &message);
    if (!body)
        return api_refuse(invocation, 400, message);

    AUTO_FREE char *endpoint_arn = NULL;
    if (make_endpoint(pipeline, api_text(body, "token"), &endpoint_arn, &failure) < 0)
        return answer_failure(invocation, &failure);
    if (store(pipeline, body, user_id, endpoint_arn, &failure) < 0)
        return api_fail(invocation, &failure);
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "endpointArn", endpoint_arn);
    return api_answer(invocation, 200, answer);
}
