/* SPDX-License-Identifier: Apache-2.0 */
#include "local/api/api.h"

#include "local/api/page.h"
#include "local/api/query.h"
#include "local/base/json_text.h"

#include <inttypes.h>
#include <string.h>
#include <xraytrace/version.h>

void api_invalid(struct http_reply *reply, const char *message)
{
    http_reply_error(reply, 400, "InvalidRequestException", message);
}

void api_reply(struct http_reply *reply, cJSON *body)
{
    *reply = (struct http_reply){ .status = 200 };
    reply->body = body ? cJSON_PrintUnformatted(body) : NULL;
    reply->length = reply->body ? strlen(reply->body) : 0;
    cJSON_Delete(body);
}

static void add_unprocessed(void *data, const struct refusal *refusal)
{
    cJSON *item = cJSON_CreateObject();
    if (*refusal->id)
        cJSON_AddStringToObject(item, "Id", refusal->id);
    cJSON_AddStringToObject(item, "ErrorCode", refusal->code);
    cJSON_AddStringToObject(item, "Message", refusal->message);
    cJSON_AddItemToArray(data, item);
}

static void put_trace_segments(const struct api *api, const cJSON *request,
                               struct http_reply *reply)
{
    const cJSON *documents = cJSON_GetObjectItemCaseSensitive(request, "TraceSegmentDocuments");
    const cJSON *document;
    if (!cJSON_IsArray(documents)) {
        api_invalid(reply, "TraceSegmentDocuments is missing");
        return;
    }
    if (cJSON_GetArraySize(documents) > API_SEGMENTS_MAX) {
        api_invalid(reply, "Exceeding maximum segment count: 50");
        return;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON *unprocessed = cJSON_AddArrayToObject(body, "UnprocessedTraceSegments");
    char peer[HTTP_PEER_LENGTH + 1];
    http_peer(api->request, peer);
    struct sender from = sender_of_text(peer);
    cJSON_ArrayForEach(document, documents)
    {
        ingest_from(api->ingest, &from, document->valuestring, strlen(document->valuestring),
                    add_unprocessed, unprocessed);
    }
    api_reply(reply, body);
}

static void put_telemetry_records(const struct api *api, const cJSON *request,
                                  struct http_reply *reply)
{
    if (api->page)
        page_note_telemetry(api->page, request);
    api_reply(reply, cJSON_CreateObject());
}

static const struct operation {
    const char *path;
    api_operation *run;
    const char *members; /* see query_fits() */
} operations[] = {
    { "/TraceSegments", put_trace_segments, "STraceSegmentDocuments" },
    { "/Traces", api_batch_get_traces, "STraceIds sNextToken" },
    { "/TraceSummaries", api_get_trace_summaries,
      "nStartTime nEndTime sTimeRangeType bSampling oSamplingStrategy sFilterExpression "
      "sNextToken" },
    { "/TelemetryRecords", put_telemetry_records,
      "lTelemetryRecords sEC2InstanceId sHostname sResourceARN" },
    { "/ServiceGraph", api_get_service_graph,
      "nStartTime nEndTime sGroupName sGroupARN sFilterExpression sNextToken" },
    { "/TraceGraph", api_get_trace_graph, "STraceIds sNextToken" },
    { "/TimeSeriesServiceStatistics", api_get_time_series,
      "nStartTime nEndTime sGroupName sGroupARN sEntitySelectorExpression nPeriod "
      "bForecastStatistics sNextToken" },
    { "/CreateGroup", api_create_group,
      "sGroupName sFilterExpression oInsightsConfiguration lTags" },
    { "/UpdateGroup", api_update_group,
      "sGroupName sGroupARN sFilterExpression oInsightsConfiguration" },
    { "/DeleteGroup", api_delete_group, "sGroupName sGroupARN" },
    { "/GetGroup", api_get_group, "sGroupName sGroupARN" },
    { "/Groups", api_get_groups, "sNextToken" },
    { "/StartTraceRetrieval", api_start_retrieval, "STraceIds nStartTime nEndTime" },
    { "/ListRetrievedTraces", api_list_retrieved, "sRetrievalToken sTraceFormat sNextToken" },
    { "/GetRetrievedTracesGraph", api_retrieved_graph, "sRetrievalToken sNextToken" },
    { "/CancelTraceRetrieval", api_cancel_retrieval, "sRetrievalToken" },
    { "/TagResource", api_tag_resource, "sResourceARN lTags" },
    { "/UntagResource", api_untag_resource, "sResourceARN STagKeys" },
    { "/ListTagsForResource", api_list_tags, "sResourceARN sNextToken" },
    { "/EncryptionConfig", api_get_encryption, "" },
    { "/PutEncryptionConfig", api_put_encryption, "sKeyId sType" },
    { "/GetTraceSegmentDestination", api_get_destination, "" },
    { "/UpdateTraceSegmentDestination", api_update_destination, "sDestination" },
    { "/GetIndexingRules", api_get_indexing, "sNextToken" },
    { "/UpdateIndexingRule", api_update_indexing, "sName oRule" },
    { "/InsightSummaries", api_get_insights,
      "lStates sGroupARN sGroupName nStartTime nEndTime nMaxResults sNextToken" },
    { "/Insight", api_get_insight, "sInsightId" },
    { "/InsightEvents", api_get_insight, "sInsightId nMaxResults sNextToken" },
    { "/InsightImpactGraph", api_get_insight, "sInsightId nStartTime nEndTime sNextToken" },
    { "/ListResourcePolicies", api_list_policies, "sNextToken" },
    { "/PutResourcePolicy", api_change_policies,
      "sPolicyName sPolicyDocument sPolicyRevisionId bBypassPolicyLockoutCheck" },
    { "/DeleteResourcePolicy", api_change_policies, "sPolicyName sPolicyRevisionId" },
};

static void welcome(const struct api *api, struct http_reply *reply)
{
    struct buffer text = { 0 };
    struct ingest_counts in;
    struct store_counts kept;
    ingest_count(api->ingest, &in);
    store_count(api->store, &kept);
    buffer_printf(
        &text,
        "xraytrace-local %d.%d.%d: a local X-Ray.\n"
        "Look at traces with `xraytrace-local list` and `xraytrace-local show <trace id>`,\n"
        "or through the X-Ray API at this address.\n\n"
        "traces     %" PRIu64 "\n"
        "documents  %" PRIu64 "\n"
        "received   %" PRIu64 "\n",
        XRAY_VERSION_MAJOR, XRAY_VERSION_MINOR, XRAY_VERSION_PATCH, kept.traces, kept.documents,
        in.received);
    if (kept.evicted_traces)
        buffer_printf(&text, "evicted    %" PRIu64 " traces, to make room\n", kept.evicted_traces);
    if (in.lost)
        buffer_printf(&text, "lost       %" PRIu64 " datagrams that came too fast\n", in.lost);
    for (int i = 0; i < REFUSED_REASONS; i++)
        if (in.refused[i])
            buffer_printf(&text, "refused    %" PRIu64 ": %s\n", in.refused[i],
                          refusal_text((enum refusal_reason)i));
    *reply = (struct http_reply){ .status = 200, .content_type = "text/plain; charset=utf-8" };
    reply->body = buffer_take(&text, &reply->length);
}

cJSON *api_parse_object(const struct http_request *request)
{
    struct json_error error;
    const char *end = request->body + request->length;
    if (json_skip_space(request->body, end) == end)
        return cJSON_CreateObject();
    if (!json_text_check(request->body, request->length, &error))
        return NULL;
    cJSON *json = cJSON_ParseWithLength(request->body, request->length);
    if (cJSON_IsObject(json))
        return json;
    cJSON_Delete(json);
    return NULL;
}

static const struct operation *find_operation(const char *path)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].path, path) == 0)
            return &operations[i];
    return NULL;
}

/* One of the two operations, or none. */
static void run_operation(const struct api *api, const struct operation *operation,
                          sampling_operation *sampling, const struct http_request *request,
                          struct http_reply *reply)
{
    struct query_problem problem;
    if (!operation && !sampling) {
        http_reply_error(reply, 404, "UnknownOperationException",
                         "there is no such operation; see xraytrace-local --help");
        return;
    }
    if (strcmp(request->method, "POST") != 0) {
        http_reply_error(reply, 405, "InvalidRequestException",
                         "this is an operation of the X-Ray API: use POST");
        reply->allow = "POST";
        return;
    }
    cJSON *json = api_parse_object(request);
    if (!json) {
        http_reply_error(reply, 400, "SerializationException", "the body is not a JSON object");
        return;
    }
    if (operation && !query_fits(json, operation->members, &problem))
        api_invalid(reply, problem.text);
    else if (operation)
        operation->run(api, json, reply);
    else
        api_sampling(api, sampling, json, reply);
    cJSON_Delete(json);
}

static void handle(const struct api *api, const struct http_request *request,
                   struct http_reply *reply)
{
    if (strcmp(request->path, API_OTLP_PATH) == 0) {
        api_otlp(api, request, reply);
        return;
    }
    if (api->settle)
        api->settle(api->settle_data);
    if (page_handle(api, request, reply))
        return;
    if (strcmp(request->path, "/") == 0) {
        if (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0) {
            welcome(api, reply);
        } else {
            http_reply_error(reply, 405, "InvalidRequestException", "there is only GET here");
            reply->allow = "GET, HEAD";
        }
        return;
    }
    run_operation(api, find_operation(request->path), sampling_operation_find(request->path),
                  request, reply);
}

void api_handle(void *data, const struct http_request *request, struct http_reply *reply)
{
    struct api api = *(const struct api *)data;
    bool service = strcmp(request->method, "POST") == 0 && strncmp(request->path, "/api/", 5) != 0;
    api.request = request;
    if (service && api_fail(&api, request, reply))
        return;
    unsigned delay_ms = reply->delay_ms;
    handle(&api, request, reply);
    reply->delay_ms = delay_ms;
}
