/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line with "|" between its fields: the service, type, host, method, path and
 * ARN of a request or a rule, then its attributes as key=value. What is empty is
 * not there; "" is the empty text.
 */
#ifndef FUZZ_LINE_H
#define FUZZ_LINE_H

#include "fuzz.h"

#include <xraytrace/sampler.h>

#define LINE_FIELDS     6
#define LINE_ATTRIBUTES 6
#define LINE_TEXT_MAX   4096 /* of a field: what is looked at of a request's */

struct line {
    char *fields[LINE_FIELDS];
    char *keys[LINE_ATTRIBUTES];
    xray_sampling_attribute attributes[LINE_ATTRIBUTES];
    size_t attribute_count;
};

/* NULL for what is empty. */
static inline char *line_read_field(struct fuzz_input *input)
{
    char *text = fuzz_until(input, '|');

    text[strnlen(text, LINE_TEXT_MAX)] = '\0';
    if (*text && strcmp(text, "\"\"") != 0)
        return text;
    if (*text) {
        *text = '\0';
        return text;
    }
    free(text);
    return NULL;
}

static inline void line_read(struct line *ret, const char *text)
{
    struct fuzz_input input = { (const uint8_t *)text, strlen(text) };

    memset(ret, 0, sizeof(*ret));
    for (int i = 0; i < LINE_FIELDS; i++)
        ret->fields[i] = line_read_field(&input);
    while (input.size > 0 && ret->attribute_count < LINE_ATTRIBUTES) {
        char *key = line_read_field(&input), *equals = key ? strchr(key, '=') : NULL;
        xray_sampling_attribute *attribute = &ret->attributes[ret->attribute_count];

        if (!key)
            continue;
        ret->keys[ret->attribute_count++] = key;
        attribute->key = key;
        attribute->value = equals ? equals + 1 : NULL;
        if (equals)
            *equals = '\0';
    }
}

static inline void line_free(struct line *line)
{
    for (int i = 0; i < LINE_FIELDS; i++)
        free(line->fields[i]);
    for (size_t i = 0; i < line->attribute_count; i++)
        free(line->keys[i]);
}

static inline xray_sampling_request line_request(const struct line *line)
{
    return (xray_sampling_request){
        .size = sizeof(xray_sampling_request),
        .service = line->fields[0],
        .service_type = line->fields[1],
        .host = line->fields[2],
        .http_method = line->fields[3],
        .url_path = line->fields[4],
        .resource_arn = line->fields[5],
        .attributes = line->attributes,
        .attribute_count = line->attribute_count,
    };
}

#endif /* FUZZ_LINE_H */
