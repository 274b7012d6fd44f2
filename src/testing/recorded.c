/* SPDX-License-Identifier: Apache-2.0 */
/* What a test asks of what was recorded. */
#include <string.h>

#include "recording.h"

static bool has_name(const struct xray_recorded *recorded, const char *name)
{
    const char *its = cJSON_GetStringValue(xr_testing_member(recorded, "name"));
    return !name || (its && strcmp(its, name) == 0);
}

size_t xray_recording_count(xray_recording *recording, const char *name)
{
    size_t count = 0;
    if (!recording)
        return 0;
    pthread_mutex_lock(&recording->lock);
    for (const struct xray_recorded *one = recording->first; one; one = one->next)
        count += has_name(one, name);
    pthread_mutex_unlock(&recording->lock);
    return count;
}

const xray_recorded *xray_recording_find(xray_recording *recording, const char *name,
                                         const xray_recorded *after)
{
    if (!recording)
        return NULL;
    pthread_mutex_lock(&recording->lock);
    const struct xray_recorded *one = after ? after->next : recording->first;
    while (one && !has_name(one, name))
        one = one->next;
    pthread_mutex_unlock(&recording->lock);
    return one;
}

const xray_recorded *xray_recorded_parent(const xray_recorded *recorded)
{
    if (!recorded)
        return NULL;
    pthread_mutex_lock(&recorded->recording->lock);
    const struct xray_recorded *parent = xr_testing_parent(recorded);
    pthread_mutex_unlock(&recorded->recording->lock);
    return parent;
}

/* ---- Members --------------------------------------------------------------------------- */

/* The same double, and not one near it; == on them is what compilers warn about. */
static bool is_number(const cJSON *json, double number)
{
    return cJSON_IsNumber(json) && !(json->valuedouble < number) && !(json->valuedouble > number);
}

static bool is_json(const cJSON *json, const xray_value *value)
{
    cJSON *expected = cJSON_ParseWithLength(value->as.text, value->length);
    bool is_same = expected && cJSON_Compare(json, expected, true);
    cJSON_Delete(expected);
    return is_same;
}

static bool is_text(const cJSON *json, const xray_value *value)
{
    const char *text = cJSON_GetStringValue(json);
    return text && value->as.text && strlen(text) == value->length &&
           memcmp(text, value->as.text, value->length) == 0;
}

static bool is_value(const cJSON *json, const xray_value *value)
{
    switch (value->type) {
    case XRAY_VALUE_STRING:
        return is_text(json, value);
    case XRAY_VALUE_INT:
        return is_number(json, (double)value->as.integer);
    case XRAY_VALUE_UINT:
        return is_number(json, (double)value->as.natural);
    case XRAY_VALUE_DOUBLE:
        return is_number(json, value->as.number);
    case XRAY_VALUE_BOOL:
        return value->as.integer ? cJSON_IsTrue(json) : cJSON_IsFalse(json);
    case XRAY_VALUE_JSON:
        return value->as.text && is_json(json, value);
    default:
        return false;
    }
}

bool xray_recorded_has(const xray_recorded *recorded, const char *path)
{
    if (!recorded)
        return false;
    pthread_mutex_lock(&recorded->recording->lock);
    bool has = xr_testing_member(recorded, path) != NULL;
    pthread_mutex_unlock(&recorded->recording->lock);
    return has;
}

bool xray_recorded_is_value(const xray_recorded *recorded, const char *path, xray_value value)
{
    if (!recorded)
        return false;
    pthread_mutex_lock(&recorded->recording->lock);
    const cJSON *json = xr_testing_member(recorded, path);
    bool is = json && is_value(json, &value);
    pthread_mutex_unlock(&recorded->recording->lock);
    return is;
}

const char *xray_recorded_string(const xray_recorded *recorded, const char *path)
{
    if (!recorded)
        return NULL;
    pthread_mutex_lock(&recorded->recording->lock);
    const char *text = cJSON_GetStringValue(xr_testing_member(recorded, path));
    pthread_mutex_unlock(&recorded->recording->lock);
    return text;
}

double xray_recorded_number(const xray_recorded *recorded, const char *path)
{
    if (!recorded)
        return 0;
    pthread_mutex_lock(&recorded->recording->lock);
    const cJSON *json = xr_testing_member(recorded, path);
    double number = cJSON_IsNumber(json) ? json->valuedouble : 0;
    pthread_mutex_unlock(&recorded->recording->lock);
    return number;
}
