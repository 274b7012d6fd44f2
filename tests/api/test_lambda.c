/* SPDX-License-Identifier: Apache-2.0 */
/* Lambda's invocations, in each state that their header can have. */
#include "support.h"

TestSuite(lambda, .init = record);

#define ROOT    "1-5759e988-bd862e3fe1be46a994272793"
#define PARENT  "53995c3f42cd8ad8"
#define SAMPLED "Root=" ROOT ";Parent=" PARENT ";Sampled=1"

static const char *downstream_of(const xray_segment *segment)
{
    static char text[XRAY_TRACE_HEADER_SIZE];
    xray_trace_header header;

    xray_get_header(segment, &header);
    xray_trace_header_format(&header, text, sizeof(text));
    return text;
}

Test(lambda, invocation_is_current_and_never_sent)
{
    xray_segment *invocation = xray_lambda_begin(recorder, SAMPLED);

    cr_assert(invocation);
    cr_assert_eq(xray_current(), invocation);
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    cr_assert_null(xray_current());
    settle();
    cr_assert_eq(document_count(), 0);
}

Test(lambda, sends_each_subsegment_directly_under_it_as_it_ends)
{
    xray_segment *invocation = xray_lambda_begin(recorder, SAMPLED);
    xray_segment *b = xray_begin_subsegment("b");

    xray_end(xray_begin_subsegment("c"));
    cr_assert_eq(document_count(), 0);
    xray_end(b);
    cr_assert_eq(document_count(), 1);
    xray_end(xray_begin_subsegment("d"));
    cr_assert_eq(document_count(), 2);
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    settle();
    cr_expect_str_eq(text_at(own_document("b"), "parent_id"), PARENT);
    cr_expect_str_eq(text_at(own_document("b"), "trace_id"), ROOT);
    cr_expect_str_eq(text_at(own_document("d"), "parent_id"), PARENT);
    cr_expect_str_eq(text_at(parent_of_embedded("c"), "name"), "b");
}

Test(lambda, begins_subsegments_where_a_segment_is_begun)
{
    xray_segment *invocation = xray_lambda_begin(recorder, SAMPLED);
    xray_segment *a = xray_begin_segment("a");

    cr_assert_eq(xray_current(), a);
    xray_end(xray_begin_segment("nested"));
    xray_end(a);
    cr_assert_eq(xray_current(), invocation);
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    settle();
    cr_expect_str_eq(text_at(own_document("a"), "type"), "subsegment");
    cr_expect_str_eq(text_at(own_document("a"), "parent_id"), PARENT);
    cr_expect_str_eq(text_at(own_document("nested"), "parent_id"), PARENT);
}

Test(lambda, is_over_for_segments_that_are_begun_after_its_end)
{
    xray_segment *invocation = xray_lambda_begin(recorder, SAMPLED);

    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    /* As often as it takes until a handle comes again. */
    for (int i = 0; i < 5000; i++)
        xray_end(xray_begin_segment("a"));
    for (size_t i = 0; i < document_count(); i++)
        cr_assert(document_flags(i) & XRAY_DOCUMENT_SEGMENT, "the %zuth", i);
    forget_documents();
    settle();
}

Test(lambda, that_was_ended_as_segments_are_is_over_too)
{
    xray_end(xray_lambda_begin(recorder, SAMPLED));
    for (int i = 0; i < 5000; i++)
        xray_end(xray_begin_segment("a"));
    cr_expect_eq(document_count(), 5000);
    for (size_t i = 0; i < document_count(); i++)
        cr_assert(document_flags(i) & XRAY_DOCUMENT_SEGMENT, "the %zuth", i);
    forget_documents();
    settle();
}

Test(lambda, passes_its_own_ids_on)
{
    xray_segment *invocation = xray_lambda_begin(recorder, SAMPLED ";Lineage=a:1");

    cr_expect_str_eq(downstream_of(invocation), SAMPLED ";Lineage=a:1");
    cr_expect(xray_is_sampled(invocation));
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    settle();
}

Test(lambda, passes_lineage_on_from_subsegments)
{
    xray_segment *invocation = xray_lambda_begin(recorder, SAMPLED ";Lineage=a:1");

    cr_expect(strstr(downstream_of(xray_begin_subsegment("b")), ";Sampled=1;Lineage=a:1"));
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    settle();
}

Test(lambda, that_is_not_sampled_passes_the_header_on_unchanged)
{
    const char *text = "Root=" ROOT ";Parent=" PARENT ";Sampled=0";
    xray_segment *invocation = xray_lambda_begin(recorder, text);
    xray_segment *b = xray_begin_subsegment("b");

    cr_expect_str_eq(downstream_of(invocation), text);
    cr_expect_str_eq(downstream_of(b), text);
    cr_expect_not(xray_is_recording(b));
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    settle();
    cr_assert_eq(document_count(), 0);
}

Test(lambda, with_only_a_root_records_nothing_and_passes_it_on)
{
    xray_segment *invocation = xray_lambda_begin(recorder, "Root=" ROOT);
    xray_segment *b = xray_begin_subsegment("b");

    cr_expect_str_eq(downstream_of(b), "Root=" ROOT);
    cr_expect_not(xray_is_sampled(b));
    xray_end(b);
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    settle();
    cr_assert_eq(document_count(), 0);
}

Test(lambda, without_a_header_is_inert)
{
    xray_segment *invocation;

    unsetenv("_X_AMZN_TRACE_ID");
    invocation = xray_lambda_begin(recorder, NULL);
    xray_end(xray_begin_subsegment("b"));
    xray_end(xray_begin_segment("c"));
    cr_expect_str_eq(downstream_of(invocation), "");
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    settle();
    cr_assert_eq(document_count(), 0);
    cr_assert_eq(message_count(), 0);
}

Test(lambda, with_a_bad_header_is_inert)
{
    static const char *const bad[] = { "",
                                       "nonsense",
                                       "Root=1-2-3;Parent=x;Sampled=1",
                                       ";;;",
                                       "Parent=" PARENT ";Sampled=1",
                                       "Root=" ROOT ";Sampled=1",
                                       "Root=" ROOT ";Parent=" PARENT "\n;Sampled=1" };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        xray_segment *invocation = xray_lambda_begin(recorder, bad[i]);

        xray_end(xray_begin_subsegment("b"));
        cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    }
    settle();
    cr_assert_eq(document_count(), 0);
}

Test(lambda, reads_its_variable_when_no_header_is_given)
{
    xray_segment *invocation;

    setenv("_X_AMZN_TRACE_ID", SAMPLED, 1);
    invocation = xray_lambda_begin(recorder, NULL);
    xray_end(xray_begin_subsegment("b"));
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    settle();
    cr_expect_str_eq(text_at(own_document("b"), "parent_id"), PARENT);
}

Test(lambda, retry_with_the_same_root_and_a_new_parent_uses_the_new_one)
{
    xray_segment *invocation = xray_lambda_begin(recorder, SAMPLED);

    xray_end(xray_begin_subsegment("first"));
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    invocation = xray_lambda_begin(recorder, "Root=" ROOT ";Parent=00000000000000ab;Sampled=1");
    xray_end(xray_begin_subsegment("second"));
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    settle();
    cr_expect_str_eq(text_at(own_document("first"), "parent_id"), PARENT);
    cr_expect_str_eq(text_at(own_document("second"), "parent_id"), "00000000000000ab");
}

Test(lambda, end_ends_what_is_open_in_it)
{
    xray_segment *invocation = xray_lambda_begin(recorder, SAMPLED);

    xray_begin_subsegment("b");
    xray_begin_subsegment("c");
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    cr_assert_null(xray_current());
    settle();
    cr_expect(own_document("b"));
    cr_expect_str_eq(text_at(parent_of_embedded("c"), "name"), "b");
}

Test(lambda, end_leaves_what_is_outside_it_open)
{
    xray_segment *outside = xray_begin_segment("outside");
    xray_segment *invocation = xray_lambda_begin(recorder, SAMPLED);

    xray_begin_subsegment("b");
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    cr_assert_eq(xray_current(), outside);
    xray_end(outside);
    settle();
}

Test(lambda, end_of_a_detached_invocation_leaves_the_stack_alone)
{
    xray_segment *outside = xray_begin_segment("outside");
    xray_segment *invocation = xray_lambda_begin(recorder, SAMPLED);

    xray_detach(invocation);
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    cr_assert_eq(xray_current(), outside);
    xray_end(outside);
    settle();
}

Test(lambda, end_twice_is_once)
{
    xray_segment *invocation = xray_lambda_begin(recorder, SAMPLED);

    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    settle();
}

Test(lambda, of_no_recorder_gives_nothing)
{
    cr_assert_null(xray_lambda_begin(NULL, SAMPLED));
    settle();
}

Test(lambda, invocation_is_in_no_count)
{
    xray_segment *invocation = xray_lambda_begin(recorder, SAMPLED);

    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    cr_expect_eq(stats_of(recorder).begun, 0);
    cr_expect_eq(stats_of(recorder).sampled, 0);
    settle();
}

static int flushes, flush_answer;

static int emit_nowhere(void *data, const xray_document *document)
{
    (void)data;
    (void)document;
    return 0;
}

static int flush(void *data, int timeout_ms)
{
    (void)data;
    flushes += timeout_ms;
    return flush_answer;
}

Test(lambda, end_flushes_and_tells_when_that_took_too_long)
{
    xray_emitter emitter = { .size = sizeof(emitter), .emit = emit_nowhere, .flush = flush };

    settle();
    record_with((xray_recorder_params){ .emitter = &emitter });
    cr_expect_eq(xray_lambda_end(xray_lambda_begin(recorder, SAMPLED), 7), 0);
    cr_expect_eq(flushes, 7);
    flush_answer = -ETIMEDOUT;
    cr_expect_eq(xray_lambda_end(xray_lambda_begin(recorder, SAMPLED), 7), -ETIMEDOUT);
    settle();
}

static void serve(void *text)
{
    xray_segment *invocation = xray_lambda_begin(recorder, text);

    xray_end(xray_begin_subsegment("b"));
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
}

Test(lambda, invocations_on_two_threads_are_apart)
{
    xray_segment *invocation = xray_lambda_begin(recorder, SAMPLED);
    char other[] = "Root=" ROOT ";Parent=00000000000000ab;Sampled=1";

    on_thread(serve, other);
    xray_end(xray_begin_subsegment("c"));
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    settle();
    cr_expect_str_eq(text_at(own_document("b"), "parent_id"), "00000000000000ab");
    cr_expect_str_eq(text_at(own_document("c"), "parent_id"), PARENT);
}
