/* SPDX-License-Identifier: Apache-2.0 */
/* Root causes: their services, entities and exceptions one by one, or a whole cause
   against JSON in the form that GetTraceSummaries returns. */
#include "local/filter/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Coverages have three decimals. */
#define COVERAGE_TOLERANCE 0.0005

static bool ask_exceptions(const struct node *node, const struct scope *service,
                           const struct facts_cause_entity *entity)
{
    for (uint32_t i = 0; i < entity->exceptions; i++) {
        struct scope scope = *service;
        scope.kind = SCOPE_CAUSE_EXCEPTION;
        scope.entities = entity;
        scope.entity_count = 1;
        scope.exception = &service->facts->exceptions[entity->first_exception + i];
        scope.index = i;
        scope.count = entity->exceptions;
        if (!node->first || evaluate(node->first, &scope))
            return true;
    }
    return false;
}

static bool ask_entities(const struct node *node, const struct scope *service)
{
    for (uint32_t i = 0; i < service->entity_count; i++) {
        struct scope scope = *service;
        scope.kind = SCOPE_CAUSE_ENTITY;
        scope.entities = &service->entities[i];
        scope.entity_count = 1;
        scope.index = i;
        scope.count = service->entity_count;
        if (node->level == SCOPE_CAUSE_EXCEPTION
                ? ask_exceptions(node, service, &service->entities[i])
                : !node->first || evaluate(node->first, &scope))
            return true;
    }
    return false;
}

static bool ask_cause(const struct node *node, const struct scope *trace,
                      const struct facts_cause *cause)
{
    const struct facts *facts = trace->facts;
    for (uint32_t i = 0; i < cause->services; i++) {
        const struct facts_cause_service *service =
            &facts->cause_services[cause->first_service + i];
        const struct scope scope = {
            .kind = SCOPE_CAUSE_SERVICE,
            .answers = trace->answers,
            .facts = facts,
            .segment = &facts->segments[service->segment],
            .item = &facts->segments[service->segment].item,
            .entities = &facts->cause_entities[service->first_entity],
            .entity_count = service->entities,
            .is_timed = cause->kind == CAUSE_RESPONSE_TIME,
            .index = i,
            .count = cause->services,
        };
        if (node->level == SCOPE_CAUSE_SERVICE ? !node->first || evaluate(node->first, &scope)
                                               : ask_entities(node, &scope))
            return true;
    }
    return false;
}

static bool is_asked(const struct node *node, const struct facts_cause *cause)
{
    return node->cause == CAUSE_ANY || (int)cause->kind == node->cause;
}

bool evaluate_causes(const struct node *node, const struct scope *trace)
{
    const struct facts *facts = trace->facts;
    for (uint32_t i = 0; i < facts->cause_count; i++)
        if (is_asked(node, &facts->causes[i]) && ask_cause(node, trace, &facts->causes[i]))
            return true;
    return false;
}

/* ---- JSON: what it may have ---- */

enum member_type {
    MEMBER_TEXT,
    MEMBER_TEXTS,
    MEMBER_NUMBER,
    MEMBER_BOOLEAN,
    MEMBER_OBJECTS,
};

struct member {
    const char *name;
    enum member_type type;
    const struct member *members; /* of MEMBER_OBJECTS */
};

static const struct member exception_members[] = {
    { "Name", MEMBER_TEXT, NULL },
    { "Message", MEMBER_TEXT, NULL },
    { 0 },
};
static const struct member entity_members[] = {
    { "Name", MEMBER_TEXT, NULL },
    { "Coverage", MEMBER_NUMBER, NULL },
    { "Remote", MEMBER_BOOLEAN, NULL },
    { "Exceptions", MEMBER_OBJECTS, exception_members },
    { 0 },
};
static const struct member service_members[] = {
    { "Name", MEMBER_TEXT, NULL },
    { "Names", MEMBER_TEXTS, NULL },
    { "Type", MEMBER_TEXT, NULL },
    { "AccountId", MEMBER_TEXT, NULL },
    { "Inferred", MEMBER_BOOLEAN, NULL },
    { "EntityPath", MEMBER_OBJECTS, entity_members },
    { 0 },
};
static const struct member cause_members[] = {
    { "Services", MEMBER_OBJECTS, service_members },
    { "ClientImpacting", MEMBER_BOOLEAN, NULL },
    { 0 },
};

static bool check_objects(const cJSON *list, const struct member *members, char *reason,
                          size_t size);

static bool check_texts(const cJSON *list)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item))
            return false;
    }
    return cJSON_IsArray(list);
}

static bool check_member(const cJSON *value, const struct member *member, char *reason, size_t size)
{
    static const char *const expected[] = { "a text", "a list of texts", "a number",
                                            "true or false", "a list of objects" };
    bool good = false;
    switch (member->type) {
    case MEMBER_TEXT:
        good = cJSON_IsString(value);
        break;
    case MEMBER_TEXTS:
        good = check_texts(value);
        break;
    case MEMBER_NUMBER:
        good = cJSON_IsNumber(value);
        break;
    case MEMBER_BOOLEAN:
        good = cJSON_IsBool(value);
        break;
    case MEMBER_OBJECTS:
        if (cJSON_IsArray(value))
            return check_objects(value, member->members, reason, size);
        break;
    }
    if (!good)
        snprintf(reason, size, "%s is %s", member->name, expected[member->type]);
    return good;
}

static bool check_object(const cJSON *object, const struct member *members, char *reason,
                         size_t size)
{
    const cJSON *value;
    cJSON_ArrayForEach(value, object)
    {
        const struct member *member = members;
        while (member->name && strcmp(member->name, value->string) != 0)
            member++;
        if (!member->name) {
            snprintf(reason, size, "there is no member '%.40s' beside '%s'", value->string,
                     members[0].name);
            return false;
        }
        if (!check_member(value, member, reason, size))
            return false;
    }
    return true;
}

/* As deep as the members' own table. */
static bool check_objects(const cJSON *list, const struct member *members, char *reason,
                          size_t size)
{
    const cJSON *object;
    cJSON_ArrayForEach(object, list)
    {
        if (!cJSON_IsObject(object)) {
            snprintf(reason, size, "the list around '%s' has something that is no object",
                     members[0].name);
            return false;
        }
        if (!check_object(object, members, reason, size))
            return false;
    }
    return true;
}

bool cause_json_check(const cJSON *json, char *ret_reason, size_t size)
{
    if (!json->child) {
        snprintf(ret_reason, size, "it needs at least one root cause: #[{\"Services\": []}]");
        return false;
    }
    return check_objects(json, cause_members, ret_reason, size);
}

/* ---- JSON: whether a cause is like it ---- */

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool like_text(const cJSON *object, const char *name, const char *text)
{
    const cJSON *wanted = get(object, name);
    return !wanted || (text && strcmp(wanted->valuestring, text) == 0);
}

static bool like_boolean(const cJSON *object, const char *name, bool value)
{
    const cJSON *wanted = get(object, name);
    return !wanted || cJSON_IsTrue(wanted) == (value ? 1 : 0);
}

static bool like_length(const cJSON *list, uint32_t count)
{
    return (uint32_t)cJSON_GetArraySize(list) == count;
}

static bool like_exceptions(const cJSON *list, const struct facts *facts,
                            const struct facts_cause_entity *entity)
{
    const struct facts_exception *exception = &facts->exceptions[entity->first_exception];
    const cJSON *wanted;
    if (!list)
        return true;
    if (!like_length(list, entity->exceptions))
        return false;
    cJSON_ArrayForEach(wanted, list)
    {
        if (!like_text(wanted, "Name", exception->type) ||
            !like_text(wanted, "Message", exception->message))
            return false;
        exception++;
    }
    return true;
}

static bool like_entities(const cJSON *list, const struct facts *facts,
                          const struct facts_cause_service *service, bool is_timed)
{
    const struct facts_cause_entity *entity = &facts->cause_entities[service->first_entity];
    const cJSON *wanted;
    if (!list)
        return true;
    if (!like_length(list, service->entities))
        return false;
    cJSON_ArrayForEach(wanted, list)
    {
        const cJSON *coverage = get(wanted, "Coverage");
        if (!like_text(wanted, "Name", entity->name) ||
            !like_boolean(wanted, "Remote", entity->remote) ||
            (coverage &&
             !(is_timed && fabs(coverage->valuedouble - entity->coverage) <= COVERAGE_TOLERANCE)) ||
            !like_exceptions(get(wanted, "Exceptions"), facts, entity))
            return false;
        entity++;
    }
    return true;
}

static bool like_service(const cJSON *wanted, const struct facts *facts,
                         const struct facts_cause_service *service, bool is_timed)
{
    const struct facts_item *item = &facts->segments[service->segment].item;
    const cJSON *names = get(wanted, "Names");
    return like_text(wanted, "Name", item->name) && like_text(wanted, "Type", item->type) &&
           like_text(wanted, "AccountId", item->account_id) &&
           (!names || (like_length(names, 1) && item->name &&
                       strcmp(names->child->valuestring, item->name) == 0)) &&
           like_boolean(wanted, "Inferred", item->marks & MARK_INFERRED) &&
           like_entities(get(wanted, "EntityPath"), facts, service, is_timed);
}

static bool like_cause(const cJSON *wanted, const struct facts *facts,
                       const struct facts_cause *cause)
{
    const struct facts_cause_service *service = &facts->cause_services[cause->first_service];
    const cJSON *services = get(wanted, "Services");
    const cJSON *one;
    /* Causes are only looked for where who called the root noticed. */
    if (!like_boolean(wanted, "ClientImpacting", true))
        return false;
    if (!services)
        return true;
    if (!like_length(services, cause->services))
        return false;
    cJSON_ArrayForEach(one, services)
    {
        if (!like_service(one, facts, service, cause->kind == CAUSE_RESPONSE_TIME))
            return false;
        service++;
    }
    return true;
}

/* Each that is asked for is among the trace's. */
bool evaluate_cause_json(const struct node *node, const struct facts *facts)
{
    const cJSON *wanted;
    bool all = true;
    cJSON_ArrayForEach(wanted, node->json)
    {
        bool found = false;
        for (uint32_t i = 0; i < facts->cause_count && !found; i++)
            found = is_asked(node, &facts->causes[i]) &&
                    like_cause(wanted, facts, &facts->causes[i]);
        all = all && found;
    }
    return all == (node->compare == COMPARE_EQUAL);
}
