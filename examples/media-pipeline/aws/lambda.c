/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/lambda.h"

#include <errno.h>
#include <string.h>

#include "runtime/cleanup.h"
#include "runtime/text.h"

int lambda_invoke_event(struct aws *aws, const char *function, cJSON *payload,
                        struct failure *failure)
{
    AUTO_JSON cJSON *taken = payload;
    AUTO_FREE char *body = cJSON_PrintUnformatted(taken);
    AUTO_TEXT struct text path = { 0 };
    text_add(&path, "/2015-03-31/functions/");
    text_add_encoded(&path, function, false);
    text_add(&path, "/invocations");
    if (!body || path.failed)
        return failure_set(failure, -ENOMEM, "OutOfMemory", "out of memory for Invoke");
    const char *headers[] = { "Content-Type: application/json", "X-Amz-Invocation-Type: Event",
                              NULL };
    const xray_aws_resource resources[] = { { "function_name", function },
                                            { "invocation_type", "Event" },
                                            { NULL, NULL } };
    return aws_call(aws, AWS_LAMBDA,
                    xray_aws_request(.operation = "Invoke", .path = path.data, .headers = headers,
                                     .body = body, .body_length = strlen(body),
                                     .resources = resources),
                    NULL, failure);
}
