/* SPDX-License-Identifier: Apache-2.0 */
/* Tags of groups and sampling rules. Kept by the store. */
#include "local/api/tags.h"

#include "local/api/groups.h"
#include "local/api/query.h"
#include "local/sampling/rule.h"
#include "local/trace/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KIND             "tags"
#define TAGS_MAX         50 /* of a resource, as in the service */
#define KEY_LENGTH_MAX   128
#define VALUE_LENGTH_MAX 256

struct wanted {
    const char *arn;
    cJSON *tags; /* {key: value} */
};

static void take_tags(void *data, const char *name, const char *json)
{
    struct wanted *wanted = data;
    if (strcmp(name, wanted->arn) != 0)
        return;
    cJSON_Delete(wanted->tags);
    wanted->tags = cJSON_Parse(json);
}

static bool rule_exists(const struct api *api, const char *arn)
{
    struct sampling_totals totals;
    if (strncmp(arn, SAMPLING_ARN_PREFIX, strlen(SAMPLING_ARN_PREFIX)) != 0)
        return false;
    return sampling_service_totals(api->sampling, arn + strlen(SAMPLING_ARN_PREFIX), 0, &totals);
}

static bool resource_exists(const struct api *api, const char *arn)
{
    char *expression = group_expression(api->store, arn, true);
    bool exists = expression || rule_exists(api, arn);
    free(expression);
    return exists;
}

/* The resource's tags, an object to be deleted; or NULL after a reply. */
static cJSON *read_tags(const struct api *api, const cJSON *request, struct http_reply *reply,
                        const char **ret_arn)
{
    const char *arn = trace_string(request, "ResourceARN");
    if (!arn || !*arn) {
        api_invalid(reply, "ResourceARN is missing");
        return NULL;
    }
    if (!resource_exists(api, arn)) {
        http_reply_error(reply, 404, "ResourceNotFoundException",
                         "there is no group or sampling rule with this ARN");
        return NULL;
    }
    struct wanted wanted = { .arn = arn };
    if (store_kept(api->store, KIND, take_tags, &wanted) < 0) {
        cJSON_Delete(wanted.tags);
        api_reply(reply, NULL);
        return NULL;
    }
    *ret_arn = arn;
    return cJSON_IsObject(wanted.tags) ? wanted.tags : cJSON_CreateObject();
}

/* Takes the tags over. */
static int keep(struct store *store, const char *arn, cJSON *tags)
{
    char *json = cJSON_PrintUnformatted(tags);
    int r = json ? store_keep(store, KIND, arn, tags->child ? json : NULL) : -ENOMEM;
    cJSON_free(json);
    cJSON_Delete(tags);
    return r == -ENOENT ? 0 : r;
}

static void keep_tags(const struct api *api, const char *arn, cJSON *tags, struct http_reply *reply)
{
    int r = keep(api->store, arn, tags);
    api_reply(reply, r < 0 ? NULL : cJSON_CreateObject());
}

static bool is_tag(const cJSON *tag)
{
    const char *key = trace_string(tag, "Key");
    const char *value = trace_string(tag, "Value");
    return key && value && *key && sampling_characters(key) <= KEY_LENGTH_MAX &&
           sampling_characters(value) <= VALUE_LENGTH_MAX;
}

/* The later of two with the same key counts. */
static void add_tags(cJSON *tags, const cJSON *list)
{
    const cJSON *tag;
    cJSON_ArrayForEach(tag, list)
    {
        cJSON_DeleteItemFromObjectCaseSensitive(tags, trace_string(tag, "Key"));
        cJSON_AddStringToObject(tags, trace_string(tag, "Key"), trace_string(tag, "Value"));
    }
}

static const char *list_problem(const cJSON *list)
{
    const cJSON *tag;
    cJSON_ArrayForEach(tag, list)
    {
        if (!is_tag(tag))
            return "a tag has a Key of 1 to 128 characters and a Value of up to 256";
    }
    return NULL;
}

const char *tags_problem(const cJSON *request)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(request, "Tags");
    if (!list || cJSON_IsNull(list))
        return NULL;
    if (!cJSON_IsArray(list))
        return "Tags must be a list";
    if (cJSON_GetArraySize(list) > TAGS_MAX)
        return "a resource has at most 50 tags";
    return list_problem(list);
}

int tags_replace(struct store *store, const char *arn, const cJSON *request)
{
    cJSON *tags = cJSON_CreateObject();
    if (!tags)
        return -ENOMEM;
    add_tags(tags, cJSON_GetObjectItemCaseSensitive(request, "Tags"));
    return keep(store, arn, tags);
}

void api_tag_resource(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(request, "Tags");
    const char *arn;
    const char *problem = cJSON_IsArray(list) ? list_problem(list) : "Tags is missing";
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    cJSON *tags = read_tags(api, request, reply, &arn);
    if (!tags)
        return;
    add_tags(tags, list);
    if (cJSON_GetArraySize(tags) > TAGS_MAX) {
        cJSON_Delete(tags);
        http_reply_error(reply, 400, "TooManyTagsException", "a resource has at most 50 tags");
        return;
    }
    keep_tags(api, arn, tags, reply);
}

void api_untag_resource(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    const cJSON *keys = cJSON_GetObjectItemCaseSensitive(request, "TagKeys");
    const cJSON *key;
    const char *arn;
    if (!cJSON_IsArray(keys)) {
        api_invalid(reply, "TagKeys is missing");
        return;
    }
    cJSON *tags = read_tags(api, request, reply, &arn);
    if (!tags)
        return;
    cJSON_ArrayForEach(key, keys)
    {
        cJSON_DeleteItemFromObjectCaseSensitive(tags, key->valuestring);
    }
    keep_tags(api, arn, tags, reply);
}

void api_list_tags(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    const char *problem = query_no_token(request);
    const char *arn;
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    cJSON *tags = read_tags(api, request, reply, &arn);
    if (!tags)
        return;
    cJSON *body = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(body, "Tags");
    const cJSON *tag;
    cJSON_ArrayForEach(tag, tags)
    {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "Key", tag->string);
        cJSON_AddStringToObject(item, "Value", tag->valuestring ? tag->valuestring : "");
        cJSON_AddItemToArray(list, item);
    }
    cJSON_Delete(tags);
    api_reply(reply, body);
}
