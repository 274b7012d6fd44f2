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
    [REFUSED_SPAN] = { "InvalidSpan", "a span that can't be a segment" },
    [REFUSED_OTLP] = { "ParseError", "not a request of OTLP" },
    [REFUSED_STRICT] = { "InvalidSegment", "X-Ray would reject it (--strict)" },
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

enum member {
    MEMBER_ID,
    MEMBER_TRACE_ID,
    MEMBER_PARENT_ID,
    MEMBER_TYPE,
    MEMBER_START_TIME,
    MEMBER_END_TIME,
    MEMBER_IN_PROGRESS,
    MEMBER_SUBSEGMENTS,
    MEMBERS,
};

/* The text of a value; NULL: the document has no such member. */
struct value {
    const char *text;
    size_t length;
};

static const struct value member_names[MEMBERS] = {
#define NAME(text)             \
    {                          \
        text, sizeof(text) - 1 \
    }
    [MEMBER_ID] = NAME("id"),
    [MEMBER_TRACE_ID] = NAME("trace_id"),
    [MEMBER_PARENT_ID] = NAME("parent_id"),
    [MEMBER_TYPE] = NAME("type"),
    [MEMBER_START_TIME] = NAME("start_time"),
    [MEMBER_END_TIME] = NAME("end_time"),
    [MEMBER_IN_PROGRESS] = NAME("in_progress"),
    [MEMBER_SUBSEGMENTS] = NAME("subsegments"),
#undef NAME
};

/* The longest string that means anything here, a trace id, and its NUL. */
#define STRING_SIZE (TRACE_ID_LENGTH + 1)

/* Reads a string that may have escapes, without its quotes. False if it is too long. */
static bool read_string(const char *text, size_t length, char ret[STRING_SIZE])
{
    if (!memchr(text, '\\', length)) {
        if (length >= STRING_SIZE)
            return false;
        memcpy(ret, text, length);
        ret[length] = '\0';
        return true;
    }
    cJSON *json = cJSON_ParseWithLength(text - 1, length + 2);
    const char *string = cJSON_GetStringValue(json);
    bool fits = string && strlen(string) < STRING_SIZE;
    if (fits)
        memcpy(ret, string, strlen(string) + 1);
    cJSON_Delete(json);
    return fits;
}

/* Of two members of one name the first counts. */
static void note_member(void *data, const struct json_member *member)
{
    struct value *values = data;
    char name[STRING_SIZE];
    const char *text = member->name;
    size_t length = member->name_length;
    if (memchr(text, '\\', length)) {
        if (!read_string(text, length, name))
            return;
        text = name;
        length = strlen(name);
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        if (length != member_names[i].length || memcmp(text, member_names[i].text, length) != 0)
            continue;
        if (!values[i].text)
            values[i] = (struct value){ member->value, member->length };
        return;
    }
}

/* False if it is no string, or one that is too long. */
static bool string_value(const struct value *value, char ret[STRING_SIZE])
{
    return value->text && *value->text == '"' &&
           read_string(value->text + 1, value->length - 2, ret);
}

static bool is_word(const struct value *value, const char *word)
{
    return value->text && value->length == strlen(word) &&
           memcmp(value->text, word, value->length) == 0;
}

/* Digits, a point, digits: a double has 53 bits, and so a quotient of two exact
   numbers is what strtod() would give. */
static bool plain_number(const struct value *value, double *ret)
{
    static const double powers[] = { 1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
    uint64_t digits = 0;
    size_t point = value->length;
    if (value->length > 16)
        return false;
    for (size_t i = 0; i < value->length; i++) {
        char c = value->text[i];
        if (c == '.' && point == value->length)
            point = i + 1;
        else if (c >= '0' && c <= '9')
            digits = digits * 10 + (uint64_t)(c - '0');
        else
            return false;
    }
    if (digits > (uint64_t)1 << 53)
        return false;
    *ret = (double)digits / powers[value->length - point];
    return true;
}

static bool read_time(const struct value *value, double *ret)
{
    double number;
    if (!value->text || (*value->text != '-' && (*value->text < '0' || *value->text > '9')))
        return false;
    if (!plain_number(value, &number)) {
        cJSON *json = cJSON_ParseWithLength(value->text, value->length);
        number = cJSON_GetNumberValue(json);
        cJSON_Delete(json);
    }
    if (!isfinite(number) || number < 0 || number > DOCUMENT_TIME_MAX)
        return false;
    *ret = number;
    return true;
}

static const char *count_list(const char *at, const char *end, size_t *count);

/* Counts in the object's first "subsegments", as everywhere. Returns its end. */
static const char *count_in_object(const char *at, const char *end, size_t *count)
{
    struct value values[MEMBERS] = { 0 };
    for (at = json_skip_space(at + 1, end); *at == '"';) {
        bool seen = values[MEMBER_SUBSEGMENTS].text;
        struct json_member member = { .name = at + 1 };
        at = json_skip_value(at, end);
        member.name_length = (size_t)(at - member.name) - 1;
        member.value = json_skip_space(json_skip_space(at, end) + 1, end);
        note_member(values, &member);
        if (!seen && values[MEMBER_SUBSEGMENTS].text && *member.value == '[')
            at = count_list(member.value, end, count);
        else
            at = json_skip_value(member.value, end);
        at = json_skip_space(at, end);
        if (*at == ',')
            at = json_skip_space(at + 1, end);
    }
    return at + 1;
}

/* Each byte is looked at once, however deep they are nested. */
static const char *count_list(const char *at, const char *end, size_t *count)
{
    for (at = json_skip_space(at + 1, end); *at != ']';) {
        ++*count;
        at = *at == '{' ? count_in_object(at, end, count) : json_skip_value(at, end);
        at = json_skip_space(at, end);
        if (*at == ',')
            at = json_skip_space(at + 1, end);
    }
    return at + 1;
}

static bool too_many_subsegments(const struct value *list)
{
    size_t count = 0;
    /* Each needs two bytes at least: few documents have to be counted. */
    if (!list->text || *list->text != '[' || list->length <= 2 * (size_t)DOCUMENT_SUBSEGMENTS_MAX)
        return false;
    count_list(list->text, list->text + list->length, &count);
    return count > DOCUMENT_SUBSEGMENTS_MAX;
}

static int read_ids(const struct value *values, struct document *document, struct refusal *refusal)
{
    char text[STRING_SIZE];
    if (!string_value(&values[MEMBER_ID], text) || !entity_id_parse(text, &document->id))
        return refuse(refusal, document, REFUSED_ID, "id is not 16 hex digits");

    if (!string_value(&values[MEMBER_TRACE_ID], text) || !trace_id_parse(text, &document->trace_id))
        return refuse(refusal, document, REFUSED_TRACE_ID,
                      "trace_id is not 1-<8 hex digits>-<24 hex digits>");

    document->has_parent = string_value(&values[MEMBER_PARENT_ID], text) &&
                           entity_id_parse(text, &document->parent_id);
    if (document->subsegment && !document->has_parent)
        return refuse(refusal, document, REFUSED_PARENT_ID, "parent_id is not 16 hex digits");
    return 0;
}

static int read_times(const struct value *values, struct document *document,
                      struct refusal *refusal)
{
    if (!read_time(&values[MEMBER_START_TIME], &document->start))
        return refuse(refusal, document, REFUSED_START_TIME,
                      "start_time is not a number of seconds since 1970");
    document->end = document->start;
    const struct value *end = &values[MEMBER_END_TIME];
    if (!end->text || is_word(end, "null"))
        document->in_progress = true;
    else if (!read_time(end, &document->end))
        return refuse(refusal, document, REFUSED_END_TIME,
                      "end_time is not a number of seconds since 1970");
    if (is_word(&values[MEMBER_IN_PROGRESS], "true"))
        document->in_progress = true;
    return 0;
}

int document_parse(const char *text, size_t length, struct document *ret,
                   struct refusal *ret_refusal)
{
    struct document document = { .text = text, .length = length };
    struct value values[MEMBERS] = { 0 };
    struct json_error error;
    char type[STRING_SIZE];
    *ret_refusal = (struct refusal){ 0 };
    if (length > DOCUMENT_BYTES_MAX)
        return refuse(ret_refusal, &document, REFUSED_TOO_LARGE, "more than 1 MiB");
    if (!json_text_members(text, length, note_member, values, &error)) {
        enum refusal_reason reason = error.too_deep ? REFUSED_TOO_DEEP : REFUSED_NOT_JSON;
        refusal_set(ret_refusal, reason, "Invalid segment. ErrorCode: %s, Cause: %s at byte %zu",
                    refusals[reason].code, error.reason, error.offset);
        return -EINVAL;
    }
    if (*json_skip_space(text, text + length) != '{')
        return refuse(ret_refusal, &document, REFUSED_NO_OBJECT, "not a JSON object");
    document.subsegment = string_value(&values[MEMBER_TYPE], type) &&
                          strcmp(type, "subsegment") == 0;

    int r = read_ids(values, &document, ret_refusal);
    if (r == 0)
        r = read_times(values, &document, ret_refusal);
    if (r == 0 && too_many_subsegments(&values[MEMBER_SUBSEGMENTS]))
        r = refuse(ret_refusal, &document, REFUSED_SUBSEGMENTS, "more than 10000 subsegments");
    if (r == 0)
        *ret = document;
    else if (ret_refusal->reason != REFUSED_ID)
        entity_id_format(document.id, ret_refusal->id);
    return r;
}

static const char *string_member(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
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
    /* What nearly all senders write. */
    static const char usual[] = "{\"format\":\"json\",\"version\":1}\n{";
    if (length > sizeof usual && memcmp(datagram, usual, sizeof usual - 1) == 0) {
        *ret_body = datagram + sizeof usual - 2;
        *ret_length = length - (sizeof usual - 2);
        return 0;
    }
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
