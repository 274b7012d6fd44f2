/* SPDX-License-Identifier: Apache-2.0 */
/* What a gRPC status says about whose fault it was. */
#include <criterion/criterion.h>
#include <limits.h>
#include <xraytrace/describe.h>

#include "model/grpc.h"

static void expect(const int *codes, size_t count, unsigned marks)
{
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(xr_marks_of_grpc(codes[i]), marks, "%d", codes[i]);
}

#define EXPECT(marks, ...) \
    expect((const int[]){ __VA_ARGS__ }, sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int), marks)

Test(grpc_status, of_success_marks_nothing)
{
    EXPECT(0u, 0);
}

Test(grpc_status, of_a_callers_mistake_is_an_error)
{
    EXPECT(XRAY_ERROR, 1, 3, 5, 6, 7, 9, 10, 11, 16);
}

Test(grpc_status, of_an_exhausted_resource_is_throttled_and_an_error)
{
    EXPECT(XRAY_THROTTLE | XRAY_ERROR, 8);
}

Test(grpc_status, of_a_failing_service_is_a_fault)
{
    EXPECT(XRAY_FAULT, 2, 4, 12, 13, 14, 15);
}

Test(grpc_status, that_does_not_exist_is_a_fault)
{
    EXPECT(XRAY_FAULT, -1, 17, 200, INT_MAX, INT_MIN);
}
