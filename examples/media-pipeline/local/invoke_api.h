/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_INVOKE_API_H
#define MEDIA_LOCAL_INVOKE_API_H

#include "cloud.h"
#include "http_server.h"
#include "lambda.h"

/* Whether a request is one of the Lambda service's API. */
bool invoke_api_takes(const struct http_request *request);

/* POST /2015-03-31/functions/<name>/invocations, for those whose policy allows it. */
void invoke_api(struct lambda *lambda, const struct cloud *cloud,
                const struct http_request *request, struct http_reply *reply);

#endif /* MEDIA_LOCAL_INVOKE_API_H */
