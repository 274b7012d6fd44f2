/* SPDX-License-Identifier: Apache-2.0 */
#include "local/trace/summary.h"

#include <math.h>
#include <string.h>

#define IS_SEGMENT(node) ((node)->document && !(node)->subsegment && !(node)->superseded)

double summary_round(double seconds)
{
    return round(seconds * 1e6) / 1e6;
}

size_t summary_root(const struct trace *trace)
{
    size_t best = TRACE_NONE;
    for (size_t i = trace->first_root; i != TRACE_NONE; i = trace->nodes[i].next) {
        const struct trace_node *node = &trace->nodes[i];
        if (node->subsegment)
            continue;
        /* They come by time; one that names no parent at all is the better root. */
        if (node->parent_state == PARENT_NONE)
            return i;
        if (best == TRACE_NONE)
            best = i;
    }
    return best;
}

struct trace_times summary_times(const struct trace *trace)
{
    struct trace_times times = { .start = INFINITY };
    double first = INFINITY;
    double last = -INFINITY;
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_node *node = &trace->nodes[i];
        if (node->superseded)
            continue;
        first = fmin(first, node->start);
        if (IS_SEGMENT(node))
            times.start = fmin(times.start, node->start);
        if (!node->in_progress)
            last = fmax(last, node->end);
    }
    if (isinf(times.start))
        times.start = isinf(first) ? 0 : first;
    times.duration = summary_round(fmax(0, last - times.start));
    size_t root = summary_root(trace);
    if (root != TRACE_NONE)
        times.response_time = summary_round(trace->nodes[root].end - trace->nodes[root].start);
    return times;
}

/* True if a segment hangs under this call. */
static bool has_callee(const struct trace *trace, size_t node)
{
    for (size_t i = trace->nodes[node].first_child; i != TRACE_NONE; i = trace->nodes[i].next)
        if (!trace->nodes[i].subsegment)
            return true;
    return false;
}

bool summary_is_partial(const struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_node *node = &trace->nodes[i];
        if (node->superseded)
            continue;
        if (node->in_progress || node->parent_state == PARENT_MISSING ||
            node->parent_state == PARENT_CIRCULAR ||
            (trace_flag(node, "traced") && !has_callee(trace, i)))
            return true;
    }
    return false;
}

/* The segment to which a node belongs, or TRACE_NONE. */
static size_t segment_of(const struct trace *trace, size_t node)
{
    while (node != TRACE_NONE && trace->nodes[node].subsegment)
        node = trace->nodes[node].parent;
    return node;
}

static cJSON *new_service(const struct trace_node *segment)
{
    const char *name = trace_string(segment->json, "name");
    const char *type = trace_string(segment->json, "origin");
    const char *account = trace_string(trace_object(segment->json, "aws"), "account_id");
    cJSON *service = cJSON_CreateObject();
    cJSON_AddStringToObject(service, "Name", name ? name : "");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(service, "Names"),
                         cJSON_CreateString(name ? name : ""));
    if (account)
        cJSON_AddStringToObject(service, "AccountId", account);
    if (type)
        cJSON_AddStringToObject(service, "Type", type);
    return service;
}

static void add_distinct(cJSON *list, cJSON *item)
{
    const cJSON *other;
    int count = 0;
    cJSON_ArrayForEach(other, list)
    {
        if (++count >= SUMMARY_ITEMS_MAX || cJSON_Compare(other, item, true)) {
            cJSON_Delete(item);
            return;
        }
    }
    cJSON_AddItemToArray(list, item);
}

static void add_service_of(const struct trace *trace, size_t node, cJSON *services)
{
    size_t segment = segment_of(trace, node);
    if (segment != TRACE_NONE)
        add_distinct(services, new_service(&trace->nodes[segment]));
}

/* The entry whose member `name` equals the value, made if there is none. */
static cJSON *value_entry(cJSON *list, const char *name, cJSON *value)
{
    cJSON *entry;
    cJSON_ArrayForEach(entry, list)
    {
        if (cJSON_Compare(cJSON_GetObjectItemCaseSensitive(entry, name), value, true)) {
            cJSON_Delete(value);
            return entry;
        }
    }
    entry = cJSON_CreateObject();
    cJSON_AddItemToObject(entry, name, value);
    cJSON_AddItemToObject(entry, "ServiceIds", cJSON_CreateArray());
    cJSON_AddItemToArray(list, entry);
    return entry;
}

static cJSON *annotation_value(const cJSON *annotation)
{
    cJSON *value = cJSON_CreateObject();
    if (cJSON_IsString(annotation))
        cJSON_AddStringToObject(value, "StringValue", annotation->valuestring);
    else if (cJSON_IsNumber(annotation) && isfinite(annotation->valuedouble))
        cJSON_AddNumberToObject(value, "NumberValue", annotation->valuedouble);
    else if (cJSON_IsBool(annotation))
        cJSON_AddBoolToObject(value, "BooleanValue", cJSON_IsTrue(annotation));
    return value;
}

static void add_annotations(const struct trace *trace, cJSON *summary)
{
    cJSON *annotations = cJSON_AddObjectToObject(summary, "Annotations");
    size_t count = 0;
    for (size_t i = 0; i < trace->count && count < SUMMARY_ITEMS_MAX; i++) {
        const cJSON *given = trace_object(trace->nodes[i].json, "annotations");
        const cJSON *annotation;
        if (trace->nodes[i].superseded || !given)
            continue;
        cJSON_ArrayForEach(annotation, given)
        {
            cJSON *value = annotation_value(annotation);
            if (!value || !value->child || count++ >= SUMMARY_ITEMS_MAX) {
                cJSON_Delete(value);
                continue;
            }
            cJSON *list = cJSON_GetObjectItemCaseSensitive(annotations, annotation->string);
            if (!list)
                list = cJSON_AddArrayToObject(annotations, annotation->string);
            cJSON *entry = value_entry(list, "AnnotationValue", value);
            add_service_of(trace, i, cJSON_GetObjectItemCaseSensitive(entry, "ServiceIds"));
        }
    }
}

static void add_users(const struct trace *trace, cJSON *summary)
{
    cJSON *users = cJSON_AddArrayToObject(summary, "Users");
    for (size_t i = 0; i < trace->count; i++) {
        const char *user = trace_string(trace->nodes[i].json, "user");
        if (!user || !IS_SEGMENT(&trace->nodes[i]) ||
            cJSON_GetArraySize(users) >= SUMMARY_ITEMS_MAX)
            continue;
        cJSON *entry = value_entry(users, "UserName", cJSON_CreateString(user));
        add_service_of(trace, i, cJSON_GetObjectItemCaseSensitive(entry, "ServiceIds"));
    }
}

static void add_wrapped(cJSON *list, const char *member, const char *text)
{
    if (!text)
        return;
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, member, text);
    add_distinct(list, item);
}

static void add_resources(const struct trace *trace, cJSON *summary)
{
    cJSON *arns = cJSON_AddArrayToObject(summary, "ResourceARNs");
    cJSON *instances = cJSON_AddArrayToObject(summary, "InstanceIds");
    cJSON *zones = cJSON_AddArrayToObject(summary, "AvailabilityZones");
    for (size_t i = 0; i < trace->count; i++) {
        if (!IS_SEGMENT(&trace->nodes[i]))
            continue;
        const cJSON *json = trace->nodes[i].json;
        const cJSON *aws = trace_object(json, "aws");
        const cJSON *ec2 = trace_object(aws, "ec2");
        add_wrapped(arns, "ARN", trace_string(json, "resource_arn"));
        add_wrapped(instances, "Id", trace_string(ec2, "instance_id"));
        add_wrapped(zones, "Name", trace_string(ec2, "availability_zone"));
        add_wrapped(zones, "Name", trace_string(trace_object(aws, "ecs"), "availability_zone"));
    }
}

/* The segments' services, and the client in front of the root. */
static void add_services(const struct trace *trace, size_t root, cJSON *summary)
{
    cJSON *services = cJSON_AddArrayToObject(summary, "ServiceIds");
    for (size_t i = 0; i < trace->count; i++)
        if (IS_SEGMENT(&trace->nodes[i]))
            add_distinct(services, new_service(&trace->nodes[i]));
    if (root == TRACE_NONE)
        return;
    cJSON *client = new_service(&trace->nodes[root]);
    cJSON_DeleteItemFromObjectCaseSensitive(client, "AccountId");
    cJSON_DeleteItemFromObjectCaseSensitive(client, "Type");
    cJSON_AddStringToObject(client, "Type", "client");
    add_distinct(services, client);
    cJSON_AddItemToObject(summary, "EntryPoint", new_service(&trace->nodes[root]));
}

static void copy_string(cJSON *to, const char *name, const cJSON *from, const char *member)
{
    const char *text = trace_string(from, member);
    if (text)
        cJSON_AddStringToObject(to, name, text);
}

/* Always there, even if empty: some clients rely on it. */
static void add_http(const struct trace *trace, size_t root, cJSON *summary)
{
    cJSON *http = cJSON_AddObjectToObject(summary, "Http");
    if (root == TRACE_NONE)
        return;
    const cJSON *given = trace_object(trace->nodes[root].json, "http");
    const cJSON *request = trace_object(given, "request");
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(trace_object(given, "response"),
                                                           "status");
    copy_string(http, "HttpURL", request, "url");
    if (cJSON_IsNumber(status))
        cJSON_AddNumberToObject(http, "HttpStatus", status->valueint);
    copy_string(http, "HttpMethod", request, "method");
    copy_string(http, "UserAgent", request, "user_agent");
    copy_string(http, "ClientIp", request, "client_ip");
}

static bool any_throttle(const struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++)
        if (IS_SEGMENT(&trace->nodes[i]) && trace_flag(&trace->nodes[i], "throttle"))
            return true;
    return false;
}

cJSON *summary_new(const struct trace *trace, const struct trace_id *id)
{
    char text[TRACE_ID_LENGTH + 1];
    size_t root = summary_root(trace);
    struct trace_times times = summary_times(trace);
    cJSON *summary = cJSON_CreateObject();
    trace_id_format(id, text);
    cJSON_AddStringToObject(summary, "Id", text);
    cJSON_AddNumberToObject(summary, "StartTime", times.start);
    cJSON_AddNumberToObject(summary, "Duration", times.duration);
    cJSON_AddNumberToObject(summary, "ResponseTime", times.response_time);
    cJSON_AddBoolToObject(summary, "HasFault",
                          root != TRACE_NONE && trace_flag(&trace->nodes[root], "fault"));
    cJSON_AddBoolToObject(summary, "HasError",
                          root != TRACE_NONE && trace_flag(&trace->nodes[root], "error"));
    cJSON_AddBoolToObject(summary, "HasThrottle", any_throttle(trace));
    cJSON_AddBoolToObject(summary, "IsPartial", summary_is_partial(trace));
    add_http(trace, root, summary);
    add_annotations(trace, summary);
    add_users(trace, summary);
    add_services(trace, root, summary);
    add_resources(trace, summary);
    return summary;
}
