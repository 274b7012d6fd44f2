/* SPDX-License-Identifier: Apache-2.0 */
/* Segments that are started, attached, detached and resumed; and other threads. */
#include "support.h"

TestSuite(start, .init = record);
TestSuite(attach, .init = record);
TestSuite(detach, .init = record);
TestSuite(resume, .init = record);
TestSuite(threads, .init = record);
TestSuite(thread_exit, .init = record);

static void end_it(void *segment)
{
    xray_end(segment);
}

/* ---- Start -------------------------------------------------------------------- */

Test(start, leaves_the_current_segment_alone)
{
    xray_segment *a = xray_start_segment(recorder, xray_segment_params(.name = "a"));
    xray_segment *b = xray_start_subsegment(a, "b");

    cr_assert_null(xray_current());
    xray_end(b);
    xray_end(a);
    settle();
    cr_assert_str_eq(text_at(parent_of_embedded("b"), "name"), "a");
}

Test(start, of_a_segment_without_params_takes_all_defaults)
{
    xray_end(xray_start_segment(recorder, NULL));
    settle();
    cr_assert(own_document("service"));
}

Test(start, on_no_recorder_gives_nothing)
{
    cr_assert_null(xray_start_segment(NULL, xray_segment_params(.name = "a")));
    settle();
}

Test(start, of_a_subsegment_of_nothing_gives_nothing)
{
    cr_assert_null(xray_start_subsegment(NULL, "a"));
    cr_assert_null(xray_start_subsegment_with(NULL, NULL));
    settle();
}

Test(start, of_a_subsegment_without_params_has_some_name)
{
    xray_segment *a = xray_start_segment(recorder, NULL);

    xray_end(xray_start_subsegment_with(a, NULL));
    xray_end(xray_start_subsegment(a, ""));
    xray_end(a);
    settle(); /* every entity has a name in there */
    cr_assert_eq(entity_count(), 3);
}

Test(start, of_a_subsegment_takes_what_its_params_say)
{
    xray_segment *a = xray_start_segment(recorder, NULL);

    xray_end(xray_start_subsegment_with(
        a, xray_subsegment_params(.name = "b", .traced = 1, .name_space = "remote")));
    xray_end(a);
    settle();
    cr_expect(true_at(embedded("b"), "traced"));
    cr_expect_str_eq(text_at(embedded("b"), "namespace"), "remote");
}

Test(start, of_a_subsegment_that_is_not_sampled_sends_nothing_of_it)
{
    xray_segment *a = xray_start_segment(recorder, xray_segment_params(.name = "a"));
    xray_segment *b = xray_start_subsegment_with(
        a, xray_subsegment_params(.name = "b", .not_sampled = 1));
    xray_segment *c = xray_start_subsegment(b, "c");
    xray_trace_header of_a, of_c;

    cr_expect_not(xray_is_sampled(b));
    cr_expect_not(xray_is_recording(c));
    xray_get_header(a, &of_a);
    xray_get_header(c, &of_c);
    cr_expect_eq(of_c.sampled, XRAY_SAMPLED_NO);
    cr_expect_arr_eq(&of_c.trace_id, &of_a.trace_id, 16);
    xray_end(c);
    xray_end(b);
    xray_end(a);
    settle();
    cr_assert_eq(entity_count(), 1);
}

Test(start, continues_the_callers_trace)
{
    xray_trace_header header;

    cr_assert_eq(xray_trace_header_parse(&header, "Root=1-5759e988-bd862e3fe1be46a994272793;"
                                                  "Parent=53995c3f42cd8ad8;Sampled=1"),
                 0);
    xray_end(xray_start_segment(recorder, xray_segment_params(.name = "a", .header = &header)));
    settle();
    cr_expect_str_eq(text_at(document(0), "trace_id"), "1-5759e988-bd862e3fe1be46a994272793");
    cr_expect_str_eq(text_at(document(0), "parent_id"), "53995c3f42cd8ad8");
    cr_expect_neq(document_flags(0) & XRAY_DOCUMENT_SEGMENT, 0);
}

/* ---- Attach and detach ------------------------------------------------------------ */

Test(attach, makes_a_started_segment_current)
{
    xray_segment *a = xray_start_segment(recorder, NULL);

    xray_attach(a);
    cr_assert_eq(xray_current(), a);
    xray_end(a);
    cr_assert_null(xray_current());
    settle();
}

Test(attach, of_the_current_segment_does_nothing)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b = xray_begin_subsegment("b");

    xray_attach(b);
    xray_end(b);
    cr_assert_eq(xray_current(), a);
    xray_end(a);
    cr_assert_null(xray_current());
    settle();
}

Test(attach, of_an_outer_segment_moves_it_to_the_inside)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b = xray_begin_subsegment("b");

    xray_attach(a);
    cr_assert_eq(xray_current(), a);
    xray_detach(a);
    cr_assert_eq(xray_current(), b);
    xray_end(b);
    cr_assert_null(xray_current());
    xray_end(a);
    settle();
}

Test(attach, of_two_started_segments_nests_them)
{
    xray_segment *a = xray_start_segment(recorder, xray_segment_params(.name = "a"));
    xray_segment *b = xray_start_segment(recorder, xray_segment_params(.name = "b"));

    xray_attach(a);
    xray_attach(b);
    xray_end(xray_begin_subsegment("c"));
    xray_detach(b);
    cr_assert_eq(xray_current(), a);
    xray_detach(a);
    cr_assert_null(xray_current());
    xray_end(a);
    xray_end(b);
    settle();
    cr_assert_eq(entity_count(), 3);
}

Test(detach, gives_back_what_was_current_before)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b = xray_begin_subsegment("b");

    xray_detach(b);
    cr_assert_eq(xray_current(), a);
    xray_end(a);
    xray_end(b);
    settle();
    expect_no_orphans(0);
}

Test(detach, of_an_outer_segment_leaves_the_inner_one_current)
{
    xray_segment *z = xray_begin_segment("z");
    xray_segment *a = xray_begin_subsegment("a");
    xray_segment *b = xray_begin_subsegment("b");

    xray_detach(a);
    cr_assert_eq(xray_current(), b);
    xray_end(b);
    cr_assert_eq(xray_current(), z);
    xray_end(a);
    cr_assert_eq(xray_current(), z);
    xray_end(z);
    settle();
    expect_no_orphans(0);
}

Test(detach, twice_is_once)
{
    xray_segment *a = xray_begin_segment("a");

    xray_detach(a);
    xray_detach(a);
    cr_assert_null(xray_current());
    xray_end(a);
    settle();
    cr_assert_eq(document_count(), 1);
}

Test(detach, clears_the_home_so_that_children_are_documents_of_their_own)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b = xray_begin_subsegment("b");

    xray_detach(a);
    xray_end(b);
    cr_assert_eq(document_count(), 1);
    xray_end(a);
    settle();
    cr_assert(own_document("b"));
}

Test(attach, after_detach_makes_this_its_home_again)
{
    xray_segment *a = xray_begin_segment("a");

    xray_detach(a);
    xray_attach(a);
    xray_end(xray_begin_subsegment("b"));
    xray_end(a);
    settle();
    cr_assert(embedded("b"));
}

Test(attach, and_detach_in_turn_let_an_event_loop_serve_two_requests)
{
    xray_segment *a = xray_start_segment(recorder, xray_segment_params(.name = "a"));
    xray_segment *b = xray_start_segment(recorder, xray_segment_params(.name = "b"));
    xray_segment *inner[2];

    xray_attach(a);
    inner[0] = xray_begin_subsegment("of a");
    xray_detach(inner[0]);
    xray_detach(a);
    xray_attach(b);
    inner[1] = xray_begin_subsegment("of b");
    xray_end(inner[1]);
    xray_detach(b);
    xray_attach(a);
    xray_attach(inner[0]);
    xray_end(inner[0]);
    xray_end(a);
    xray_end(b);
    cr_assert_null(xray_current());
    settle();
    cr_expect_str_eq(text_at(parent_of_embedded("of a"), "name"), "a");
    cr_expect_str_eq(text_at(parent_of_embedded("of b"), "name"), "b");
}

/* ---- Other threads -------------------------------------------------------------------- */

static void see_no_current(void *data)
{
    (void)data;
    cr_assert_null(xray_current());
}

Test(threads, do_not_see_the_current_segment_of_another)
{
    xray_segment *a = xray_begin_segment("a");

    on_thread(see_no_current, NULL);
    xray_end(a);
    settle();
}

static void start_and_end_child(void *parent)
{
    xray_segment *child = xray_start_subsegment(parent, "b");

    xray_annotate(child, "key", 1);
    xray_end(child);
}

Test(threads, may_start_a_subsegment_of_a_live_one_which_is_a_document_of_its_own)
{
    xray_segment *a = xray_begin_segment("a");

    on_thread(start_and_end_child, a);
    xray_end(a);
    settle();
    cr_expect_str_eq(text_at(own_document("b"), "parent_id"), text_at(own_document("a"), "id"));
    cr_expect_str_eq(text_at(own_document("b"), "trace_id"),
                     text_at(own_document("a"), "trace_id"));
}

Test(threads, that_end_a_child_of_another_one_make_it_a_document)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b = xray_start_subsegment(a, "b");

    on_thread(end_it, b);
    xray_end(a);
    settle();
    cr_assert(own_document("b"));
    expect_no_orphans(0);
}

Test(threads, that_end_a_child_of_a_detached_segment_make_it_a_document)
{
    xray_segment *a = xray_start_segment(recorder, xray_segment_params(.name = "a"));
    xray_segment *b = xray_start_subsegment(a, "b");

    xray_detach(b);
    xray_detach(a);
    on_thread(end_it, b);
    cr_assert_eq(document_count(), 1, "a detached segment is at home nowhere");
    xray_end(a);
    settle();
}

static void end_both_there(void *data)
{
    xray_segment **segments = data;

    xray_end(segments[1]);
    xray_end(segments[0]);
}

Test(threads, that_end_parent_and_child_which_began_elsewhere_send_both_once)
{
    xray_segment *segments[2];

    segments[0] = xray_start_segment(recorder, xray_segment_params(.name = "a"));
    segments[1] = xray_start_subsegment(segments[0], "b");
    xray_detach(segments[0]);
    xray_detach(segments[1]);
    on_thread(end_both_there, segments);
    settle();
    cr_assert_eq(entity_count(), 2);
    expect_no_orphans(0);
}

static void work_on_it(void *segment)
{
    xray_attach(segment);
    cr_assert_eq(xray_current(), segment);
    xray_end(xray_begin_subsegment("there"));
    xray_detach(segment);
    cr_assert_null(xray_current());
}

Test(threads, take_over_what_was_detached)
{
    xray_segment *a = xray_begin_segment("a");

    xray_end(xray_begin_subsegment("here"));
    xray_detach(a);
    on_thread(work_on_it, a);
    xray_attach(a);
    xray_end(xray_begin_subsegment("here again"));
    xray_end(a);
    settle();
    cr_assert_eq(document_count(), 1);
    cr_assert_str_eq(text_at(parent_of_embedded("there"), "name"), "a");
}

static void attach_and_end(void *segment)
{
    xray_attach(segment);
    xray_end(segment);
    cr_assert_null(xray_current());
}

Test(threads, that_end_a_segment_which_is_current_elsewhere_send_it_once)
{
    xray_segment *a = xray_begin_segment("a");

    on_thread(end_it, a);
    cr_assert_null(xray_current());
    xray_end(a);
    settle();
    cr_assert_eq(document_count(), 1);
}

Test(threads, that_attach_a_segment_which_is_current_elsewhere_take_it_from_there)
{
    xray_segment *a = xray_begin_segment("a");

    on_thread(attach_and_end, a);
    cr_assert_null(xray_current());
    xray_end(xray_begin_segment("b"));
    cr_assert_null(xray_current());
    settle();
    cr_assert_eq(document_count(), 2);
}

static void attach_and_keep(void *segment)
{
    xray_attach(segment);
    xray_detach(segment);
}

Test(threads, that_took_a_segment_leave_what_was_outside_it_current)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b = xray_begin_subsegment("b");

    on_thread(attach_and_keep, b);
    xray_end(b);
    cr_assert_eq(xray_current(), a);
    xray_end(a);
    settle();
    cr_assert_eq(entity_count(), 2);
}

Test(threads, that_ended_an_inner_segment_leave_the_outer_one_current)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b = xray_begin_subsegment("b");

    on_thread(end_it, b);
    cr_assert_eq(xray_current(), a);
    xray_end(xray_begin_subsegment("c"));
    xray_end(a);
    settle();
    cr_assert_str_eq(text_at(parent_of_embedded("c"), "name"), "a");
}

static void end_of_one_then_begin_one(void *segment)
{
    xray_segment *own = xray_begin_segment("own");

    xray_end(segment);
    cr_assert_eq(xray_current(), own);
    xray_end(own);
}

Test(threads, keep_their_own_current_segment_when_they_end_another_one)
{
    xray_segment *a = xray_begin_segment("a");

    on_thread(end_of_one_then_begin_one, a);
    settle();
    cr_assert_eq(document_count(), 2);
}

/* ---- Resume --------------------------------------------------------------------------- */

Test(resume, makes_a_subsegment_that_is_a_document_of_its_own)
{
    xray_segment *a = xray_begin_segment("a");
    xray_trace_header header;

    xray_get_header(a, &header);
    xray_end(xray_resume(recorder, &header, "b"));
    cr_assert_eq(document_count(), 1);
    xray_end(a);
    settle();
    cr_expect_str_eq(text_at(own_document("b"), "parent_id"), text_at(own_document("a"), "id"));
    cr_expect_str_eq(text_at(own_document("b"), "trace_id"),
                     text_at(own_document("a"), "trace_id"));
    cr_expect_str_eq(document_service(0), "service");
}

static void resume_and_work(void *header)
{
    xray_segment *b = xray_resume(recorder, header, "b");

    xray_attach(b);
    xray_end(xray_begin_subsegment("c"));
    xray_end(b);
}

Test(resume, on_another_thread_embeds_its_own_children)
{
    xray_segment *a = xray_begin_segment("a");
    xray_trace_header header;

    xray_get_header(a, &header);
    on_thread(resume_and_work, &header);
    xray_end(a);
    settle();
    cr_expect_str_eq(text_at(parent_of_embedded("c"), "name"), "b");
    expect_no_orphans(0);
}

Test(resume, of_an_unsampled_trace_records_nothing_and_says_so_downstream)
{
    xray_trace_header header = { .trace_id = { { 1 } },
                                 .parent_id = 2,
                                 .sampled = XRAY_SAMPLED_NO };
    xray_segment *b = xray_resume(recorder, &header, "b");
    xray_trace_header downstream;

    cr_assert_not(xray_is_recording(b));
    xray_get_header(b, &downstream);
    cr_expect_arr_eq(&downstream.trace_id, &header.trace_id, 16);
    cr_expect_eq(downstream.sampled, XRAY_SAMPLED_NO);
    xray_end(b);
    settle();
    cr_assert_eq(document_count(), 0);
}

Test(resume, without_a_trace_or_a_parent_gives_nothing)
{
    xray_trace_header no_trace = { .parent_id = 2, .sampled = XRAY_SAMPLED_YES };
    xray_trace_header no_parent = { .trace_id = { { 1 } }, .sampled = XRAY_SAMPLED_YES };

    cr_expect_null(xray_resume(recorder, &no_trace, "b"));
    cr_expect_null(xray_resume(recorder, &no_parent, "b"));
    cr_expect_null(xray_resume(recorder, NULL, "b"));
    cr_expect_null(xray_resume(NULL, &no_parent, "b"));
    settle();
}

Test(resume, passes_lineage_on)
{
    xray_trace_header header = { .trace_id = { { 1 } },
                                 .parent_id = 2,
                                 .sampled = XRAY_SAMPLED_YES,
                                 .extra = "Lineage=a87bd80c:1" };
    xray_segment *b = xray_resume(recorder, &header, "b");
    xray_trace_header downstream;

    xray_get_header(b, &downstream);
    cr_assert_str_eq(downstream.extra, "Lineage=a87bd80c:1");
    xray_end(b);
    settle();
}

/* ---- Threads that end ------------------------------------------------------------------ */

static void leave_open(void *data)
{
    (void)data;
    xray_begin_segment("a");
    xray_begin_subsegment("b");
}

Test(thread_exit, ends_what_is_open_on_its_stack)
{
    on_thread(leave_open, NULL);
    settle();
    cr_assert_eq(document_count(), 1);
    cr_assert_str_eq(text_at(parent_of_embedded("b"), "name"), "a");
}

Test(thread_exit, marks_what_it_ends_as_a_fault_with_the_reason)
{
    const cJSON *exception;

    on_thread(leave_open, NULL);
    settle();
    cr_expect(true_at(own_document("a"), "fault"));
    cr_expect(true_at(embedded("b"), "fault"));
    exception = cJSON_GetArrayItem(member(own_document("a"), "cause.exceptions"), 0);
    cr_expect_str_eq(text_at(exception, "type"), "ThreadExit");
    cr_expect(*text_at(exception, "message"));
}

static xray_segment *left;

static void leave_detached(void *data)
{
    (void)data;
    left = xray_begin_segment("a");
    xray_detach(left);
}

Test(thread_exit, leaves_detached_segments_open)
{
    on_thread(leave_detached, NULL);
    cr_assert(xray_is_recording(left));
    xray_end(left);
    settle();
    cr_assert_not(true_at(own_document("a"), "fault"));
}

static void leave_started(void *data)
{
    (void)data;
    left = xray_start_segment(recorder, xray_segment_params(.name = "a"));
}

Test(thread_exit, leaves_segments_that_were_never_current_open)
{
    on_thread(leave_started, NULL);
    cr_assert(xray_is_recording(left));
    xray_end(left);
    settle();
    cr_assert_not(true_at(own_document("a"), "fault"));
}

static void hand_over_and_leave(void *data)
{
    (void)data;
    left = xray_begin_segment("a");
    on_thread(attach_and_keep, left);
}

Test(thread_exit, leaves_open_what_another_thread_took)
{
    on_thread(hand_over_and_leave, NULL);
    cr_assert(xray_is_recording(left));
    xray_end(left);
    settle();
}

static void leave_unsampled(void *data)
{
    xray_trace_header header = { .trace_id = { { 1 } }, .sampled = XRAY_SAMPLED_NO };

    (void)data;
    xray_attach(xray_start_segment(recorder, xray_segment_params(.header = &header)));
    xray_begin_subsegment("b");
}

Test(thread_exit, with_unsampled_segments_open_sends_nothing)
{
    on_thread(leave_unsampled, NULL);
    settle();
    cr_assert_eq(document_count(), 0);
}
