/* SPDX-License-Identifier: Apache-2.0 */
/* What an account has in the cloud and a desk has not: encryption, where documents go,
   indexing, insights, policies. The answers are those of an account that never set any. */
#include "local/api/query.h"
#include "local/trace/trace.h"

#include <string.h>

static void reply_encryption(struct http_reply *reply)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *config = cJSON_AddObjectToObject(body, "EncryptionConfig");
    cJSON_AddStringToObject(config, "Status", "ACTIVE");
    cJSON_AddStringToObject(config, "Type", "NONE");
    api_reply(reply, body);
}

void api_get_encryption(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    (void)api;
    (void)request;
    reply_encryption(reply);
}

void api_put_encryption(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    const char *type = trace_string(request, "Type");
    (void)api;
    if (type && strcmp(type, "NONE") == 0)
        reply_encryption(reply);
    else
        api_invalid(reply, "there are no keys here: Type can only be NONE");
}

static void reply_destination(struct http_reply *reply)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "Destination", "XRay");
    cJSON_AddStringToObject(body, "Status", "ACTIVE");
    api_reply(reply, body);
}

void api_get_destination(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    (void)api;
    (void)request;
    reply_destination(reply);
}

void api_update_destination(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    const char *destination = trace_string(request, "Destination");
    (void)api;
    if (destination && strcmp(destination, "XRay") == 0)
        reply_destination(reply);
    else
        api_invalid(reply, "documents stay here: Destination can only be XRay");
}

/* Every trace can be found. */
static cJSON *indexing_rule(void)
{
    cJSON *rule = cJSON_CreateObject();
    cJSON_AddStringToObject(rule, "Name", "Default");
    cJSON_AddNumberToObject(rule, "ModifiedAt", 0);
    cJSON *probabilistic = cJSON_AddObjectToObject(cJSON_AddObjectToObject(rule, "Rule"),
                                                   "Probabilistic");
    cJSON_AddNumberToObject(probabilistic, "DesiredSamplingPercentage", 100);
    cJSON_AddNumberToObject(probabilistic, "ActualSamplingPercentage", 100);
    return rule;
}

void api_get_indexing(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    const char *problem = query_no_token(request);
    (void)api;
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(body, "IndexingRules"), indexing_rule());
    api_reply(reply, body);
}

void api_update_indexing(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    const char *name = trace_string(request, "Name");
    (void)api;
    if (!name || strcmp(name, "Default") != 0) {
        http_reply_error(reply, 404, "ResourceNotFoundException",
                         "there is no indexing rule but Default");
        return;
    }
    const cJSON *rule = trace_object(trace_object(request, "Rule"), "Probabilistic");
    const cJSON *share = cJSON_GetObjectItemCaseSensitive(rule, "DesiredSamplingPercentage");
    if (!cJSON_IsNumber(share) || share->valuedouble != 100) {
        api_invalid(reply, "every trace is found here: DesiredSamplingPercentage can only be 100");
        return;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddItemToObject(body, "IndexingRule", indexing_rule());
    api_reply(reply, body);
}

void api_get_insights(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    struct store_query query;
    const char *problem = query_times(request, &query);
    (void)api;
    if (!problem)
        problem = query_no_token(request);
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddArrayToObject(body, "InsightSummaries");
    api_reply(reply, body);
}

void api_get_insight(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    (void)api;
    (void)request;
    api_invalid(reply, "there are no insights here");
}

void api_list_policies(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    const char *problem = query_no_token(request);
    (void)api;
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddArrayToObject(body, "ResourcePolicies");
    api_reply(reply, body);
}

void api_change_policies(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    (void)api;
    (void)request;
    api_invalid(reply, "resource policies are not available locally");
}
