/* SPDX-License-Identifier: Apache-2.0 */
/* Each kind of document, byte for byte. */
#include "golden.h"

TestSuite(golden, .init = golden_record);

Test(golden, segment)
{
    xray_segment *a = xray_begin_segment("orders");

    golden_wait();
    xray_end(a);
    expect_golden("segment");
}

Test(golden, segment_in_a_received_trace)
{
    xray_trace_header header;
    xray_segment *a;

    cr_assert_eq(xray_trace_header_parse(
                     &header, "Root=1-5759e988-0000000000000000000000aa;Parent=00000000000000bb"),
                 0);
    a = xray_start_segment(recorder, xray_segment_params(.name = "orders", .header = &header));
    golden_wait();
    xray_end(a);
    expect_golden("segment-in-a-received-trace");
}

Test(golden, segment_with_all_of_the_recorder, .init = NULL)
{
    xray_segment *a;

    golden_record_with((xray_recorder_params){ .service = "orders \"1\"",
                                               .service_version = "2.7 \"rc\"",
                                               .origin = "AWS::EC2::Instance" });
    a = xray_begin_segment(NULL);
    xray_set_user(a, "ann");
    golden_wait();
    xray_end(a);
    expect_golden("segment-with-all-of-the-recorder");
}

Test(golden, segment_of_a_resource, .init = NULL)
{
    golden_record_with((xray_recorder_params){
        .origin = "AWS::ECS::Container",
        .resource_arn = "arn:aws:ecs:eu-central-1:123456789012:task/orders/1" });
    xray_end(xray_begin_segment("orders"));
    expect_golden("segment-of-a-resource");
}

static void name_its_rule(void *data, const xray_sampling_request *request,
                          xray_sampling_decision *ret)
{
    (void)data;
    (void)request;
    ret->sampled = 1;
    snprintf(ret->rule, sizeof(ret->rule), "%s", "health \"checks\"");
}

Test(golden, segment_that_a_rule_sampled, .init = NULL)
{
    static const xray_sampler sampler = { .size = sizeof(sampler), .decide = name_its_rule };

    golden_record_with((xray_recorder_params){ .sampler = &sampler });
    xray_end(xray_begin_segment("orders"));
    expect_golden("segment-that-a-rule-sampled");
}

Test(golden, segment_in_progress_and_ended)
{
    xray_segment *a = xray_begin_segment("orders");

    xray_annotate(a, "early", 1);
    xray_send_in_progress(a);
    xray_annotate(a, "late", 2);
    golden_wait();
    xray_end(a);
    expect_golden("segment-in-progress");
}

Test(golden, subsegment_embedded)
{
    xray_segment *a = xray_begin_segment("orders"), *b = xray_begin_subsegment("read");

    golden_wait();
    xray_end(b);
    golden_wait();
    xray_end(a);
    expect_golden("subsegment-embedded");
}

Test(golden, subsegment_of_its_own)
{
    xray_segment *a = xray_begin_segment("orders"), *b = xray_begin_subsegment("read");

    golden_wait();
    xray_end(a);
    golden_wait();
    xray_end(b);
    expect_golden("subsegment-of-its-own");
}

Test(golden, subsegment_of_a_trace_elsewhere)
{
    xray_trace_header header;
    xray_segment *a;

    cr_assert_eq(xray_trace_header_parse(&header, "Root=1-5759e988-0000000000000000000000aa;"
                                                  "Parent=00000000000000bb;Sampled=1"),
                 0);
    a = xray_resume(recorder, &header, "read");
    golden_wait();
    xray_end(a);
    expect_golden("subsegment-of-a-trace-elsewhere");
}

Test(golden, subsegment_in_progress_and_ended)
{
    xray_segment *a = xray_begin_segment("orders"), *b = xray_begin_subsegment("read");

    xray_send_in_progress(b);
    golden_wait();
    xray_end(b);
    xray_end(a);
    expect_golden("subsegment-in-progress");
}

Test(golden, subsegment_of_another_service)
{
    xray_segment *a = xray_begin_segment("orders");
    xray_segment *b = xray_start_subsegment_with(
        a, xray_subsegment_params(.name = "warehouse", .name_space = "remote", .traced = 1));

    golden_wait();
    xray_end(b);
    xray_end(a);
    expect_golden("subsegment-of-another-service");
}

Test(golden, subsegment_after_its_siblings)
{
    xray_segment *a = xray_begin_segment("orders");
    xray_segment *first = xray_begin_subsegment("first"), *second, *third;
    xray_trace_header one, two;

    xray_get_header(first, &one);
    xray_end(first);
    second = xray_begin_subsegment("second");
    xray_get_header(second, &two);
    xray_end(second);
    third = xray_begin_subsegment("third");
    xray_add_precursor(third, one.parent_id);
    xray_add_precursor(third, two.parent_id);
    xray_end(third);
    xray_end(a);
    expect_golden("subsegment-after-its-siblings");
}

Test(golden, children_nested_and_in_the_order_of_their_ends)
{
    xray_segment *a = xray_begin_segment("orders");
    xray_segment *b = xray_begin_subsegment("b"), *c = xray_begin_subsegment("c");

    golden_wait();
    xray_end(c);
    xray_end(xray_begin_subsegment("d"));
    xray_end(b);
    golden_wait();
    xray_end(xray_begin_subsegment("e"));
    xray_end(a);
    expect_golden("children-nested");
}

Test(golden, children_that_leave_as_they_are)
{
    xray_segment *a = xray_begin_segment("orders");
    xray_segment *b = xray_begin_subsegment("b"), *c = xray_begin_subsegment("c");

    xray_annotate(c, "key", 1);
    xray_end(c);
    golden_wait();
    xray_end(b);
    xray_send_in_progress(a);
    golden_wait();
    xray_end(a);
    expect_golden("children-that-leave");
}

Test(golden, segment_captured_for_its_outcome, .init = NULL)
{
    xray_capture capture = { .size = sizeof(capture) };
    xray_segment *a, *b;

    golden_record_with((xray_recorder_params){ .sampler = &sampler_no, .capture = &capture });
    a = xray_begin_segment("orders");
    b = xray_begin_subsegment("b");
    xray_mark(b, XRAY_FAULT);
    golden_wait();
    xray_end(b);
    xray_annotate(a, "customer", "c-1");
    xray_end(a);
    expect_golden("segment-captured");
}
