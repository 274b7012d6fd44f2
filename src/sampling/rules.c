/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document is checked first, then compiled into one block: the rules in
 * order, the default as a last rule that matches everything, and the patterns.
 * A decision reads that block and changes only the reservoirs in it.
 */
#include "sampling/rules.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/log.h"
#include "sampling/glob.h"
#include "sampling/sampler.h"

enum {
    MATCH_METHOD,
    MATCH_HOST,
    MATCH_PATH,
    MATCH_COUNT,
};

/* The bytes of each that go into a sketch, 16 in all. The first one of a path is always "/". */
static const struct matcher {
    const char *name;
    uint8_t from;
    uint8_t count;
} MATCHERS[MATCH_COUNT] = {
    [MATCH_METHOD] = { "http_method", 0, 1 },
    [MATCH_HOST] = { "host", 0, 8 },
    [MATCH_PATH] = { "url_path", 1, 7 },
};

/* Sixteen bytes of a request: most rules are passed over by comparing these alone. */
struct sketch {
    uint64_t words[2];
};

struct rule {
    struct sketch bytes;
    struct sketch mask; /* of those that are neither "*" nor "?" */
    struct xr_glob patterns[MATCH_COUNT];
    struct xr_quota quota;
};

struct rules {
    size_t bytes; /* of this block */
    struct rule list[];
};

/* ---- Reading ----------------------------------------------------------------- */

/* Whose members are read: "default", or "rules[3]". */
struct owner {
    const cJSON *object;
    char name[32];
};

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

static int refuse(const struct owner *owner, const char *name, const char *reason)
{
    xr_log(&xr_log_stderr, XR_LOG_ERROR, "sampling rules: %s.%s %s", owner->name, name, reason);
    return -EINVAL;
}

static int check_quota(const struct owner *owner)
{
    const cJSON *target = member(owner->object, "fixed_target");
    const cJSON *rate = member(owner->object, "rate");

    if (!target)
        return refuse(owner, "fixed_target", "is missing: say how many a second to sample first");
    if (!cJSON_IsNumber(target) || !(target->valuedouble >= 0) || target->valuedouble > INT32_MAX ||
        target->valuedouble != (double)(int32_t)target->valuedouble)
        return refuse(owner, "fixed_target", "must be a whole number, 0 or more");
    if (!rate)
        return refuse(owner, "rate", "is missing: say which fraction of the rest to sample");
    if (!cJSON_IsNumber(rate) || !(rate->valuedouble >= 0 && rate->valuedouble <= 1))
        return refuse(owner, "rate", "must be a number from 0 to 1");
    return 0;
}

/* Adds the bytes which its patterns need to *bytes. */
static int check_rule(const struct owner *owner, size_t *bytes)
{
    if (!cJSON_IsObject(owner->object)) {
        xr_log(&xr_log_stderr, XR_LOG_ERROR, "sampling rules: %s must be an object", owner->name);
        return -EINVAL;
    }
    if (member(owner->object, "service_name"))
        return refuse(owner, "service_name", "is of version 1: write host instead");

    for (int i = 0; i < MATCH_COUNT; i++) {
        const cJSON *pattern = member(owner->object, MATCHERS[i].name);

        if (!pattern)
            return refuse(owner, MATCHERS[i].name, "is missing: write \"*\" to match all");
        if (!cJSON_IsString(pattern) || pattern->valuestring[0] == '\0')
            return refuse(owner, MATCHERS[i].name, "must be a pattern such as \"*\"");
        *bytes += strlen(pattern->valuestring);
    }
    return check_quota(owner);
}

static int check_default(const struct owner *owner)
{
    static const char *const forbidden[] = { "host", "http_method", "url_path", "service_name" };

    if (!cJSON_IsObject(owner->object)) {
        xr_log(&xr_log_stderr, XR_LOG_ERROR,
               "sampling rules: there must be a default object, with fixed_target and rate");
        return -EINVAL;
    }
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++)
        if (member(owner->object, forbidden[i]))
            return refuse(owner, forbidden[i], "is not allowed: the default matches everything");
    return check_quota(owner);
}

static int check_version(const cJSON *document)
{
    const cJSON *version = member(document, "version");

    if (cJSON_IsNumber(version) && version->valuedouble == 2)
        return 0;
    if (cJSON_IsNumber(version) && version->valuedouble == 1)
        xr_log(&xr_log_stderr, XR_LOG_ERROR,
               "sampling rules: version 1 is not read: rename service_name to host in each rule "
               "and set version to 2");
    else
        xr_log(&xr_log_stderr, XR_LOG_ERROR, "sampling rules: version must be the number 2");
    return -EINVAL;
}

static struct owner rule_owner(const cJSON *object, size_t index)
{
    struct owner owner = { .object = object };

    snprintf(owner.name, sizeof(owner.name), "rules[%zu]", index);
    return owner;
}

static struct owner default_owner(const cJSON *document)
{
    return (struct owner){ .object = member(document, "default"), .name = "default" };
}

/* Returns the number of rules and the bytes of all patterns. */
static int check_document(const cJSON *document, size_t *ret_count, size_t *ret_bytes)
{
    struct owner owner = default_owner(document);
    const cJSON *rules, *rule;
    size_t count = 0, bytes = 0;
    int r;

    if (!cJSON_IsObject(document)) {
        xr_log(&xr_log_stderr, XR_LOG_ERROR,
               "sampling rules: the document must be an object with version, default and rules");
        return -EINVAL;
    }
    r = check_version(document);
    if (r >= 0)
        r = check_default(&owner);
    if (r < 0)
        return r;

    rules = member(document, "rules");
    if (rules && !cJSON_IsArray(rules)) {
        xr_log(&xr_log_stderr, XR_LOG_ERROR, "sampling rules: rules must be an array");
        return -EINVAL;
    }
    cJSON_ArrayForEach(rule, rules)
    {
        owner = rule_owner(rule, count++);
        r = check_rule(&owner, &bytes);
        if (r < 0)
            return r;
    }
    *ret_count = count;
    *ret_bytes = bytes;
    return 0;
}

static cJSON *parse(const char *text)
{
    size_t length = strnlen(text, XR_RULES_TEXT_MAX + 1), line = 1;
    const char *end = text;
    cJSON *document;

    if (length > XR_RULES_TEXT_MAX) {
        xr_log(&xr_log_stderr, XR_LOG_ERROR, "sampling rules: more than %u bytes",
               XR_RULES_TEXT_MAX);
        return NULL;
    }
    document = cJSON_ParseWithLengthOpts(text, length + 1, &end, 1);
    if (!document) {
        for (const char *p = text; p < end; p++)
            line += *p == '\n';
        xr_log(&xr_log_stderr, XR_LOG_ERROR, "sampling rules: not JSON, at line %zu", line);
    }
    return document;
}

/* ---- Compiling --------------------------------------------------------------- */

static void compile_quota(struct xr_quota *ret, const cJSON *object)
{
    xr_reservoir_init(&ret->reservoir, (uint32_t)member(object, "fixed_target")->valuedouble);
    ret->fraction = member(object, "rate")->valuedouble;
}

/* Of each pattern what must be there literally, before its first "*". */
static void compile_sketch(struct rule *rule)
{
    uint8_t bytes[sizeof(struct sketch)] = { 0 }, mask[sizeof(struct sketch)] = { 0 };
    size_t n = 0;

    for (int i = 0; i < MATCH_COUNT; i++)
        for (size_t k = 0; k < MATCHERS[i].count; k++, n++) {
            const struct xr_glob *pattern = &rule->patterns[i];
            size_t at = MATCHERS[i].from + k;

            if (at < pattern->head && pattern->text[at] != '?') {
                bytes[n] = (uint8_t)pattern->text[at];
                mask[n] = 0xff;
            }
        }
    memcpy(&rule->bytes, bytes, sizeof(bytes));
    memcpy(&rule->mask, mask, sizeof(mask));
}

static struct rules *compile(const cJSON *document, size_t count, size_t pattern_bytes)
{
    size_t bytes = sizeof(struct rules) + (count + 1) * sizeof(struct rule) + pattern_bytes;
    struct rules *rules = xr_alloc(bytes);
    struct rule *rule;
    const cJSON *item;
    char *storage;

    if (!rules)
        return NULL;
    rules->bytes = bytes;
    rule = rules->list;
    storage = (char *)(rules->list + count + 1);

    cJSON_ArrayForEach(item, member(document, "rules"))
    {
        for (int i = 0; i < MATCH_COUNT; i++) {
            const char *pattern = member(item, MATCHERS[i].name)->valuestring;
            size_t length = strlen(pattern);

            xr_glob_init(&rule->patterns[i], storage, pattern, length);
            storage += length;
        }
        compile_sketch(rule);
        compile_quota(&rule->quota, item);
        rule++;
    }
    for (int i = 0; i < MATCH_COUNT; i++)
        rule->patterns[i] = (struct xr_glob){ .text = "*", .length = 1 };
    compile_sketch(rule);
    compile_quota(&rule->quota, member(document, "default"));
    return rules;
}

/* ---- Deciding ---------------------------------------------------------------- */

struct text {
    const char *text; /* or NULL: not known */
    size_t length;
};

static struct text text_of(const char *text)
{
    return (struct text){ .text = text, .length = text ? strlen(text) : 0 };
}

/* What is not there is zero, which is in no pattern. */
static struct sketch sketch_of(const struct text texts[MATCH_COUNT])
{
    uint8_t bytes[sizeof(struct sketch)] = { 0 };
    struct sketch sketch;
    size_t n = 0;

    for (int i = 0; i < MATCH_COUNT; i++) {
        for (size_t at = MATCHERS[i].from, k = 0; k < MATCHERS[i].count; at++, k++) {
            if (at >= texts[i].length)
                break;
            bytes[n + k] = (uint8_t)xr_glob_fold(texts[i].text[at]);
        }
        n += MATCHERS[i].count;
    }
    memcpy(&sketch, bytes, sizeof(sketch));
    return sketch;
}

static bool matches(const struct rule *rule, const struct sketch *sketch,
                    const struct text texts[MATCH_COUNT])
{
    uint64_t differ = (rule->bytes.words[0] ^ sketch->words[0]) & rule->mask.words[0];

    differ |= (rule->bytes.words[1] ^ sketch->words[1]) & rule->mask.words[1];
    if (differ != 0)
        return false;
    for (int i = 0; i < MATCH_COUNT; i++)
        if (!xr_glob_match(&rule->patterns[i], texts[i].text, texts[i].length))
            return false;
    return true;
}

static void decide(void *data, const xray_sampling_request *request, xray_sampling_decision *ret)
{
    const struct text texts[MATCH_COUNT] = {
        [MATCH_METHOD] = text_of(XR_REQUEST_HAS(request, http_method) ? request->http_method
                                                                      : NULL),
        [MATCH_HOST] = text_of(XR_REQUEST_HAS(request, host) ? request->host : NULL),
        [MATCH_PATH] = text_of(XR_REQUEST_HAS(request, url_path) ? request->url_path : NULL),
    };
    struct rule *rule = ((struct rules *)data)->list;
    struct sketch sketch = sketch_of(texts);

    while (!matches(rule, &sketch, texts))
        rule++; /* the last one matches everything */
    xr_decision_fill(ret, xr_quota_decide(&rule->quota, request));
}

static void destroy(void *data)
{
    struct rules *rules = data;

    if (rules)
        xr_free(rules, rules->bytes);
}

int xr_sampler_rules(xray_sampler *ret, const char *text)
{
    xray_sampler sampler = { .size = sizeof(sampler), .decide = decide, .destroy = destroy };
    size_t count, pattern_bytes;
    cJSON *document;
    int r;

    if (xr_sampler_check(ret) < 0 || !text) {
        xr_log(&xr_log_stderr, XR_LOG_ERROR,
               "sampling rules: give a sampler with its size set, and a document");
        return -EINVAL;
    }
    document = parse(text);
    if (!document)
        return -EINVAL;

    r = check_document(document, &count, &pattern_bytes);
    if (r >= 0) {
        sampler.data = compile(document, count, pattern_bytes);
        r = sampler.data ? 0 : -ENOMEM;
    }
    cJSON_Delete(document);
    if (r >= 0)
        xr_sampler_fill(ret, &sampler);
    return r;
}
