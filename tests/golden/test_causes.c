/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, byte for byte. */
#include "golden.h"

TestSuite(golden, .init = golden_record);

static xray_segment *a, *b;

static void begin(void)
{
    a = xray_begin_segment("orders");
    b = xray_begin_subsegment("part");
}

static void end_as(const char *name)
{
    golden_wait();
    xray_end(b);
    xray_end(a);
    expect_golden(name);
}

Test(golden, marks_that_follow_from_statuses)
{
    static const int statuses[] = { 399, 400, 429, 499, 500, 599, 600 };

    begin();
    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
        xray_segment *one = xray_start_subsegment(b, "one");

        xray_set_http(one, xray_http(.status = statuses[i]));
        xray_end(one);
    }
    end_as("marks-of-statuses");
}

Test(golden, marks_of_the_programs_own)
{
    begin();
    xray_mark(a, XRAY_ERROR);
    xray_mark(b, XRAY_THROTTLE);
    end_as("marks");
}

Test(golden, fault_without_any_reason_given)
{
    begin();
    xray_mark(b, XRAY_FAULT);
    end_as("fault-without-a-reason");
}

Test(golden, exception_and_where_it_was)
{
    begin();
    xray_add_exception_at(b, "src/order.c", 42, "place_order", "ENOSPC", "no room for %d \"%s\"", 3,
                          "things");
    end_as("exception");
}

Test(golden, exception_without_frames_of_the_caller_itself)
{
    xray_exception exception = {
        .size = sizeof(exception), .type = "NotFound", .message = "order 7", .flags = XRAY_ERROR
    };

    begin();
    xray_add_exception_with(b, &exception);
    end_as("exception-without-frames");
}

Test(golden, exception_that_came_from_afar_and_has_another_behind_it)
{
    static const xray_frame frames[] = {
        { .path = "db.c", .label = "query", .line = 10 },
        { .path = "order \"x\".c", .label = "place", .line = 20 }
    };
    xray_exception exception = {
        .size = sizeof(exception), .type = "IoError", .message = "connection reset", .remote = 1
    };

    begin();
    exception.cause = xray_add_exception_with(b, &exception);
    exception.type = "DbError";
    exception.message = NULL;
    exception.remote = 0;
    exception.frames = frames;
    exception.frame_count = 2;
    exception.cause = xray_add_exception_with(b, &exception);
    exception.type = "OrderError";
    exception.message = "not placed";
    exception.frames = NULL;
    exception.frame_count = 0;
    xray_add_exception_with(b, &exception);
    end_as("exceptions-chained");
}

Test(golden, exception_with_more_frames_than_are_kept)
{
    static xray_frame frames[35];
    xray_exception exception = {
        .size = sizeof(exception), .type = "Deep", .frames = frames, .frame_count = 35
    };

    for (int i = 0; i < 35; i++)
        frames[i] = (xray_frame){ .path = "deep.c", .label = "down", .line = i + 1 };
    begin();
    xray_add_exception_with(b, &exception);
    end_as("exception-with-many-frames");
}

Test(golden, exception_that_the_parent_refers_to)
{
    xray_exception exception = { .size = sizeof(exception), .type = "IoError", .message = "reset" };
    xray_segment_id id;

    begin();
    id = xray_add_exception_with(b, &exception);
    xray_set_cause(a, id);
    end_as("cause-of-a-child");
}

Test(golden, exception_with_others_left_out_before_its_cause)
{
    xray_exception exception = { .size = sizeof(exception), .type = "IoError", .message = "reset" };

    begin();
    exception.cause = xray_add_exception_with(b, &exception);
    exception.type = "OrderError";
    exception.skipped = 3;
    xray_add_exception_with(b, &exception);
    end_as("exceptions-skipped");
}

Test(golden, marks_of_grpc_codes)
{
    begin();
    for (int code = 0; code <= 17; code++) {
        xray_segment *one = xray_start_subsegment(b, "one");

        xray_mark(one, xray_grpc_marks(code));
        xray_end(one);
    }
    end_as("marks-of-grpc-codes");
}
