/* SPDX-License-Identifier: Apache-2.0 */
/* What of a document is read, and what is refused for which reason. */
#include "local/base/buffer.h"
#include "local/base/json_text.h"
#include "support.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_refused(const char *text, enum refusal_reason reason, const char *code)
{
    struct document document;
    struct refusal refusal;
    char *json = quoted(text);
    cr_expect_eq(document_parse(json, strlen(json), &document, &refusal), -EINVAL, "%s", text);
    cr_expect_eq(refusal.reason, reason, "%s: %s", text, refusal.message);
    cr_expect_str_eq(refusal.code, code, "%s", text);
    free(json);
}

static struct document parse(char *json)
{
    struct document document = { 0 };
    struct refusal refusal;
    cr_assert_eq(document_parse(json, strlen(json), &document, &refusal), 0, "%s", refusal.message);
    return document;
}

Test(document, of_a_segment_is_read)
{
    char *json = quoted(SEGMENT("00000000000000Af", "web", "01.5", "02.25") "}");
    struct document document = parse(json);
    cr_expect_eq(document.id, 0xaf);
    cr_expect_eq(trace_id_epoch(&document.trace_id), 0x6553f100);
    cr_expect_eq(document.start, 1700000001.5);
    cr_expect_eq(document.end, 1700000002.25);
    cr_expect_not(document.subsegment);
    cr_expect_not(document.in_progress);
    cr_expect_not(document.has_parent);
    free(json);
}

Test(document, of_a_subsegment_names_its_parent)
{
    char *json = quoted(SUBSEGMENT("00000000000000af", "00000000000000aa", "s", "01", "02") "}");
    struct document document = parse(json);
    cr_expect(document.subsegment);
    cr_expect(document.has_parent);
    cr_expect_eq(document.parent_id, 0xaa);
    free(json);
}

Test(document, without_an_end_is_in_progress)
{
    char *json = quoted("{'trace_id':'" TRACE "','id':'00000000000000af','start_time':5}");
    struct document document = parse(json);
    cr_expect(document.in_progress);
    cr_expect_eq(document.end, 5);
    free(json);
}

Test(document, in_progress_is_believed_even_with_an_end)
{
    char *json = quoted(SEGMENT("00000000000000af", "s", "01", "02") ",'in_progress':true}");
    cr_expect(parse(json).in_progress);
    free(json);
}

Test(document, without_an_id_is_refused_in_the_services_words)
{
    struct document document;
    struct refusal refusal;
    cr_expect_eq(document_parse("{}", 2, &document, &refusal), -EINVAL);
    cr_expect_str_eq(refusal.code, "MissingId");
    cr_expect_not_null(strstr(refusal.message, "Invalid segment. ErrorCode: MissingId"));
    cr_expect_str_empty(refusal.id);
}

Test(document, with_ids_that_are_none_is_refused)
{
    expect_refused("{'id':5}", REFUSED_ID, "MissingId");
    expect_refused("{'id':'00000000000000ag'}", REFUSED_ID, "MissingId");
    expect_refused("{'id':'00000000000000af'}", REFUSED_TRACE_ID, "InvalidTraceId");
    expect_refused("{'id':'00000000000000af','trace_id':'2-6553f100-aaaaaaaaaaaaaaaaaaaaaaaa'}",
                   REFUSED_TRACE_ID, "InvalidTraceId");
    expect_refused("{'id':'00000000000000af','trace_id':'6553f100aaaaaaaaaaaaaaaaaaaaaaaa'}",
                   REFUSED_TRACE_ID, "InvalidTraceId");
}

Test(document, of_a_subsegment_without_a_parent_is_refused)
{
    expect_refused(SEGMENT("00000000000000af", "s", "01", "02") ",'type':'subsegment'}",
                   REFUSED_PARENT_ID, "InvalidParentId");
}

Test(document, refused_with_a_valid_id_is_named_by_it)
{
    struct document document;
    struct refusal refusal;
    static const char text[] = "{\"id\":\"00000000000000AF\"}";
    cr_expect_eq(document_parse(text, sizeof text - 1, &document, &refusal), -EINVAL);
    cr_expect_str_eq(refusal.id, "00000000000000af");
}

Test(document, with_times_that_are_none_is_refused)
{
#define IDS "{'id':'00000000000000af','trace_id':'" TRACE "'"
    expect_refused(IDS "}", REFUSED_START_TIME, "MissingStartTime");
    expect_refused(IDS ",'start_time':'1'}", REFUSED_START_TIME, "MissingStartTime");
    expect_refused(IDS ",'start_time':-1}", REFUSED_START_TIME, "MissingStartTime");
    expect_refused(IDS ",'start_time':1e999}", REFUSED_START_TIME, "MissingStartTime");
    expect_refused(IDS ",'start_time':1,'end_time':1e99}", REFUSED_END_TIME, "InvalidEndTime");
    expect_refused(IDS ",'start_time':1,'end_time':'2'}", REFUSED_END_TIME, "InvalidEndTime");
}

Test(document, that_is_no_object_is_refused)
{
    expect_refused("'text'", REFUSED_NO_OBJECT, "ParseError");
    expect_refused("[]", REFUSED_NO_OBJECT, "ParseError");
    expect_refused("{", REFUSED_NOT_JSON, "ParseError");
}

Test(document, that_is_nested_too_deep_is_refused)
{
    char text[4 * JSON_NESTING_MAX + 1];
    struct document document;
    struct refusal refusal;
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = '[';
    cr_expect_eq(document_parse(text, sizeof text - 1, &document, &refusal), -EINVAL);
    cr_expect_eq(refusal.reason, REFUSED_TOO_DEEP);
}

static char *with_subsegments(size_t count)
{
    struct buffer json = { 0 };
    buffer_puts(&json, SEGMENT("00000000000000af", "s", "01", "02") ",'subsegments':[{}");
    buffer_repeat(&json, ",{}", count - 1);
    buffer_puts(&json, "]}");
    char *text = buffer_take(&json, NULL);
    char *result = quoted(text);
    free(text);
    return result;
}

Test(document, holds_ten_thousand_subsegments_but_no_more)
{
    struct document document;
    struct refusal refusal;
    char *most = with_subsegments(DOCUMENT_SUBSEGMENTS_MAX);
    char *more = with_subsegments(DOCUMENT_SUBSEGMENTS_MAX + 1);
    cr_expect_eq(document_parse(most, strlen(most), &document, &refusal), 0);
    cr_expect_eq(document_parse(more, strlen(more), &document, &refusal), -EINVAL);
    cr_expect_eq(refusal.reason, REFUSED_SUBSEGMENTS);
    free(most);
    free(more);
}

Test(document, larger_than_a_mebibyte_is_refused)
{
    struct document document;
    struct refusal refusal;
    char *text = calloc(1, DOCUMENT_BYTES_MAX + 1);
    cr_expect_eq(document_parse(text, DOCUMENT_BYTES_MAX + 1, &document, &refusal), -EINVAL);
    cr_expect_eq(refusal.reason, REFUSED_TOO_LARGE);
    free(text);
}

static int split(const char *datagram, struct refusal *refusal)
{
    const char *body;
    size_t length;
    return datagram_body(datagram, strlen(datagram), &body, &length, refusal);
}

Test(datagram, has_its_body_after_the_first_newline)
{
    static const char text[] = "{\"format\":\"JSON\",\"version\":1}\n{\n}";
    const char *body = NULL;
    size_t length = 0;
    struct refusal refusal;
    cr_assert_eq(datagram_body(text, sizeof text - 1, &body, &length, &refusal), 0);
    cr_expect_eq(length, 3);
    cr_expect_arr_eq(body, "{\n}", 3);
}

Test(datagram, is_refused_for_the_reason_that_applies)
{
    static const struct {
        const char *text;
        enum refusal_reason reason;
    } cases[] = {
        { "", REFUSED_NO_NEWLINE },
        { "{\"format\":\"json\",\"version\":1}", REFUSED_NO_NEWLINE },
        { "\n{}", REFUSED_HEADER },
        { "[]\n{}", REFUSED_HEADER },
        { "{\"version\":1}\n{}", REFUSED_FORMAT },
        { "{\"format\":\"xml\",\"version\":1}\n{}", REFUSED_FORMAT },
        { "{\"format\":\"json\"}\n{}", REFUSED_VERSION },
        { "{\"format\":\"json\",\"version\":2}\n{}", REFUSED_VERSION },
        { "{\"format\":\"json\",\"version\":1}\n", REFUSED_EMPTY_BODY },
        { "{\"format\":\"json\",\"version\":1}\n \n", REFUSED_EMPTY_BODY },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct refusal refusal;
        cr_expect_eq(split(cases[i].text, &refusal), -EINVAL, "%s", cases[i].text);
        cr_expect_eq(refusal.reason, cases[i].reason, "%s: %s", cases[i].text, refusal.message);
    }
}

/* What cJSON, which builds a tree, reads of it. */
static double number_of(const char *json, const char *name)
{
    cJSON *tree = cJSON_Parse(json);
    double number = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(tree, name));
    cJSON_Delete(tree);
    return number;
}

Test(document, has_times_to_the_last_bit)
{
    static const char *const times[] = {
        "0",
        "0.0",
        "-0",
        "1",
        "1.5",
        "1.5e9",
        "1700000000.123456",
        "1700000000.1234567",
        "1700000000.123456789",
        "1700000000.12345678901234567890",
        "9007199254740993e-7",
        "90071992547.40993",
        "9007199254.740993",
        "0.000000000000001",
        "0.1",
        "253402300799",
        "1700000000.999999",
        "17E8",
        "0.3333333333333333",
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "{'trace_id':'" TRACE "','id':'00000000000000af','start_time':%s,'end_time':%s}",
                 times[i], times[i]);
        char *json = quoted(text);
        struct document document = parse(json);
        cr_expect_eq(document.start, number_of(json, "start_time"), "%s", times[i]);
        cr_expect_eq(document.end, number_of(json, "end_time"), "%s", times[i]);
        free(json);
    }
}

Test(document, may_write_names_and_ids_with_escapes)
{
    char *json = quoted("{'trac\\u0065_id':'\\u0031-6553f100-aaaaaaaaaaaaaaaaaaaaaaaa',"
                        "'\\u0069d':'000000000000000\\u0061','typ\\u0065':'sub\\u0073egment',"
                        "'parent_\\u0069d':'00000000000000\\u0061\\u0061','start_time':5}");
    struct document document = parse(json);
    cr_expect_eq(document.id, 10);
    cr_expect_eq(document.parent_id, 0xaa);
    cr_expect_eq(trace_id_epoch(&document.trace_id), 0x6553f100);
    cr_expect(document.subsegment);
    free(json);
}

Test(document, counts_the_first_of_two_members_of_one_name)
{
    char *json = quoted("{'trace_id':'" TRACE "','id':'00000000000000af','id':'xyz',"
                        "'start_time':5,'start_time':'x','metadata':{'id':'00000000000000ff'}}");
    struct document document = parse(json);
    cr_expect_eq(document.id, 0xaf);
    cr_expect_eq(document.start, 5);
    free(json);
    expect_refused("{'id':1,'id':'00000000000000af'}", REFUSED_ID, "MissingId");
}

Test(document, with_an_id_of_another_type_is_refused)
{
    expect_refused("{'id':[]}", REFUSED_ID, "MissingId");
    expect_refused("{'id':null}", REFUSED_ID, "MissingId");
    expect_refused("{'id':'00000000000000af00000000000000af00000000000000af'}", REFUSED_ID,
                   "MissingId");
    expect_refused("{'id':'0000000000\\u0000'}", REFUSED_ID, "MissingId");
    expect_refused("[{'id':'00000000000000af'}]", REFUSED_NO_OBJECT, "ParseError");
}

static char *with_nested(size_t nested, size_t flat, const char *item)
{
    struct buffer buffer = { 0 };
    buffer_puts(&buffer, "{\"trace_id\":\"" TRACE "\",\"id\":\"00000000000000af\","
                         "\"start_time\":1,\"subsegments\":[");
    buffer_repeat(&buffer, "{\"a\":[{}],\"subsegments\":[", nested);
    for (size_t i = 0; i < flat; i++) {
        buffer_puts(&buffer, i ? " , " : " ");
        buffer_puts(&buffer, item);
    }
    buffer_repeat(&buffer, "],\"subsegments\":[1,2,3]}", nested);
    buffer_puts(&buffer, "]}");
    return buffer_take(&buffer, NULL);
}

Test(document, counts_subsegments_wherever_they_are)
{
    static const struct {
        size_t nested;
        size_t flat;
        const char *item;
        int r;
    } cases[] = {
        { 0, 10000, "{}", 0 },
        { 0, 10001, "{}", -EINVAL },
        { 0, 10001, "0", -EINVAL },
        { 300, 9700, "{}", 0 },
        { 300, 9701, "{}", -EINVAL },
        { 0, 9000, "{\"a\":{\"subsegments\":[1,2,3,4]}}", 0 },
        { 0, 5001, "{\"sub\\u0073egments\":[1]}", -EINVAL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct document document;
        struct refusal refusal;
        char *json = with_nested(cases[i].nested, cases[i].flat, cases[i].item);
        cr_expect_eq(document_parse(json, strlen(json), &document, &refusal), cases[i].r,
                     "case %zu", i);
        free(json);
    }
}
