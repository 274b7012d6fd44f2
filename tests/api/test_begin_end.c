/* SPDX-License-Identifier: Apache-2.0 */
/* Segments and subsegments on one thread: nesting, orders of ends, handles that are stale. */
#include "support.h"

TestSuite(begin, .init = record);
TestSuite(end, .init = record);
TestSuite(handle, .init = record);
TestSuite(scope, .init = record);

/* ---- Begin ------------------------------------------------------------------- */

Test(begin, makes_the_segment_current)
{
    xray_segment *segment = xray_begin_segment("a");

    cr_assert(segment);
    cr_assert_eq(xray_current(), segment);
    xray_end(segment);
    settle();
}

Test(begin, of_a_segment_without_a_name_takes_the_service)
{
    xray_end(xray_begin_segment(NULL));
    xray_end(xray_begin_segment(""));
    settle();
    cr_expect_str_eq(text_at(document(0), "name"), "service");
    cr_expect_str_eq(text_at(document(1), "name"), "service");
}

Test(begin, of_a_subsegment_makes_it_a_child_of_the_current_one)
{
    xray_segment *a = xray_begin_segment("a");

    xray_end(xray_begin_subsegment("b"));
    xray_end(a);
    settle();
    cr_assert_str_eq(text_at(parent_of_embedded("b"), "name"), "a");
}

Test(begin, nests_as_deep_as_the_calls)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b = xray_begin_subsegment("b");
    xray_segment *c = xray_begin_subsegment("c");

    xray_end(c);
    cr_assert_eq(xray_current(), b);
    xray_end(b);
    cr_assert_eq(xray_current(), a);
    xray_end(a);
    cr_assert_null(xray_current());
    settle();
    cr_assert_eq(document_count(), 1);
    cr_assert_str_eq(text_at(parent_of_embedded("c"), "name"), "b");
    cr_assert_str_eq(text_at(parent_of_embedded("b"), "name"), "a");
}

Test(begin, of_a_segment_starts_a_new_trace_whatever_is_current)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b = xray_begin_segment("b");

    cr_assert_eq(xray_current(), b);
    xray_end(b);
    cr_assert_eq(xray_current(), a);
    xray_end(a);
    settle();
    cr_assert_str_neq(text_at(own_document("a"), "trace_id"),
                      text_at(own_document("b"), "trace_id"));
    cr_assert_null(member(own_document("b"), "parent_id"));
}

Test(begin, puts_the_second_of_the_start_into_the_trace_id)
{
    settle();
    clock_ns = 0x0fedcba9LL * 1000000000;
    record_with((xray_recorder_params){ .clock = &still_clock });
    xray_end(xray_begin_segment("a"));
    settle();
    cr_assert_eq(strncmp(text_at(document(0), "trace_id"), "1-0fedcba9-", 11), 0);
}

Test(begin, of_many_segments_gives_each_its_own_ids)
{
    for (int i = 0; i < 400; i++)
        xray_end(xray_begin_segment("a"));
    settle(); /* ids are unique in there */
    cr_assert_eq(document_count(), 400);
    for (size_t i = 1; i < 400; i++)
        cr_assert_str_neq(text_at(document(i - 1), "trace_id"), text_at(document(i), "trace_id"));
}

/* ---- End ------------------------------------------------------------------------ */

Test(end, has_handed_over_the_document_when_it_returns)
{
    xray_segment *a = xray_begin_segment("a");

    cr_assert_eq(document_count(), 0);
    xray_end(a);
    cr_assert_eq(document_count(), 1);
    settle();
}

Test(end, of_a_child_sends_nothing_while_its_parent_is_open)
{
    xray_segment *a = xray_begin_segment("a");

    xray_end(xray_begin_subsegment("b"));
    cr_assert_eq(document_count(), 0);
    xray_end(a);
    settle();
}

Test(end, twice_is_once)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b = xray_begin_subsegment("b");

    xray_end(b);
    xray_end(b);
    xray_end(a);
    xray_end(a);
    settle();
    cr_assert_eq(document_count(), 1);
    cr_assert_eq(entity_count(), 2);
}

Test(end, twice_leaves_the_outer_segment_current)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b = xray_begin_subsegment("b");

    xray_end(b);
    xray_end(b);
    cr_assert_eq(xray_current(), a);
    xray_end(a);
    settle();
}

Test(end, of_an_outer_segment_leaves_the_inner_ones_open)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b = xray_begin_subsegment("b");

    xray_end(a);
    cr_assert(xray_is_recording(b));
    xray_end(b);
    settle();
    cr_assert(member(own_document("b"), "end_time"));
}

Test(end, of_an_outer_segment_takes_the_inner_ones_off_the_stack)
{
    xray_segment *z = xray_begin_segment("z");
    xray_segment *a = xray_begin_subsegment("a");
    xray_segment *b = xray_begin_subsegment("b");
    xray_segment *c = xray_begin_subsegment("c");

    xray_end(a);
    cr_expect_eq(xray_current(), z);
    xray_end(c);
    cr_expect_eq(xray_current(), z);
    xray_end(b);
    cr_expect_eq(xray_current(), z);
    xray_end(z);
    settle();
    expect_no_orphans(0);
}

Test(end, of_a_late_child_makes_a_document_with_the_right_parent_and_trace)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b = xray_begin_subsegment("b");

    xray_end(a);
    xray_end(b);
    settle();
    cr_expect_str_eq(text_at(own_document("b"), "parent_id"), text_at(own_document("a"), "id"));
    cr_expect_str_eq(text_at(own_document("b"), "trace_id"),
                     text_at(own_document("a"), "trace_id"));
    cr_expect_str_eq(document_service(1), "a");
}

Test(end, of_a_grandchild_after_its_parent_makes_it_a_document)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b = xray_begin_subsegment("b");
    xray_segment *c = xray_begin_subsegment("c");

    xray_end(b);
    xray_end(c);
    xray_end(a);
    settle();
    cr_expect_str_eq(text_at(own_document("c"), "parent_id"), text_at(embedded("b"), "id"));
    expect_no_orphans(0);
}

/* Swaps its way through all orders (Heap's algorithm). */
static void permute(int order[4], int count, void (*each)(const int order[4]))
{
    if (count == 1) {
        each(order);
        return;
    }
    for (int i = 0; i < count; i++) {
        int other = count % 2 ? 0 : i, swapped;

        permute(order, count - 1, each);
        swapped = order[other];
        order[other] = order[count - 1];
        order[count - 1] = swapped;
    }
}

static const char *const four[] = { "a", "b", "c", "d" };
static int orders_seen;

static void end_chain(const int order[4])
{
    xray_segment *segments[4] = { xray_begin_segment("a") };

    forget_documents();
    orders_seen++;
    for (int i = 1; i < 4; i++)
        segments[i] = xray_begin_subsegment(four[i]);
    for (int i = 0; i < 4; i++)
        xray_end(segments[order[i]]);
    cr_assert_null(xray_current());
    cr_assert_eq(entity_count(), 4, "each is sent once");
    for (int i = 0; i < 4; i++)
        cr_assert(entity(four[i]));
    expect_no_orphans(0);
    cr_assert_str_eq(text_at(document(0), "trace_id"),
                     text_at(document(document_count() - 1), "trace_id"));
}

static void end_siblings(const int order[4])
{
    xray_segment *segments[4] = { xray_begin_segment("a") };

    forget_documents();
    orders_seen++;
    for (int i = 1; i < 4; i++)
        segments[i] = xray_start_subsegment(segments[0], four[i]);
    for (int i = 0; i < 4; i++)
        xray_end(segments[order[i]]);
    cr_assert_eq(entity_count(), 4, "each is sent once");
    for (int i = 1; i < 4; i++) {
        const cJSON *one = entity(four[i]);

        if (member(one, "parent_id"))
            cr_assert_str_eq(text_at(one, "parent_id"), text_at(own_document("a"), "id"));
        else
            cr_assert_str_eq(text_at(parent_of_embedded(four[i]), "name"), "a");
    }
}

Test(end, of_four_nested_segments_in_any_order_sends_each_once)
{
    int order[4] = { 0, 1, 2, 3 };

    permute(order, 4, end_chain);
    cr_assert_eq(orders_seen, 24);
    settle();
}

Test(end, of_three_siblings_and_their_parent_in_any_order_sends_each_once)
{
    int order[4] = { 0, 1, 2, 3 };

    permute(order, 4, end_siblings);
    cr_assert_eq(orders_seen, 24);
    settle();
}

Test(end, leaves_errno_alone_when_nothing_can_be_sent)
{
    xray_segment *a = xray_begin_segment("a");

    emitter_answer = -ECONNREFUSED;
    errno = EXDEV;
    xray_end(a);
    cr_assert_eq(errno, EXDEV);
    settle();
}

/* ---- Handles ----------------------------------------------------------------------- */

Test(handle, of_an_ended_segment_does_not_touch_the_one_that_has_its_memory)
{
    xray_segment *a = xray_begin_segment("a");
    xray_segment *b;

    xray_end(a);
    b = xray_begin_segment("b");
    xray_annotate(a, "key", "stale");
    xray_mark(a, XRAY_FAULT);
    xray_set_user(a, "stale");
    xray_detach(a);
    xray_end(a);
    cr_assert(xray_is_recording(b));
    cr_assert_eq(xray_current(), b);
    xray_end(b);
    settle();
    cr_assert_not(emitted_text("stale"));
    cr_assert_not(true_at(own_document("b"), "fault"));
}

Test(handle, differs_from_the_one_before_in_the_same_memory)
{
    xray_segment *seen[100];

    for (int i = 0; i < 100; i++) {
        seen[i] = xray_begin_segment("a");
        for (int j = 0; j < i; j++)
            cr_assert_neq(seen[i], seen[j]);
        xray_end(seen[i]);
    }
    settle();
}

/* A handle comes again after 2048 segments: a child that is still open has only the first parent.
 */
Test(handle, of_a_parent_may_come_again_before_its_child_ends)
{
    xray_segment *a = xray_begin_segment("a"), *other;
    xray_segment *child = xray_start_subsegment(a, "child");

    xray_end(a);
    for (int i = 0; (other = xray_begin_segment("other")) != a; i++) {
        xray_end(other);
        forget_documents();
        cr_assert_lt(i, 5000);
    }
    xray_end(child);
    xray_end(other);
    cr_expect_eq(document_count(), 2);
    cr_expect(own_document("child"));
    forget_documents();
    settle();
}

Test(handle, of_a_parent_may_come_again_in_memory_that_is_free)
{
    xray_segment *a = xray_begin_segment("a"), *other = NULL;
    xray_segment *child = xray_start_subsegment(a, "child");

    xray_end(a);
    for (int i = 0; i < 2047; i++) {
        other = xray_begin_segment("other");
        xray_end(other);
        forget_documents();
    }
    cr_assert_eq((uintptr_t)other / 2048, (uintptr_t)a / 2048);
    xray_end(child);
    cr_expect_eq(document_count(), 1);
    cr_expect(own_document("child"));
    forget_documents();
    settle();
}

Test(handle, of_an_ended_segment_says_nothing)
{
    xray_segment *a = xray_begin_segment("a");
    xray_trace_header header;

    xray_end(a);
    cr_expect_not(xray_is_sampled(a));
    cr_expect_not(xray_is_recording(a));
    memset(&header, 1, sizeof(header));
    xray_get_header(a, &header);
    cr_expect_eq(header.parent_id, 0);
    cr_expect_eq(header.sampled, 0);
    cr_expect_eq(xray_trace_header_format(&header, NULL, 0), 0);
    cr_expect_null(xray_start_subsegment(a, "b"));
    settle();
}

Test(handle, of_an_ended_segment_cannot_become_current)
{
    xray_segment *a = xray_begin_segment("a");

    xray_end(a);
    xray_attach(a);
    cr_assert_null(xray_current());
    settle();
}

/* ---- Scopes ------------------------------------------------------------------------- */

static void in_a_scope(void)
{
    XRAY_SUBSEGMENT("inner");
    cr_assert(xray_current());
}

Test(scope, ends_its_subsegment_when_it_is_left)
{
    xray_segment *a = xray_begin_segment("a");

    in_a_scope();
    cr_assert_eq(xray_current(), a);
    xray_end(a);
    settle();
    cr_assert(embedded("inner"));
}

Test(scope, may_hold_two_of_them)
{
    xray_segment *a = xray_begin_segment("a");
    {
        XRAY_SUBSEGMENT("one");
        XRAY_SUBSEGMENT("two");
    }
    xray_end(a);
    settle();
    cr_assert_str_eq(text_at(parent_of_embedded("two"), "name"), "one");
}

Test(scope, ends_a_variable_that_asks_for_it)
{
    {
        xray_segment *a XRAY_AUTO_END = xray_begin_segment("a");
        cr_assert_eq(xray_current(), a);
    }
    settle();
    cr_assert(own_document("a"));
}

Test(scope, does_not_end_twice_what_was_ended_within)
{
    {
        xray_segment *a XRAY_AUTO_END = xray_begin_segment("a");
        xray_endp(&a);
        cr_assert_null(a);
    }
    settle();
    cr_assert_eq(document_count(), 1);
}
