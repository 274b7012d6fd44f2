/* SPDX-License-Identifier: Apache-2.0 */
/* Service maps, of a time or of traces, and statistics over time. */
#include "local/api/query.h"
#include "local/graph/graph.h"
#include "local/graph/series.h"
#include "local/trace/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANGE_MAX_SECONDS   (6 * 3600) /* of a service map, as in the service */
#define SELECTOR_LENGTH_MAX 500
#define RELAXED_MAX_SECONDS (30 * 24 * 3600.) /* a series has a finite number of periods */

/* NULL, or what is wrong with the time or the token. */
static const char *read_window(const struct api *api, const cJSON *request,
                               struct store_query *query)
{
    const char *problem = query_times(request, query);
    /* An end in whole seconds was moved by one. */
    double most = (api->relaxed ? RELAXED_MAX_SECONDS : RANGE_MAX_SECONDS) + 1;
    if (!problem && query->to - query->from > most)
        problem = api->relaxed ? "Time range cannot be longer than 30 days"
                               : "Time range cannot be longer than 6 hours";
    query->range = STORE_RANGE_EVENT;
    return problem ? problem : query_no_token(request);
}

static cJSON *services_of(const struct found_traces *found, const struct filter *group,
                          const struct filter *filter)
{
    struct graph *graph;
    cJSON *services = NULL;
    int r = graph_new(&graph);
    if (r < 0)
        return NULL;
    for (size_t i = 0; i < found->count && r == 0; i++)
        if (query_matches(group, found->traces[i].facts) &&
            query_matches(filter, found->traces[i].facts))
            r = graph_add(graph, found->traces[i].facts);
    if (r == 0)
        services = graph_services(graph);
    graph_free(graph);
    return services;
}

/* The group, and the request's own filter, which the cloud does not have here. */
static int read_filters(const struct api *api, const cJSON *request, struct filter **ret_group,
                        struct filter **ret_filter, struct query_problem *problem)
{
    int r = query_group(api, request, ret_group, problem);
    if (r < 0)
        return r;
    r = query_filter(api, request, ret_filter, problem);
    if (r < 0)
        filter_free(*ret_group);
    return r;
}

void api_get_service_graph(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    struct store_query query;
    struct query_problem detail;
    struct found_traces found;
    struct filter *group;
    struct filter *filter;
    const char *problem = read_window(api, request, &query);
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    int r = read_filters(api, request, &group, &filter, &detail);
    if (r < 0) {
        query_reply_problem(reply, r, &detail);
        return;
    }
    cJSON *services = NULL;
    if (store_find(api->store, &query, &found) == 0) {
        services = services_of(&found, group, filter);
        found_traces_free(&found);
    }
    filter_free(group);
    filter_free(filter);
    if (!services) {
        api_reply(reply, NULL);
        return;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddItemReferenceToObject(body, "StartTime",
                                   cJSON_GetObjectItemCaseSensitive(request, "StartTime"));
    cJSON_AddItemReferenceToObject(body, "EndTime",
                                   cJSON_GetObjectItemCaseSensitive(request, "EndTime"));
    cJSON_AddItemToObject(body, "Services", services);
    cJSON_AddBoolToObject(body, "ContainsOldGroupVersions", false);
    api_reply(reply, body);
}

/* The facts of these traces, without those that are not there. */
static int find_traces(const struct api *api, const struct trace_id *ids, size_t count,
                       struct found_traces *ret)
{
    ret->count = 0;
    ret->traces = calloc(count + 1, sizeof *ret->traces);
    int r = ret->traces ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && r == 0; i++) {
        r = store_facts(api->store, &ids[i], &ret->traces[ret->count]);
        if (r == 0)
            ret->count++;
        else if (r == -ENOENT)
            r = 0;
    }
    if (r < 0)
        found_traces_free(ret);
    return r;
}

cJSON *api_services_of_traces(const struct api *api, const struct trace_id *ids, size_t count)
{
    struct found_traces found;
    if (find_traces(api, ids, count, &found) < 0)
        return NULL;
    cJSON *services = services_of(&found, NULL, NULL);
    found_traces_free(&found);
    return services;
}

void api_get_trace_graph(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    struct trace_id *ids = NULL;
    size_t count = 0;
    const char *problem = query_no_token(request);
    if (!problem)
        problem = query_trace_ids(request, API_TRACE_IDS_RELAXED, &ids, &count);
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    cJSON *services = api_services_of_traces(api, ids, count);
    cJSON *body = services ? cJSON_CreateObject() : NULL;
    free(ids);
    if (body)
        cJSON_AddItemToObject(body, "Services", services);
    api_reply(reply, body);
}

static const char *read_period(const cJSON *request, unsigned *ret)
{
    const cJSON *period = cJSON_GetObjectItemCaseSensitive(request, "Period");
    *ret = 60;
    if (!period || cJSON_IsNull(period))
        return NULL;
    if (!cJSON_IsNumber(period) || (period->valuedouble != 60 && period->valuedouble != 300))
        return "Period must be 60 or 300 seconds";
    *ret = (unsigned)period->valueint;
    return NULL;
}

/* 0, -ENOMEM, or -EINVAL with the problem. NULL: all edges. */
static int read_selector(const cJSON *request, struct filter_selector **ret,
                         struct query_problem *problem)
{
    const char *text = trace_string(request, "EntitySelectorExpression");
    struct filter_error error;
    *ret = NULL;
    if (!text)
        return 0;
    size_t length = strlen(text);
    if (length < 1 || length > SELECTOR_LENGTH_MAX) {
        snprintf(problem->text, sizeof problem->text,
                 "Invalid entity selector expression: it has 1 to 500 characters");
        return -EINVAL;
    }
    int r = filter_selector_parse(ret, text, length, &error);
    if (r == -EINVAL)
        snprintf(problem->text, sizeof problem->text, "Invalid entity selector expression: %s",
                 error.message);
    return r;
}

static cJSON *series_of(const struct found_traces *found, const struct filter *group,
                        const struct series_params *params)
{
    struct series *series;
    cJSON *json = NULL;
    int r = series_new(&series, params);
    if (r < 0)
        return NULL;
    for (size_t i = 0; i < found->count && r == 0; i++)
        if (query_matches(group, found->traces[i].facts))
            r = series_add(series, found->traces[i].facts);
    if (r == 0)
        json = series_json(series);
    series_free(series);
    return json;
}

void api_get_time_series(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    struct store_query query;
    struct query_problem detail;
    struct found_traces found;
    struct series_params params = { 0 };
    struct filter *group;
    struct filter_selector *selector = NULL;
    const char *problem = read_window(api, request, &query);
    if (!problem)
        problem = read_period(request, &params.period_seconds);
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    int r = query_group(api, request, &group, &detail);
    if (r == 0) {
        r = read_selector(request, &selector, &detail);
        if (r < 0)
            filter_free(group);
    }
    if (r < 0) {
        query_reply_problem(reply, r, &detail);
        return;
    }
    params.start = query.from;
    params.end = query.to;
    params.selector = selector;
    cJSON *series = NULL;
    if (store_find(api->store, &query, &found) == 0) {
        series = series_of(&found, group, &params);
        found_traces_free(&found);
    }
    filter_selector_free(selector);
    filter_free(group);
    cJSON *body = series ? cJSON_CreateObject() : NULL;
    if (body) {
        cJSON_AddItemToObject(body, "TimeSeriesServiceStatistics", series);
        cJSON_AddBoolToObject(body, "ContainsOldGroupVersions", false);
    }
    api_reply(reply, body);
}
