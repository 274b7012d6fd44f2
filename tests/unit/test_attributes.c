/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a segment's attributes. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "model/attributes.h"
#include "model/describe.h"
#include "recorder/library.h"
#include "recorder/recorder.h"

static struct xr_segment *segment;

static void set_up(void)
{
    static const struct xr_segment_text none = { "................", 0 };

    xr_library_enter();
    segment = xr_pool_get(XR_POOL_SEGMENT);
    memset((char *)segment + sizeof(void *), 0, XR_POOL_SEGMENT_BYTES - sizeof(void *));
    xr_segment_set_texts(segment, none, none);
}

static void tear_down(void)
{
    xr_buffer_end(&segment->attributes);
}

TestSuite(attributes, .init = set_up, .fini = tear_down);

/* All of a section, as it goes into a document. */
static const char *text_of(enum xr_section section)
{
    static char text[XR_BUFFER_MAX];
    char *end = text;

    if (xr_attributes_have(segment, section))
        end = xr_attributes_write(text, segment, section);
    *end = '\0';
    return text;
}

static bool put(const char *key, const char *value)
{
    xray_value text = xray_string(value);

    return xr_describe_annotation(segment, key, &text) == 0;
}

static void put_metadata(const char *name, const char *key, int64_t value)
{
    xray_value number = xray_int(value);

    cr_assert_eq(xr_describe_metadata(segment, name, key, &number), 0);
}

Test(attributes, are_read_in_the_order_of_writing)
{
    put("one", "1");
    put("two", "2");
    cr_expect_str_eq(text_of(XR_SECTION_ANNOTATION), "\"one\":\"1\",\"two\":\"2\"");
}

Test(attributes, of_one_section_are_together_whatever_came_between)
{
    put("one", "1");
    xr_describe_user(segment, "somebody");
    put("two", "2");
    put_metadata("n", "k", 1);
    put("three", "3");
    cr_expect_str_eq(text_of(XR_SECTION_ANNOTATION), "\"one\":\"1\",\"two\":\"2\",\"three\":\"3\"");
    cr_expect_str_eq(text_of(XR_SECTION_TOP), "\"user\":\"somebody\"");
}

Test(attributes, set_again_take_the_place_of_the_former)
{
    put("key", "1");
    put("key", "2");
    cr_expect_str_eq(text_of(XR_SECTION_ANNOTATION), "\"key\":\"2\"");
}

Test(attributes, set_again_are_found_in_an_earlier_run)
{
    put("key", "1");
    put("other", "1");
    xr_describe_user(segment, "somebody");
    put("key", "2");
    cr_expect_str_eq(text_of(XR_SECTION_ANNOTATION), "\"other\":\"1\",\"key\":\"2\"");
}

Test(attributes, of_known_keys_are_replaced_too)
{
    xr_describe_http(segment, xray_http(.method = "GET", .url = "http://h/1", .status = 200));
    xr_describe_http(segment, xray_http(.url = "http://h/2", .status = 404));
    cr_expect_str_eq(text_of(XR_SECTION_HTTP_REQUEST), "\"method\":\"GET\",\"url\":\"http://h/2\"");
    cr_expect_str_eq(text_of(XR_SECTION_HTTP_RESPONSE), "\"status\":404");
}

Test(attributes, of_a_users_key_replace_the_one_of_the_library)
{
    xray_value name = xray_string("mine");

    xr_describe_aws(segment, xray_aws(.operation = "GetItem", .table_name = "theirs"));
    xr_describe_aws_field(segment, "table_name", &name);
    cr_expect_str_eq(text_of(XR_SECTION_AWS),
                     "\"operation\":\"GetItem\",\"retries\":0,\"table_name\":\"mine\"");
}

Test(attributes, within_other_values_are_left_alone)
{
    xray_value json = xray_json("{\"key\":[1,{\"key\":2}],\"a\":\",\\\"key\\\":3\"}");

    xr_describe_metadata(segment, "n", "other", &json);
    put_metadata("n", "key", 4);
    put_metadata("n", "key", 5);
    cr_expect_str_eq(text_of(XR_SECTION_METADATA),
                     "\"other\":{\"key\":[1,{\"key\":2}],\"a\":\",\\\"key\\\":3\"},\"key\":5");
}

Test(attributes, of_another_namespace_are_others)
{
    struct xr_run_text run;

    put_metadata("one", "abc", 1);
    put_metadata("two", "abc", 2);
    put_metadata("one", "abc", 3);
    xr_run_read(segment, segment->first[XR_SECTION_METADATA], &run);
    cr_expect_eq(memcmp(run.name, "two", 3), 0);
    cr_expect_str_eq(text_of(XR_SECTION_METADATA), "\"abc\":2,\"abc\":3");
}

Test(attributes, that_are_taken_away_are_gone_until_they_are_set_again)
{
    xr_describe_user(segment, "one");
    xr_attributes_remove(segment, XR_USER);
    cr_expect_not(xr_attributes_have(segment, XR_SECTION_TOP));
    cr_expect_not(xr_attributes_have_known(segment, XR_USER));
    cr_expect_eq(segment->attributes.length, 0);
    xr_describe_user(segment, "two");
    cr_expect_str_eq(text_of(XR_SECTION_TOP), "\"user\":\"two\"");
}

Test(attributes, that_were_never_set_can_be_taken_away)
{
    xr_attributes_remove(segment, XR_USER);
    cr_expect_eq(segment->attributes.length, 0);
}

Test(attributes, of_a_section_that_is_taken_away_leave_the_others)
{
    put("one", "1");
    put_metadata("n", "k", 1);
    put("two", "2");
    put_metadata("m", "k", 2);
    xr_attributes_remove_section(segment, XR_SECTION_METADATA);
    cr_expect_str_eq(text_of(XR_SECTION_METADATA), "");
    cr_expect_str_eq(text_of(XR_SECTION_ANNOTATION), "\"one\":\"1\",\"two\":\"2\"");
    put_metadata("n", "k", 3);
    cr_expect_str_eq(text_of(XR_SECTION_METADATA), "\"k\":3");
}

Test(attributes, set_again_and_again_take_no_more_room)
{
    put("other", "stays");
    for (int i = 0; i < 100000; i++)
        cr_assert(put("key", "some value"));
    cr_expect_str_eq(text_of(XR_SECTION_ANNOTATION), "\"other\":\"stays\",\"key\":\"some value\"");
    cr_expect_leq(segment->attributes.capacity, 4096);
}

Test(attributes, of_many_keys_are_all_there)
{
    char key[16], expected[40];

    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "key%d", i);
        cr_assert(put(key, key));
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(expected, sizeof(expected), "\"key%d\":\"key%d\"", i, i);
        cr_assert(strstr(text_of(XR_SECTION_ANNOTATION), expected));
    }
}

Test(attributes, beyond_the_log_are_refused_and_the_others_stay)
{
    char key[16];
    size_t kept = 0, length;

    while (snprintf(key, sizeof(key), "key%zu", kept), put(key, "0123456789012345678901234567890"))
        kept++;
    cr_assert_gt(kept, 1000);
    cr_assert_leq(segment->attributes.length, XR_BUFFER_MAX);
    length = strlen(text_of(XR_SECTION_ANNOTATION));
    cr_assert_not(put(key, "0123456789012345678901234567890"));
    cr_assert_eq(strlen(text_of(XR_SECTION_ANNOTATION)), length);
}

Test(attributes, of_known_keys_fill_the_log_to_its_end)
{
    char name[240];
    unsigned refused = 0;

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    while (put_metadata("n", "k", 1), segment->attributes.length < XR_BUFFER_MAX - 400) {
        char key[16];

        snprintf(key, sizeof(key), "key%u", (unsigned)segment->attributes.length);
        cr_assert(put(key, name));
    }
    refused = xr_describe_aws(segment, xray_aws(.operation = name, .region = name,
                                                .request_id = name, .table_name = name));
    cr_expect_gt(refused, 0);
    cr_expect_lt(refused, 5);
    cr_expect_leq(segment->attributes.length, segment->attributes.capacity);
}

Test(attributes, with_text_that_was_cut_or_repaired_say_so)
{
    char many[1002];

    cr_expect(put("key", "good"));
    cr_expect_not(put("key", "\xFF"));
    cr_expect_str_eq(text_of(XR_SECTION_ANNOTATION), "\"key\":\"\xEF\xBF\xBD\"");
    memset(many, 'x', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    cr_expect_not(put("key", many));
    cr_expect_eq(strlen(text_of(XR_SECTION_ANNOTATION)), strlen("\"key\":\"\"") + 1000);
}

Test(attributes, that_have_no_value_leave_no_trace)
{
    xray_value nothing = xray_double(0.0 / 0.0);

    cr_expect_eq(xr_describe_annotation(segment, "key", &nothing), 1);
    cr_expect_not(xr_attributes_have(segment, XR_SECTION_ANNOTATION));
    put("key", "1");
    cr_expect_eq(xr_describe_annotation(segment, "key", &nothing), 1);
    cr_expect_str_eq(text_of(XR_SECTION_ANNOTATION), "\"key\":\"1\"");
}

Test(attributes, of_exceptions_lose_their_frames_and_nothing_else)
{
    xray_frame frame = { .path = "p.c", .label = "f", .line = 1 };
    xray_exception exception = { .size = sizeof(exception),
                                 .type = "T",
                                 .message = "\",\\\"stack\\\":[",
                                 .frames = &frame,
                                 .frame_count = 1 };

    xr_describe_exception(segment, 1, &exception);
    put("one", "1");
    xr_describe_exception(segment, 2, &exception);
    xr_attributes_remove_frames(segment);
    cr_expect_str_eq(
        text_of(XR_SECTION_EXCEPTION),
        "{\"id\":\"0000000000000001\",\"message\":\"\\\",\\\\\\\"stack\\\\\\\":[\",\"type\":\"T\"},"
        "{\"id\":\"0000000000000002\",\"message\":\"\\\",\\\\\\\"stack\\\\\\\":[\",\"type\":"
        "\"T\"}");
    cr_expect_str_eq(text_of(XR_SECTION_ANNOTATION), "\"one\":\"1\"");
}
