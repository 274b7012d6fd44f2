/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/central_json.h"

#include <math.h>
#include <string.h>

#include "sampling/central.h"

/* Forty for each rule that is kept, twice as many as a rule has. */
#define VALUES_MAX (XR_CENTRAL_RULES_MAX * 40)

/* The reader calls itself for each level; rules have five. */
#define DEPTH_MAX 32

/* Of a number that is written as a string: what is longer could hide a whole document. */
#define NUMBER_MAX 32

/* Where the string ends that begins before text. */
static const char *end_of_string(const char *text, const char *end)
{
    while (text < end && *text != '"')
        text += *text == '\\' && end - text > 1 ? 2 : 1;
    return text;
}

static bool is_modest(const char *body, size_t length)
{
    const char *end = body + length;
    size_t values = 0, depth = 0;

    if (length > XR_CENTRAL_REPLY_MAX)
        return false;
    for (const char *p = body; p < end && depth <= DEPTH_MAX; p++) {
        bool opens = *p == '[' || *p == '{', closes = *p == ']' || *p == '}';
        bool comma = *p == ',';

        if (*p == '"')
            p = end_of_string(p + 1, end);
        values += opens || comma;
        depth += opens;
        depth -= closes && depth > 0;
    }
    return values <= VALUES_MAX && depth <= DEPTH_MAX;
}

cJSON *xr_reply_parse(const char *body, size_t length)
{
    cJSON *object;

    if (!body || length == 0 || !is_modest(body, length))
        return NULL;
    object = cJSON_ParseWithLength(body, length);
    if (object && !cJSON_IsObject(object)) {
        cJSON_Delete(object);
        return NULL;
    }
    return object;
}

const cJSON *xr_reply_member(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsNull(item) ? NULL : item;
}

bool xr_reply_number(const cJSON *object, const char *name, double *ret)
{
    const cJSON *item = xr_reply_member(object, name);
    bool found;

    if (cJSON_IsNumber(item)) {
        if (!isfinite(item->valuedouble))
            return false;
        *ret = item->valuedouble;
        return true;
    }
    if (!cJSON_IsString(item) || strnlen(item->valuestring, NUMBER_MAX + 1) > NUMBER_MAX)
        return false;

    /* By the same reader, since strtod() depends on the locale. */
    cJSON *number = cJSON_ParseWithOpts(item->valuestring, NULL, true);

    found = cJSON_IsNumber(number) && isfinite(number->valuedouble);
    if (found)
        *ret = number->valuedouble;
    cJSON_Delete(number);
    return found;
}

bool xr_reply_number_within(const cJSON *object, const char *name, double least, double most,
                            double *ret)
{
    double value;

    if (!xr_reply_member(object, name))
        return true;
    if (!xr_reply_number(object, name, &value) || value < least || value > most)
        return false;
    *ret = value;
    return true;
}

bool xr_reply_time(const cJSON *object, const char *name, int64_t *ret_ns)
{
    double seconds;

    if (!xr_reply_number(object, name, &seconds))
        return false;
    if (seconds >= 9e9)
        *ret_ns = INT64_C(9000000000000000000);
    else if (seconds <= -9e9)
        *ret_ns = -INT64_C(9000000000000000000);
    else
        *ret_ns = (int64_t)(seconds * 1e9);
    return true;
}
