/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document is checked first, so that what is made of it afterwards needs no
 * second look. Version 1 differs in one name only: service_name, for the host.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "sampling/rules.h"

#define DEPTH_MAX 32

enum {
    MATCH_HOST,
    MATCH_METHOD,
    MATCH_PATH,
    MATCH_COUNT,
};

static const char *const names_of_1[MATCH_COUNT] = { "service_name", "http_method", "url_path" };
static const char *const names_of_2[MATCH_COUNT] = { "host", "http_method", "url_path" };

struct reader {
    const struct xr_rules_source *source;
    const cJSON *document;
    const char *const *names; /* of the members with patterns */
    const cJSON *object;      /* whose members are looked at */
    char object_name[32];     /* "default", or "rules[3]" */
};

void xr_rules_complain(const struct xr_rules_source *source, const char *format, ...)
{
    char reason[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    xr_log(source->logger, XR_LOG_ERROR, "sampling rules: %s%s%s%s", reason,
           source->keeps_former ? "; the former rules stay" : "", source->name ? "; in " : "",
           source->name ? source->name : "");
}

/* Of a member that comes twice the last one counts, as in other JSON readers. */
static const cJSON *member(const cJSON *object, const char *name)
{
    const cJSON *found = NULL, *item;

    cJSON_ArrayForEach(item, object)
    {
        if (item->string && strcmp(item->string, name) == 0)
            found = item;
    }
    return found;
}

/* ---- Checking ---------------------------------------------------------------- */

static int refuse(const struct reader *reader, const char *name, const char *reason)
{
    xr_rules_complain(reader->source, "%s.%s %s", reader->object_name, name, reason);
    return -EINVAL;
}

static int check_quota(const struct reader *reader)
{
    const cJSON *target = member(reader->object, "fixed_target");
    const cJSON *rate = member(reader->object, "rate");

    if (!target)
        return refuse(reader, "fixed_target", "is missing: say how many a second to sample first");
    if (!cJSON_IsNumber(target) || !(target->valuedouble >= 0) || target->valuedouble > INT32_MAX ||
        target->valuedouble != (double)(int32_t)target->valuedouble)
        return refuse(reader, "fixed_target", "must be a whole number, 0 or more");
    if (!rate)
        return refuse(reader, "rate", "is missing: say which fraction of the rest to sample");
    if (!cJSON_IsNumber(rate) || !(rate->valuedouble >= 0 && rate->valuedouble <= 1))
        return refuse(reader, "rate", "must be a number from 0 to 1");
    return 0;
}

static int check_rule(const struct reader *reader)
{
    bool is_1 = reader->names == names_of_1;
    const char *foreign = (is_1 ? names_of_2 : names_of_1)[MATCH_HOST];

    if (!cJSON_IsObject(reader->object)) {
        xr_rules_complain(reader->source, "%s must be an object", reader->object_name);
        return -EINVAL;
    }
    if (member(reader->object, foreign))
        return refuse(reader, foreign,
                      is_1 ? "is of version 2: write service_name instead"
                           : "is of version 1: write host instead");

    for (int i = 0; i < MATCH_COUNT; i++) {
        const cJSON *pattern = member(reader->object, reader->names[i]);

        if (!pattern)
            return refuse(reader, reader->names[i], "is missing: write \"*\" to match all");
        if (!cJSON_IsString(pattern) || pattern->valuestring[0] == '\0')
            return refuse(reader, reader->names[i], "must be a pattern such as \"*\"");
    }
    return check_quota(reader);
}

static int check_default(struct reader *reader)
{
    static const char *const forbidden[] = { "host", "http_method", "url_path", "service_name" };

    reader->object = member(reader->document, "default");
    snprintf(reader->object_name, sizeof(reader->object_name), "default");
    if (!cJSON_IsObject(reader->object)) {
        xr_rules_complain(reader->source,
                          "there must be a default object, with fixed_target and rate");
        return -EINVAL;
    }
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++)
        if (member(reader->object, forbidden[i]))
            return refuse(reader, forbidden[i], "is not allowed: the default matches everything");
    return check_quota(reader);
}

static int check_version(struct reader *reader)
{
    const cJSON *version = member(reader->document, "version");

    if (!cJSON_IsNumber(version) || (version->valuedouble != 1 && version->valuedouble != 2)) {
        xr_rules_complain(reader->source, "version must be the number 1 or 2");
        return -EINVAL;
    }
    reader->names = version->valuedouble == 1 ? names_of_1 : names_of_2;
    return 0;
}

static int check_document(struct reader *reader, size_t *ret_count)
{
    const cJSON *rules, *rule;
    size_t count = 0;
    int r;

    if (!cJSON_IsObject(reader->document)) {
        xr_rules_complain(reader->source,
                          "the document must be an object with version, default and rules");
        return -EINVAL;
    }
    r = check_version(reader);
    if (r >= 0)
        r = check_default(reader);
    if (r < 0)
        return r;

    rules = member(reader->document, "rules");
    if (rules && !cJSON_IsArray(rules)) {
        xr_rules_complain(reader->source, "rules must be an array");
        return -EINVAL;
    }
    cJSON_ArrayForEach(rule, rules)
    {
        snprintf(reader->object_name, sizeof(reader->object_name), "rules[%zu]", count++);
        reader->object = rule;
        r = check_rule(reader);
        if (r < 0)
            return r;
    }
    *ret_count = count;
    return 0;
}

static size_t line_of(const char *text, const char *place)
{
    size_t line = 1;

    for (; text < place; text++)
        line += *text == '\n';
    return line;
}

/* The reader calls itself for each level; documents have four. */
static bool is_deep(const char *text)
{
    int depth = 0;

    for (; *text && depth <= DEPTH_MAX; text++) {
        if (*text == '"')
            for (text++; *text && *text != '"'; text++)
                text += *text == '\\' && text[1];
        if (!*text)
            break;
        depth += *text == '[' || *text == '{';
        depth -= *text == ']' || *text == '}';
    }
    return depth > DEPTH_MAX;
}

static int parse(cJSON **ret, const char *text, size_t length, const struct xr_rules_source *source)
{
    const char *end = memchr(text, '\0', length);

    if (length > XR_RULES_TEXT_MAX) {
        xr_rules_complain(source, "more than %u bytes", XR_RULES_TEXT_MAX);
        return -EINVAL;
    }
    if (end) {
        xr_rules_complain(source, "not text, at line %zu", line_of(text, end));
        return -EINVAL;
    }
    if (is_deep(text)) {
        xr_rules_complain(source, "nested more than %d deep", DEPTH_MAX);
        return -EINVAL;
    }
    errno = 0; /* the reader has no other way to say that it had no memory */
    *ret = cJSON_ParseWithLengthOpts(text, length + 1, &end, 1);
    if (*ret)
        return 0;
    if (errno == ENOMEM)
        return -ENOMEM;
    xr_rules_complain(source, "not JSON, at line %zu", line_of(text, end));
    return -EINVAL;
}

/* ---- Making ------------------------------------------------------------------ */

static void make_quota(struct xr_quota *ret, const cJSON *object)
{
    xr_quota_init(ret, (uint32_t)member(object, "fixed_target")->valuedouble,
                  member(object, "rate")->valuedouble);
}

static void list_patterns(struct xr_patterns *ret, const struct reader *reader)
{
    const cJSON *rule;

    cJSON_ArrayForEach(rule, member(reader->document, "rules"))
    {
        *ret++ = (struct xr_patterns){
            .host = member(rule, reader->names[MATCH_HOST])->valuestring,
            .http_method = member(rule, reader->names[MATCH_METHOD])->valuestring,
            .url_path = member(rule, reader->names[MATCH_PATH])->valuestring,
        };
    }
}

static int make(struct xr_rules **ret, const struct reader *reader, size_t count)
{
    size_t patterns_bytes = (count + 1) * sizeof(struct xr_patterns);
    struct xr_rules *rules = xr_alloc(sizeof(*rules) + (count + 1) * sizeof(*rules->quotas));
    struct xr_patterns *patterns = xr_alloc(patterns_bytes);
    const cJSON *rule;
    size_t i = 0;
    int r = -ENOMEM;

    if (rules)
        *rules = (struct xr_rules){ .count = count };
    if (rules && patterns) {
        list_patterns(patterns, reader);
        r = xr_matcher_new(&rules->matcher, patterns, count);
    }
    xr_free(patterns, patterns_bytes);
    if (r < 0) {
        xr_rules_free(rules);
        return r;
    }
    cJSON_ArrayForEach(rule, member(reader->document, "rules"))
        make_quota(&rules->quotas[i++], rule);
    make_quota(&rules->quotas[count], member(reader->document, "default"));
    *ret = rules;
    return 0;
}

int xr_rules_new(struct xr_rules **ret, const char *text, size_t length,
                 const struct xr_rules_source *source)
{
    struct reader reader = { .source = source };
    cJSON *document;
    size_t count = 0;
    int r = parse(&document, text, length, source);

    if (r < 0)
        return r;
    reader.document = document;
    r = check_document(&reader, &count);
    if (r >= 0)
        r = make(ret, &reader, count);
    cJSON_Delete(document);
    return r;
}
