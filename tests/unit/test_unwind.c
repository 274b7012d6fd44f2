/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that led here, each where it is. */
#include <criterion/criterion.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <search.h>
#include <string.h>

#include "base/unwind.h"

#define NOINLINE __attribute__((__noinline__))

static struct xr_call calls[XR_UNWIND_MAX];
static size_t count, left_out;

/* What stands for the library: it is not to be seen. */
static NOINLINE void record(void)
{
    count = xr_unwind(calls, __builtin_return_address(0), &left_out);
}

static NOINLINE void outer(void)
{
    record();
    /* Not a jump, which would leave no trace of this function. */
    __asm__ volatile("");
}

static int compare(const void *a, const void *b)
{
    if (count == 0)
        record();
    return *(const int *)a - *(const int *)b;
}

static NOINLINE void recurse(int depth)
{
    if (depth > 0)
        recurse(depth - 1);
    else
        record();
    __asm__ volatile("");
}

static int take_bias(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    *(uintptr_t *)data = info->dlpi_addr;
    return 1; /* the program is the first */
}

/* Whether a call is within the first bytes of a function of this program. */
static bool is_in(const struct xr_call *call, void (*function)(void))
{
    uintptr_t bias, start;

    dl_iterate_phdr(take_bias, &bias);
    start = (uintptr_t)function - bias;
    return call->address > start && call->address < start + 512;
}

static void skip_without_it(void)
{
    if (!XR_HAVE_UNWIND)
        cr_skip_test("the C library has no means for it");
}

TestSuite(unwind, .init = skip_without_it);

Test(unwind, begins_with_the_call_that_is_asked_for)
{
    outer();
    cr_assert_gt(count, 1);
    cr_expect(is_in(&calls[0], outer));
    cr_expect_eq(left_out, 0);
}

Test(unwind, has_every_call_when_none_returns_there)
{
    size_t without;

    outer();
    without = count;
    count = xr_unwind(calls, NULL, &left_out);
    cr_expect_geq(count, without);
}

Test(unwind, knows_the_objects)
{
    outer();
    cr_expect(strstr(calls[0].object, program_invocation_short_name), "%s", calls[0].object);
}

Test(unwind, knows_functions_that_are_exported)
{
    int numbers[] = { 3, 2, 1 };
    size_t length = 3;
    bool found = false;

    lfind(numbers, numbers, &length, sizeof(*numbers), compare);
    for (size_t i = 0; i < count; i++)
        found = found || (calls[i].function && strcmp(calls[i].function, "lfind") == 0 &&
                          strstr(calls[i].object, "libc"));
    cr_expect(found);
}

Test(unwind, has_the_innermost_calls_and_the_number_of_the_others)
{
    recurse(50);
    cr_expect_eq(count, XR_UNWIND_MAX);
    cr_expect_geq(left_out, 51 - XR_UNWIND_MAX);
    cr_expect_lt(left_out, 100);
}

Test(unwind, looks_at_so_many_calls_and_no_more)
{
    recurse(10000);
    cr_expect_eq(count, XR_UNWIND_MAX);
    cr_expect_lt(left_out, 128);
}

Test(unwind, leaves_errno_alone)
{
    errno = EDOM;
    outer();
    cr_expect_eq(errno, EDOM);
}

#if XR_HAVE_UNWIND
Test(unwind, allocates_nothing_after_the_first_time)
{
    struct mallinfo2 before;

    outer();
    before = mallinfo2();
    outer();
    cr_expect_eq(mallinfo2().uordblks, before.uordblks);
}
#endif
