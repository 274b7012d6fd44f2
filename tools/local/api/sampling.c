/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the sampling service: a clock, and replies as HTTP has them. */
#include "local/api/api.h"

#include <errno.h>
#include <time.h>

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* As GetSamplingRules has them, which is what can be loaded again. */
static int keep_rules(const struct api *api)
{
    struct sampling_reply rules;
    sampling_operation_find("/GetSamplingRules")(api->sampling, NULL, now_ns(), &rules);
    char *json = rules.body ? cJSON_PrintUnformatted(rules.body) : NULL;
    int r = json ? store_keep(api->store, API_SAMPLING_KIND, "rules", json) : -ENOMEM;
    cJSON_free(json);
    cJSON_Delete(rules.body);
    return r;
}

static bool is_change(sampling_operation *run)
{
    return run == sampling_operation_find("/CreateSamplingRule") ||
           run == sampling_operation_find("/UpdateSamplingRule") ||
           run == sampling_operation_find("/DeleteSamplingRule");
}

void api_sampling(const struct api *api, sampling_operation *run, const cJSON *request,
                  struct http_reply *reply)
{
    struct sampling_reply result;
    run(api->sampling, request, now_ns(), &result);
    if (result.status == 200 && is_change(run) && keep_rules(api) < 0) {
        cJSON_Delete(result.body);
        result.body = NULL;
    }
    api_reply(reply, result.body);
    if (!reply->body)
        return;
    reply->status = result.status;
    reply->error_type = result.error_type;
}
