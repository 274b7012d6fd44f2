/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/client.h"

#include <errno.h>
#include <string.h>

static const struct {
    const char *service;
    const char *name;
    int timeout_ms; /* of one try: a function should still be able to say what failed */
} services[AWS_SERVICE_COUNT] = {
    [AWS_DYNAMODB] = { "dynamodb", "DynamoDB", 5000 },
    [AWS_LAMBDA] = { "lambda", "Lambda", 5000 },
    [AWS_S3] = { "s3", "S3", 60000 },
    [AWS_SNS] = { "sns", "SNS", 5000 },
};

/* So many a call makes, before it gives up. */
#define TRIES 3

/* Less would fail where nothing is wrong. */
#define MIN_TIMEOUT_MS 500

void aws_release(struct aws *aws)
{
    for (int i = 0; i < AWS_SERVICE_COUNT; i++)
        xray_aws_client_free(aws->clients[i]);
    memset(aws, 0, sizeof(*aws));
}

static const char *type_without_reply(int result)
{
    switch (result) {
    case -ETIMEDOUT:
        return "Timeout";
    case -ECONNREFUSED:
        return "Unreachable";
    case -EACCES:
        return "NoCredentials";
    case -EMSGSIZE:
        return "ReplyTooLarge";
    default:
        return "CallFailed";
    }
}

static int make_client(struct aws *aws, enum aws_service service, struct failure *failure)
{
    if (aws->clients[service])
        return 0;
    if (aws->timeouts_ms[service] == 0)
        aws->timeouts_ms[service] = services[service].timeout_ms;
    int result = xray_aws_client_new(
        &aws->clients[service], services[service].service,
        xray_aws_client_params(.timeout_ms = aws->timeouts_ms[service]));
    if (result < 0)
        return failure_set(failure, result, "NoClient",
                           "%s: %s; AWS_REGION and, when set, AWS_ENDPOINT_URL must be valid",
                           services[service].name, strerror(-result));
    return 0;
}

int aws_prepare(struct aws *aws, struct failure *failure)
{
    int result = 0;
    for (int i = 0; i < AWS_SERVICE_COUNT && result == 0; i++)
        result = make_client(aws, (enum aws_service)i, failure);
    return result;
}

void aws_limit(struct aws *aws, enum aws_service service, int64_t left_ms)
{
    int64_t usual_ms = services[service].timeout_ms, timeout_ms = usual_ms;
    int64_t now_ms = aws->timeouts_ms[service] ? aws->timeouts_ms[service] : usual_ms;
    if (left_ms < TRIES * usual_ms)
        timeout_ms = left_ms / (2 * TRIES) > MIN_TIMEOUT_MS ? left_ms / (2 * TRIES)
                                                            : MIN_TIMEOUT_MS;
    /* Another client is another connection: only when this one could not end in time. */
    if (TRIES * now_ms <= left_ms && (timeout_ms < usual_ms || now_ms == usual_ms))
        return;
    xray_aws_client_free(aws->clients[service]);
    aws->clients[service] = NULL;
    aws->timeouts_ms[service] = (int)timeout_ms;
}

int aws_call(struct aws *aws, enum aws_service service, const xray_aws_request *request,
             xray_aws_reply *ret, struct failure *failure)
{
    int result = make_client(aws, service, failure);
    if (result < 0)
        return result;
    xray_aws_reply reply = { .size = sizeof(reply) };
    result = xray_aws_call(aws->clients[service], request, &reply);
    if (ret)
        *ret = reply;
    if (result == 0)
        return 0;
    const char *code = reply.error_code && *reply.error_code ? reply.error_code
                       : reply.status                        ? "UnknownError"
                                                             : type_without_reply(result);
    const char *message = reply.error_message && *reply.error_message ? reply.error_message
                                                                      : strerror(-result);
    return failure_set(failure, result, code, "%s %s: %s", services[service].name,
                       request->operation, message);
}

const char *aws_reply_header(const struct aws *aws, enum aws_service service, const char *name)
{
    return aws->clients[service] ? xray_aws_reply_header(aws->clients[service], name) : NULL;
}
