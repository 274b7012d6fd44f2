/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a segment's attributes. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "model/attributes.h"
#include "recorder/library.h"
#include "recorder/recorder.h"

static struct xr_segment *segment;

static void set_up(void)
{
    xr_library_enter();
    segment = xr_pool_get(XR_POOL_SEGMENT);
    memset((char *)segment + sizeof(void *), 0, XR_POOL_SEGMENT_BYTES - sizeof(void *));
    xr_segment_set_texts(segment, "", "", 0);
}

static void tear_down(void)
{
    xr_buffer_end(&segment->attributes);
}

TestSuite(attributes, .init = set_up, .fini = tear_down);

static size_t count(void)
{
    struct xr_member member;
    size_t found = 0;

    for (uint32_t at = 0; xr_attribute_next(segment, &at, &member);)
        found++;
    return found;
}

/* The value of a key, with its quotes, or "". */
static const char *value_of(enum xr_section section, const char *key, size_t split)
{
    static char value[256];
    struct xr_member member;

    for (uint32_t at = 0; xr_attribute_next(segment, &at, &member);)
        if (member.attribute.section == section && member.attribute.split == split &&
            member.attribute.key_length == strlen(key) &&
            memcmp(xr_member_key(&member), key, strlen(key)) == 0) {
            snprintf(value, sizeof(value), "%.*s", (int)member.attribute.value_length,
                     xr_member_value(&member));
            return value;
        }
    return "";
}

static bool put(const char *key, const char *value)
{
    struct xr_key written = { .text = key, .length = strlen(key) };

    return xr_put_text(segment, XR_SECTION_ANNOTATION, &written, value, strlen(value), 1000);
}

Test(attributes, are_read_in_the_order_of_writing)
{
    struct xr_member member;
    uint32_t at = 0;

    put("one", "1");
    put("two", "2");
    cr_assert(xr_attribute_next(segment, &at, &member));
    cr_expect_eq(memcmp(member.text, "\"one\":\"1\"", 9), 0);
    cr_expect_eq(xr_member_length(&member), 9);
    cr_assert(xr_attribute_next(segment, &at, &member));
    cr_expect_eq(memcmp(member.text, "\"two\":\"2\"", 9), 0);
    cr_assert_not(xr_attribute_next(segment, &at, &member));
}

Test(attributes, set_again_take_the_place_of_the_former)
{
    put("key", "1");
    put("key", "2");
    cr_expect_eq(count(), 1);
    cr_expect_str_eq(value_of(XR_SECTION_ANNOTATION, "key", 0), "\"2\"");
}

Test(attributes, of_another_section_or_split_are_others)
{
    struct xr_key one = { .text = "abc", .length = 3, .split = 1 };
    struct xr_key two = { .text = "abc", .length = 3, .split = 2 };

    xr_put_i64(segment, XR_SECTION_METADATA, &one, 1);
    xr_put_i64(segment, XR_SECTION_METADATA, &two, 2);
    xr_put_i64(segment, XR_SECTION_AWS, XR_KEY("abc"), 3);
    cr_expect_eq(count(), 3);
    cr_expect_str_eq(value_of(XR_SECTION_METADATA, "abc", 1), "1");
    cr_expect_str_eq(value_of(XR_SECTION_METADATA, "abc", 2), "2");
    cr_expect_str_eq(value_of(XR_SECTION_AWS, "abc", 0), "3");
}

Test(attributes, that_are_taken_away_are_gone_until_they_are_set_again)
{
    put("key", "1");
    xr_attribute_remove(segment, XR_SECTION_ANNOTATION, XR_KEY("key"));
    cr_expect_not(xr_attribute_exists(segment, XR_SECTION_ANNOTATION, XR_KEY("key")));
    cr_expect_eq(count(), 0);
    put("key", "2");
    cr_expect(xr_attribute_exists(segment, XR_SECTION_ANNOTATION, XR_KEY("key")));
    cr_expect_eq(count(), 1);
}

Test(attributes, that_were_never_set_can_be_taken_away)
{
    xr_attribute_remove(segment, XR_SECTION_ANNOTATION, XR_KEY("key"));
    cr_expect_eq(count(), 0);
}

Test(attributes, set_again_and_again_take_no_more_room)
{
    put("other", "stays");
    for (int i = 0; i < 100000; i++)
        cr_assert(put("key", "some value"));
    cr_expect_eq(count(), 2);
    cr_expect_str_eq(value_of(XR_SECTION_ANNOTATION, "other", 0), "\"stays\"");
    cr_expect_leq(segment->attributes.capacity, 4096);
}

Test(attributes, that_count_no_more_are_known_by_their_bytes)
{
    uint32_t before;

    put("key", "1");
    before = segment->attributes.length;
    put("key", "2");
    cr_expect_eq(segment->replaced, before);
    xr_attribute_remove(segment, XR_SECTION_ANNOTATION, XR_KEY("key"));
    cr_expect_eq(segment->replaced, segment->attributes.length);
}

Test(attributes, of_many_keys_are_all_found_again)
{
    char key[16], expected[24];

    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "key%d", i);
        cr_assert(put(key, key));
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "key%d", i);
        snprintf(expected, sizeof(expected), "\"%s\"", key);
        cr_assert_str_eq(value_of(XR_SECTION_ANNOTATION, key, 0), expected);
    }
    cr_assert_eq(count(), 1000);
}

Test(attributes, beyond_the_log_are_refused_and_the_others_stay)
{
    char key[16];
    size_t kept = 0;

    while (snprintf(key, sizeof(key), "key%zu", kept), put(key, "0123456789012345678901234567890"))
        kept++;
    cr_assert_eq(count(), kept);
    cr_assert_gt(kept, 1000);
    cr_assert_leq(segment->attributes.length, XR_BUFFER_MAX);
}

Test(attributes, with_text_that_was_cut_or_repaired_say_so)
{
    cr_expect(put("key", "good"));
    cr_expect_not(put("key", "\xFF"));
    cr_expect_str_eq(value_of(XR_SECTION_ANNOTATION, "key", 0), "\"\xEF\xBF\xBD\"");
    cr_expect_not(xr_put_text(segment, XR_SECTION_ANNOTATION, XR_KEY("key"), "12345", 5, 3));
    cr_expect_str_eq(value_of(XR_SECTION_ANNOTATION, "key", 0), "\"123\"");
}

Test(attributes, that_are_not_committed_leave_no_trace)
{
    cr_assert(xr_attribute_begin(segment, XR_KEY("key"), 100));
    cr_expect_eq(count(), 0);
    put("other", "1");
    cr_expect_eq(count(), 1);
}
