/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "runtime/cleanup.h"
#include "runtime/log.h"
#include "runtime/text.h"

/* cJSON's own lookup without case, said by name: HTTP/2 clients send lower case. */
const char *api_header(const cJSON *event, const char *name)
{
    const cJSON *headers = cJSON_GetObjectItemCaseSensitive(event, "headers");
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItem(headers, name));
    if (value)
        return value;
    headers = cJSON_GetObjectItemCaseSensitive(event, "multiValueHeaders");
    return cJSON_GetStringValue(cJSON_GetArrayItem(cJSON_GetObjectItem(headers, name), 0));
}

const char *api_query(const cJSON *event, const char *name)
{
    const cJSON *query = cJSON_GetObjectItemCaseSensitive(event, "queryStringParameters");
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(query, name));
}

const char *api_identify(struct invocation *invocation, const cJSON *event)
{
    const cJSON *context = cJSON_GetObjectItemCaseSensitive(event, "requestContext");
    const cJSON *authorizer = cJSON_GetObjectItemCaseSensitive(context, "authorizer");
    const char *principal = cJSON_GetStringValue(
        cJSON_GetObjectItemCaseSensitive(authorizer, "principalId"));
    if (!principal || !*principal || strcmp(principal, "unknown") == 0)
        return NULL;
    invocation_annotate_user(invocation, principal);
    return principal;
}

/* ---- The body -------------------------------------------------------------------- */

cJSON *api_field_message(const char *field, const char *message)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(object, field);
    cJSON_AddItemToArray(list, cJSON_CreateString(message));
    return object;
}

static char *decode_base64(const char *text)
{
    size_t length = strlen(text);
    unsigned char *decoded = malloc(length / 4 * 3 + 4);
    int count = decoded && length % 4 == 0 && length < (1u << 24)
                    ? EVP_DecodeBlock(decoded, (const unsigned char *)text, (int)length)
                    : -1;
    if (count < 0) {
        free(decoded);
        return NULL;
    }
    for (size_t i = length; i > 0 && text[i - 1] == '=' && count > 0; i--)
        count--; /* the padding was counted too */
    decoded[count] = '\0';
    if (strlen((char *)decoded) == (size_t)count)
        return (char *)decoded;
    free(decoded); /* text has no zero bytes: what follows one would not be looked at */
    return NULL;
}

/* DynamoDB takes UTF-8 only: refused here, it is the caller's mistake and not ours. */
static cJSON *parse_json(const char *text)
{
    return text_is_utf8(text) ? cJSON_ParseWithOpts(text, NULL, true) : NULL;
}

static cJSON *parse_text(const cJSON *event, const cJSON *body)
{
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(event, "isBase64Encoded")))
        return parse_json(body->valuestring);
    AUTO_FREE char *decoded = decode_base64(body->valuestring);
    return decoded ? parse_json(decoded) : NULL;
}

static bool is_truth(const cJSON *value)
{
    const char *text = cJSON_GetStringValue(value);
    return cJSON_IsBool(value) ||
           (text && (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0));
}

/* What is wrong with a field, written to message; "" when nothing is. */
static void check_field(const cJSON *body, const struct api_field *field, char *message,
                        size_t size)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(body, field->name);
    message[0] = '\0';
    if (!value && field->required)
        snprintf(message, size, "%s is required", field->name);
    else if (value && field->type == API_BOOL && !is_truth(value))
        snprintf(message, size, "%s must be a boolean", field->name);
    else if (value && field->type == API_STRING && !cJSON_IsString(value))
        snprintf(message, size, "%s must be a string", field->name);
    else if (value && field->type == API_STRING && field->required && !*value->valuestring)
        snprintf(message, size, "%s is not allowed to be empty", field->name);
    else if (value && field->type == API_STRING && strlen(value->valuestring) > field->max_length)
        snprintf(message, size, "%s length must be less than or equal to %zu characters long",
                 field->name, field->max_length);
}

cJSON *api_parse_body(const cJSON *event, const struct api_field *fields, cJSON **ret_message)
{
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(event, "body");
    if (!text) {
        *ret_message = cJSON_CreateString("Missing request payload");
        return NULL;
    }
    if (!cJSON_IsString(text)) {
        *ret_message = cJSON_CreateString("Request body must be valid JSON string");
        return NULL;
    }
    AUTO_JSON cJSON *body = parse_text(event, text);
    if (!body) {
        *ret_message = cJSON_CreateString("Request body must be valid JSON");
        return NULL;
    }
    if (!cJSON_IsObject(body)) {
        *ret_message = api_field_message("value", "value must be of type object");
        return NULL;
    }
    cJSON *all = NULL;
    for (; fields->name; fields++) {
        char message[256];
        check_field(body, fields, message, sizeof(message));
        if (!message[0])
            continue;
        if (!all)
            all = cJSON_CreateObject();
        cJSON_AddItemToArray(cJSON_AddArrayToObject(all, fields->name),
                             cJSON_CreateString(message));
    }
    if (all) {
        *ret_message = all;
        return NULL;
    }
    cJSON *result = body;
    body = NULL;
    return result;
}

const char *api_text(const cJSON *body, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, name));
}

bool api_truth(const cJSON *body, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(body, name);
    const char *text = cJSON_GetStringValue(value);
    return cJSON_IsTrue(value) || (text && strcasecmp(text, "true") == 0);
}

/* ---- Answers ----------------------------------------------------------------------- */

/* content is consumed, and gets the request id: Lambda's, which the logs have too. */
static cJSON *proxy_answer(struct invocation *invocation, int status, cJSON *content)
{
    cJSON_AddStringToObject(content, "requestId", invocation->request_id);
    AUTO_FREE char *text = cJSON_PrintUnformatted(content);
    cJSON_Delete(content);
    if (!text) {
        failure_set(&invocation->failure, 0, "Runtime.OutOfMemory", "out of memory for the answer");
        return NULL;
    }
    xray_annotate(invocation->segment, "status_code", status);
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "statusCode", status);
    cJSON_AddStringToObject(answer, "body", text);
    return answer;
}

cJSON *api_answer(struct invocation *invocation, int status, cJSON *body)
{
    cJSON *content = cJSON_CreateObject();
    cJSON_AddItemToObject(content, "body", body);
    return proxy_answer(invocation, status, content);
}

static cJSON *refusal(struct invocation *invocation, int status, cJSON *message)
{
    char code[32];
    snprintf(code, sizeof(code), "custom-%dXX-generic", status / 100);
    cJSON *content = cJSON_CreateObject();
    cJSON *error = cJSON_AddObjectToObject(content, "error");
    cJSON_AddStringToObject(error, "code", code);
    cJSON_AddItemToObject(error, "message", message);
    return proxy_answer(invocation, status, content);
}

cJSON *api_refuse(struct invocation *invocation, int status, cJSON *message)
{
    AUTO_FREE char *text = cJSON_PrintUnformatted(message);
    struct failure failure;
    failure_set(&failure, 0, status >= 500 ? "ServiceUnavailable" : "BadRequest", "%d: %s", status,
                text ? text : "");
    failure.caller = status < 500;
    failure_record(&failure, invocation->segment);
    log_write(status < 500 ? LOG_INFO : LOG_ERROR, NULL, "refused: %s", failure.message);
    return refusal(invocation, status, message);
}

cJSON *api_refuse_text(struct invocation *invocation, int status, const char *message)
{
    return api_refuse(invocation, status, cJSON_CreateString(message));
}

cJSON *api_fail(struct invocation *invocation, const struct failure *failure)
{
    cJSON *fields = cJSON_CreateObject();
    cJSON_AddStringToObject(fields, "errorType", failure->type);
    log_write(LOG_ERROR, fields, "%s", failure->message);
    failure_record(failure, invocation->segment);
    return refusal(invocation, 500, cJSON_CreateString(failure->message));
}
