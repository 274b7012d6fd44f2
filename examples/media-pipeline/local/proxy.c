/* SPDX-License-Identifier: Apache-2.0 */
/* Proxy events and proxy results of API Gateway's REST APIs. */

#include "proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* ---- Events ------------------------------------------------------------------------- */

struct multi {
    cJSON *last; /* name → its last value */
    cJSON *all;  /* name → its values */
};

static enum MHD_Result add_value(void *data, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct multi *multi = data;

    (void)kind;
    if (!value)
        value = "";
    /* JSON has only text: what is none, is left out. */
    if (!is_text(name, strlen(name)) || !is_text(value, strlen(value)))
        return MHD_YES;
    cJSON_DeleteItemFromObjectCaseSensitive(multi->last, name);
    json_text(multi->last, name, value);
    cJSON *values = cJSON_GetObjectItemCaseSensitive(multi->all, name);
    if (!values)
        values = cJSON_AddArrayToObject(multi->all, name);
    cJSON_AddItemToArray(values, cJSON_CreateString(value));
    return MHD_YES;
}

/* Adds an object, or null when there is nothing in it, as API Gateway has it. */
static void add_or_null(cJSON *event, const char *name, cJSON *object)
{
    if (cJSON_GetArraySize(object) > 0) {
        cJSON_AddItemToObject(event, name, object);
    } else {
        cJSON_Delete(object);
        json_text(event, name, NULL);
    }
}

static void add_headers(cJSON *event, const struct proxy_request *request)
{
    struct multi headers = { json_object(event, "headers"),
                             json_object(event, "multiValueHeaders") };
    char trace_id[XRAY_TRACE_ID_SIZE];

    MHD_get_connection_values(request->http->connection, MHD_HEADER_KIND, add_value, &headers);
    xray_trace_id_format(request->trace->trace_id, trace_id, sizeof(trace_id));
    char *root = text_format("Root=%s", trace_id);
    static const char *const own[] = { "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port",
                                       "X-Forwarded-Proto" };
    const char *const values[] = { root, "127.0.0.1", "443", "https" };
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        /* A client's own, in any case, is replaced: a function could not tell them apart. */
        cJSON_DeleteItemFromObject(headers.last, own[i]);
        cJSON_DeleteItemFromObject(headers.all, own[i]);
        add_value(&headers, MHD_HEADER_KIND, own[i], values[i]);
    }
    free(root);
}

static void add_query(cJSON *event, const struct proxy_request *request)
{
    struct multi query = { json_object(NULL, NULL), json_object(NULL, NULL) };

    MHD_get_connection_values(request->http->connection, MHD_GET_ARGUMENT_KIND, add_value, &query);
    add_or_null(event, "queryStringParameters", query.last);
    add_or_null(event, "multiValueQueryStringParameters", query.all);
}

static void add_identity(cJSON *context, const struct proxy_request *request)
{
    static const char *const empty[] = { "cognitoIdentityPoolId",
                                         "accountId",
                                         "cognitoIdentityId",
                                         "caller",
                                         "apiKey",
                                         "apiKeyId",
                                         "accessKey",
                                         "cognitoAuthenticationType",
                                         "cognitoAuthenticationProvider",
                                         "userArn",
                                         "user" };
    cJSON *identity = json_object(context, "identity");
    const char *user_agent = http_request_header(request->http, "User-Agent");

    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
        json_text(identity, empty[i], NULL);
    json_text(identity, "sourceIp", "127.0.0.1");
    json_text(identity, "userAgent",
              user_agent && is_text(user_agent, strlen(user_agent)) ? user_agent : NULL);
}

static cJSON *add_context(cJSON *event, const struct proxy_request *request)
{
    cJSON *context = json_object(event, "requestContext");
    char *path = text_format("/" API_STAGE "%s", request->resource);
    char *domain = text_format(API_ID ".execute-api.%s.amazonaws.com", request->region);
    time_t seconds = (time_t)(request->received_ms / 1000);
    char when[40];
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(when, sizeof(when), "%d/%b/%Y:%H:%M:%S +0000", &utc);
    json_text(context, "resourceId", "local1");
    json_text(context, "resourcePath", request->resource);
    json_text(context, "httpMethod", request->http->method);
    json_text(context, "extendedRequestId", request->request_id);
    json_text(context, "requestTime", when);
    json_text(context, "path", path);
    json_text(context, "accountId", request->account);
    json_text(context, "protocol", "HTTP/1.1");
    json_text(context, "stage", API_STAGE);
    json_text(context, "domainPrefix", API_ID);
    json_number(context, "requestTimeEpoch", (double)request->received_ms);
    json_text(context, "requestId", request->request_id);
    add_identity(context, request);
    json_text(context, "domainName", domain);
    json_text(context, "apiId", API_ID);
    free(path);
    free(domain);
    return context;
}

static void add_request(cJSON *event, const struct proxy_request *request)
{
    json_text(event, "resource", request->resource);
    json_text(event, "path", request->resource);
    json_text(event, "httpMethod", request->http->method);
    add_headers(event, request);
    add_query(event, request);
}

char *proxy_method_arn(const struct proxy_request *request)
{
    return text_format("arn:aws:execute-api:%s:%s:" API_ID "/" API_STAGE "/%s%s", request->region,
                       request->account, request->http->method, request->resource);
}

char *proxy_authorizer_event(const struct proxy_request *request)
{
    cJSON *event = json_object(NULL, NULL);
    char *arn = proxy_method_arn(request);

    json_text(event, "type", "REQUEST");
    json_text(event, "methodArn", arn);
    add_request(event, request);
    json_object(event, "pathParameters");
    json_object(event, "stageVariables");
    add_context(event, request);
    char *text = json_print(event);
    cJSON_Delete(event);
    free(arn);
    return text;
}

static void add_authorizer(cJSON *context, const cJSON *answer)
{
    cJSON *authorizer = json_object(context, "authorizer");
    const cJSON *value;

    cJSON_ArrayForEach(value, cJSON_GetObjectItemCaseSensitive(answer, "context"))
    {
        /* API Gateway passes plain values only, and as text. */
        if (cJSON_IsString(value)) {
            json_text(authorizer, value->string, value->valuestring);
        } else if (cJSON_IsNumber(value) || cJSON_IsBool(value)) {
            char *text = json_print(value);
            json_text(authorizer, value->string, text);
            free(text);
        }
    }
    cJSON_DeleteItemFromObjectCaseSensitive(authorizer, "principalId");
    json_text(authorizer, "principalId", json_get_text(answer, "principalId"));
}

char *proxy_event(const struct proxy_request *request, const cJSON *authorizer_answer)
{
    cJSON *event = json_object(NULL, NULL);
    const struct http_request *http = request->http;
    bool plain = is_text(http->body, http->body_length);

    add_request(event, request);
    json_text(event, "pathParameters", NULL);
    json_text(event, "stageVariables", NULL);
    add_authorizer(add_context(event, request), authorizer_answer);
    if (!http->body_length) {
        json_text(event, "body", NULL);
    } else if (plain) {
        json_text(event, "body", http->body);
    } else {
        char *encoded = base64_encode(http->body, http->body_length);
        json_text(event, "body", encoded);
        free(encoded);
    }
    cJSON_AddBoolToObject(event, "isBase64Encoded", !plain);
    char *text = json_print(event);
    cJSON_Delete(event);
    return text;
}

/* ---- Results ------------------------------------------------------------------------- */

static int status_of(const cJSON *result)
{
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(result, "statusCode");
    long value = 0;
    char *end;

    if (cJSON_IsNumber(status)) {
        value = (long)status->valuedouble;
    } else if (cJSON_IsString(status)) {
        value = strtol(status->valuestring, &end, 10);
        if (*end)
            value = 0;
    }
    return value >= 200 && value < 600 ? (int)value : 0;
}

/* False for a value that can't be a header. */
static bool add_reply_header(struct http_reply *reply, const char *name, const cJSON *value,
                             bool *has_type)
{
    if (cJSON_IsObject(value) || cJSON_IsArray(value))
        return false;
    /* What frames the message is the server's. */
    if (strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0 ||
        strcasecmp(name, "Connection") == 0)
        return true;
    if (strcasecmp(name, "Content-Type") == 0)
        *has_type = true;
    if (cJSON_IsString(value)) {
        http_reply_header(reply, name, value->valuestring);
    } else {
        char *text = json_print(value);
        http_reply_header(reply, name, text);
        free(text);
    }
    return true;
}

static bool add_reply_headers(struct http_reply *reply, const cJSON *result, bool *has_type)
{
    const cJSON *headers = cJSON_GetObjectItemCaseSensitive(result, "headers");
    const cJSON *multi = cJSON_GetObjectItemCaseSensitive(result, "multiValueHeaders");
    const cJSON *entry, *value;
    bool valid = true;

    if ((headers && !cJSON_IsNull(headers) && !cJSON_IsObject(headers)) ||
        (multi && !cJSON_IsNull(multi) && !cJSON_IsObject(multi)))
        return false;
    cJSON_ArrayForEach(entry, headers)
    {
        if (!cJSON_GetObjectItem(multi, entry->string))
            valid &= add_reply_header(reply, entry->string, entry, has_type);
    }
    cJSON_ArrayForEach(entry, multi)
    {
        valid &= cJSON_IsArray(entry);
        if (cJSON_IsArray(entry))
            cJSON_ArrayForEach(value, entry)
                valid &= add_reply_header(reply, entry->string, value, has_type);
    }
    return valid;
}

static bool add_reply_body(struct http_reply *reply, const cJSON *result)
{
    const cJSON *body = cJSON_GetObjectItemCaseSensitive(result, "body");
    bool encoded = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(result, "isBase64Encoded"));

    if (!body || cJSON_IsNull(body))
        return true;
    if (!cJSON_IsString(body))
        return false;
    if (encoded) {
        reply->body = base64_decode(body->valuestring, &reply->body_length);
        return reply->body;
    }
    reply->body = text_copy(body->valuestring);
    reply->body_length = strlen(reply->body);
    return true;
}

bool proxy_result(const char *text, struct http_reply *reply)
{
    cJSON *result = cJSON_Parse(text);
    bool has_type = false;

    reply->status = status_of(result);
    bool valid = cJSON_IsObject(result) && reply->status && add_reply_body(reply, result) &&
                 add_reply_headers(reply, result, &has_type);
    if (!valid)
        http_reply_clear(reply);
    else if (!has_type)
        http_reply_header(reply, "Content-Type", "application/json");
    cJSON_Delete(result);
    return valid;
}
