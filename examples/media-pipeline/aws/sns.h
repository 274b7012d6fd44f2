/* SPDX-License-Identifier: Apache-2.0 */
/* The SNS operations of mobile push. Device tokens are never recorded.
 * Functions return 0 or -errno with *failure set. */
#ifndef PIPELINE_AWS_SNS_H
#define PIPELINE_AWS_SNS_H

#include "aws/client.h"

/*
 * The endpoint of a device's token, made unless there is one. An endpoint that
 * exists keeps its attributes: it may be disabled. The caller frees *ret_arn.
 */
int sns_create_platform_endpoint(struct aws *aws, const char *application_arn, const char *token,
                                 char **ret_arn, struct failure *failure);

/* Whether the endpoint is enabled and has this token. */
int sns_endpoint_is_ready(struct aws *aws, const char *endpoint_arn, const char *token, bool *ret,
                          struct failure *failure);

/* Gives it this token, and enables it. */
int sns_enable_endpoint(struct aws *aws, const char *endpoint_arn, const char *token,
                        struct failure *failure);

/* message is JSON with one member for each protocol, each of them text. */
int sns_publish_background(struct aws *aws, const char *endpoint_arn, const char *message,
                           struct failure *failure);

#endif /* PIPELINE_AWS_SNS_H */
