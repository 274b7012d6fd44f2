/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known bugs, one for each program, which only a sanitizer notices: the tests
 * themselves pass. ./check runs them as it runs all others, and must find out.
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#if defined PLANTED_LEAK

Test(planted, forgets_what_it_allocated)
{
    char *volatile text = strdup("never freed");
    cr_assert(text);
    text = NULL;
    cr_assert_null(text);
}

#elif defined PLANTED_OVERRUN

Test(planted, reads_behind_the_end_of_a_block)
{
    volatile size_t length = 16;
    char *block = calloc(1, length);
    cr_assert(block);
    volatile char behind = block[length];
    (void)behind;
    free(block);
}

#elif defined PLANTED_OVERFLOW

Test(planted, adds_one_to_the_largest_integer)
{
    volatile int number = INT_MAX;
    number = number + 1;
    cr_assert_lt(number, 0);
}

#endif
