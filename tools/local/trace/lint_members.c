/* SPDX-License-Identifier: Apache-2.0 */
/* The members that X-Ray knows, as tables. */
#include "local/trace/lint_internal.h"

#include <math.h>
#include <string.h>

enum member_type {
    TYPE_ANY,    /* looked at elsewhere, or free */
    TYPE_STRING, /* up to LINT_STRING_MAX characters */
    TYPE_TEXT,   /* of any length */
    TYPE_FLAG,
    TYPE_WHOLE,
    TYPE_OBJECT,
    TYPE_LIST, /* of objects, if there is a table */
};

/* Of a segment only: in a subsegment it is dropped. */
#define SEGMENT_ONLY 1

struct member_row {
    const char *name;
    enum member_type type;
    const struct member_row *table; /* of what is in it; NULL: free */
    int marks;
};

static const struct member_row request_rows[] = {
    { "method", TYPE_STRING, NULL, 0 },
    { "url", TYPE_STRING, NULL, 0 },
    { "user_agent", TYPE_STRING, NULL, 0 },
    { "client_ip", TYPE_STRING, NULL, 0 },
    { "x_forwarded_for", TYPE_FLAG, NULL, SEGMENT_ONLY },
    { "traced", TYPE_FLAG, NULL, 0 },
    { 0 },
};
static const struct member_row response_rows[] = {
    { "status", TYPE_WHOLE, NULL, 0 },
    { "content_length", TYPE_WHOLE, NULL, 0 },
    { 0 },
};
static const struct member_row http_rows[] = {
    { "request", TYPE_OBJECT, request_rows, 0 },
    { "response", TYPE_OBJECT, response_rows, 0 },
    { 0 },
};
static const struct member_row frame_rows[] = {
    { "path", TYPE_TEXT, NULL, 0 },
    { "line", TYPE_WHOLE, NULL, 0 },
    { "label", TYPE_TEXT, NULL, 0 },
    { 0 },
};
static const struct member_row exception_rows[] = {
    { "id", TYPE_ANY, NULL, 0 },
    { "message", TYPE_TEXT, NULL, 0 },
    { "type", TYPE_TEXT, NULL, 0 },
    { "remote", TYPE_FLAG, NULL, 0 },
    { "truncated", TYPE_WHOLE, NULL, 0 },
    { "skipped", TYPE_WHOLE, NULL, 0 },
    { "cause", TYPE_TEXT, NULL, 0 },
    { "stack", TYPE_LIST, frame_rows, 0 },
    { 0 },
};
static const struct member_row cause_rows[] = {
    { "working_directory", TYPE_TEXT, NULL, 0 },
    { "paths", TYPE_LIST, NULL, 0 },
    { "exceptions", TYPE_LIST, exception_rows, 0 },
    { "message", TYPE_TEXT, NULL, 0 },
    { 0 },
};
static const struct member_row sql_rows[] = {
    { "connection_string", TYPE_TEXT, NULL, 0 },
    { "url", TYPE_TEXT, NULL, 0 },
    { "sanitized_query", TYPE_TEXT, NULL, 0 },
    { "database_type", TYPE_STRING, NULL, 0 },
    { "database_version", TYPE_STRING, NULL, 0 },
    { "driver_version", TYPE_STRING, NULL, 0 },
    { "user", TYPE_STRING, NULL, 0 },
    { "preparation", TYPE_STRING, NULL, 0 },
    { 0 },
};
static const struct member_row link_rows[] = {
    { "trace_id", TYPE_STRING, NULL, 0 },
    { "id", TYPE_STRING, NULL, 0 },
    { "attributes", TYPE_OBJECT, NULL, 0 },
    { 0 },
};

/* Of segments and subsegments; `type`, `namespace` and so on in a segment do no harm. */
static const struct member_row entity_rows[] = {
    { "name", TYPE_ANY, NULL, 0 },
    { "id", TYPE_ANY, NULL, 0 },
    { "trace_id", TYPE_ANY, NULL, 0 },
    { "parent_id", TYPE_ANY, NULL, 0 },
    { "start_time", TYPE_ANY, NULL, 0 },
    { "end_time", TYPE_ANY, NULL, 0 },
    { "in_progress", TYPE_FLAG, NULL, 0 },
    { "type", TYPE_STRING, NULL, 0 },
    { "namespace", TYPE_STRING, NULL, 0 },
    { "traced", TYPE_FLAG, NULL, 0 },
    { "precursor_ids", TYPE_LIST, NULL, 0 },
    { "http", TYPE_OBJECT, http_rows, 0 },
    { "aws", TYPE_OBJECT, NULL, 0 },
    { "sql", TYPE_OBJECT, sql_rows, 0 },
    { "annotations", TYPE_OBJECT, NULL, 0 },
    { "metadata", TYPE_OBJECT, NULL, 0 },
    { "error", TYPE_FLAG, NULL, 0 },
    { "throttle", TYPE_FLAG, NULL, 0 },
    { "fault", TYPE_FLAG, NULL, 0 },
    { "cause", TYPE_ANY, cause_rows, 0 }, /* an object, or a string */
    { "subsegments", TYPE_LIST, NULL, 0 },
    { "service", TYPE_OBJECT, NULL, SEGMENT_ONLY },
    { "user", TYPE_STRING, NULL, SEGMENT_ONLY },
    { "origin", TYPE_STRING, NULL, SEGMENT_ONLY },
    { "resource_arn", TYPE_TEXT, NULL, SEGMENT_ONLY },
    { "links", TYPE_LIST, link_rows, SEGMENT_ONLY },
    { 0 },
};

static void check_object(struct lint *lint, const cJSON *object, const struct member_row *rows,
                         bool segment, const struct lint_place *place);

static const struct member_row *find_row(const struct member_row *rows, const char *name)
{
    for (; rows->name; rows++)
        if (strcmp(rows->name, name) == 0)
            return rows;
    return NULL;
}

/* NULL if it is of the type, or what it must be. */
static const char *wrong_type(const cJSON *item, enum member_type type)
{
    switch (type) {
    case TYPE_STRING:
    case TYPE_TEXT:
        return cJSON_IsString(item) ? NULL : "a string";
    case TYPE_FLAG:
        return cJSON_IsBool(item) ? NULL : "true or false";
    case TYPE_WHOLE:
        return cJSON_IsNumber(item) && item->valuedouble == floor(item->valuedouble)
                   ? NULL
                   : "a whole number";
    case TYPE_OBJECT:
        return cJSON_IsObject(item) ? NULL : "an object";
    case TYPE_LIST:
        return cJSON_IsArray(item) ? NULL : "an array";
    case TYPE_ANY:
        break;
    }
    return NULL;
}

static void check_items(struct lint *lint, const cJSON *list, const struct member_row *row,
                        bool segment, const struct lint_place *place)
{
    const cJSON *item;
    struct lint_place at = { .outer = place };
    cJSON_ArrayForEach(item, list)
    {
        if (cJSON_IsObject(item))
            check_object(lint, item, row->table, segment, &at);
        at.index++;
    }
}

static void check_member(struct lint *lint, const cJSON *item, const struct member_row *row,
                         bool segment, const struct lint_place *place)
{
    const char *wanted = wrong_type(item, row->type);
    if ((row->marks & SEGMENT_ONLY) && !segment)
        lint_add(lint, FINDING_WARNING, "segment-only", place,
                 "is for segments: in a subsegment it is dropped");
    else if (wanted)
        lint_add(lint, FINDING_WARNING, "type", place, "must be %s", wanted);
    else if (row->type == TYPE_STRING && lint_characters(item->valuestring) > LINT_STRING_MAX)
        lint_add(lint, FINDING_WARNING, "string-length", place,
                 "has more than %u characters, which is all that X-Ray takes", LINT_STRING_MAX);
    else if (row->table && cJSON_IsObject(item))
        check_object(lint, item, row->table, segment, place);
    else if (row->table && cJSON_IsArray(item))
        check_items(lint, item, row, segment, place);
}

static void check_object(struct lint *lint, const cJSON *object, const struct member_row *rows,
                         bool segment, const struct lint_place *place)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        struct lint_place at = { .outer = place, .name = item->string };
        const struct member_row *row = find_row(rows, item->string);
        if (row)
            check_member(lint, item, row, segment, &at);
        else
            lint_add(lint, FINDING_WARNING, "unknown-field", &at,
                     "is not a field that X-Ray knows: it will be dropped");
    }
}

void lint_members(struct lint *lint, const cJSON *object, enum lint_table table,
                  const struct lint_place *place)
{
    check_object(lint, object, entity_rows, table == LINT_SEGMENT, place);
}
