/* SPDX-License-Identifier: Apache-2.0 */
/* GetTraceSummaries: which traces, in which order, page by page. */
#include "local/api/api.h"
#include "local/filter/filter.h"
#include "local/trace/summary.h"
#include "local/trace/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Where a page ended, bound to the arguments that it was asked with. Printed as 80 hex
   digits: version, arguments, start time, trace id. */
#define TOKEN_VERSION 1u
#define TOKEN_LENGTH  80

struct page_token {
    uint64_t arguments;
    struct trace_id id;
    double start;
};

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t length)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

/* What is asked for: traces of a time that match, all if the expression is NULL. */
struct search {
    struct store_query query;
    const char *expression;
    struct filter *filter;
};

static uint64_t hash_search(const struct search *search)
{
    const struct store_query *query = &search->query;
    int32_t range = (int32_t)query->range;
    uint64_t hash = hash_bytes(0xcbf29ce484222325u, &range, sizeof range);
    hash = hash_bytes(hash, &query->from, sizeof query->from);
    hash = hash_bytes(hash, &query->to, sizeof query->to);
    return search->expression ? hash_bytes(hash, search->expression, strlen(search->expression))
                              : hash;
}

static void format_token(const struct page_token *token, char ret[TOKEN_LENGTH + 1])
{
    uint64_t start;
    memcpy(&start, &token->start, sizeof start);
    int at = snprintf(ret, TOKEN_LENGTH + 1, "%016x%016" PRIx64 "%016" PRIx64, TOKEN_VERSION,
                      token->arguments, start);
    for (size_t i = 0; i < sizeof token->id.bytes; i++)
        at += snprintf(ret + at, (size_t)(TOKEN_LENGTH + 1 - at), "%02x", token->id.bytes[i]);
}

static bool parse_token(const char *text, struct page_token *ret)
{
    uint64_t words[5];
    if (strlen(text) != TOKEN_LENGTH)
        return false;
    for (size_t i = 0; i < 5; i++) {
        char word[ENTITY_ID_LENGTH + 1] = { 0 };
        memcpy(word, text + i * ENTITY_ID_LENGTH, ENTITY_ID_LENGTH);
        if (!entity_id_parse(word, &words[i]))
            return false;
    }
    if (words[0] != TOKEN_VERSION)
        return false;
    ret->arguments = words[1];
    memcpy(&ret->start, &words[2], sizeof ret->start);
    for (size_t i = 0; i < 8; i++) {
        ret->id.bytes[i] = (uint8_t)(words[3] >> (56 - 8 * i));
        ret->id.bytes[8 + i] = (uint8_t)(words[4] >> (56 - 8 * i));
    }
    return true;
}

static bool read_time(const cJSON *request, const char *name, double *ret)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, name);
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
        return false;
    *ret = item->valuedouble;
    return true;
}

/* NULL, or what is wrong with the request. */
static const char *read_query(const cJSON *request, struct store_query *query)
{
    const cJSON *range = cJSON_GetObjectItemCaseSensitive(request, "TimeRangeType");
    if (!read_time(request, "StartTime", &query->from) ||
        !read_time(request, "EndTime", &query->to))
        return "StartTime and EndTime must be given, in seconds since 1970";
    if (query->from > query->to)
        return "StartTime is after EndTime";
    /* The command line tool cuts times to whole seconds: the last one is meant whole. */
    if (query->to == floor(query->to))
        query->to += 1;

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

static bool is_after(const struct facts *facts, const struct page_token *token)
{
    if (facts->start != token->start)
        return facts->start < token->start;
    return memcmp(facts->id.bytes, token->id.bytes, sizeof token->id.bytes) > 0;
}

/* Whether it is one that matches is asked of no more traces than fill the page, and show
   that there is another page. */
static cJSON *new_page(const struct search *search, const struct found_traces *found, size_t first)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(body, "TraceSummaries");
    const struct facts *last = NULL;
    size_t processed = first;
    size_t count = 0;
    bool more = false;
    for (size_t i = first; i < found->count && !more; i++) {
        const struct found_trace *trace = &found->traces[i];
        bool matches = !search->filter || filter_matches(search->filter, trace->facts);
        more = matches && count == API_PAGE;
        if (!matches || more)
            continue;
        cJSON_AddItemToArray(list, summary_new(trace->facts, trace->revision));
        last = trace->facts;
        processed = i + 1;
        count++;
    }
    if (!more)
        processed = found->count;
    cJSON_AddNumberToObject(body, "ApproximateTime", last ? last->start : search->query.from);
    cJSON_AddNumberToObject(body, "TracesProcessedCount", (double)(processed - first));
    if (more) {
        char text[TOKEN_LENGTH + 1];
        struct page_token token = { hash_search(search), last->id, last->start };
        format_token(&token, text);
        cJSON_AddStringToObject(body, "NextToken", text);
    }
    return body;
}

static void answer(const struct api *api, const struct search *search,
                   const struct page_token *token, struct http_reply *reply)
{
    struct found_traces found;
    size_t first = 0;
    if (store_find(api->store, &search->query, &found) < 0) {
        api_reply(reply, NULL);
        return;
    }
    while (token && first < found.count && !is_after(found.traces[first].facts, token))
        first++;
    api_reply(reply, new_page(search, &found, first));
    found_traces_free(&found);
}

/* False after a reply that says where it is wrong. */
static bool read_filter(const cJSON *request, struct search *search, struct http_reply *reply)
{
    const cJSON *expression = cJSON_GetObjectItemCaseSensitive(request, "FilterExpression");
    struct filter_error error;
    char message[sizeof error.message + 64];
    if (!expression || cJSON_IsNull(expression))
        return true;
    if (!cJSON_IsString(expression)) {
        api_invalid(reply, "FilterExpression must be a string");
        return false;
    }
    search->expression = expression->valuestring;
    int r = filter_parse(&search->filter, search->expression, strlen(search->expression), NULL,
                         &error);
    if (r == -EINVAL) {
        snprintf(message, sizeof message, "Invalid filter expression: %s", error.message);
        api_invalid(reply, message);
    } else if (r < 0) {
        api_reply(reply, NULL);
    }
    return r == 0;
}

void api_get_trace_summaries(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    struct search search = { .filter = NULL };
    struct page_token token;
    const char *problem = read_query(request, &search.query);
    const char *next = trace_string(request, "NextToken");
    if (!problem && next && !parse_token(next, &token))
        problem = "NextToken is not one that was returned here";
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    if (!read_filter(request, &search, reply))
        return;
    if (next && token.arguments != hash_search(&search))
        api_invalid(reply, "NextToken belongs to a request with other arguments");
    else
        answer(api, &search, next ? &token : NULL, reply);
    filter_free(search.filter);
}
