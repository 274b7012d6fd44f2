/* SPDX-License-Identifier: Apache-2.0 */
/* Starts, ends, and clocks that cannot be trusted. */
#include "support.h"

#include <math.h>
#include <time.h>

static void record_with_still_clock(void)
{
    clock_ns = 1700000000000000000;
    record_with((xray_recorder_params){ .clock = &still_clock });
}

TestSuite(time, .init = record_with_still_clock);

Test(time, is_written_in_seconds_with_six_decimals)
{
    xray_segment *a = xray_begin_segment("a");

    clock_ns += 1234567891;
    xray_end(a);
    settle();
    cr_expect(emitted_text("\"start_time\":1700000000.000000,\"end_time\":1700000001.234567"));
}

Test(time, that_is_given_is_kept)
{
    xray_segment *a = xray_start_segment(recorder,
                                         xray_segment_params(.start_ns = 1600000000000000000));
    xray_segment *b = xray_start_subsegment_with(
        a, xray_subsegment_params(.name = "b", .start_ns = 1600000000500000000));

    xray_end_at(b, 1600000000750000000);
    xray_end_at(a, 1600000001000000000);
    settle();
    cr_expect_eq(number_at(document(0), "start_time"), 1600000000);
    cr_expect_eq(number_at(document(0), "end_time"), 1600000001);
    cr_expect_eq(number_at(embedded("b"), "start_time"), 1600000000.5);
    cr_expect_eq(number_at(embedded("b"), "end_time"), 1600000000.75);
}

Test(time, of_an_end_before_the_start_is_the_start)
{
    xray_segment *a = xray_begin_segment("a");

    xray_end_at(a, 1);
    settle();
    cr_expect_eq(number_at(document(0), "end_time"), 1700000000);
}

Test(time, of_an_end_before_1970_is_the_start)
{
    clock_ns += 5;
    xray_segment *a = xray_begin_segment("a");

    clock_ns += 1000000000;
    xray_end_at(a, -1);
    settle();
    cr_expect_eq(number_at(document(0), "end_time"), number_at(document(0), "start_time"));
}

Test(time, of_a_clock_that_steps_back_an_hour_makes_no_negative_duration)
{
    xray_segment *a = xray_begin_segment("a"), *b;

    clock_ns -= 3600000000000;
    b = xray_begin_subsegment("b");
    xray_end(b);
    xray_end(a);
    settle(); /* no end is before its start in there */
    cr_expect_eq(number_at(document(0), "end_time"), 1700000000);
}

Test(time, of_a_clock_that_shows_nothing_is_survived)
{
    clock_ns = 0;
    xray_end(xray_begin_segment("a"));
    clock_ns = -1;
    xray_end(xray_begin_segment("b"));
    settle();
    cr_expect_eq(document_count(), 2);
}

Test(time, at_its_largest_is_survived)
{
    xray_segment *a = xray_begin_segment("a");

    xray_end_at(a, INT64_MAX);
    settle();
    cr_expect_float_eq(number_at(document(0), "end_time"), 9223372036.854775, 1e-6);
}

Test(time, of_the_trace_id_keeps_its_leading_zeros)
{
    clock_ns = 1000000000;
    xray_end(xray_begin_segment("a"));
    settle();
    cr_expect_eq(strncmp(text_at(document(0), "trace_id"), "1-00000001-", 11), 0);
}

Test(time, of_the_system_is_used_when_there_is_no_hook)
{
    struct timespec before, after;

    settle();
    record();
    clock_gettime(CLOCK_REALTIME, &before);
    xray_end(xray_begin_segment("a"));
    clock_gettime(CLOCK_REALTIME, &after); /* time() may still be in the second before */
    settle();
    cr_expect_geq(number_at(document(0), "start_time"), (double)before.tv_sec);
    cr_expect_leq(number_at(document(0), "end_time"), (double)after.tv_sec + 1);
}

Test(time, of_children_lies_within_that_of_their_parent)
{
    xray_segment *a;

    settle();
    record();
    a = xray_begin_segment("a");
    for (int i = 0; i < 100; i++)
        xray_end(xray_begin_subsegment("b"));
    xray_end(a);
    settle();
    for (const cJSON *b = member(document(0), "subsegments")->child; b; b = b->next) {
        cr_assert_geq(number_at(b, "start_time"), number_at(document(0), "start_time"));
        cr_assert_leq(number_at(b, "end_time"), number_at(document(0), "end_time"));
    }
}
