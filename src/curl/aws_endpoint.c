/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a service is. Requests for S3 name the bucket in the path, for an endpoint given and
 * for S3's own: it is the one form that works with every bucket name and every emulator.
 */
#include "aws_endpoint.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Only the services whose names differ from the one in their host in more than case. */
static const struct xr_aws_service SERVICES[] = {
    { "apigateway", "API Gateway", "apigateway" },
    { "athena", "Athena", "athena" },
    { "bedrock-runtime", "Bedrock Runtime", "bedrock" },
    { "cognito-idp", "Cognito Identity Provider", "cognito-idp" },
    { "dynamodb", "DynamoDB", "dynamodb" },
    { "ec2", "EC2", "ec2" },
    { "ecs", "ECS", "ecs" },
    { "email", "SES", "ses" },
    { "events", "EventBridge", "events" },
    { "firehose", "Firehose", "firehose" },
    { "iam", "IAM", "iam" },
    { "kinesis", "Kinesis", "kinesis" },
    { "kms", "KMS", "kms" },
    { "lambda", "Lambda", "lambda" },
    { "logs", "CloudWatch Logs", "logs" },
    { "monitoring", "CloudWatch", "monitoring" },
    { "runtime.sagemaker", "SageMaker Runtime", "sagemaker" },
    { "s3", "S3", "s3" },
    { "secretsmanager", "Secrets Manager", "secretsmanager" },
    { "sns", "SNS", "sns" },
    { "sqs", "SQS", "sqs" },
    { "ssm", "SSM", "ssm" },
    { "states", "SFN", "states" },
    { "sts", "STS", "sts" },
    { "xray", "XRay", "xray" },
};

static bool is_host_text(const char *text, size_t size, const char *others)
{
    size_t length = text ? strlen(text) : 0;

    if (length == 0 || length >= size)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr(others, text[i]))
            return false;
    return true;
}

int xr_aws_service_find(struct xr_aws_service *ret, const char *name)
{
    if (!is_host_text(name, XR_AWS_SERVICE_SIZE, "-."))
        return -EINVAL;
    for (size_t i = 0; i < sizeof(SERVICES) / sizeof(*SERVICES); i++) {
        if (strcmp(SERVICES[i].host, name) == 0) {
            *ret = SERVICES[i];
            return 0;
        }
    }
    *ret = (struct xr_aws_service){ 0 };
    memcpy(ret->host, name, strlen(name));
    memcpy(ret->id, name, strlen(name));
    memcpy(ret->signing, name, strlen(name));
    return 0;
}

bool xr_aws_service_is_s3(const struct xr_aws_service *service)
{
    return strcmp(service->host, "s3") == 0;
}

bool xr_aws_region_is_valid(const char *region)
{
    return is_host_text(region, XR_AWS_REGION_SIZE, "-");
}

/* ---- A URL that was given ---------------------------------------------------------- */

static bool has_part(CURLU *parts, CURLUPart part)
{
    char *text = NULL;
    bool found = !curl_url_get(parts, part, &text, 0);

    curl_free(text);
    return found;
}

/* Copies a part, or prefix and part; false when it does not fit. */
static bool add_part(char *ret, size_t size, CURLU *parts, CURLUPart part, const char *prefix)
{
    size_t used = strlen(ret);
    char *text = NULL;
    int length = 0;

    /* The port is left out where it is the scheme's own, as libcurl does in Host. */
    if (!curl_url_get(parts, part, &text, CURLU_NO_DEFAULT_PORT) && text)
        length = snprintf(ret + used, size - used, "%s%s", prefix, text);
    curl_free(text);
    return length >= 0 && (size_t)length < size - used;
}

static bool read_parts(struct xr_aws_endpoint *ret, CURLU *parts)
{
    size_t length;

    if (!add_part(ret->base, sizeof(ret->base), parts, CURLUPART_SCHEME, "") ||
        (strcmp(ret->base, "http") != 0 && strcmp(ret->base, "https") != 0))
        return false;
    if (has_part(parts, CURLUPART_USER) || has_part(parts, CURLUPART_PASSWORD) ||
        has_part(parts, CURLUPART_QUERY) || has_part(parts, CURLUPART_FRAGMENT))
        return false;
    if (!add_part(ret->host, sizeof(ret->host), parts, CURLUPART_HOST, "") || !ret->host[0] ||
        !add_part(ret->host, sizeof(ret->host), parts, CURLUPART_PORT, ":") ||
        !add_part(ret->path, sizeof(ret->path), parts, CURLUPART_PATH, ""))
        return false;
    length = strlen(ret->path);
    while (length > 0 && ret->path[length - 1] == '/')
        ret->path[--length] = '\0';
    if (strlen(ret->base) + strlen("://") + strlen(ret->host) >= sizeof(ret->base))
        return false;
    memmove(ret->base + strlen(ret->base), "://", sizeof("://"));
    memcpy(ret->base + strlen(ret->base), ret->host, strlen(ret->host) + 1);
    return true;
}

static int parse_url(struct xr_aws_endpoint *ret, const char *url)
{
    CURLU *parts = curl_url();
    struct xr_aws_endpoint endpoint = { 0 };
    int r = -EINVAL;

    if (!parts)
        return -ENOMEM;
    if (!curl_url_set(parts, CURLUPART_URL, url, 0) && read_parts(&endpoint, parts)) {
        *ret = endpoint;
        r = 0;
    }
    curl_url_cleanup(parts);
    return r;
}

/* ---- The choice ---------------------------------------------------------------------- */

/* "Secrets Manager" is SECRETS_MANAGER. */
static void variable_of(const struct xr_aws_service *service, char ret[static XR_AWS_SOURCE_SIZE])
{
    snprintf(ret, XR_AWS_SOURCE_SIZE, "AWS_ENDPOINT_URL_%s", service->id);
    for (char *at = ret; *at; at++)
        *at = isalnum((unsigned char)*at) ? (char)toupper((unsigned char)*at) : '_';
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

static void aws_own(struct xr_aws_endpoint *ret, const char *service, const char *region)
{
    const char *domain = strncmp(region, "cn-", 3) == 0 ? "amazonaws.com.cn" : "amazonaws.com";

    snprintf(ret->host, sizeof(ret->host), "%s.%s.%s", service, region, domain);
    snprintf(ret->base, sizeof(ret->base), "https://%s", ret->host);
    ret->path[0] = '\0';
}

/* text is one of the words below, which fit. */
static void set_source(char *ret, const char *text)
{
    memcpy(ret, text, strlen(text) + 1);
}

int xr_aws_endpoint_find(struct xr_aws_endpoint *ret, const struct xr_aws_service *service,
                         const char *region, const char *url,
                         char source[static XR_AWS_SOURCE_SIZE])
{
    set_source(source, "endpoint_url");
    if (!url) {
        variable_of(service, source);
        url = variable(source);
    }
    if (!url) {
        set_source(source, "AWS_ENDPOINT_URL");
        url = variable(source);
    }
    if (url)
        return parse_url(ret, url);
    set_source(source, "the service's own endpoint");
    aws_own(ret, service->host, region);
    return 0;
}
