/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Most rules are passed over by comparing 16 bytes: the first ones of method,
 * host and path. What is left is matched by the patterns that it has, so what a
 * rule does not ask for costs it nothing.
 */
#include "sampling/match.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "sampling/glob.h"
#include "sampling/sampler.h"

enum {
    FIELD_METHOD,
    FIELD_HOST,
    FIELD_PATH,
    FIELD_SERVICE,
    FIELD_SERVICE_TYPE,
    FIELD_RESOURCE_ARN,
    FIELD_COUNT,
};

/*
 * Eight bytes of the host, then the method's first one and seven of the path,
 * whose own first one is always "/".
 */
#define SKETCH_HOST   0
#define SKETCH_METHOD 8
#define SKETCH_BYTES  16

struct sketch {
    uint64_t words[2];
};

struct sketch_pattern {
    struct sketch bytes;
    struct sketch mask; /* of those that are neither "*" nor "?" */
};

struct field_pattern {
    struct xr_glob glob;
    size_t field;
};

struct attribute_pattern {
    const char *key;
    struct xr_glob value;
};

struct rule {
    const struct field_pattern *fields;
    const struct attribute_pattern *attributes;
    size_t field_count;
    size_t attribute_count;
};

struct xr_matcher {
    size_t bytes; /* of the block with all of it */
    const struct rule *rules;
    struct sketch_pattern sketches[]; /* the last one is behind the rules, and of any request */
};

/* ---- Making ready ------------------------------------------------------------ */

/* What is still free of the block; all of it is counted before. */
struct builder {
    struct rule *rule;
    struct field_pattern *field;
    struct attribute_pattern *attribute;
    char *text;
};

static bool is_any(const char *pattern)
{
    return !pattern || (*pattern == '*' && strspn(pattern, "*") == strlen(pattern));
}

static void list_fields(const char *ret[FIELD_COUNT], const struct xr_patterns *rule)
{
    ret[FIELD_METHOD] = rule->http_method;
    ret[FIELD_HOST] = rule->host;
    ret[FIELD_PATH] = rule->url_path;
    ret[FIELD_SERVICE] = rule->service;
    ret[FIELD_SERVICE_TYPE] = rule->service_type;
    ret[FIELD_RESOURCE_ARN] = rule->resource_arn;
}

static size_t bytes_of(const struct xr_patterns *rule)
{
    size_t bytes = sizeof(struct sketch_pattern) + sizeof(struct rule);
    const char *patterns[FIELD_COUNT];

    list_fields(patterns, rule);
    for (int i = 0; i < FIELD_COUNT; i++)
        if (!is_any(patterns[i]))
            bytes += sizeof(struct field_pattern) + strlen(patterns[i]);
    for (size_t i = 0; i < rule->attribute_count; i++) {
        const xray_sampling_attribute *attribute = &rule->attributes[i];

        bytes += sizeof(struct attribute_pattern) + strlen(attribute->key) + 1 +
                 (attribute->value ? strlen(attribute->value) : 1);
    }
    return bytes;
}

static void add_glob(struct builder *builder, struct xr_glob *ret, const char *pattern)
{
    size_t length = strlen(pattern);

    xr_glob_init(ret, builder->text, pattern, length);
    builder->text += length;
}

/* Of the pattern what must be there literally: count bytes before its first "*". */
static void sketch_glob(uint8_t *bytes, uint8_t *mask, const struct xr_glob *glob, size_t from,
                        size_t count)
{
    for (size_t i = 0; i < count && from + i < glob->head; i++)
        if (glob->text[from + i] != '?') {
            bytes[i] = (uint8_t)glob->text[from + i];
            mask[i] = 0xff;
        }
}

static void compile_sketch(struct sketch_pattern *ret, const struct rule *rule)
{
    uint8_t bytes[SKETCH_BYTES] = { 0 }, mask[SKETCH_BYTES] = { 0 };

    for (size_t i = 0; i < rule->field_count; i++) {
        const struct xr_glob *glob = &rule->fields[i].glob;

        if (rule->fields[i].field == FIELD_HOST)
            sketch_glob(bytes + SKETCH_HOST, mask + SKETCH_HOST, glob, 0, 8);
        if (rule->fields[i].field == FIELD_METHOD)
            sketch_glob(bytes + SKETCH_METHOD, mask + SKETCH_METHOD, glob, 0, 1);
        if (rule->fields[i].field == FIELD_PATH)
            sketch_glob(bytes + SKETCH_METHOD + 1, mask + SKETCH_METHOD + 1, glob, 1, 7);
    }
    memcpy(&ret->bytes, bytes, sizeof(bytes));
    memcpy(&ret->mask, mask, sizeof(mask));
}

static void compile_rule(struct builder *builder, const struct xr_patterns *patterns)
{
    struct rule *rule = builder->rule++;
    const char *fields[FIELD_COUNT];

    *rule = (struct rule){ .fields = builder->field, .attributes = builder->attribute };
    list_fields(fields, patterns);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (is_any(fields[i]))
            continue;
        builder->field->field = i;
        add_glob(builder, &builder->field->glob, fields[i]);
        builder->field++;
        rule->field_count++;
    }
    for (size_t i = 0; i < patterns->attribute_count; i++) {
        const xray_sampling_attribute *attribute = &patterns->attributes[i];
        size_t size = strlen(attribute->key) + 1;

        builder->attribute->key = memcpy(builder->text, attribute->key, size);
        builder->text += size;
        add_glob(builder, &builder->attribute->value, attribute->value ? attribute->value : "*");
        builder->attribute++;
        rule->attribute_count++;
    }
}

int xr_matcher_new(struct xr_matcher **ret, const struct xr_patterns *rules, size_t count)
{
    static const struct xr_patterns all;
    size_t bytes = sizeof(struct xr_matcher) + bytes_of(&all), fields = 0;
    struct xr_matcher *matcher;
    struct builder builder;

    for (size_t i = 0; i < count; i++) {
        const char *patterns[FIELD_COUNT];

        bytes += bytes_of(&rules[i]);
        list_fields(patterns, &rules[i]);
        for (int k = 0; k < FIELD_COUNT; k++)
            fields += !is_any(patterns[k]);
    }
    matcher = xr_alloc(bytes);
    if (!matcher)
        return -ENOMEM;

    matcher->bytes = bytes;
    builder.rule = (struct rule *)(matcher->sketches + count + 1);
    builder.field = (struct field_pattern *)(builder.rule + count + 1);
    builder.attribute = (struct attribute_pattern *)(builder.field + fields);
    builder.text = (char *)builder.attribute;
    for (size_t i = 0; i < count; i++)
        builder.text += rules[i].attribute_count * sizeof(struct attribute_pattern);
    matcher->rules = builder.rule;
    for (size_t i = 0; i <= count; i++) {
        compile_rule(&builder, i < count ? &rules[i] : &all);
        compile_sketch(&matcher->sketches[i], &matcher->rules[i]);
    }
    *ret = matcher;
    return 0;
}

void xr_matcher_free(struct xr_matcher *matcher)
{
    if (matcher)
        xr_free(matcher, matcher->bytes);
}

/* ---- Finding ----------------------------------------------------------------- */

#define NOT_MEASURED SIZE_MAX

struct text {
    const char *text; /* or NULL: not known */
    size_t length;    /* or NOT_MEASURED */
};

static size_t measure(const char *text)
{
    return text ? strnlen(text, XR_MATCH_TEXT_MAX) : 0;
}

/* The first eight bytes; what is not there is zero, which is in no pattern. */
static uint64_t first_word(const struct text *text)
{
    uint64_t word = 0;

    if (text->length >= sizeof(word))
        memcpy(&word, text->text, sizeof(word));
    else
        for (size_t i = 0; i < text->length; i++)
            ((char *)&word)[i] = text->text[i];
    return word;
}

static struct sketch sketch_of(const struct text texts[FIELD_COUNT])
{
    const char *method = texts[FIELD_METHOD].text;
    uint64_t path = first_word(&texts[FIELD_PATH]);

    *(char *)&path = method ? *method : '\0';
    return (struct sketch){ { xr_glob_fold_word(first_word(&texts[FIELD_HOST])),
                              xr_glob_fold_word(path) } };
}

#define TEXT_OF(request, member) (XR_REQUEST_HAS(request, member) ? (request)->member : NULL)

static void read_request(struct text ret[FIELD_COUNT], const xray_sampling_request *request)
{
    ret[FIELD_METHOD].text = TEXT_OF(request, http_method);
    ret[FIELD_HOST].text = TEXT_OF(request, host);
    ret[FIELD_PATH].text = TEXT_OF(request, url_path);
    ret[FIELD_SERVICE].text = TEXT_OF(request, service);
    ret[FIELD_SERVICE_TYPE].text = TEXT_OF(request, service_type);
    ret[FIELD_RESOURCE_ARN].text = TEXT_OF(request, resource_arn);
    for (int i = 0; i < FIELD_COUNT; i++)
        ret[i].length = NOT_MEASURED;
    ret[FIELD_HOST].length = measure(ret[FIELD_HOST].text);
    ret[FIELD_PATH].length = measure(ret[FIELD_PATH].text);
}

static bool has_attribute(const xray_sampling_request *request,
                          const struct attribute_pattern *wanted)
{
    size_t count = XR_REQUEST_HAS(request, attribute_count) && request->attributes
                       ? request->attribute_count
                       : 0;

    for (size_t i = 0; i < count; i++) {
        const xray_sampling_attribute *attribute = &request->attributes[i];

        if (attribute->key && strcmp(attribute->key, wanted->key) == 0 &&
            xr_glob_match(&wanted->value, attribute->value, measure(attribute->value)))
            return true;
    }
    return false;
}

static bool matches(const struct rule *rule, struct text texts[FIELD_COUNT],
                    const xray_sampling_request *request)
{
    for (size_t i = 0; i < rule->field_count; i++) {
        struct text *text = &texts[rule->fields[i].field];

        if (text->length == NOT_MEASURED)
            text->length = measure(text->text);
        if (!xr_glob_match(&rule->fields[i].glob, text->text, text->length))
            return false;
    }
    for (size_t i = 0; i < rule->attribute_count; i++)
        if (!has_attribute(request, &rule->attributes[i]))
            return false;
    return true;
}

size_t xr_matcher_find(const struct xr_matcher *matcher, const xray_sampling_request *request)
{
    const struct sketch_pattern *pattern = matcher->sketches;
    struct text texts[FIELD_COUNT];
    struct sketch sketch;

    read_request(texts, request);
    sketch = sketch_of(texts);
    for (;; pattern++) {
        uint64_t differ = (pattern->bytes.words[0] ^ sketch.words[0]) & pattern->mask.words[0];
        size_t index = (size_t)(pattern - matcher->sketches);

        differ |= (pattern->bytes.words[1] ^ sketch.words[1]) & pattern->mask.words[1];
        if (differ == 0 && matches(&matcher->rules[index], texts, request))
            return index; /* that behind the rules matches everything */
    }
}
