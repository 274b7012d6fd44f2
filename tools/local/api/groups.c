/* SPDX-License-Identifier: Apache-2.0 */
#include "local/api/groups.h"

#include "local/api/query.h"
#include "local/api/tags.h"
#include "local/trace/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIND            "group"
#define NAME_MAX_LENGTH 32u
#define ARN_PREFIX      "arn:aws:xray:local:000000000000:group/"
#define GROUPS_MAX      25 /* as in the service */

/* ---- Those that are kept ---- */

static void add_group(void *data, const char *name, const char *json)
{
    cJSON *group = cJSON_Parse(json);
    (void)name;
    if (cJSON_IsObject(group))
        cJSON_AddItemToArray(data, group);
    else
        cJSON_Delete(group);
}

/* Everything is in this one. */
static cJSON *default_group(void)
{
    cJSON *group = cJSON_CreateObject();
    cJSON_AddStringToObject(group, "GroupName", "Default");
    cJSON_AddStringToObject(group, "GroupARN", ARN_PREFIX "Default");
    cJSON_AddStringToObject(group, "FilterExpression", "");
    cJSON *insights = cJSON_AddObjectToObject(group, "InsightsConfiguration");
    cJSON_AddBoolToObject(insights, "InsightsEnabled", false);
    cJSON_AddBoolToObject(insights, "NotificationsEnabled", false);
    return group;
}

/* By name, after Default. */
static cJSON *all_groups(struct store *store)
{
    cJSON *list = cJSON_CreateArray();
    cJSON_AddItemToArray(list, default_group());
    if (store_kept(store, KIND, add_group, list) < 0) {
        cJSON_Delete(list);
        return NULL;
    }
    return list;
}

static cJSON *find(const cJSON *list, const char *name, bool is_arn)
{
    cJSON *group;
    cJSON_ArrayForEach(group, list)
    {
        const char *own = trace_string(group, is_arn ? "GroupARN" : "GroupName");
        if (own && strcmp(own, name) == 0)
            return group;
    }
    return NULL;
}

char *group_expression(struct store *store, const char *name, bool is_arn)
{
    cJSON *list = all_groups(store);
    const cJSON *group = find(list, name, is_arn);
    const char *expression = trace_string(group, "FilterExpression");
    char *copy = group ? strdup(expression ? expression : "") : NULL;
    cJSON_Delete(list);
    return copy;
}

static const char *find_expression(void *data, const char *name, bool is_arn)
{
    const cJSON *group = find(data, name, is_arn);
    const char *expression = trace_string(group, "FilterExpression");
    return group && !expression ? "" : expression;
}

int group_filter_parse(struct filter **ret, const char *text, size_t length, struct store *store,
                       struct filter_error *ret_error)
{
    cJSON *list = all_groups(store);
    if (!list)
        return -ENOMEM;
    struct filter_groups groups = { find_expression, list };
    int r = filter_parse(ret, text, length, &groups, ret_error);
    cJSON_Delete(list);
    return r;
}

/* ---- Operations ---- */

static bool is_name(const char *name)
{
    size_t length = strlen(name);
    return length >= 1 && length <= NAME_MAX_LENGTH &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_ ") ==
               length;
}

/* Members of the request that a group has too. */
static void take_over(const cJSON *request, cJSON *group)
{
    const cJSON *expression = cJSON_GetObjectItemCaseSensitive(request, "FilterExpression");
    const cJSON *given = trace_object(request, "InsightsConfiguration");
    const cJSON *insights = trace_object(group, "InsightsConfiguration");
    const cJSON *flag;
    if (cJSON_IsString(expression))
        cJSON_ReplaceItemInObjectCaseSensitive(group, "FilterExpression",
                                               cJSON_CreateString(expression->valuestring));
    cJSON_ArrayForEach(flag, insights)
    {
        const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(given, flag->string);
        if (cJSON_IsBool(wanted))
            ((cJSON *)flag)->type = cJSON_IsTrue(wanted) ? cJSON_True : cJSON_False;
    }
}

static void keep_and_reply(const struct api *api, cJSON *group, struct http_reply *reply)
{
    char *json = cJSON_PrintUnformatted(group);
    int r = json ? store_keep(api->store, KIND, trace_string(group, "GroupName"), json) : -ENOMEM;
    cJSON_free(json);
    if (r < 0) {
        cJSON_Delete(group);
        api_reply(reply, NULL);
        return;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddItemToObject(body, "Group", group);
    api_reply(reply, body);
}

/* True after a reply that says what is wrong with the request's filter. */
static bool filter_is_wrong(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    struct filter *filter;
    struct query_problem problem;
    int r = query_filter(api, request, &filter, &problem);
    if (r < 0) {
        query_reply_problem(reply, r, &problem);
        return true;
    }
    filter_free(filter);
    return false;
}

void api_create_group(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    const char *name = trace_string(request, "GroupName");
    const char *problem = NULL;
    cJSON *list = all_groups(api->store);
    char arn[sizeof ARN_PREFIX + NAME_MAX_LENGTH];
    if (!name || !is_name(name))
        problem = "GroupName must be 1 to 32 letters, digits, spaces, - or _";
    else if (find(list, name, false))
        problem = "a group of this name exists already";
    else if (cJSON_GetArraySize(list) > GROUPS_MAX)
        problem = "there are 25 groups already, which is the service's limit: delete one";
    else
        problem = tags_problem(request);
    cJSON_Delete(list);
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    if (filter_is_wrong(api, request, reply))
        return;
    snprintf(arn, sizeof arn, ARN_PREFIX "%s", name);
    if (tags_replace(api->store, arn, request) < 0) {
        api_reply(reply, NULL);
        return;
    }
    cJSON *group = default_group();
    cJSON_ReplaceItemInObjectCaseSensitive(group, "GroupName", cJSON_CreateString(name));
    cJSON_ReplaceItemInObjectCaseSensitive(group, "GroupARN", cJSON_CreateString(arn));
    take_over(request, group);
    keep_and_reply(api, group, reply);
}

/* The group that GroupName or GroupARN names, to be deleted; or NULL after a reply. */
static cJSON *named_group(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    const char *name = trace_string(request, "GroupName");
    const char *arn = trace_string(request, "GroupARN");
    if (!name == !arn) {
        api_invalid(reply, "either GroupName or GroupARN must be given");
        return NULL;
    }
    cJSON *list = all_groups(api->store);
    cJSON *group = cJSON_DetachItemViaPointer(list, find(list, name ? name : arn, name == NULL));
    cJSON_Delete(list);
    if (!group)
        api_invalid(reply, "there is no such group");
    return group;
}

static bool is_default(const cJSON *group)
{
    return strcmp(trace_string(group, "GroupName"), "Default") == 0;
}

void api_update_group(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    cJSON *group = named_group(api, request, reply);
    if (!group)
        return;
    if (is_default(group)) {
        cJSON_Delete(group);
        api_invalid(reply, "the group Default has all traces and can't be changed here");
        return;
    }
    if (filter_is_wrong(api, request, reply)) {
        cJSON_Delete(group);
        return;
    }
    take_over(request, group);
    keep_and_reply(api, group, reply);
}

void api_delete_group(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    cJSON *group = named_group(api, request, reply);
    if (!group)
        return;
    bool wrong = is_default(group);
    int r = wrong ? 0 : tags_replace(api->store, trace_string(group, "GroupARN"), NULL);
    if (!wrong && r == 0)
        r = store_keep(api->store, KIND, trace_string(group, "GroupName"), NULL);
    cJSON_Delete(group);
    if (wrong)
        api_invalid(reply, "the group Default can't be deleted");
    else
        api_reply(reply, r == -ENOMEM ? NULL : cJSON_CreateObject());
}

void api_get_group(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    cJSON *group = named_group(api, request, reply);
    if (!group)
        return;
    cJSON *body = cJSON_CreateObject();
    cJSON_AddItemToObject(body, "Group", group);
    api_reply(reply, body);
}

void api_get_groups(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    const char *problem = query_no_token(request);
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    cJSON *list = all_groups(api->store);
    cJSON *body = list ? cJSON_CreateObject() : NULL;
    if (body)
        cJSON_AddItemToObject(body, "Groups", list);
    api_reply(reply, body);
}
