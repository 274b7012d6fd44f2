/* SPDX-License-Identifier: Apache-2.0 */
/* What every function does with a segment that is none: nothing. */
#include "support.h"

TestSuite(inert, .init = record);

/* Each function of segment.h and describe.h that takes a segment. */
static void use_every_function(xray_segment *segment)
{
    xray_frame frame = { .path = "secret.c", .label = "secret", .line = 1 };
    xray_exception exception = { .size = sizeof(exception),
                                 .type = "secret",
                                 .message = "secret",
                                 .frames = &frame,
                                 .frame_count = 1 };
    xray_trace_header header = { .trace_id = { { 1 } }, .parent_id = 1 };

    xray_annotate(segment, "key", "secret");
    xray_annotate(segment, NULL, "secret");
    xray_add_metadata(segment, NULL, "key", "secret");
    xray_add_metadata(segment, NULL, NULL, xray_json("[\"secret\"]"));
    xray_mark(segment, XRAY_FAULT | XRAY_ERROR | XRAY_THROTTLE);
    xray_unmark(segment, XRAY_FAULT);
    xray_add_exception(segment, "secret", "secret %d", 1);
    xray_add_exception_with(segment, &exception);
    xray_add_exception_with(segment, NULL);
    xray_set_http(segment, xray_http(.method = "secret", .status = 500));
    xray_set_http(segment, NULL);
    xray_set_aws(segment, xray_aws(.operation = "secret"));
    xray_set_aws(segment, NULL);
    xray_set_aws_field(segment, "key", xray_string("secret"));
    xray_set_sql(segment, xray_sql(.sanitized_query = "secret"));
    xray_set_sql(segment, NULL);
    xray_add_precursor(segment, 0x5ec4e7);
    xray_set_user(segment, "secret");
    xray_set_user(segment, NULL);
    xray_set_namespace(segment, "secret");
    xray_set_namespace(segment, NULL);
    xray_add_link(segment, &header);
    xray_add_link(segment, NULL);
    xray_send_in_progress(segment);
}

static void finish_every_way(xray_segment *segment)
{
    xray_attach(segment);
    xray_detach(segment);
    xray_end_at(segment, 1);
    xray_end(segment);
    cr_assert_eq(xray_lambda_end(NULL, 0), 0);
}

Test(inert, is_null_to_every_function)
{
    xray_trace_header header;

    use_every_function(NULL);
    finish_every_way(NULL);
    cr_expect_not(xray_is_sampled(NULL));
    cr_expect_not(xray_is_recording(NULL));
    memset(&header, 1, sizeof(header));
    xray_get_header(NULL, &header);
    cr_expect_eq(header.sampled, 0);
    memset(&header, 1, sizeof(header));
    xray_get_response_header(NULL, &header);
    cr_expect_eq(header.extra[0], 0);
    settle();
    cr_assert_eq(document_count(), 0);
}

Test(inert, is_an_ended_segment_to_every_function)
{
    xray_segment *a = xray_begin_segment("a");

    xray_end(a);
    use_every_function(a);
    finish_every_way(a);
    settle();
    cr_assert_eq(document_count(), 1);
    cr_assert_not(emitted_text("secret"));
}

Test(inert, is_an_ended_segment_whose_memory_is_in_use_again)
{
    xray_segment *a = xray_begin_segment("a"), *b;
    xray_stats before;

    xray_end(a);
    b = xray_begin_segment("b");
    before = stats_of(recorder);
    use_every_function(a);
    finish_every_way(a);
    cr_expect_eq(stats_of(recorder).truncated, before.truncated);
    cr_assert_eq(xray_current(), b);
    xray_end(b);
    settle();
    cr_assert_eq(document_count(), 2);
    cr_assert_not(emitted_text("secret"));
}

Test(inert, is_an_unsampled_segment_to_what_describes)
{
    xray_trace_header header = { .sampled = XRAY_SAMPLED_NO };
    xray_segment *a = xray_start_segment(recorder, xray_segment_params(.header = &header));

    use_every_function(a);
    xray_end(a);
    settle();
    cr_expect_eq(document_count(), 0);
    cr_expect_eq(message_count(), 0);
}

Test(inert, is_lambdas_own_segment_to_what_describes)
{
    xray_segment *invocation = xray_lambda_begin(
        recorder, "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");

    use_every_function(invocation);
    cr_assert_eq(xray_current(), invocation);
    cr_assert_eq(xray_lambda_end(invocation, 0), 0);
    settle();
    cr_assert_eq(document_count(), 0);
}

Test(inert, is_everything_of_a_disabled_recorder)
{
    xray_segment *a;

    settle();
    setenv("AWS_XRAY_SDK_DISABLED", "true", 1);
    record_from_environment((xray_recorder_params){ .sampler = &sampler_yes });
    a = xray_begin_segment("a");
    use_every_function(a);
    xray_end(xray_begin_subsegment("b"));
    finish_every_way(a);
    cr_assert_eq(stats_of(recorder).begun, 0);
    settle();
    cr_expect_eq(document_count(), 0);
    cr_expect_eq(message_count(), 0);
}
