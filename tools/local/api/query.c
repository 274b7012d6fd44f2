/* SPDX-License-Identifier: Apache-2.0 */
#include "local/api/query.h"

#include "local/api/groups.h"
#include "local/base/json_text.h"
#include "local/trace/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_VERSION 2u
#define LATEST        253402300800.0 /* the end of the year 9999 */

static bool is_list_of_strings(const cJSON *item)
{
    const cJSON *element;
    cJSON_ArrayForEach(element, item)
    {
        if (!cJSON_IsString(element))
            return false;
    }
    return cJSON_IsArray(item);
}

/* NULL, or what the member must be. */
static const char *misfit(const cJSON *item, char kind)
{
    switch (kind) {
    case 's':
        return cJSON_IsString(item) ? NULL : "a string";
    case 'n':
        return cJSON_IsNumber(item) ? NULL : "a number";
    case 'b':
        return cJSON_IsBool(item) ? NULL : "true or false";
    case 'o':
        return cJSON_IsObject(item) ? NULL : "an object";
    case 'S':
        return is_list_of_strings(item) ? NULL : "a list of strings";
    default:
        return cJSON_IsArray(item) ? NULL : "a list";
    }
}

bool query_fits(const cJSON *request, const char *members, struct query_problem *problem)
{
    for (const char *next = members; *next; next += strspn(next, " ")) {
        char name[64];
        char kind = *next++;
        size_t length = strcspn(next, " ");
        snprintf(name, sizeof name, "%.*s", (int)length, next);
        next += length;
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, name);
        const char *wanted = item && !cJSON_IsNull(item) ? misfit(item, kind) : NULL;
        if (wanted) {
            snprintf(problem->text, sizeof problem->text, "%s must be %s", name, wanted);
            return false;
        }
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

const char *query_times(const cJSON *request, struct store_query *ret)
{
    if (!read_time(request, "StartTime", &ret->from) || !read_time(request, "EndTime", &ret->to))
        return "StartTime and EndTime must be given, in seconds since 1970";
    if (ret->from > ret->to)
        return "StartTime is after EndTime";
    if (ret->to == floor(ret->to))
        ret->to += 1;
    /* There is nothing beyond, and what is counted from here on is not too large. */
    ret->from = fmin(fmax(ret->from, 0), LATEST);
    ret->to = fmin(fmax(ret->to, 0), LATEST);
    return NULL;
}

static bool is_repeated(const struct trace_id *ids, size_t count, const struct trace_id *id)
{
    for (size_t i = 0; i < count; i++)
        if (trace_id_equal(&ids[i], id))
            return true;
    return false;
}

const char *query_trace_ids(const cJSON *request, size_t most, struct trace_id **ret,
                            size_t *ret_count)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(request, "TraceIds");
    const cJSON *item;
    size_t count = 0;
    if (!cJSON_IsArray(list))
        return "TraceIds is missing";
    if ((size_t)cJSON_GetArraySize(list) > most)
        return most == API_TRACE_IDS_MAX ? "Exceeding maximum query size: 5"
                                         : "Exceeding maximum query size: 100";
    struct trace_id *ids = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *ids);
    if (!ids)
        return "out of memory";
    cJSON_ArrayForEach(item, list)
    {
        struct trace_id id;
        if (!cJSON_IsString(item) || !trace_id_parse_any(item->valuestring, &id)) {
            free(ids);
            return "TraceIds holds something that is not a trace id, 1-<8 hex>-<24 hex>";
        }
        if (!is_repeated(ids, count, &id))
            ids[count++] = id;
    }
    *ret = ids;
    *ret_count = count;
    return NULL;
}

static int parse(const struct api *api, const char *text, struct filter **ret,
                 struct query_problem *problem)
{
    struct filter_error error;
    int r = group_filter_parse(ret, text, strlen(text), api->store, &error);
    if (r == -EINVAL)
        snprintf(problem->text, sizeof problem->text, "Invalid filter expression: %s",
                 error.message);
    return r;
}

int query_filter(const struct api *api, const cJSON *request, struct filter **ret,
                 struct query_problem *problem)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, "FilterExpression");
    *ret = NULL;
    if (!item || cJSON_IsNull(item))
        return 0;
    if (!cJSON_IsString(item)) {
        snprintf(problem->text, sizeof problem->text, "FilterExpression must be a string");
        return -EINVAL;
    }
    return parse(api, item->valuestring, ret, problem);
}

int query_group(const struct api *api, const cJSON *request, struct filter **ret,
                struct query_problem *problem)
{
    const char *name = trace_string(request, "GroupName");
    const char *arn = trace_string(request, "GroupARN");
    *ret = NULL;
    if (!name && !arn)
        return 0;
    if (name && arn) {
        snprintf(problem->text, sizeof problem->text, "GroupName and GroupARN exclude each other");
        return -EINVAL;
    }
    char *expression = group_expression(api->store, name ? name : arn, name == NULL);
    if (!expression) {
        snprintf(problem->text, sizeof problem->text, "there is no such group: %.200s",
                 name ? name : arn);
        json_text_repair(problem->text);
        return -EINVAL;
    }
    int r = parse(api, expression, ret, problem);
    free(expression);
    return r;
}

void query_reply_problem(struct http_reply *reply, int r, const struct query_problem *problem)
{
    if (r == -EINVAL)
        api_invalid(reply, problem->text);
    else
        api_reply(reply, NULL);
}

bool query_matches(const struct filter *filter, const struct facts *facts)
{
    return !filter || filter_matches(filter, facts);
}

uint64_t query_arguments(const cJSON *request)
{
    uint64_t hash = 0xcbf29ce484222325u;
    cJSON *copy = cJSON_Duplicate(request, true);
    cJSON_DeleteItemFromObjectCaseSensitive(copy, "NextToken");
    char *text = cJSON_PrintUnformatted(copy);
    for (const char *c = text; c && *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    cJSON_free(text);
    cJSON_Delete(copy);
    return hash;
}

void query_token_format(const struct query_token *token, char ret[QUERY_TOKEN_LENGTH + 1])
{
    uint64_t start;
    memcpy(&start, &token->start, sizeof start);
    int at = snprintf(ret, QUERY_TOKEN_LENGTH + 1, "%016x%016" PRIx64 "%016" PRIx64, TOKEN_VERSION,
                      token->arguments, start);
    for (size_t i = 0; i < sizeof token->id.bytes; i++)
        at += snprintf(ret + at, (size_t)(QUERY_TOKEN_LENGTH + 1 - at), "%02x", token->id.bytes[i]);
}

static bool parse_token(const char *text, struct query_token *ret)
{
    uint64_t words[QUERY_TOKEN_LENGTH / ENTITY_ID_LENGTH];
    if (strlen(text) != QUERY_TOKEN_LENGTH)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
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

const char *query_token(const cJSON *request, bool *ret_given, struct query_token *ret)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, "NextToken");
    *ret_given = item && !cJSON_IsNull(item);
    if (!*ret_given)
        return NULL;
    if (!cJSON_IsString(item) || !parse_token(item->valuestring, ret))
        return "NextToken is not one that was returned here";
    if (ret->arguments != query_arguments(request))
        return "NextToken belongs to a request with other arguments";
    return NULL;
}

bool query_is_after(const struct facts *facts, const struct query_token *token)
{
    if (facts->start != token->start)
        return facts->start < token->start;
    return memcmp(facts->id.bytes, token->id.bytes, sizeof token->id.bytes) > 0;
}

const char *query_no_token(const cJSON *request)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, "NextToken");
    return item && !cJSON_IsNull(item) ? "NextToken is not one that was returned here" : NULL;
}
