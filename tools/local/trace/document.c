/* SPDX-License-Identifier: Apache-2.0 */
#include "local/trace/document.h"

#include "local/base/json_text.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *code;
    const char *text;
} refusals[REFUSED_REASONS] = {
    [REFUSED_NO_NEWLINE] = { "ParseError", "no newline after the header" },
    [REFUSED_HEADER] = { "ParseError", "the header is not JSON" },
    [REFUSED_FORMAT] = { "ParseError", "the header's format is not json" },
    [REFUSED_VERSION] = { "ParseError", "the header's version is not 1" },
    [REFUSED_EMPTY_BODY] = { "ParseError", "nothing after the header" },
    [REFUSED_TRUNCATED] = { "ParseError", "longer than a datagram can be" },
    [REFUSED_NOT_JSON] = { "ParseError", "not JSON" },
    [REFUSED_TOO_DEEP] = { "ParseError", "nested too deep" },
    [REFUSED_NO_OBJECT] = { "ParseError", "not a JSON object" },
    [REFUSED_TOO_LARGE] = { "DocumentTooLarge", "too large" },
    [REFUSED_SUBSEGMENTS] = { "TooManySubsegments", "too many subsegments" },
    [REFUSED_ID] = { "MissingId", "no valid id" },
    [REFUSED_TRACE_ID] = { "InvalidTraceId", "no valid trace_id" },
    [REFUSED_PARENT_ID] = { "InvalidParentId", "a subsegment without a valid parent_id" },
    [REFUSED_START_TIME] = { "MissingStartTime", "no valid start_time" },
    [REFUSED_END_TIME] = { "InvalidEndTime", "no valid end_time" },
    [REFUSED_TRACE_FULL] = { "TraceTooLarge", "the trace is full" },
    [REFUSED_MEMORY] = { "InternalFailure", "out of memory" },
};

const char *refusal_text(enum refusal_reason reason)
{
    return refusals[reason].text;
}

void refusal_set(struct refusal *ret, enum refusal_reason reason, const char *format, ...)
{
    ret->reason = reason;
    snprintf(ret->code, sizeof ret->code, "%s", refusals[reason].code);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(ret->message, sizeof ret->message, format, arguments);
    va_end(arguments);
}

/* In the words of the service, the cause after them. */
static int refuse(struct refusal *ret, const struct document *document, enum refusal_reason reason,
                  const char *cause)
{
    refusal_set(ret, reason, "Invalid %s. ErrorCode: %s, Cause: %s",
                document->subsegment ? "subsegment" : "segment", refusals[reason].code, cause);
    return -EINVAL;
}

static const char *string_member(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* Counts nested subsegments, and stops once there are too many. */
static size_t count_subsegments(const cJSON *entity, size_t count)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(entity, "subsegments");
    const cJSON *child;
    if (!cJSON_IsArray(list))
        return count;
    cJSON_ArrayForEach(child, list)
    {
        if (count > DOCUMENT_SUBSEGMENTS_MAX)
            break;
        count = count_subsegments(child, count + 1);
    }
    return count;
}

static bool read_time(const cJSON *object, const char *name, double *ret)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble) || item->valuedouble < 0 ||
        item->valuedouble > DOCUMENT_TIME_MAX)
        return false;
    *ret = item->valuedouble;
    return true;
}

static int read_ids(const cJSON *json, struct document *document, struct refusal *refusal)
{
    const char *id = string_member(json, "id");
    if (!id || !entity_id_parse(id, &document->id))
        return refuse(refusal, document, REFUSED_ID, "id is not 16 hex digits");
    entity_id_format(document->id, refusal->id);

    const char *trace_id = string_member(json, "trace_id");
    if (!trace_id || !trace_id_parse(trace_id, &document->trace_id))
        return refuse(refusal, document, REFUSED_TRACE_ID,
                      "trace_id is not 1-<8 hex digits>-<24 hex digits>");

    const char *parent = string_member(json, "parent_id");
    document->has_parent = parent && entity_id_parse(parent, &document->parent_id);
    if (document->subsegment && !document->has_parent)
        return refuse(refusal, document, REFUSED_PARENT_ID, "parent_id is not 16 hex digits");
    return 0;
}

static int read_times(const cJSON *json, struct document *document, struct refusal *refusal)
{
    if (!read_time(json, "start_time", &document->start))
        return refuse(refusal, document, REFUSED_START_TIME,
                      "start_time is not a number of seconds since 1970");
    document->end = document->start;
    const cJSON *end = cJSON_GetObjectItemCaseSensitive(json, "end_time");
    if (!end || cJSON_IsNull(end))
        document->in_progress = true;
    else if (!read_time(json, "end_time", &document->end))
        return refuse(refusal, document, REFUSED_END_TIME,
                      "end_time is not a number of seconds since 1970");
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "in_progress")))
        document->in_progress = true;
    return 0;
}

int document_parse(const char *text, size_t length, struct document *ret,
                   struct refusal *ret_refusal)
{
    struct document document = { .text = text, .length = length };
    *ret_refusal = (struct refusal){ 0 };
    if (length > DOCUMENT_BYTES_MAX)
        return refuse(ret_refusal, &document, REFUSED_TOO_LARGE, "more than 1 MiB");

    struct json_error error;
    if (!json_text_check(text, length, &error)) {
        enum refusal_reason reason = error.too_deep ? REFUSED_TOO_DEEP : REFUSED_NOT_JSON;
        refusal_set(ret_refusal, reason, "Invalid segment. ErrorCode: %s, Cause: %s at byte %zu",
                    refusals[reason].code, error.reason, error.offset);
        return -EINVAL;
    }
    cJSON *json = cJSON_ParseWithLength(text, length);
    if (!json) {
        refuse(ret_refusal, &document, REFUSED_MEMORY, "out of memory");
        return -ENOMEM;
    }
    const char *type = string_member(json, "type");
    document.subsegment = type && strcmp(type, "subsegment") == 0;

    int r;
    if (!cJSON_IsObject(json))
        r = refuse(ret_refusal, &document, REFUSED_NO_OBJECT, "not a JSON object");
    else
        r = read_ids(json, &document, ret_refusal);
    if (r == 0)
        r = read_times(json, &document, ret_refusal);
    if (r == 0 && count_subsegments(json, 0) > DOCUMENT_SUBSEGMENTS_MAX)
        r = refuse(ret_refusal, &document, REFUSED_SUBSEGMENTS, "more than 10000 subsegments");
    cJSON_Delete(json);
    if (r == 0)
        *ret = document;
    return r;
}

static int check_header(const cJSON *header, struct refusal *refusal)
{
    if (!cJSON_IsObject(header)) {
        refusal_set(refusal, REFUSED_HEADER, "the first line is not a JSON object");
        return -EINVAL;
    }
    const char *format = string_member(header, "format");
    if (!format || strcasecmp(format, "json") != 0) {
        refusal_set(refusal, REFUSED_FORMAT, "the header's format is not \"json\"");
        return -EINVAL;
    }
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(header, "version");
    if (!cJSON_IsNumber(version) || version->valuedouble != 1) {
        refusal_set(refusal, REFUSED_VERSION, "the header's version is not 1");
        return -EINVAL;
    }
    return 0;
}

int datagram_body(const char *datagram, size_t length, const char **ret_body, size_t *ret_length,
                  struct refusal *ret_refusal)
{
    *ret_refusal = (struct refusal){ 0 };
    const char *newline = length ? memchr(datagram, '\n', length) : NULL;
    if (!newline) {
        refusal_set(ret_refusal, REFUSED_NO_NEWLINE, "no newline between header and document");
        return -EINVAL;
    }
    size_t header_length = (size_t)(newline - datagram);
    struct json_error error;
    cJSON *header = NULL;
    if (json_text_check(datagram, header_length, &error))
        header = cJSON_ParseWithLength(datagram, header_length);
    int r = check_header(header, ret_refusal);
    cJSON_Delete(header);
    if (r < 0)
        return r;
    const char *body = newline + 1;
    size_t body_length = length - header_length - 1;
    if (json_skip_space(body, body + body_length) == body + body_length) {
        refusal_set(ret_refusal, REFUSED_EMPTY_BODY, "no document after the header");
        return -EINVAL;
    }
    *ret_body = body;
    *ret_length = body_length;
    return 0;
}
