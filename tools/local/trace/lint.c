/* SPDX-License-Identifier: Apache-2.0 */
#include "local/trace/lint.h"

#include "local/base/ids.h"
#include "local/trace/lint_internal.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX            400u
#define ANNOTATION_KEY_MAX   500u
#define ANNOTATION_VALUE_MAX 1000u

const char *lint_level_name(enum finding_level level)
{
    static const char *const names[] = { "note", "warning", "error" };
    return names[level];
}

size_t lint_characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

bool lint_is_id(const cJSON *item)
{
    uint64_t id;
    return cJSON_IsString(item) && entity_id_parse(item->valuestring, &id);
}

/* From the outside in; what does not fit is left out at the end. */
static void write_path(const struct lint_place *place, char *ret, size_t size)
{
    if (!place)
        return;
    write_path(place->outer, ret, size);
    size_t at = strlen(ret);
    if (place->name)
        snprintf(ret + at, size - at, "%s%s", at ? "." : "", place->name);
    else
        snprintf(ret + at, size - at, "[%zu]", place->index);
}

/* What was cut off must not end within a character. */
static void cut_character(char *text, size_t size)
{
    size_t length = strlen(text);
    size_t at = length;
    if (length < size - 1)
        return;
    while (at && ((unsigned char)text[at - 1] & 0xc0) == 0x80)
        at--;
    if (at && (unsigned char)text[at - 1] >= 0xc0)
        at--;
    text[at] = '\0';
}

void lint_add(struct lint *lint, enum finding_level level, const char *code,
              const struct lint_place *place, const char *format, ...)
{
    struct finding finding = { .level = level, .code = code };
    va_list arguments;
    if (lint->findings++ >= LINT_FINDINGS_MAX)
        return;
    write_path(place, finding.path, sizeof finding.path);
    cut_character(finding.path, sizeof finding.path);
    va_start(arguments, format);
    vsnprintf(finding.message, sizeof finding.message, format, arguments);
    va_end(arguments);
    lint->found(lint->data, &finding);
}

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* Letters and digits of other scripts are allowed; which bytes are some is not looked at. */
static char bad_character(const char *name)
{
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if (c < 0x80 && !isalnum(c) && c != ' ' && !strchr("_.:/%&#=+-@", c))
            return *name;
    }
    return 0;
}

static void check_name(struct lint *lint, const cJSON *entity, const struct lint_place *place)
{
    const cJSON *name = get(entity, "name");
    struct lint_place at = { .outer = place, .name = "name" };
    if (!cJSON_IsString(name) || !*name->valuestring) {
        lint_add(lint, FINDING_ERROR, "name-missing", &at, "must be a string that is not empty");
        return;
    }
    char bad = bad_character(name->valuestring);
    if (lint_characters(name->valuestring) > LINT_NAME_MAX)
        lint_add(lint, FINDING_ERROR, "name-length", &at, "has more than %u characters",
                 LINT_NAME_MAX);
    if (bad && isprint((unsigned char)bad))
        lint_add(lint, FINDING_ERROR, "name-characters", &at,
                 "has a %c: names are letters, digits, blanks and _ . : / %% & # = + - @", bad);
    else if (bad)
        lint_add(lint, FINDING_ERROR, "name-characters", &at,
                 "has a control character: names are letters, digits, blanks and "
                 "_ . : / %% & # = + - @");
}

static void check_times(struct lint *lint, const cJSON *entity, const struct lint_place *place)
{
    const cJSON *start = get(entity, "start_time");
    const cJSON *end = get(entity, "end_time");
    bool running = cJSON_IsTrue(get(entity, "in_progress"));
    if (!cJSON_IsNumber(start))
        lint_add(lint, FINDING_ERROR, "start-time-missing", place,
                 "needs start_time, a number of seconds since 1970");
    if (!running && !cJSON_IsNumber(end))
        lint_add(lint, FINDING_ERROR, "end-time-missing", place,
                 "needs end_time, or in_progress as long as it has none");
    if (running && end)
        lint_add(lint, FINDING_WARNING, "end-time-in-progress", place,
                 "has end_time and in_progress: it must be one of them");
    if (cJSON_IsNumber(start) && cJSON_IsNumber(end) && end->valuedouble < start->valuedouble)
        lint_add(lint, FINDING_WARNING, "end-before-start", place, "ends before it starts");
}

static void check_annotation(struct lint *lint, const cJSON *item, const struct lint_place *place)
{
    struct lint_place at = { .outer = place, .name = item->string };
    const char *key = item->string;
    bool good = *key && strlen(key) <= ANNOTATION_KEY_MAX;
    for (; good && *key; key++)
        good = isalnum((unsigned char)*key) || *key == '_' || *key == '.';
    if (!good || (unsigned char)*key >= 0x80)
        lint_add(lint, FINDING_WARNING, "annotation-key", &at,
                 "is not indexed: keys are up to %u of A-Z a-z 0-9 _ and .", ANNOTATION_KEY_MAX);
    if (cJSON_IsString(item) && lint_characters(item->valuestring) > ANNOTATION_VALUE_MAX)
        lint_add(lint, FINDING_WARNING, "annotation-length", &at,
                 "is not indexed: it has more than %u characters", ANNOTATION_VALUE_MAX);
    else if (!cJSON_IsString(item) && !cJSON_IsNumber(item) && !cJSON_IsBool(item))
        lint_add(lint, FINDING_WARNING, "annotation-value", &at,
                 "is not indexed: values are strings, numbers, true and false");
    if (++lint->annotations == LINT_ANNOTATIONS_MAX + 1)
        lint_add(lint, FINDING_WARNING, "annotation-count", &at,
                 "and what follows is not indexed: a trace has up to %u annotations",
                 LINT_ANNOTATIONS_MAX);
}

static void check_annotations(struct lint *lint, const cJSON *entity,
                              const struct lint_place *place)
{
    const cJSON *annotations = get(entity, "annotations");
    struct lint_place at = { .outer = place, .name = "annotations" };
    const cJSON *item;
    if (!cJSON_IsObject(annotations))
        return;
    cJSON_ArrayForEach(item, annotations) check_annotation(lint, item, &at);
}

static void check_metadata(struct lint *lint, const cJSON *entity, const struct lint_place *place)
{
    const cJSON *metadata = get(entity, "metadata");
    struct lint_place of = { .outer = place, .name = "metadata" };
    const cJSON *item;
    if (!cJSON_IsObject(metadata))
        return;
    cJSON_ArrayForEach(item, metadata)
    {
        struct lint_place at = { .outer = &of, .name = item->string };
        if (!cJSON_IsObject(item))
            lint_add(lint, FINDING_NOTE, "metadata-namespace", &at,
                     "must be an object, as metadata is by namespace: OpenTelemetry's receiver "
                     "rejects the whole document");
        if (strncmp(item->string, "AWS.", 4) == 0)
            lint_add(lint, FINDING_WARNING, "metadata-reserved", &at,
                     "is a namespace of AWS: names that begin with AWS. are reserved");
    }
}

static void check_exceptions(struct lint *lint, const cJSON *cause, const struct lint_place *place)
{
    struct lint_place list = { .outer = place, .name = "exceptions" };
    struct lint_place at = { .outer = &list };
    const cJSON *item;
    cJSON_ArrayForEach(item, get(cause, "exceptions"))
    {
        if (!lint_is_id(get(item, "id")))
            lint_add(lint, FINDING_WARNING, "exception-id", &at,
                     "needs an id of 16 hex digits; OpenTelemetry's receiver fails without");
        at.index++;
    }
}

static void check_cause(struct lint *lint, const cJSON *entity, const struct lint_place *place)
{
    const cJSON *cause = get(entity, "cause");
    struct lint_place at = { .outer = place, .name = "cause" };
    if (cJSON_IsObject(cause))
        check_exceptions(lint, cause, &at);
    else if (cause && !lint_is_id(cause))
        lint_add(lint, FINDING_WARNING, "cause", &at,
                 "must be an object, or the id of an exception, 16 hex digits");
}

static bool is_set(const cJSON *entity, const char *name)
{
    return cJSON_IsTrue(get(entity, name));
}

static void check_outcome(struct lint *lint, const cJSON *entity, const struct lint_place *place)
{
    const cJSON *status = get(get(get(entity, "http"), "response"), "status");
    double code = cJSON_IsNumber(status) ? status->valuedouble : 0;
    if (is_set(entity, "fault") && code < 500 && !get(entity, "cause"))
        lint_add(lint, FINDING_NOTE, "fault-without-cause", place,
                 "has a fault without a cause: readers other than X-Ray do not see that it failed");
    if (code >= 500 && code < 600 && !is_set(entity, "fault"))
        lint_add(lint, FINDING_NOTE, "status-without-fault", place,
                 "has HTTP status %g without fault: X-Ray counts it as good", code);
    if (code >= 400 && code < 500 && !is_set(entity, "error"))
        lint_add(lint, FINDING_NOTE, "status-without-error", place,
                 "has HTTP status %g without error: X-Ray counts it as good", code);
    if (code == 429 && !is_set(entity, "throttle"))
        lint_add(lint, FINDING_NOTE, "status-without-throttle", place,
                 "has HTTP status 429 without throttle: X-Ray does not count it as throttled");
}

static void check_namespace(struct lint *lint, const cJSON *entity, const struct lint_place *place)
{
    const cJSON *item = get(entity, "namespace");
    struct lint_place at = { .outer = place, .name = "namespace" };
    static const char *const known[] = { "aws", "remote", "local" };
    if (!cJSON_IsString(item))
        return;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(item->valuestring, known[i]) == 0)
            return;
    lint_add(lint, FINDING_NOTE, "namespace", &at,
             "should be aws or remote: OpenTelemetry's receiver rejects the whole document");
}

/* scheme://host[:port]/database */
static bool is_database_url(const char *url)
{
    size_t scheme = strspn(url,
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    if (!scheme || strncmp(url + scheme, "://", 3) != 0)
        return false;
    const char *host = url + scheme + 3;
    size_t length = strcspn(host, "/?#");
    return length && host[length] == '/' && host[length + 1];
}

static void check_sql(struct lint *lint, const cJSON *entity, const struct lint_place *place)
{
    const cJSON *url = get(get(entity, "sql"), "url");
    struct lint_place sql = { .outer = place, .name = "sql" };
    struct lint_place at = { .outer = &sql, .name = "url" };
    if (cJSON_IsString(url) && !is_database_url(url->valuestring))
        lint_add(lint, FINDING_NOTE, "sql-url", &at,
                 "should be scheme://host:port/database: OpenTelemetry's receiver rejects the "
                 "whole document");
}

static void check_links(struct lint *lint, const cJSON *entity, const struct lint_place *place)
{
    struct lint_place at = { .outer = place, .name = "links" };
    if (cJSON_GetArraySize(get(entity, "links")) > LINT_LINKS_MAX)
        lint_add(lint, FINDING_WARNING, "links", &at, "are more than %d: the rest is dropped",
                 LINT_LINKS_MAX);
}

static void check_id(struct lint *lint, const cJSON *entity, const struct lint_place *place)
{
    struct lint_place at = { .outer = place, .name = "id" };
    if (!lint_is_id(get(entity, "id")))
        lint_add(lint, FINDING_ERROR, "id", &at, "must be 16 hex digits");
}

typedef void check(struct lint *lint, const cJSON *entity, const struct lint_place *place);

static check *const checks[] = {
    check_id,       check_name,  check_times,   check_namespace, check_annotations,
    check_metadata, check_cause, check_outcome, check_sql,       check_links,
};

static void check_entity(struct lint *lint, const cJSON *entity, bool segment,
                         const struct lint_place *place, unsigned depth)
{
    struct lint_place list = { .outer = place, .name = "subsegments" };
    struct lint_place at = { .outer = &list };
    const cJSON *children = get(entity, "subsegments");
    const cJSON *child;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        checks[i](lint, entity, place);
    lint_members(lint, entity, segment ? LINT_SEGMENT : LINT_SUBSEGMENT, place);
    if (depth == DEPTH_MAX || !cJSON_IsArray(children))
        return;
    cJSON_ArrayForEach(child, children)
    {
        if (cJSON_IsObject(child))
            check_entity(lint, child, false, &at, depth + 1);
        else
            lint_add(lint, FINDING_ERROR, "subsegment", &at, "must be an object");
        at.index++;
    }
}

void lint_document(const cJSON *document, size_t bytes, lint_found *found, void *data)
{
    struct lint lint = { .found = found, .data = data };
    const cJSON *type = get(document, "type");
    bool subsegment = cJSON_IsString(type) && strcmp(type->valuestring, "subsegment") == 0;
    if (bytes > LINT_BYTES_MAX)
        lint_add(&lint, FINDING_ERROR, "document-size", NULL,
                 "has %zu bytes: X-Ray takes documents of up to 64 kB", bytes);
    check_entity(&lint, document, !subsegment, NULL, 0);
}
