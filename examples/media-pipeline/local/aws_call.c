/* SPDX-License-Identifier: Apache-2.0 */
/* Tells from a request's bytes which operation of which service it is. */

#include "aws_call.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OPERATION_LIMIT 12

static const struct service {
    const char *name;
    const char *scope; /* in the credentials of a signature */
    const char *operations[OPERATION_LIMIT];
} services[] = {
    { "DynamoDB",
      "dynamodb",
      { "GetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchGetItem", "BatchWriteItem", "Query",
        "Scan" } },
    { "S3",
      "s3",
      { "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload",
        "ListMultipartUploads", "ListParts", "PutObject", "GetObject", "HeadObject", "DeleteObject",
        "ListObjectsV2" } },
    { "SNS",
      "sns",
      { "CreatePlatformEndpoint", "GetEndpointAttributes", "SetEndpointAttributes",
        "DeleteEndpoint", "Publish" } },
    { "Lambda", "lambda", { "Invoke" } },
};

#define SERVICE_COUNT (sizeof(services) / sizeof(services[0]))

/* The first that fits: of the requests with a parameter before those without. */
static const struct s3_rule {
    const char *method;
    bool has_key;
    const char *parameter; /* of the query */
    const char *operation;
} s3_rules[] = {
    { "POST", true, "uploads", "CreateMultipartUpload" },
    { "POST", true, "uploadId", "CompleteMultipartUpload" },
    { "PUT", true, "partNumber", "UploadPart" },
    { "DELETE", true, "uploadId", "AbortMultipartUpload" },
    { "GET", true, "uploadId", "ListParts" },
    { "GET", false, "uploads", "ListMultipartUploads" },
    { "GET", false, "list-type", "ListObjectsV2" },
    { "PUT", true, NULL, "PutObject" },
    { "GET", true, NULL, "GetObject" },
    { "HEAD", true, NULL, "HeadObject" },
    { "DELETE", true, NULL, "DeleteObject" },
};

const char *head_value(const char *head, const char *name, size_t *ret_length)
{
    size_t length = strlen(name);

    *ret_length = 0;
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        const char *value = line + length + 1;
        value += strspn(value, " \t");
        size_t value_length = strcspn(value, "\r\n");
        while (value_length && strchr(" \t", value[value_length - 1]))
            value_length--;
        *ret_length = value_length;
        return value;
    }
    return NULL;
}

/* Who is called stands in the scope of the signature: …/<region>/<service>/aws4_request. */
static const struct service *service_of(const char *head)
{
    size_t length;
    const char *authorization = head_value(head, "Authorization", &length);
    char *text = text_copy_length(authorization ? authorization : "", length);
    const struct service *found = NULL;

    for (size_t i = 0; i < SERVICE_COUNT && !found; i++) {
        char *scope = text_format("/%s/aws4_request", services[i].scope);
        if (strstr(text, scope))
            found = &services[i];
        free(scope);
    }
    free(text);
    return found;
}

static const char *operation_named(const struct service *service, const char *name, size_t length)
{
    for (size_t i = 0; i < OPERATION_LIMIT && service->operations[i]; i++)
        if (strlen(service->operations[i]) == length &&
            strncmp(service->operations[i], name, length) == 0)
            return service->operations[i];
    return NULL;
}

static const char *dynamodb_operation(const struct service *service, const char *head)
{
    size_t length;
    const char *target = head_value(head, "X-Amz-Target", &length);
    const char *dot = target ? memchr(target, '.', length) : NULL;

    return dot ? operation_named(service, dot + 1, length - (size_t)(dot + 1 - target)) : NULL;
}

static const char *sns_operation(const struct service *service, const char *body)
{
    char *action = form_field(body, "Action");
    const char *operation = action ? operation_named(service, action, strlen(action)) : NULL;

    free(action);
    return operation;
}

static bool has_parameter(const char *query, const char *name)
{
    size_t length = strlen(name);

    while (*query) {
        if (strncmp(query, name, length) == 0 && (!query[length] || strchr("=&", query[length])))
            return true;
        query += strcspn(query, "&");
        query += strspn(query, "&");
    }
    return false;
}

/* Addressed as /bucket/key: that is what the functions do wherever an endpoint is given. */
static const char *s3_operation(const char *method, const char *path, const char *query)
{
    const char *slash = *path ? strchr(path + 1, '/') : NULL;
    bool has_key = slash && slash[1];

    for (size_t i = 0; i < sizeof(s3_rules) / sizeof(s3_rules[0]); i++) {
        const struct s3_rule *rule = &s3_rules[i];
        if (strcmp(rule->method, method) == 0 && rule->has_key == has_key &&
            (!rule->parameter || has_parameter(query, rule->parameter)))
            return rule->operation;
    }
    return NULL;
}

static const char *lambda_operation(const char *method, const char *path)
{
    static const char suffix[] = "/invocations";
    size_t length = strlen(path);

    return strcmp(method, "POST") == 0 && length > strlen(suffix) &&
                   strcmp(path + length - strlen(suffix), suffix) == 0
               ? services[SERVICE_COUNT - 1].operations[0]
               : NULL;
}

/* "METHOD path?query HTTP/1.1" in three pieces of one copy, which is to be freed. */
static char *split_request_line(const char *head, const char **ret_path, const char **ret_query)
{
    char *line = text_copy_length(head, strcspn(head, "\r\n"));
    char *path = strchr(line, ' ');

    *ret_path = *ret_query = "";
    if (path) {
        *path++ = '\0';
        path[strcspn(path, " ")] = '\0';
        char *query = strchr(path, '?');
        if (query) {
            *query++ = '\0';
            *ret_query = query;
        }
        *ret_path = path;
    }
    return line;
}

struct aws_call aws_call_of(const char *head, const char *body)
{
    const struct service *service = service_of(head);
    struct aws_call call = { 0 };
    const char *path, *query;

    if (!service)
        return call;
    char *method = split_request_line(head, &path, &query);
    call.service = service->name;
    if (strcmp(service->name, "DynamoDB") == 0)
        call.operation = dynamodb_operation(service, head);
    else if (strcmp(service->name, "S3") == 0)
        call.operation = s3_operation(method, path, query);
    else if (strcmp(service->name, "SNS") == 0)
        call.operation = sns_operation(service, body);
    else
        call.operation = lambda_operation(method, path);
    free(method);
    return call;
}

bool aws_call_needs_body(const char *head)
{
    const struct service *service = service_of(head);

    return service && strcmp(service->name, "SNS") == 0;
}

bool aws_call_parse(struct aws_call *ret, const char *text, size_t length)
{
    const char *dot = memchr(text, '.', length);

    for (size_t i = 0; dot && i < SERVICE_COUNT; i++) {
        const struct service *service = &services[i];
        if (strlen(service->name) != (size_t)(dot - text) ||
            strncmp(service->name, text, (size_t)(dot - text)) != 0)
            continue;
        ret->service = service->name;
        ret->operation = operation_named(service, dot + 1, length - (size_t)(dot + 1 - text));
        return ret->operation;
    }
    return false;
}

void aws_call_list(struct buffer *buffer)
{
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        for (size_t j = 0; j < OPERATION_LIMIT && services[i].operations[j]; j++) {
            buffer_text(buffer, i || j ? ", " : "");
            buffer_text(buffer, services[i].name);
            buffer_text(buffer, ".");
            buffer_text(buffer, services[i].operations[j]);
        }
}
