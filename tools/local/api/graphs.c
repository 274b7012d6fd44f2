/* SPDX-License-Identifier: Apache-2.0 */
/* GetServiceGraph and GetTraceGraph. */
#include "local/api/api.h"
#include "local/filter/filter.h"
#include "local/graph/graph.h"
#include "local/trace/trace.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define RANGE_MAX 21600 /* seconds */

struct graph_query {
    struct store_query traces;
    double end; /* as it was asked */
    struct filter *filter;
};

static bool read_time(const cJSON *request, const char *name, double *ret)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, name);
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
        return false;
    *ret = item->valuedouble;
    return true;
}

/* The service takes a group only; a filter in its place is for tools of here. */
static bool read_filter(const cJSON *request, struct graph_query *query, struct http_reply *reply)
{
    const char *group = trace_string(request, "GroupName");
    const char *arn = trace_string(request, "GroupARN");
    const char *expression = trace_string(request, "FilterExpression");
    struct filter_error error;
    char message[256];
    if (arn || (group && strcasecmp(group, "Default") != 0)) {
        api_invalid(reply, "there is no such group");
        return false;
    }
    expression = expression ? expression : "";
    int r = filter_parse(&query->filter, expression, strlen(expression), NULL, &error);
    if (r == -ENOMEM) {
        api_reply(reply, NULL);
    } else if (r < 0) {
        snprintf(message, sizeof message, "Invalid filter expression: %s", error.message);
        api_invalid(reply, message);
    }
    return r == 0;
}

/* False after a reply that says what is wrong. */
static bool read_query(const cJSON *request, struct graph_query *query, struct http_reply *reply)
{
    const char *problem = NULL;
    query->traces.range = STORE_RANGE_EVENT;
    if (!read_time(request, "StartTime", &query->traces.from) ||
        !read_time(request, "EndTime", &query->end))
        problem = "StartTime and EndTime must be given, in seconds since 1970";
    else if (query->traces.from > query->end)
        problem = "StartTime is after EndTime";
    else if (query->end - query->traces.from > RANGE_MAX)
        problem = "Time range cannot be longer than 6 hours";
    else if (cJSON_GetObjectItemCaseSensitive(request, "NextToken"))
        problem = "NextToken is not one that was returned here: there is one page only";
    if (problem) {
        api_invalid(reply, problem);
        return false;
    }
    /* The command line tool cuts times to whole seconds: the last one is meant whole. */
    query->traces.to = query->end + (query->end == floor(query->end));
    return read_filter(request, query, reply);
}

/* {"Services": …}; NULL when out of memory. Frees the graph. */
static cJSON *finish(struct graph *graph, int r)
{
    cJSON *services = r == 0 ? graph_services(graph) : NULL;
    cJSON *body = services ? cJSON_CreateObject() : NULL;
    graph_free(graph);
    if (body && cJSON_AddItemToObject(body, "Services", services))
        return body;
    cJSON_Delete(services);
    cJSON_Delete(body);
    return NULL;
}

void api_get_service_graph(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    struct graph_query query = { 0 };
    struct found_traces found = { 0 };
    struct graph *graph = NULL;
    if (!read_query(request, &query, reply))
        return;
    int r = store_find(api->store, &query.traces, &found);
    if (r == 0)
        r = graph_new(&graph);
    for (size_t i = 0; i < found.count && r == 0; i++)
        if (filter_matches(query.filter, found.traces[i].facts))
            r = graph_add(graph, found.traces[i].facts);
    found_traces_free(&found);
    filter_free(query.filter);
    cJSON *body = finish(graph, r);
    if (body) {
        cJSON_AddNumberToObject(body, "StartTime", query.traces.from);
        cJSON_AddNumberToObject(body, "EndTime", query.end);
        cJSON_AddFalseToObject(body, "ContainsOldGroupVersions");
    }
    api_reply(reply, body);
}

static int add_trace(const struct api *api, struct graph *graph, const struct trace_id *id)
{
    struct found_trace found;
    int r = store_facts(api->store, id, &found);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = graph_add(graph, found.facts);
    facts_unref(found.facts);
    return r;
}

/* A trace that is asked for twice counts once. */
void api_get_trace_graph(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    const cJSON *ids = cJSON_GetObjectItemCaseSensitive(request, "TraceIds");
    const char *problem = api_check_trace_ids(request, ids);
    struct trace_id seen[API_TRACE_IDS_MAX];
    size_t count = 0;
    struct graph *graph = NULL;
    const cJSON *item;
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    int r = graph_new(&graph);
    cJSON_ArrayForEach(item, ids)
    {
        bool repeated = false;
        if (r < 0 || count == API_TRACE_IDS_MAX ||
            !trace_id_parse_any(item->valuestring, &seen[count]))
            continue;
        for (size_t i = 0; i < count; i++)
            repeated = repeated || trace_id_equal(&seen[i], &seen[count]);
        if (!repeated)
            r = add_trace(api, graph, &seen[count++]);
    }
    api_reply(reply, finish(graph, r));
}
