/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the sampling service: a clock, and replies as HTTP has them. */
#include "local/api/api.h"

#include <time.h>

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void api_sampling(const struct api *api, sampling_operation *run, const cJSON *request,
                  struct http_reply *reply)
{
    struct sampling_reply result;
    run(api->sampling, request, now_ns(), &result);
    api_reply(reply, result.body);
    if (!reply->body)
        return;
    reply->status = result.status;
    reply->error_type = result.error_type;
}
