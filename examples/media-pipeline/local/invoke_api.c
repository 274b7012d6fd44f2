/* SPDX-License-Identifier: Apache-2.0 */
/* The Lambda service's Invoke call: RequestResponse, Event and DryRun. */

#include "invoke_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE   "/2015-03-31/functions/"
#define SUFFIX "/invocations"

bool invoke_api_takes(const struct http_request *request)
{
    return strncmp(request->path, BASE, strlen(BASE)) == 0;
}

static void refuse(struct http_reply *reply, int status, const char *type, const char *message)
{
    cJSON *body = json_object(NULL, NULL);

    json_text(body, "Type", "User");
    json_text(body, "message", message);
    char *text = json_print(body);
    http_reply_text(reply, status, "application/json", text);
    http_reply_header(reply, "x-amzn-ErrorType", type);
    free(text);
    cJSON_Delete(body);
}

/* "name", "name:qualifier" and ARNs name the same function here. */
static char *function_name(const char *path)
{
    const char *start = path + strlen(BASE);
    const char *end = strstr(start, SUFFIX);

    if (!end || strcmp(end, SUFFIX) != 0)
        return NULL;
    char *name = text_copy_length(start, (size_t)(end - start));
    char *marker = strstr(name, ":function:");
    if (marker)
        memmove(name, marker + strlen(":function:"), strlen(marker + strlen(":function:")) + 1);
    name[strcspn(name, ":")] = '\0';
    return name;
}

/* Signed for this service at least; the signature itself is not looked at. */
static bool is_signed(const struct http_request *request)
{
    const char *authorization = http_request_header(request, "Authorization");

    return authorization && strncmp(authorization, "AWS4-HMAC-SHA256 ", 17) == 0 &&
           strstr(authorization, "/lambda/aws4_request") && strstr(authorization, "Signature=");
}

static void invoke(struct lambda *lambda, const struct http_request *request, const char *name,
                   struct http_reply *reply)
{
    const char *type = http_request_header(request, "X-Amz-Invocation-Type");
    const char *trace_text = http_request_header(request, XRAY_TRACE_HEADER_NAME);
    xray_trace_header trace = { 0 };
    struct lambda_call call = {
        .function = name,
        .payload = request->body,
        .payload_length = request->body_length,
        .trace = trace_text && xray_trace_header_parse(&trace, trace_text) == 0 ? &trace : NULL,
        .client_context = http_request_header(request, "X-Amz-Client-Context"),
    };
    struct lambda_result result;

    if (!type || strcmp(type, "RequestResponse") == 0) {
        lambda_invoke(lambda, &call, &result);
    } else if (strcmp(type, "Event") == 0) {
        lambda_enqueue(lambda, &call, &result);
    } else if (strcmp(type, "DryRun") == 0) {
        lambda_dry_run(lambda, &call, &result);
    } else {
        refuse(reply, 400, "InvalidParameterValueException",
               "X-Amz-Invocation-Type is RequestResponse, Event or DryRun");
        return;
    }
    reply->status = result.status;
    reply->body = result.payload;
    reply->body_length = result.payload_length;
    http_reply_header(reply, "Content-Type", "application/json");
    http_reply_header(reply, "x-amzn-RequestId", result.request_id);
    http_reply_header(reply, "x-amzn-ErrorType", result.error_type);
    if (result.function_error)
        http_reply_header(reply, "X-Amz-Function-Error", "Unhandled");
    if (result.status == 200)
        http_reply_header(reply, "X-Amz-Executed-Version", "$LATEST");
}

void invoke_api(struct lambda *lambda, const struct http_request *request, struct http_reply *reply)
{
    char *name = function_name(request->path);

    if (!name || strcmp(request->method, "POST") != 0)
        refuse(reply, 404, "ResourceNotFoundException",
               "only POST /2015-03-31/functions/<name>/invocations is here");
    else if (!is_signed(request))
        refuse(reply, 403, "MissingAuthenticationTokenException", "Missing Authentication Token");
    else
        invoke(lambda, request, name, reply);
    free(name);
}
