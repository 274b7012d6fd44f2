/* SPDX-License-Identifier: Apache-2.0 */
#include "local/trace/summary.h"

#include <math.h>
#include <string.h>

double summary_round(double seconds)
{
    return round(seconds * 1e6) / 1e6;
}

cJSON *summary_service_id(const struct facts_item *item)
{
    cJSON *service = cJSON_CreateObject();
    cJSON_AddStringToObject(service, "Name", item->name);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(service, "Names"), cJSON_CreateString(item->name));
    if (item->account_id)
        cJSON_AddStringToObject(service, "AccountId", item->account_id);
    if (item->type)
        cJSON_AddStringToObject(service, "Type", item->type);
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

static void add_service(const struct facts *facts, uint32_t segment, cJSON *services)
{
    if (segment != FACTS_NONE)
        add_distinct(services, summary_service_id(&facts->segments[segment].item));
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

static cJSON *annotation_value(const struct facts_value *given)
{
    cJSON *value = cJSON_CreateObject();
    if (given->type == VALUE_STRING)
        cJSON_AddStringToObject(value, "StringValue", given->string);
    else if (given->type == VALUE_NUMBER)
        cJSON_AddNumberToObject(value, "NumberValue", given->number);
    else
        cJSON_AddBoolToObject(value, "BooleanValue", given->boolean);
    return value;
}

static void add_annotations(const struct facts *facts, cJSON *summary)
{
    cJSON *annotations = cJSON_AddObjectToObject(summary, "Annotations");
    for (uint32_t i = 0; i < facts->annotation_count && i < SUMMARY_ITEMS_MAX; i++) {
        const struct facts_annotation *annotation = &facts->annotations[i];
        cJSON *list = cJSON_GetObjectItemCaseSensitive(annotations, annotation->key);
        if (!list)
            list = cJSON_AddArrayToObject(annotations, annotation->key);
        cJSON *entry = value_entry(list, "AnnotationValue", annotation_value(&annotation->value));
        add_service(facts, annotation->segment,
                    cJSON_GetObjectItemCaseSensitive(entry, "ServiceIds"));
    }
}

static void add_users(const struct facts *facts, cJSON *summary)
{
    cJSON *users = cJSON_AddArrayToObject(summary, "Users");
    for (uint32_t i = 0; i < facts->segment_count; i++) {
        const char *user = facts->segments[i].item.user;
        if (!user || cJSON_GetArraySize(users) >= SUMMARY_ITEMS_MAX)
            continue;
        cJSON *entry = value_entry(users, "UserName", cJSON_CreateString(user));
        add_service(facts, i, cJSON_GetObjectItemCaseSensitive(entry, "ServiceIds"));
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

static void add_resources(const struct facts *facts, cJSON *summary)
{
    cJSON *arns = cJSON_AddArrayToObject(summary, "ResourceARNs");
    cJSON *instances = cJSON_AddArrayToObject(summary, "InstanceIds");
    cJSON *zones = cJSON_AddArrayToObject(summary, "AvailabilityZones");
    for (uint32_t i = 0; i < facts->segment_count; i++) {
        add_wrapped(arns, "ARN", facts->segments[i].resource_arn);
        add_wrapped(instances, "Id", facts->segments[i].instance_id);
        add_wrapped(zones, "Name", facts->segments[i].availability_zone);
    }
}

/* The services of the trace, and who called the first of them. */
static void add_services(const struct facts *facts, cJSON *summary)
{
    cJSON *services = cJSON_AddArrayToObject(summary, "ServiceIds");
    for (uint32_t i = 0; i < facts->segment_count; i++)
        add_service(facts, i, services);
    if (facts->root == FACTS_NONE)
        return;
    const struct facts_item *root = &facts->segments[facts->root].item;
    add_distinct(services,
                 summary_service_id(&(struct facts_item){ .name = root->name, .type = "client" }));
    cJSON_AddItemToObject(summary, "EntryPoint", summary_service_id(root));
}

static void add_text(cJSON *to, const char *name, const char *text)
{
    if (text)
        cJSON_AddStringToObject(to, name, text);
}

/* Always there, even if empty: some clients rely on it. */
static void add_http(const struct facts *facts, cJSON *summary)
{
    cJSON *object = cJSON_AddObjectToObject(summary, "Http");
    const struct facts_http *http = facts->root == FACTS_NONE
                                        ? NULL
                                        : facts->segments[facts->root].item.http;
    if (!http)
        return;
    add_text(object, "HttpURL", http->url);
    if (http->status)
        cJSON_AddNumberToObject(object, "HttpStatus", http->status);
    add_text(object, "HttpMethod", http->method);
    add_text(object, "UserAgent", http->user_agent);
    add_text(object, "ClientIp", http->client_ip);
}

static cJSON *new_entity(const struct facts *facts, const struct facts_cause *cause,
                         const struct facts_cause_entity *entity)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "Name", entity->name);
    if (cause->kind == CAUSE_RESPONSE_TIME) {
        cJSON_AddNumberToObject(object, "Coverage", entity->coverage);
    } else {
        cJSON *list = cJSON_AddArrayToObject(object, "Exceptions");
        for (uint32_t i = 0; i < entity->exceptions; i++) {
            const struct facts_exception *exception =
                &facts->exceptions[entity->first_exception + i];
            cJSON *item = cJSON_CreateObject();
            add_text(item, "Name", exception->type);
            add_text(item, "Message", exception->message);
            cJSON_AddItemToArray(list, item);
        }
    }
    cJSON_AddBoolToObject(object, "Remote", entity->remote);
    return object;
}

static cJSON *new_cause(const struct facts *facts, const struct facts_cause *cause)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *services = cJSON_AddArrayToObject(object, "Services");
    for (uint32_t i = 0; i < cause->services; i++) {
        const struct facts_cause_service *service =
            &facts->cause_services[cause->first_service + i];
        const struct facts_item *item = &facts->segments[service->segment].item;
        cJSON *one = summary_service_id(item);
        cJSON *path = cJSON_AddArrayToObject(one, "EntityPath");
        for (uint32_t k = 0; k < service->entities; k++)
            cJSON_AddItemToArray(
                path, new_entity(facts, cause, &facts->cause_entities[service->first_entity + k]));
        cJSON_AddBoolToObject(one, "Inferred", (item->marks & MARK_INFERRED) != 0);
        cJSON_AddItemToArray(services, one);
    }
    cJSON_AddBoolToObject(object, "ClientImpacting", true);
    return object;
}

static void add_causes(const struct facts *facts, cJSON *summary)
{
    cJSON *lists[] = {
        [CAUSE_FAULT] = cJSON_AddArrayToObject(summary, "FaultRootCauses"),
        [CAUSE_ERROR] = cJSON_AddArrayToObject(summary, "ErrorRootCauses"),
        [CAUSE_RESPONSE_TIME] = cJSON_AddArrayToObject(summary, "ResponseTimeRootCauses"),
    };
    for (uint32_t i = 0; i < facts->cause_count; i++)
        cJSON_AddItemToArray(lists[facts->causes[i].kind], new_cause(facts, &facts->causes[i]));
}

cJSON *summary_new(const struct facts *facts, uint32_t revision)
{
    char text[TRACE_ID_LENGTH + 1];
    cJSON *summary = cJSON_CreateObject();
    trace_id_format(&facts->id, text);
    cJSON_AddStringToObject(summary, "Id", text);
    cJSON_AddNumberToObject(summary, "StartTime", facts->start);
    cJSON_AddNumberToObject(summary, "Duration", summary_round(facts->end - facts->start));
    cJSON_AddNumberToObject(summary, "ResponseTime", summary_round(facts->response_time));
    cJSON_AddBoolToObject(summary, "HasFault", (facts->marks & MARK_FAULT) != 0);
    cJSON_AddBoolToObject(summary, "HasError", (facts->marks & MARK_ERROR) != 0);
    cJSON_AddBoolToObject(summary, "HasThrottle", (facts->marks & MARK_THROTTLE) != 0);
    cJSON_AddBoolToObject(summary, "IsPartial", facts->partial);
    add_http(facts, summary);
    add_annotations(facts, summary);
    add_users(facts, summary);
    add_services(facts, summary);
    add_resources(facts, summary);
    add_causes(facts, summary);
    cJSON_AddNumberToObject(summary, "Revision", revision);
    return summary;
}
