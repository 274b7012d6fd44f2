/* SPDX-License-Identifier: Apache-2.0 */
/* GetTraceSummaries: which traces, in which order, page by page. */
#include "local/api/query.h"
#include "local/trace/summary.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct summaries {
    struct store_query query;
    struct filter *filter; /* NULL: all match */
    double rate;           /* of SamplingStrategy FixedRate; 1: all */
};

static const char *read_range(const cJSON *request, struct store_query *query)
{
    const cJSON *range = cJSON_GetObjectItemCaseSensitive(request, "TimeRangeType");
    const char *name = cJSON_IsString(range) ? range->valuestring : NULL;
    if (!range || cJSON_IsNull(range) || (name && strcmp(name, "TraceId") == 0))
        query->range = STORE_RANGE_TRACE_ID;
    else if (name && strcmp(name, "Event") == 0)
        query->range = STORE_RANGE_EVENT;
    else if (name && strcmp(name, "Service") == 0)
        query->range = STORE_RANGE_SERVICE;
    else
        return "TimeRangeType must be TraceId, Event or Service";
    return NULL;
}

/* PartialScan ends where looking takes too long: here it never does. */
static const char *read_strategy(const cJSON *request, double *ret)
{
    const cJSON *strategy = cJSON_GetObjectItemCaseSensitive(request, "SamplingStrategy");
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(strategy, "Value");
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(strategy, "Name"));
    *ret = 1;
    if (!strategy || cJSON_IsNull(strategy))
        return NULL;
    if (!name || (strcmp(name, "PartialScan") != 0 && strcmp(name, "FixedRate") != 0))
        return "SamplingStrategy must have the Name PartialScan or FixedRate";
    if (strcmp(name, "FixedRate") != 0)
        return NULL;
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0 && value->valuedouble <= 1))
        return "SamplingStrategy FixedRate needs a Value from 0 to 1";
    *ret = value->valuedouble;
    return NULL;
}

/* The same traces on every page and at every asking. */
static bool is_sampled(const struct trace_id *id, double rate)
{
    uint64_t hash = 0xcbf29ce484222325u;
    if (rate >= 1)
        return true;
    for (size_t i = 0; i < sizeof id->bytes; i++)
        hash = (hash ^ id->bytes[i]) * 0x100000001b3u;
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    return (double)(hash >> 11) * 0x1p-53 < rate;
}

static void add_summary(const struct summaries *s, const struct found_trace *found, cJSON *list)
{
    cJSON *summary = summary_new(found->facts, found->revision);
    if (s->query.range == STORE_RANGE_EVENT)
        cJSON_AddNumberToObject(summary, "MatchedEventTime",
                                fmax(found->facts->start, s->query.from));
    cJSON_AddItemToArray(list, summary);
}

/* The next that belongs into the answer, from `at` on; the count if there is none. */
static size_t next_match(const struct summaries *s, const struct found_traces *found, size_t at)
{
    while (at < found->count && !(is_sampled(&found->traces[at].facts->id, s->rate) &&
                                  query_matches(s->filter, found->traces[at].facts)))
        at++;
    return at;
}

static cJSON *new_page(const struct summaries *s, const struct found_traces *found, size_t first,
                       uint64_t arguments)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(body, "TraceSummaries");
    size_t at = next_match(s, found, first);
    size_t end = first; /* of what this page has looked at */
    for (size_t added = 0; at < found->count && added < API_PAGE; added++) {
        add_summary(s, &found->traces[at], list);
        end = at + 1;
        at = next_match(s, found, end);
    }
    bool more = at < found->count;
    if (!more)
        end = found->count;
    const struct facts *last = end > first ? found->traces[end - 1].facts : NULL;
    cJSON_AddNumberToObject(body, "ApproximateTime", last ? last->start : s->query.from);
    cJSON_AddNumberToObject(body, "TracesProcessedCount", (double)(end - first));
    if (more) {
        char text[QUERY_TOKEN_LENGTH + 1];
        struct query_token token = { arguments, last->id, last->start };
        query_token_format(&token, text);
        cJSON_AddStringToObject(body, "NextToken", text);
    }
    return body;
}

void api_get_trace_summaries(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    struct summaries s = { .rate = 1 };
    struct query_token token;
    struct query_problem detail;
    struct found_traces found;
    bool goes_on = false;
    size_t first = 0;
    const char *problem = query_times(request, &s.query);
    if (!problem)
        problem = read_range(request, &s.query);
    if (!problem)
        problem = read_strategy(request, &s.rate);
    if (!problem)
        problem = query_token(request, &goes_on, &token);
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    int r = query_filter(api, request, &s.filter, &detail);
    if (r < 0) {
        query_reply_problem(reply, r, &detail);
        return;
    }
    r = store_find(api->store, &s.query, &found);
    if (r == 0) {
        while (goes_on && first < found.count && !query_is_after(found.traces[first].facts, &token))
            first++;
        api_reply(reply, new_page(&s, &found, first, query_arguments(request)));
        found_traces_free(&found);
    } else {
        api_reply(reply, NULL);
    }
    filter_free(s.filter);
}
