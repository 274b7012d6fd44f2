/* SPDX-License-Identifier: Apache-2.0 */
/* Segments that are sent before they end. */
#include "support.h"

TestSuite(in_progress, .init = record);

Test(in_progress, sends_a_document_without_an_end)
{
    xray_segment *a = xray_begin_segment("a");

    xray_annotate(a, "key", 1);
    xray_send_in_progress(a);
    cr_assert_eq(document_count(), 1);
    cr_expect(true_at(document(0), "in_progress"));
    cr_expect_null(member(document(0), "end_time"));
    cr_expect_eq(number_at(document(0), "annotations.key"), 1);
    xray_end(a);
    settle();
}

Test(in_progress, is_followed_by_one_final_document_of_the_same_id)
{
    xray_segment *a = xray_begin_segment("a");

    xray_send_in_progress(a);
    xray_annotate(a, "late", 2);
    xray_end(a);
    settle();
    cr_assert_eq(document_count(), 2);
    cr_expect_str_eq(text_at(document(0), "id"), text_at(document(1), "id"));
    cr_expect_str_eq(text_at(document(0), "trace_id"), text_at(document(1), "trace_id"));
    cr_expect_eq(number_at(document(1), "annotations.late"), 2);
}

Test(in_progress, twice_is_once)
{
    xray_segment *a = xray_begin_segment("a");

    xray_send_in_progress(a);
    xray_send_in_progress(a);
    cr_assert_eq(document_count(), 1);
    xray_end(a);
    settle();
}

Test(in_progress, makes_every_later_child_a_document_of_its_own)
{
    xray_segment *a = xray_begin_segment("a");

    xray_send_in_progress(a);
    xray_end(xray_begin_subsegment("b"));
    xray_end(a);
    settle();
    cr_expect_str_eq(text_at(own_document("b"), "parent_id"), text_at(own_document("a"), "id"));
}

Test(in_progress, sends_the_children_that_had_ended)
{
    xray_segment *a = xray_begin_segment("a");

    xray_end(xray_begin_subsegment("b"));
    xray_end(xray_begin_subsegment("c"));
    xray_send_in_progress(a);
    cr_assert_eq(document_count(), 3);
    xray_end(a);
    settle();
    cr_expect(own_document("b"));
    cr_expect(own_document("c"));
    expect_no_orphans(0);
}

Test(in_progress, of_a_subsegment_makes_it_a_document_of_its_own)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b = xray_begin_subsegment("b");

    xray_send_in_progress(b);
    xray_end(b);
    xray_end(a);
    settle();
    cr_assert_eq(document_count(), 3);
    cr_expect_eq(document_flags(0), XRAY_DOCUMENT_IN_PROGRESS);
    cr_expect_str_eq(text_at(own_document("b"), "parent_id"), text_at(own_document("a"), "id"));
}

Test(in_progress, is_in_no_count)
{
    xray_segment *a = xray_begin_segment("a");

    xray_send_in_progress(a);
    cr_expect_eq(stats_of(recorder).emitted, 0);
    emitter_answer = -EIO;
    xray_end(a);
    cr_expect_eq(stats_of(recorder).failed, 1);
    settle();
}

Test(in_progress, of_an_unsampled_segment_sends_nothing)
{
    xray_trace_header header = { .sampled = XRAY_SAMPLED_NO };
    xray_segment *a = xray_start_segment(recorder, xray_segment_params(.header = &header));

    xray_send_in_progress(a);
    xray_end(a);
    settle();
    cr_assert_eq(document_count(), 0);
}

Test(in_progress, keeps_parent_and_marks)
{
    xray_trace_header header = { .trace_id = { { 1 } },
                                 .parent_id = 7,
                                 .sampled = XRAY_SAMPLED_YES };
    xray_segment *a = xray_start_segment(recorder, xray_segment_params(.header = &header));

    xray_mark(a, XRAY_ERROR);
    xray_send_in_progress(a);
    xray_end(a);
    settle();
    cr_expect_str_eq(text_at(document(0), "parent_id"), "0000000000000007");
    cr_expect(true_at(document(0), "error"));
}
