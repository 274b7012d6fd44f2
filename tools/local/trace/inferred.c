/* SPDX-License-Identifier: Apache-2.0 */
#include "local/trace/inferred.h"

#include "local/trace/members.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* How far calls are looked for around a call: deeper nesting is no SDK's, and would
   take quadratic time. */
#define NEAR_LEVELS 64
#define NEAR_NODES  256

/* Which resource of a service is a node of its own, and what it is then called. */
static const struct {
    const char *service;
    const char *member; /* of "aws" */
    char separator;     /* the name is what follows the last one; 0: all of it */
    const char *type;
    const char *type_without; /* if the member is not there */
} resources[] = {
    { "DynamoDB", "table_name", 0, "AWS::DynamoDB::Table", "AWS::DynamoDB::Table" },
    { "S3", "bucket_name", 0, "AWS::S3::Bucket", "AWS::S3" },
    { "SQS", "queue_url", '/', "AWS::SQS::Queue", "AWS::SQS" },
    { "SNS", "topic_arn", ':', "AWS::SNS::Topic", "AWS::SNS" },
    { "Lambda", "function_name", 0, "AWS::Lambda", "AWS::Lambda" },
    { "Kinesis", "stream_name", 0, "AWS::Kinesis", "AWS::Kinesis" },
};

static const char *namespace_of(const struct trace_node *node)
{
    const char *text = node->subsegment ? trace_string(node->json, "namespace") : NULL;
    return text && (strcmp(text, "aws") == 0 || strcmp(text, "remote") == 0) ? text : NULL;
}

static const char *name_of(const struct trace_node *node)
{
    const char *name = trace_string(node->json, "name");
    return name ? name : "";
}

/* An SDK's call holds the HTTP request that it made: one call, not two. */
static bool is_within_call(const struct trace *trace, size_t node)
{
    const char *name = name_of(&trace->nodes[node]);
    size_t at = trace->nodes[node].parent;
    for (int i = 0; i < NEAR_LEVELS && at != TRACE_NONE; i++, at = trace->nodes[at].parent) {
        const struct trace_node *outer = &trace->nodes[at];
        const char *outer_namespace = namespace_of(outer);
        if (!outer->subsegment)
            return false;
        if (outer_namespace &&
            (strcmp(outer_namespace, "aws") == 0 || strcmp(name_of(outer), name) == 0))
            return true;
    }
    return false;
}

/* True if a segment hangs under the call, or under a call in it. */
static bool is_answered(const struct trace *trace, size_t node)
{
    size_t at = trace->nodes[node].first_child;
    for (int i = 0; i < NEAR_NODES && at != TRACE_NONE; i++) {
        if (!trace->nodes[at].subsegment)
            return true;
        at = trace_next(trace, at);
        if (at != TRACE_NONE && trace->nodes[at].depth <= trace->nodes[node].depth)
            return false;
    }
    return false;
}

/* The same call has the same ids whenever it is looked at. */
static uint64_t stable_id(const struct trace_id *trace_id, uint64_t call, size_t place)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < sizeof trace_id->bytes; i++)
        hash = (hash ^ trace_id->bytes[i]) * 0x100000001b3u;
    hash ^= call + 0x9e3779b97f4a7c15u * (place + 1);
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
    hash ^= hash >> 31;
    return hash ? hash : 1;
}

static const char *after_last(const char *text, char separator)
{
    const char *last = separator ? strrchr(text, separator) : NULL;
    return last && last[1] ? last + 1 : text;
}

static const char *first_string(const cJSON *list)
{
    return cJSON_IsArray(list) ? cJSON_GetStringValue(list->child) : NULL;
}

static size_t tables(const cJSON *aws, struct inferred ret[INFERRED_MAX])
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(aws, "table_names");
    const cJSON *item;
    size_t count = 0;
    if (!cJSON_IsArray(list))
        return 0;
    cJSON_ArrayForEach(item, list)
    {
        if (count == INFERRED_MAX)
            break;
        if (cJSON_IsString(item) && *item->valuestring)
            ret[count++].name = item->valuestring;
    }
    for (size_t i = 0; i < count; i++)
        snprintf(ret[i].type, sizeof ret[i].type, "AWS::DynamoDB::Table");
    return count;
}

static size_t aws_targets(const struct trace_node *node, struct inferred ret[INFERRED_MAX])
{
    const cJSON *aws = trace_object(node->json, "aws");
    const char *service = name_of(node);
    ret[0].name = service;
    /* Cut off, a name could end within a character. */
    bool fits = strlen(service) < sizeof ret[0].type - strlen("AWS::");
    snprintf(ret[0].type, sizeof ret[0].type, "AWS::%s", fits ? service : "");
    for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
        if (strcasecmp(service, resources[i].service) != 0)
            continue;
        const char *resource = trace_string(aws, resources[i].member);
        if (!resource && i == 0) {
            size_t count = tables(aws, ret);
            if (count)
                return count;
        }
        if (!resource)
            resource = first_string(cJSON_GetObjectItemCaseSensitive(aws, "resource_names"));
        ret[0].name = resource && *resource ? after_last(resource, resources[i].separator)
                                            : resources[i].service;
        snprintf(ret[0].type, sizeof ret[0].type, "%s",
                 resource && *resource ? resources[i].type : resources[i].type_without);
    }
    return 1;
}

size_t inferred_from(const struct trace *trace, const struct trace_id *id, size_t node,
                     struct inferred ret[INFERRED_MAX])
{
    const struct trace_node *call = &trace->nodes[node];
    const char *kind = namespace_of(call);
    size_t count = 1;
    if (!kind || !call->has_id || call->superseded || is_within_call(trace, node) ||
        is_answered(trace, node))
        return 0;
    if (strcmp(kind, "aws") == 0) {
        count = aws_targets(call, ret);
    } else {
        ret[0].name = name_of(call);
        snprintf(ret[0].type, sizeof ret[0].type, "%s",
                 trace_object(call->json, "sql") ? "Database::SQL" : "remote");
    }
    for (size_t i = 0; i < count; i++)
        ret[i].id = stable_id(id, call->id, i);
    return count;
}

static bool is_passed_on(const char *name)
{
    static const char *const names[] = {
        "name", "start_time", "end_time", "in_progress", "http",
        "aws",  "sql",        "fault",    "error",       "throttle"
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

void inferred_write_document(const struct trace *trace, const struct trace_id *id, size_t node,
                             const struct inferred *inferred, struct buffer *buffer)
{
    char own[ENTITY_ID_LENGTH + 1];
    char call[ENTITY_ID_LENGTH + 1];
    char trace_id[TRACE_ID_LENGTH + 1];
    entity_id_format(inferred->id, own);
    entity_id_format(trace->nodes[node].id, call);
    trace_id_format(id, trace_id);
    buffer_printf(buffer,
                  "{\"id\":\"%s\",\"trace_id\":\"%s\",\"parent_id\":\"%s\",\"inferred\":true", own,
                  trace_id, call);
    /* The type may hold a name of the document's. */
    cJSON *origin = cJSON_CreateString(inferred->type);
    char *text = origin ? cJSON_PrintUnformatted(origin) : NULL;
    if (text)
        buffer_printf(buffer, ",\"origin\":%s", text);
    else
        buffer->failed = true;
    cJSON_free(text);
    cJSON_Delete(origin);
    struct member_walk walk = member_walk(&trace->nodes[node]);
    struct member member;
    while (member_next(&walk, &member)) {
        if (!is_passed_on(member.json->string))
            continue;
        buffer_puts(buffer, ",");
        member_write(&member, buffer);
    }
    buffer_puts(buffer, "}");
}
