/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/attribute.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

cJSON *attribute_string(const char *value)
{
    cJSON *attribute = cJSON_CreateObject();
    cJSON_AddStringToObject(attribute, "S", value);
    return attribute;
}

/* Numbers travel as text, so that none loses digits. */
cJSON *attribute_number(int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, value);
    cJSON *attribute = cJSON_CreateObject();
    cJSON_AddStringToObject(attribute, "N", text);
    return attribute;
}

cJSON *attribute_string_set(const char *only_member)
{
    cJSON *attribute = cJSON_CreateObject();
    cJSON *members = cJSON_AddArrayToObject(attribute, "SS");
    cJSON_AddItemToArray(members, cJSON_CreateString(only_member));
    return attribute;
}

cJSON *attribute_key(const char *name, const char *value)
{
    cJSON *key = cJSON_CreateObject();
    cJSON_AddItemToObject(key, name, attribute_string(value));
    return key;
}

static const cJSON *typed(const cJSON *item, const char *name, const char *type)
{
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(item, name), type);
}

const char *attribute_get_string(const cJSON *item, const char *name)
{
    return cJSON_GetStringValue(typed(item, name, "S"));
}

int64_t attribute_get_number(const cJSON *item, const char *name, int64_t fallback)
{
    const char *text = cJSON_GetStringValue(typed(item, name, "N"));
    char *end;
    if (!text)
        return fallback;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    /* A fraction is cut off: other writers use floating seconds. */
    return end == text || errno || (*end && *end != '.') ? fallback : value;
}

bool attribute_get_bool(const cJSON *item, const char *name)
{
    return cJSON_IsTrue(typed(item, name, "BOOL"));
}

const cJSON *attribute_get_string_set(const cJSON *item, const char *name)
{
    const cJSON *members = typed(item, name, "SS");
    return cJSON_IsArray(members) ? members : NULL;
}
