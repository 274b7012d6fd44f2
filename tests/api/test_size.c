/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that would be too large: what leaves them, and what is said about it. */
#include "support.h"

#include <stdlib.h>

TestSuite(size, .init = record);
TestSuite(early_sending, .init = record);

static xray_segment *open_one(void)
{
    return xray_start_segment(recorder, xray_segment_params(.name = "a"));
}

/* A subsegment that is a document by itself. */
static xray_segment *open_own_subsegment(void)
{
    xray_trace_header from = { .trace_id = { { 1 } }, .parent_id = 2, .sampled = XRAY_SAMPLED_YES };

    return xray_resume(recorder, &from, "a");
}

static char *text_of_length(size_t length)
{
    char *text = calloc(1, length + 1);

    memset(text, 'x', length);
    return text;
}

static bool says_omitted(const cJSON *one, const char *what)
{
    const cJSON *each;

    cJSON_ArrayForEach(each, member(one, "metadata.xraytrace.omitted"))
    {
        if (strcmp(cJSON_GetStringValue(each), what) == 0)
            return true;
    }
    return false;
}

/* ---- Early sending ------------------------------------------------------------ */

Test(early_sending, does_not_happen_below_its_limit)
{
    xray_segment *a = open_one();

    for (int i = 0; i < 50; i++)
        xray_end(xray_start_subsegment(a, "child"));
    cr_assert_eq(document_count(), 0);
    xray_end(a);
    settle();
    cr_assert_eq(document_count(), 1);
}

Test(early_sending, sends_later_children_one_by_one_as_they_end)
{
    xray_segment *a = open_one();
    size_t before;

    while (document_count() == 0)
        xray_end(xray_start_subsegment(a, "child"));
    for (int i = 0; i < 100; i++) {
        before = document_count();
        xray_end(xray_start_subsegment(a, "child"));
        cr_assert_eq(document_count(), before + 1);
    }
    xray_end(a);
    settle();
    expect_no_orphans(0);
}

Test(early_sending, begins_at_32_kib)
{
    xray_segment *a = open_one();

    while (document_count() == 0)
        xray_end(xray_start_subsegment(a, "child"));
    xray_end(a);
    settle();
    cr_assert_gt(strlen(document_text(1)), 30 * 1024);
    cr_assert_lt(strlen(document_text(1)), 34 * 1024);
}

Test(early_sending, begins_where_the_recorder_says)
{
    xray_segment *a;

    settle();
    record_with((xray_recorder_params){ .stream_bytes = 8 * 1024 });
    a = open_one();
    while (document_count() == 0)
        xray_end(xray_start_subsegment(a, "child"));
    xray_end(a);
    settle();
    cr_assert_gt(strlen(document_text(1)), 6 * 1024);
    cr_assert_lt(strlen(document_text(1)), 9 * 1024);
}

Test(early_sending, of_5000_children_loses_none)
{
    xray_segment *a = open_one();

    for (int i = 0; i < 5000; i++)
        xray_end(xray_start_subsegment(a, "child"));
    xray_end(a);
    cr_expect_eq(stats_of(recorder).sampled, 5001);
    settle();
    cr_assert_eq(entity_count(), 5001);
}

Test(early_sending, keeps_a_subtree_together)
{
    xray_segment *a = open_one(), *b = NULL;

    while (document_count() == 0)
        xray_end(xray_start_subsegment(a, "child"));
    forget_documents();
    b = xray_start_subsegment(a, "b");
    xray_end(xray_start_subsegment(b, "c"));
    xray_end(b);
    xray_end(a);
    cr_assert_eq(document_count(), 2);
    cr_assert_str_eq(text_at(parent_of_embedded("c"), "name"), "b");
    cr_assert_str_eq(text_at(own_document("b"), "parent_id"), text_at(own_document("a"), "id"));
    settle();
}

/* ---- Too large ------------------------------------------------------------------- */

Test(size, of_a_parent_makes_the_largest_children_leave)
{
    char *text = text_of_length(20000), *large = text_of_length(30000);
    xray_segment *a = open_one(), *b, *c;

    b = xray_start_subsegment(a, "small");
    xray_end(b);
    c = xray_start_subsegment(a, "large");
    xray_add_metadata(c, NULL, "x", text);
    xray_end(c);
    cr_assert_eq(document_count(), 0);
    xray_add_metadata(a, NULL, "x", large);
    xray_add_metadata(a, NULL, "y", text);
    xray_end(a);
    free(text);
    free(large);
    settle();
    cr_expect(embedded("small"));
    cr_expect_str_eq(text_at(own_document("large"), "parent_id"), text_at(own_document("a"), "id"));
    cr_expect_eq(strlen(text_at(own_document("a"), "metadata.default.x")), 30000);
}

Test(size, of_children_that_left_is_counted_as_documents)
{
    char *text = text_of_length(30000);
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");
    xray_stats stats;

    xray_add_metadata(b, NULL, "x", text);
    xray_end(b);
    xray_add_metadata(a, NULL, "x", text);
    xray_add_metadata(a, NULL, "y", text);
    xray_end(a);
    free(text);
    stats = stats_of(recorder);
    cr_expect_eq(stats.embedded, 0);
    cr_expect_eq(stats.emitted, 2);
    settle();
}

Test(size, sheds_metadata_first_and_says_so)
{
    char *text = text_of_length(32000);
    xray_segment *a = open_own_subsegment();

    xray_annotate(a, "kept", 1);
    xray_add_metadata(a, NULL, "x", text);
    xray_set_sql(a, xray_sql(.sanitized_query = "SELECT 1"));
    for (int i = 0; i < 40; i++) {
        char key[8];

        snprintf(key, sizeof(key), "k%d", i);
        xray_annotate(a, key, text);
    }
    xray_end(a);
    free(text);
    cr_expect_geq(stats_of(recorder).truncated, 1);
    settle();
    cr_expect(says_omitted(document(0), "metadata"));
    cr_expect_not(says_omitted(document(0), "sanitized_query"));
    cr_expect_not(says_omitted(document(0), "annotations"));
    cr_expect_eq(number_at(document(0), "annotations.kept"), 1);
    cr_expect_str_eq(text_at(document(0), "sql.sanitized_query"), "SELECT 1");
}

Test(size, of_a_70_kilobyte_text_is_survived)
{
    char *text = text_of_length(70000);
    xray_segment *a = open_one(), *b = xray_start_subsegment(a, "b");

    xray_annotate(a, "x", text);
    xray_add_metadata(a, NULL, "x", text);
    xray_add_metadata(a, NULL, "y", xray_json(text));
    xray_set_user(a, text);
    xray_set_http(a, xray_http(.url = text, .user_agent = text));
    xray_set_sql(b, xray_sql(.sanitized_query = text));
    xray_add_exception(a, text, "%s", text);
    xray_end(b);
    xray_end(a);
    free(text);
    settle();
    cr_assert_eq(document_count(), 1);
}

Test(size, of_5000_annotations_is_shed_and_said)
{
    xray_segment *a = open_one();
    char key[16];

    xray_set_user(a, "user");
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof(key), "key_%d", i);
        xray_annotate(a, key, i);
    }
    xray_end(a);
    cr_expect_gt(stats_of(recorder).truncated, 0);
    settle();
    cr_expect_str_eq(text_at(document(0), "user"), "user");
    cr_expect(member(document(0), "annotations.key_0") || says_omitted(document(0), "annotations"));
    cr_expect_not(says_omitted(document(0), "metadata"), "there was none");
}

Test(size, of_long_keys_sheds_no_more_than_needed)
{
    xray_segment *a = open_one();
    char key[500] = "";

    memset(key, 'k', 490);
    xray_set_http(a, xray_http(.method = "GET"));
    for (int i = 0; i < 200; i++) {
        snprintf(key + 480, 20, "%d", i);
        xray_annotate(a, key, i);
    }
    xray_end(a);
    settle();
    cr_expect_str_eq(text_at(document(0), "http.request.method"), "GET");
}

Test(size, of_five_thousand_metadata_keys_is_shed_and_said)
{
    xray_segment *a = open_one();
    char key[16];

    xray_annotate(a, "kept", 1);
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof(key), "key_%d", i);
        xray_add_metadata(a, key, key, i);
    }
    xray_end(a);
    settle();
    cr_expect_eq(number_at(document(0), "annotations.kept"), 1);
}

Test(size, of_stack_frames_is_shed_before_annotations)
{
    xray_frame frames[32];
    char *text = text_of_length(2000);
    xray_segment *a = open_one();
    xray_exception one = {
        .size = sizeof(one), .type = "t", .message = "m", .frames = frames, .frame_count = 32
    };

    for (int i = 0; i < 32; i++)
        frames[i] = (xray_frame){ .path = text, .label = "function", .line = i };
    xray_annotate(a, "kept", 1);
    for (int i = 0; i < 3; i++)
        xray_add_exception_with(a, &one);
    for (size_t i = 0, length = 1000; length >= 50; i++) {
        uint64_t before = stats_of(recorder).truncated;
        char key[8];

        snprintf(key, sizeof(key), "k%zu", i);
        xray_annotate(a, key, xray_stringn(text, length));
        length /= stats_of(recorder).truncated > before ? 2 : 1;
    }
    xray_end(a);
    free(text);
    settle();
    cr_expect(says_omitted(document(0), "stack"));
    cr_expect_eq(number_at(document(0), "annotations.kept"), 1);
    cr_expect_eq(cJSON_GetArraySize(member(document(0), "cause.exceptions")), 3);
    cr_expect_null(member(cJSON_GetArrayItem(member(document(0), "cause.exceptions"), 0), "stack"));
}

Test(size, of_a_fault_that_sheds_its_status_still_has_a_reason)
{
    xray_exception one = { .size = sizeof(one), .type = "t", .flags = XRAY_ERROR };
    char *text = text_of_length(1000);
    xray_segment *a = open_one();

    one.message = text;
    xray_set_http(a, xray_http(.status = 500));
    for (int i = 0; i < 100; i++)
        xray_add_exception_with(a, &one);
    xray_end(a);
    free(text);
    settle(); /* a fault has its reason in there */
    cr_expect(true_at(document(0), "fault"));
}

Test(size, of_a_chain_a_hundred_deep_loses_nothing)
{
    xray_segment *chain[100];
    char name[16], *text = text_of_length(3000);

    chain[0] = xray_begin_segment("n0");
    for (int i = 1; i < 100; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        chain[i] = xray_begin_subsegment(name);
    }
    for (int i = 100; i-- > 0;) {
        xray_add_metadata(chain[i], NULL, "x", text);
        xray_end(chain[i]);
    }
    free(text);
    cr_assert_null(xray_current());
    settle();
    cr_assert_eq(entity_count(), 100);
    expect_no_orphans(0);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        cr_assert_eq(strlen(text_at(entity(name), "metadata.default.x")), 3000);
    }
}

Test(size, of_a_stack_ten_thousand_deep_is_survived)
{
    static xray_segment *chain[10000];

    chain[0] = xray_begin_segment("n");
    for (int i = 1; i < 10000; i++)
        chain[i] = xray_begin_subsegment("n");
    for (int i = 10000; i-- > 0;)
        xray_end(chain[i]);
    cr_assert_null(xray_current());
    xray_end(xray_begin_segment("after"));
    cr_assert_null(xray_current());
    settle();
    cr_assert(own_document("after"));
}
