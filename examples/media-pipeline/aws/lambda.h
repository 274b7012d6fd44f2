/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for another function's work. */
#ifndef PIPELINE_AWS_LAMBDA_H
#define PIPELINE_AWS_LAMBDA_H

#include <cjson/cJSON.h>

#include "aws/client.h"

/* Queues an invocation (type Event). payload is consumed. 0 or -errno with *failure set. */
int lambda_invoke_event(struct aws *aws, const char *function, cJSON *payload,
                        struct failure *failure);

#endif /* PIPELINE_AWS_LAMBDA_H */
