/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#include "recorder/counters.h"
#include "recorder/library.h"
#include "recorder/recorder.h"

static struct xr_counters counters;

static void set_up(void)
{
    xr_library_enter();
    xr_counters_begin(&counters);
}

static void tear_down(void)
{
    xr_counters_end(&counters);
}

TestSuite(counters, .init = set_up, .fini = tear_down);

static size_t sets(void)
{
    size_t found = 0;

    for (struct xr_counter_set *set = atomic_load(&counters.sets); set; set = set->next)
        found++;
    return found;
}

static void *add_thousand(void *unused)
{
    for (int i = 0; i < 1000; i++)
        xr_counters_add(&counters, XR_EMITTED, 1);
    return unused;
}

static void run_threads(int count)
{
    pthread_t threads[16];

    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, add_thousand, NULL);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

Test(counters, begin_at_zero)
{
    for (int i = 0; i < XR_COUNTERS; i++)
        cr_expect_eq(xr_counters_sum(&counters, (enum xr_counter)i), 0);
}

Test(counters, are_apart)
{
    xr_counters_add(&counters, XR_BEGUN, 3);
    xr_counters_add(&counters, XR_DROPPED_MEMORY, 4);
    cr_expect_eq(xr_counters_sum(&counters, XR_BEGUN), 3);
    cr_expect_eq(xr_counters_sum(&counters, XR_DROPPED_MEMORY), 4);
    cr_expect_eq(xr_counters_sum(&counters, XR_EMITTED), 0);
}

Test(counters, go_back_by_adding_minus_one)
{
    xr_counters_add(&counters, XR_EMBEDDED, 2);
    xr_counters_add(&counters, XR_EMBEDDED, (uint64_t)-1);
    cr_expect_eq(xr_counters_sum(&counters, XR_EMBEDDED), 1);
}

Test(counters, add_up_over_threads)
{
    run_threads(16);
    cr_expect_eq(xr_counters_sum(&counters, XR_EMITTED), 16000);
}

Test(counters, keep_what_a_thread_that_ended_has_counted)
{
    run_threads(1);
    run_threads(1);
    cr_expect_eq(xr_counters_sum(&counters, XR_EMITTED), 2000);
}

Test(counters, use_the_set_of_a_thread_that_ended_again)
{
    for (int i = 0; i < 100; i++)
        run_threads(1);
    cr_expect_eq(sets(), 1);
}

Test(counters, of_two_sets_on_one_thread_are_apart)
{
    struct xr_counters other = { 0 };

    xr_counters_begin(&other);
    for (int i = 0; i < 10; i++) {
        xr_counters_add(&counters, XR_BEGUN, 1);
        xr_counters_add(&other, XR_BEGUN, 2);
    }
    cr_expect_eq(xr_counters_sum(&counters, XR_BEGUN), 10);
    cr_expect_eq(xr_counters_sum(&other, XR_BEGUN), 20);
    cr_expect_eq(sets(), 1);
    xr_counters_end(&other);
}

Test(counters, at_the_place_of_former_ones_begin_at_zero)
{
    for (int i = 0; i < 10; i++) {
        struct xr_counters *other = calloc(1, sizeof(*other));

        xr_counters_begin(other);
        xr_counters_add(other, XR_BEGUN, 1);
        cr_expect_eq(xr_counters_sum(other, XR_BEGUN), 1);
        xr_counters_end(other);
        free(other);
    }
}
