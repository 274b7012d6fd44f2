/* SPDX-License-Identifier: Apache-2.0 */
/* The Lambda service's Invoke call: RequestResponse, Event and DryRun. */

#include "invoke_api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "permission.h"

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

/* The access key that a request for this service is signed with, or NULL; the signature itself
 * is not looked at. */
static char *access_key(const struct http_request *request)
{
    static const char start[] = "AWS4-HMAC-SHA256 Credential=";
    const char *authorization = http_request_header(request, "Authorization");

    if (!authorization || strncmp(authorization, start, strlen(start)) != 0 ||
        !strstr(authorization, "/lambda/aws4_request") || !strstr(authorization, "Signature="))
        return NULL;
    authorization += strlen(start);
    return text_copy_length(authorization, strcspn(authorization, "/"));
}

/* Whether the caller may invoke the function; if not, the reply says so as Lambda does. */
static bool is_allowed(const struct cloud *cloud, const struct http_request *request,
                       const char *name, struct http_reply *reply)
{
    char *key = access_key(request);
    char *resource = text_format("arn:aws:lambda:%s:" CLOUD_ACCOUNT ":function:%s", cloud->region,
                                 name);
    char *refusal = NULL;
    int error = key ? permission_check(cloud, key, "lambda:InvokeFunction", resource, &refusal) : 0;

    if (!key)
        refuse(reply, 403, "MissingAuthenticationTokenException", "Missing Authentication Token");
    else if (error == -ENOKEY)
        refuse(reply, 403, "UnrecognizedClientException",
               "The security token included in the request is invalid.");
    else if (error == -EACCES)
        refuse(reply, 403, "AccessDeniedException", refusal);
    else if (error)
        refuse(reply, 500, "ServiceException", "the caller's policy cannot be read");
    bool allowed = key && !error;
    free(key);
    free(resource);
    free(refusal);
    return allowed;
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

void invoke_api(struct lambda *lambda, const struct cloud *cloud,
                const struct http_request *request, struct http_reply *reply)
{
    char *name = function_name(request->path);

    if (!name || strcmp(request->method, "POST") != 0)
        refuse(reply, 404, "ResourceNotFoundException",
               "only POST /2015-03-31/functions/<name>/invocations is here");
    else if (is_allowed(cloud, request, name, reply))
        invoke(lambda, request, name, reply);
    free(name);
}
