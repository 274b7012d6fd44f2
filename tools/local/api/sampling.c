/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the sampling service: a clock, and replies as HTTP has them. */
#include "local/api/api.h"
#include "local/api/tags.h"
#include "local/trace/trace.h"

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

/* A new rule has the request's tags, and one that is gone has none. */
static int keep_tags(const struct api *api, bool is_new, const cJSON *request, const cJSON *body)
{
    const cJSON *rule = trace_object(trace_object(body, "SamplingRuleRecord"), "SamplingRule");
    const char *arn = trace_string(rule, "RuleARN");
    return arn ? tags_replace(api->store, arn, is_new ? request : NULL) : 0;
}

/* What a change leaves behind, beside the service itself. */
static int keep_change(const struct api *api, sampling_operation *run, const cJSON *request,
                       const cJSON *body)
{
    bool is_new = run == sampling_operation_find("/CreateSamplingRule");
    bool goes = run == sampling_operation_find("/DeleteSamplingRule");
    if (!is_new && !goes && run != sampling_operation_find("/UpdateSamplingRule"))
        return 0;
    int r = keep_rules(api);
    return r == 0 && (is_new || goes) ? keep_tags(api, is_new, request, body) : r;
}

void api_sampling(const struct api *api, sampling_operation *run, const cJSON *request,
                  struct http_reply *reply)
{
    struct sampling_reply result;
    const char *problem = NULL;
    if (run == sampling_operation_find("/CreateSamplingRule"))
        problem = tags_problem(request);
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    run(api->sampling, request, now_ns(), &result);
    if (result.status == 200 && keep_change(api, run, request, result.body) < 0) {
        cJSON_Delete(result.body);
        result.body = NULL;
    }
    api_reply(reply, result.body);
    if (!reply->body)
        return;
    reply->status = result.status;
    reply->error_type = result.error_type;
}
