/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions that are said once, and the calls that led to them. */
#include "support.h"

#include <dlfcn.h>
#include <stdlib.h>

TestSuite(cause, .init = record);
TestSuite(skipped, .init = record);
TestSuite(unwound, .init = record);
TestSuite(grpc);

static xray_segment *a, *b;

static void begin(void)
{
    a = xray_start_segment(recorder, xray_segment_params(.name = "a"));
    b = xray_start_subsegment(a, "b");
}

static void end(void)
{
    xray_end(b);
    xray_end(a);
    settle();
}

static xray_segment_id add(xray_segment *segment, const char *type)
{
    xray_exception exception = { .size = sizeof(exception), .type = type, .message = "m" };

    return xray_add_exception_with(segment, &exception);
}

/* ---- Causes elsewhere ----------------------------------------------------------------- */

Test(cause, of_a_segment_inside_is_its_id)
{
    xray_segment_id id;
    char text[17];

    begin();
    id = add(b, "EIO");
    xray_set_cause(a, id);
    end();
    id_text(text, id);
    cr_expect_str_eq(text_at(document(0), "cause"), text);
    cr_expect(true_at(document(0), "fault"));
    cr_expect_eq(cJSON_GetArraySize(member(embedded("b"), "cause.exceptions")), 1);
}

Test(cause, that_is_set_again_is_the_last_one)
{
    xray_segment_id first, last;
    char text[17];

    begin();
    first = add(b, "first");
    last = add(b, "last");
    xray_set_cause(a, first);
    xray_set_cause(a, last);
    end();
    id_text(text, last);
    cr_expect_str_eq(text_at(document(0), "cause"), text);
}

Test(cause, gives_way_to_an_exception_of_its_own_that_follows)
{
    begin();
    xray_set_cause(a, add(b, "inner"));
    add(a, "own");
    end();
    cr_expect_eq(cJSON_GetArraySize(member(document(0), "cause.exceptions")), 1);
}

Test(cause, gives_way_to_an_exception_of_its_own_that_went_before)
{
    begin();
    add(a, "own");
    xray_set_cause(a, add(b, "inner"));
    end();
    cr_expect_eq(cJSON_GetArraySize(member(document(0), "cause.exceptions")), 1);
    cr_expect(true_at(document(0), "fault"));
}

Test(cause, of_zero_says_nothing)
{
    begin();
    xray_set_cause(a, 0);
    end();
    cr_expect_null(member(document(0), "cause"));
    cr_expect_null(member(document(0), "fault"));
}

Test(cause, stands_beside_a_status)
{
    begin();
    xray_set_http(a, xray_http(.status = 500));
    xray_set_cause(a, add(b, "EIO"));
    end();
    cr_expect(cJSON_IsString(member(document(0), "cause")));
    cr_expect_eq(number_at(document(0), "http.response.status"), 500);
}

Test(cause, of_nothing_that_is_recorded_is_nothing)
{
    xray_set_cause(NULL, 1);
    begin();
    end();
    xray_set_cause(b, 1);
    cr_expect_not(emitted_text("cause"));
}

/* ---- Exceptions left out --------------------------------------------------------------- */

Test(skipped, is_the_number_of_exceptions_between)
{
    xray_exception outer = { .size = sizeof(outer), .type = "outer", .skipped = 3 };
    const cJSON *exception;

    begin();
    outer.cause = add(b, "inner");
    xray_add_exception_with(b, &outer);
    end();
    exception = cJSON_GetArrayItem(member(embedded("b"), "cause.exceptions"), 1);
    cr_expect_eq(number_at(exception, "skipped"), 3);
    exception = cJSON_GetArrayItem(member(embedded("b"), "cause.exceptions"), 0);
    cr_expect_null(member(exception, "skipped"));
}

Test(skipped, below_one_is_not_there)
{
    xray_exception exception = { .size = sizeof(exception), .type = "t", .skipped = -1 };

    begin();
    xray_add_exception_with(b, &exception);
    end();
    cr_expect_not(emitted_text("skipped"));
}

/* ---- Unwinding ------------------------------------------------------------------------- */

static const cJSON *stack(void)
{
    return member(cJSON_GetArrayItem(member(embedded("b"), "cause.exceptions"), 0), "stack");
}

/* The C library is the one that can. */
static void skip_without_unwinding(void)
{
    if (cJSON_GetArraySize(stack()) == 0)
        cr_skip_test("the C library has no means for it");
}

static __attribute__((__noinline__)) void add_unwound(void)
{
    xray_exception exception = { .size = sizeof(exception), .type = "t", .unwind = 1 };

    xray_add_exception_with(b, &exception);
    __asm__ volatile("");
}

static __attribute__((__noinline__)) void add_deep(int depth)
{
    if (depth > 0)
        add_deep(depth - 1);
    else
        add_unwound();
    __asm__ volatile("");
}

Test(unwound, exceptions_begin_with_the_call_that_added_them)
{
    const cJSON *frame;
    const char *address;
    uintptr_t at;
    Dl_info info;

    begin();
    add_unwound();
    end();
    skip_without_unwinding();
    frame = cJSON_GetArrayItem(stack(), 0);
    cr_expect(strstr(text_at(frame, "path"), program_invocation_short_name), "%s",
              text_at(frame, "path"));
    address = strstr(text_at(frame, "label"), "[0x");
    cr_assert(address, "%s", text_at(frame, "label"));
    cr_assert(dladdr((void *)add_unwound, &info));
    at = (uintptr_t)info.dli_fbase + strtoull(address + 1, NULL, 16);
    cr_expect(at > (uintptr_t)add_unwound && at < (uintptr_t)add_unwound + 512,
              "addr2line would not find it: %s", address);
}

Test(unwound, exceptions_have_no_frame_of_the_library)
{
    begin();
    add_unwound();
    end();
    cr_expect_null(strstr(document_text(0), "libxraytrace"));
}

Test(unwound, exceptions_have_32_frames_and_the_number_of_the_others)
{
    begin();
    add_deep(60);
    end();
    skip_without_unwinding();
    cr_expect_eq(cJSON_GetArraySize(stack()), 32);
    cr_expect_geq(
        number_at(cJSON_GetArrayItem(member(embedded("b"), "cause.exceptions"), 0), "truncated"),
        60 + 1 - 32);
}

Test(unwound, exceptions_with_frames_keep_these)
{
    xray_frame frame = { .path = "p.c", .label = "f", .line = 1 };
    xray_exception exception = {
        .size = sizeof(exception), .type = "t", .unwind = 1, .frames = &frame, .frame_count = 1
    };

    begin();
    xray_add_exception_with(b, &exception);
    end();
    cr_expect_eq(cJSON_GetArraySize(stack()), 1);
    cr_expect_str_eq(text_at(cJSON_GetArrayItem(stack(), 0), "path"), "p.c");
}

Test(unwound, exceptions_of_what_is_not_recorded_cost_nothing)
{
    xray_exception exception = { .size = sizeof(exception), .type = "t", .unwind = 1 };

    cr_expect_eq(xray_add_exception_with(NULL, &exception), 0);
    settle();
}

Test(unwound, exceptions_leave_errno_alone)
{
    begin();
    errno = EDOM;
    add_unwound();
    cr_expect_eq(errno, EDOM);
    end();
}

/* ---- gRPC ------------------------------------------------------------------------------ */

Test(grpc, status_marks_a_segment)
{
    record();
    begin();
    xray_mark(a, xray_grpc_marks(8));
    xray_mark(b, xray_grpc_marks(14));
    end();
    cr_expect(true_at(document(0), "throttle"));
    cr_expect(true_at(document(0), "error"));
    cr_expect_not(true_at(document(0), "fault"));
    cr_expect(true_at(embedded("b"), "fault"));
    cr_expect_eq(xray_grpc_marks(0), 0u);
    cr_expect_eq(xray_grpc_marks(5), XRAY_ERROR);
}
