/* SPDX-License-Identifier: Apache-2.0 */
/* DynamoDB's attribute values, {"S":"text"} and its kind, and items made of them. */
#ifndef PIPELINE_AWS_ATTRIBUTE_H
#define PIPELINE_AWS_ATTRIBUTE_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

cJSON *attribute_string(const char *value);
cJSON *attribute_number(int64_t value);
cJSON *attribute_string_set(const char *only_member);

/* {name: {"S": value}}: a key, or the beginning of an item. */
cJSON *attribute_key(const char *name, const char *value);

/* NULL, the fallback or false when the item (NULL is allowed) has no such value of this type. */
const char *attribute_get_string(const cJSON *item, const char *name);
int64_t attribute_get_number(const cJSON *item, const char *name, int64_t fallback);
bool attribute_get_bool(const cJSON *item, const char *name);

/* The members of a string set as an array of strings that belongs to the item, or NULL. */
const cJSON *attribute_get_string_set(const cJSON *item, const char *name);

#endif /* PIPELINE_AWS_ATTRIBUTE_H */
