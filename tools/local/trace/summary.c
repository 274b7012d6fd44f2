/* SPDX-License-Identifier: Apache-2.0 */
#include "local/trace/summary.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
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

/* A list, and what makes an item of it differ from the others: of facts' texts those that
   are equal are one, so that addresses tell. */
struct item {
    const cJSON *list;
    const char *name;
    const char *type;
    const char *account_id;
    cJSON *json; /* NULL: not there yet */
};

/* Items by their keys: traces have thousands of segments. */
struct items {
    struct item *slots;
    size_t mask;
};

static bool items_init(struct items *items, const struct facts *facts)
{
    /* Of a segment its service in two lists, its user and three resources; of an
       annotation the service. */
    size_t most = (size_t)facts->segment_count * 6 + facts->annotation_count;
    size_t size = 16;
    while (size < most * 2)
        size *= 2;
    items->slots = calloc(size, sizeof *items->slots);
    items->mask = size - 1;
    return items->slots;
}

static uint64_t mix(uint64_t hash, const void *address)
{
    hash = (hash ^ (uintptr_t)address) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

/* Where the item is, or belongs. */
static struct item *find_item(const struct items *items, const struct item *key)
{
    uint64_t hash = mix(mix(mix(mix(0, key->list), key->name), key->type), key->account_id);
    struct item *slot = &items->slots[hash & items->mask];
    while (slot->list && (slot->list != key->list || slot->name != key->name ||
                          slot->type != key->type || slot->account_id != key->account_id))
        slot = slot == &items->slots[items->mask] ? items->slots : slot + 1;
    if (!slot->list)
        *slot = *key;
    return slot;
}

static bool is_full(const cJSON *list)
{
    return cJSON_GetArraySize(list) >= SUMMARY_ITEMS_MAX;
}

static void add_service(const struct facts *facts, uint32_t segment, cJSON *services,
                        struct items *items)
{
    if (segment == FACTS_NONE || !services)
        return;
    const struct facts_item *item = &facts->segments[segment].item;
    struct item *found = find_item(
        items, &(struct item){ services, item->name, item->type, item->account_id, NULL });
    if (found->json || is_full(services))
        return;
    found->json = summary_service_id(item);
    cJSON_AddItemToArray(services, found->json);
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

static void add_annotations(const struct facts *facts, cJSON *summary, struct items *items)
{
    cJSON *annotations = cJSON_AddObjectToObject(summary, "Annotations");
    for (uint32_t i = 0; i < facts->annotation_count && i < SUMMARY_ITEMS_MAX; i++) {
        const struct facts_annotation *annotation = &facts->annotations[i];
        cJSON *list = cJSON_GetObjectItemCaseSensitive(annotations, annotation->key);
        if (!list)
            list = cJSON_AddArrayToObject(annotations, annotation->key);
        cJSON *entry = value_entry(list, "AnnotationValue", annotation_value(&annotation->value));
        add_service(facts, annotation->segment,
                    cJSON_GetObjectItemCaseSensitive(entry, "ServiceIds"), items);
    }
}

static void add_users(const struct facts *facts, cJSON *summary, struct items *items)
{
    cJSON *users = cJSON_AddArrayToObject(summary, "Users");
    for (uint32_t i = 0; i < facts->segment_count; i++) {
        const char *user = facts->segments[i].item.user;
        if (!user || !users)
            continue;
        struct item *found = find_item(items, &(struct item){ .list = users, .name = user });
        if (!found->json) {
            if (is_full(users))
                continue;
            found->json = cJSON_CreateObject();
            cJSON_AddStringToObject(found->json, "UserName", user);
            cJSON_AddArrayToObject(found->json, "ServiceIds");
            cJSON_AddItemToArray(users, found->json);
        }
        add_service(facts, i, cJSON_GetObjectItemCaseSensitive(found->json, "ServiceIds"), items);
    }
}

static void add_wrapped(cJSON *list, const char *member, const char *text, struct items *items)
{
    if (!text || !list)
        return;
    struct item *found = find_item(items, &(struct item){ .list = list, .name = text });
    if (found->json || is_full(list))
        return;
    found->json = cJSON_CreateObject();
    cJSON_AddStringToObject(found->json, member, text);
    cJSON_AddItemToArray(list, found->json);
}

static void add_resources(const struct facts *facts, cJSON *summary, struct items *items)
{
    cJSON *arns = cJSON_AddArrayToObject(summary, "ResourceARNs");
    cJSON *instances = cJSON_AddArrayToObject(summary, "InstanceIds");
    cJSON *zones = cJSON_AddArrayToObject(summary, "AvailabilityZones");
    for (uint32_t i = 0; i < facts->segment_count; i++) {
        add_wrapped(arns, "ARN", facts->segments[i].resource_arn, items);
        add_wrapped(instances, "Id", facts->segments[i].instance_id, items);
        add_wrapped(zones, "Name", facts->segments[i].availability_zone, items);
    }
}

/* The list is looked through once. */
static void add_client(cJSON *services, const struct facts_item *root)
{
    cJSON *client = summary_service_id(
        &(struct facts_item){ .name = root->name, .type = "client" });
    const cJSON *other;
    bool there = is_full(services);
    cJSON_ArrayForEach(other, services) there = there || cJSON_Compare(other, client, true);
    if (there)
        cJSON_Delete(client);
    else
        cJSON_AddItemToArray(services, client);
}

/* The services of the trace, and who called the first of them. */
static void add_services(const struct facts *facts, cJSON *summary, struct items *items)
{
    cJSON *services = cJSON_AddArrayToObject(summary, "ServiceIds");
    for (uint32_t i = 0; i < facts->segment_count; i++)
        add_service(facts, i, services, items);
    if (facts->root == FACTS_NONE)
        return;
    const struct facts_item *root = &facts->segments[facts->root].item;
    add_client(services, root);
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
    struct items items;
    if (!items_init(&items, facts))
        return NULL;
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
    add_annotations(facts, summary, &items);
    add_users(facts, summary, &items);
    add_services(facts, summary, &items);
    add_resources(facts, summary, &items);
    add_causes(facts, summary);
    cJSON_AddNumberToObject(summary, "Revision", revision);
    free(items.slots);
    return summary;
}
