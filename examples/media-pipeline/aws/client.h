/* SPDX-License-Identifier: Apache-2.0 */
/* The AWS services that the functions use: one client for each, and one way to fail. */
#ifndef PIPELINE_AWS_CLIENT_H
#define PIPELINE_AWS_CLIENT_H

#include <stdint.h>

#include <xraytrace/aws.h>

#include "runtime/failure.h"

enum aws_service {
    AWS_DYNAMODB,
    AWS_LAMBDA,
    AWS_S3,
    AWS_SNS,
    AWS_SERVICE_COUNT,
};

/* All zero is ready for use. One thread at a time. */
struct aws {
    xray_aws_client *clients[AWS_SERVICE_COUNT];
    int timeouts_ms[AWS_SERVICE_COUNT]; /* of one try, once there is a client */
};

/* Makes all clients now, so that a mistake in their settings fails initialization. 0 or -errno. */
int aws_prepare(struct aws *aws, struct failure *failure);

/* The next calls of that service end in about half of the time that is left, repetitions too. */
void aws_limit(struct aws *aws, enum aws_service service, int64_t left_ms);

void aws_release(struct aws *aws);

/*
 * xray_aws_call() on that service. Returns what it does; on failure *failure
 * has the service's own error code as its type, and names service and operation.
 */
int aws_call(struct aws *aws, enum aws_service service, const xray_aws_request *request,
             xray_aws_reply *ret, struct failure *failure);

/* A header of that service's last reply, or NULL. */
const char *aws_reply_header(const struct aws *aws, enum aws_service service, const char *name);

#endif /* PIPELINE_AWS_CLIENT_H */
