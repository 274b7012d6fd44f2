/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/import.h"

#include "local/base/json_text.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Lists in answers in lists: no file of ours is deeper. */
#define DEPTH_MAX 8u

struct reading {
    const struct import_sink *sink;
    size_t line;
};

/* The members of an object that say what it is, as text; NULL if they are not there. */
struct known {
    struct json_member traces;
    struct json_member segments;
    struct json_member document;
    struct json_member resource_spans;
};

static int read_value(const struct reading *reading, const char *text, size_t length,
                      unsigned depth);

static void visit(void *data, const struct json_member *member)
{
    struct known *known = data;
    const struct {
        const char *name;
        struct json_member *member;
    } names[] = {
        { "Traces", &known->traces },
        { "Segments", &known->segments },
        { "Document", &known->document },
        { "resourceSpans", &known->resource_spans },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i].name) == member->name_length &&
            memcmp(names[i].name, member->name, member->name_length) == 0)
            *names[i].member = *member;
}

/* A document in a string, as in the API's answers. */
static int read_string(const struct reading *reading, const struct json_member *member)
{
    cJSON *string = cJSON_ParseWithLength(member->value, member->length);
    if (!string)
        return -ENOMEM;
    int r = reading->sink->document(reading->sink->data, string->valuestring,
                                    strlen(string->valuestring), reading->line);
    cJSON_Delete(string);
    return r;
}

static int read_object(const struct reading *reading, const char *text, size_t length,
                       unsigned depth)
{
    const struct import_sink *sink = reading->sink;
    struct known known = { 0 };
    struct json_error error;
    json_text_members(text, length, visit, &known, &error);
    if (known.traces.value)
        return read_value(reading, known.traces.value, known.traces.length, depth + 1);
    if (known.segments.value)
        return read_value(reading, known.segments.value, known.segments.length, depth + 1);
    if (known.resource_spans.value)
        return sink->otlp(sink->data, text, length, reading->line);
    if (!known.document.value)
        return sink->document(sink->data, text, length, reading->line);
    if (*known.document.value == '"')
        return read_string(reading, &known.document);
    return sink->document(sink->data, known.document.value, known.document.length, reading->line);
}

static int read_list(const struct reading *reading, const char *text, size_t length, unsigned depth)
{
    const char *end = text + length - 1; /* the bracket */
    const char *at = json_skip_space(text + 1, end);
    int r = 0;
    while (at < end && r == 0) {
        const char *next = json_skip_value(at, end);
        r = read_value(reading, at, (size_t)(next - at), depth + 1);
        at = json_skip_space(next, end);
        if (at < end && *at == ',')
            at = json_skip_space(at + 1, end);
    }
    return r;
}

/* The text has passed the check. */
static int read_value(const struct reading *reading, const char *text, size_t length,
                      unsigned depth)
{
    const struct import_sink *sink = reading->sink;
    if (depth > DEPTH_MAX)
        return sink->wrong(sink->data, "lists in lists, more than 8 deep", reading->line);
    if (*text == '{')
        return read_object(reading, text, length, depth);
    if (*text == '[')
        return read_list(reading, text, length, depth);
    return sink->wrong(sink->data, "no document: it is neither an object nor a list",
                       reading->line);
}

static size_t count_lines(const char *from, const char *to)
{
    size_t count = 0;
    while (from < to && (from = memchr(from, '\n', (size_t)(to - from)))) {
        count++;
        from++;
    }
    return count;
}

/* After something that is no JSON, the next line may be good again. */
static const char *next_line(const char *at, const char *end)
{
    const char *line = memchr(at, '\n', (size_t)(end - at));
    return line ? line + 1 : end;
}

/* One value of the file; *at becomes what follows it. */
static int read_one(const struct reading *reading, const char **at, const char *end)
{
    const struct import_sink *sink = reading->sink;
    const char *start = *at;
    struct json_error error;
    if (*start != '{' && *start != '[') {
        *at = next_line(start, end);
        return sink->wrong(sink->data, "no JSON object", reading->line);
    }
    const char *next = json_skip_value(start, end);
    if (json_text_check(start, (size_t)(next - start), &error)) {
        *at = next;
        return read_value(reading, start, (size_t)(next - start), 0);
    }
    *at = next_line(start, end);
    return sink->wrong(sink->data, error.reason, reading->line);
}

int import_read(const char *text, size_t length, const struct import_sink *sink)
{
    struct reading reading = { .sink = sink, .line = 1 };
    const char *end = text + length;
    const char *counted = text;
    int r = 0;
    for (const char *at = json_skip_space(text, end); at < end && r == 0;
         at = json_skip_space(at, end)) {
        reading.line += count_lines(counted, at);
        counted = at;
        r = read_one(&reading, &at, end);
        sink->progress(sink->data, (size_t)(at - text));
    }
    return r;
}
