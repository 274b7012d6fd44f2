/* SPDX-License-Identifier: Apache-2.0 */
/* So many a second and a fraction of the rest; the time is the test's. */
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sampling/rate.h"
#include "sampling/reservoir.h"

#define NS_PER_S INT64_C(1000000000)
#define NOW      (INT64_C(1500000000) * NS_PER_S)

static xray_sampler sampler_new(double per_second, double fraction)
{
    xray_sampler sampler = { .size = sizeof(sampler) };

    cr_assert_eq(xr_sampler_rate(&sampler, per_second, fraction), 0);
    return sampler;
}

static int decide(const xray_sampler *sampler, int64_t now_ns)
{
    xray_sampling_request request = { .size = sizeof(request), .now_ns = now_ns };
    xray_sampling_decision decision;

    memset(&decision, 0x5a, sizeof(decision));
    sampler->decide(sampler->data, &request, &decision);
    return decision.sampled;
}

static int count(const xray_sampler *sampler, int64_t now_ns, int decisions)
{
    int sampled = 0;

    for (int i = 0; i < decisions; i++)
        sampled += decide(sampler, now_ns);
    return sampled;
}

/* ---- The first of each second ------------------------------------------------ */

Test(rate_sampler, takes_the_first_of_each_second)
{
    xray_sampler sampler = sampler_new(3, 0);

    cr_expect_eq(count(&sampler, NOW, 100), 3);
    cr_expect_eq(count(&sampler, NOW + NS_PER_S - 1, 100), 0);
    cr_expect_eq(count(&sampler, NOW + NS_PER_S, 100), 3);
    cr_expect_eq(count(&sampler, NOW + 100 * NS_PER_S, 2), 2);
    cr_expect_eq(count(&sampler, NOW + 100 * NS_PER_S, 100), 1);
    sampler.destroy(sampler.data);
}

Test(rate_sampler, saves_up_nothing)
{
    xray_sampler sampler = sampler_new(2, 0);

    cr_expect_eq(count(&sampler, NOW, 1), 1);
    cr_expect_eq(count(&sampler, NOW + 60 * NS_PER_S, 100), 2);
    sampler.destroy(sampler.data);
}

Test(rate_sampler, leaves_out_a_fraction_of_one)
{
    xray_sampler sampler = sampler_new(2.9, 0), none = sampler_new(0.9, 0);

    cr_expect_eq(count(&sampler, NOW, 100), 2);
    cr_expect_eq(count(&none, NOW, 100), 0);
    sampler.destroy(sampler.data);
    none.destroy(none.data);
}

Test(rate_sampler, goes_on_when_the_clock_is_set_back)
{
    xray_sampler sampler = sampler_new(1, 0);

    cr_expect_eq(count(&sampler, NOW, 10), 1);
    cr_expect_eq(count(&sampler, NOW - 3600 * NS_PER_S, 10), 1);
    cr_expect_eq(count(&sampler, NOW - 3599 * NS_PER_S, 10), 1);
    cr_expect_eq(count(&sampler, NOW - 3598 * NS_PER_S, 10), 1);
    sampler.destroy(sampler.data);
}

Test(rate_sampler, gives_nothing_twice_to_threads_whose_clocks_are_late)
{
    xray_sampler sampler = sampler_new(1, 0);
    int sampled = 0;

    for (int i = 0; i < 10; i++) {
        sampled += decide(&sampler, NOW);
        sampled += decide(&sampler, NOW - 1);
    }
    cr_assert_eq(sampled, 1);
    sampler.destroy(sampler.data);
}

struct crowd {
    const xray_sampler *sampler;
    int sampled;
};

static void *crowd_run(void *data)
{
    struct crowd *crowd = data;

    for (int64_t second = 0; second < 200; second++)
        crowd->sampled += count(crowd->sampler, NOW, 500);
    return NULL;
}

Test(rate_sampler, gives_many_threads_no_more_than_one)
{
    xray_sampler sampler = sampler_new(1000, 0);
    struct crowd crowds[4];
    pthread_t threads[4];
    int sampled = 0;

    for (int i = 0; i < 4; i++) {
        crowds[i] = (struct crowd){ .sampler = &sampler };
        cr_assert_eq(pthread_create(&threads[i], NULL, crowd_run, &crowds[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        sampled += crowds[i].sampled;
    }
    cr_assert_eq(sampled, 1000);
    sampler.destroy(sampler.data);
}

Test(rate_sampler, reads_the_clock_itself_when_the_request_has_no_time)
{
    xray_sampler sampler = sampler_new(1e9, 0);
    xray_sampling_decision decision;

    cr_expect_eq(decide(&sampler, 0), 1);
    decision.sampled = 0;
    sampler.decide(sampler.data, NULL, &decision);
    cr_expect_eq(decision.sampled, 1);
    sampler.destroy(sampler.data);
}

Test(rate_sampler, takes_no_member_that_the_request_has_not)
{
    xray_sampler sampler = sampler_new(1, 0);
    xray_sampling_request request = { .size = offsetof(xray_sampling_request, now_ns),
                                      .now_ns = NOW };
    xray_sampling_decision decision;

    /* The time of the request is taken, so this second is used up; the clock's is another. */
    cr_expect_eq(count(&sampler, NOW, 10), 1);
    sampler.decide(sampler.data, &request, &decision);
    cr_expect_eq(decision.sampled, 1);
    sampler.destroy(sampler.data);
}

/* ---- The fraction ------------------------------------------------------------ */

Test(rate_sampler, never_samples_with_zero_and_zero)
{
    xray_sampler sampler = sampler_new(0, 0);

    cr_assert_eq(count(&sampler, NOW, 100000), 0);
    sampler.destroy(sampler.data);
}

Test(rate_sampler, always_samples_with_a_fraction_of_one)
{
    xray_sampler sampler = sampler_new(0, 1);

    cr_assert_eq(count(&sampler, NOW, 100000), 100000);
    sampler.destroy(sampler.data);
}

Test(rate_sampler, samples_the_fraction_of_the_rest)
{
    xray_sampler sampler = sampler_new(0, 0.25), both = sampler_new(10, 0.25);

    /* Ten standard deviations: a chance of 1 in 10^23. */
    cr_expect_leq(abs(count(&sampler, NOW, 100000) - 25000), 1370);
    cr_expect_leq(abs(count(&both, NOW, 100000) - 25010), 1370);
    sampler.destroy(sampler.data);
    both.destroy(both.data);
}

/* ---- Setting up -------------------------------------------------------------- */

Test(rate_sampler, refuses_what_is_out_of_range)
{
    static const double bad[][2] = {
        { -1, 0.5 },         { -0.1, 0.5 }, { (double)NAN, 0.5 }, { (double)INFINITY, 0.5 },
        { 1, -0.1 },         { 1, 1.1 },    { 1, (double)NAN },   { 1, (double)INFINITY },
        { 1, 1.0000000001 },
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        xray_sampler sampler = { .size = sizeof(sampler) }, before = sampler;

        cr_expect_eq(xr_sampler_rate(&sampler, bad[i][0], bad[i][1]), -EINVAL, "%g %g", bad[i][0],
                     bad[i][1]);
        cr_expect_eq(memcmp(&sampler, &before, sizeof(sampler)), 0, "%g %g", bad[i][0], bad[i][1]);
    }
}

Test(rate_sampler, takes_any_rate_per_second)
{
    xray_sampler sampler = sampler_new(1e300, 0);

    cr_assert_eq(count(&sampler, NOW, 1000), 1000);
    sampler.destroy(sampler.data);
}

Test(rate_sampler, refuses_a_sampler_without_a_size)
{
    xray_sampler sampler = { .size = 0 };

    cr_expect_eq(xr_sampler_rate(&sampler, 1, 0), -EINVAL);
    sampler.size = offsetof(xray_sampler, destroy);
    cr_expect_eq(xr_sampler_rate(&sampler, 1, 0), -EINVAL);
    cr_expect_eq(xr_sampler_rate(NULL, 1, 0), -EINVAL);
}

Test(rate_sampler, fills_what_a_newer_caller_has_with_zero)
{
    struct {
        xray_sampler sampler;
        void *later;
    } newer;

    memset(&newer, 0x5a, sizeof(newer));
    newer.sampler.size = sizeof(newer);
    cr_assert_eq(xr_sampler_rate(&newer.sampler, 1, 0), 0);
    cr_expect_eq(newer.sampler.size, sizeof(newer));
    cr_expect_null(newer.later);
    newer.sampler.destroy(newer.sampler.data);
}

Test(rate_sampler, names_no_rule)
{
    xray_sampler sampler = sampler_new(1, 0.5);
    xray_sampling_decision decision, zero = { 0 };

    memset(&decision, 0x5a, sizeof(decision));
    sampler.decide(sampler.data, NULL, &decision);
    zero.sampled = decision.sampled;
    cr_assert_eq(memcmp(&decision, &zero, sizeof(decision)), 0);
    sampler.destroy(sampler.data);
}

static int64_t allocated;

static void *counting_allocate(void *data, size_t bytes)
{
    (void)data;
    allocated += (int64_t)bytes;
    return malloc(bytes);
}

static void counting_release(void *data, void *memory, size_t bytes)
{
    (void)data;
    allocated -= (int64_t)bytes;
    free(memory);
}

static void *no_memory(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return NULL;
}

Test(rate_sampler, gives_back_all_memory)
{
    struct xr_allocator counting = { NULL, counting_allocate, counting_release };
    xray_sampler sampler;

    cr_assert(xr_alloc_set(&counting));
    sampler = sampler_new(1, 0.5);
    cr_expect_gt(allocated, 0);
    sampler.destroy(sampler.data);
    cr_expect_eq(allocated, 0);
}

Test(rate_sampler, reports_that_there_is_no_memory)
{
    struct xr_allocator none = { NULL, no_memory, counting_release };
    xray_sampler sampler = { .size = sizeof(sampler) };

    cr_assert(xr_alloc_set(&none));
    cr_assert_eq(xr_sampler_rate(&sampler, 1, 0.5), -ENOMEM);
}

/* ---- The reservoir alone ----------------------------------------------------- */

Test(reservoir, gives_nothing_when_it_is_empty)
{
    struct xr_reservoir reservoir;

    xr_reservoir_init(&reservoir, 0);
    for (int64_t i = 0; i < 10; i++)
        cr_expect_not(xr_reservoir_take(&reservoir, NOW + i * NS_PER_S));
}

Test(reservoir, works_across_the_end_of_32_bits)
{
    struct xr_reservoir reservoir;
    int64_t end = (INT64_C(1) << 32) * NS_PER_S;

    xr_reservoir_init(&reservoir, 1);
    cr_expect(xr_reservoir_take(&reservoir, end - 2 * NS_PER_S));
    cr_expect(xr_reservoir_take(&reservoir, end - 1));
    cr_expect_not(xr_reservoir_take(&reservoir, end - 1));
    cr_expect(xr_reservoir_take(&reservoir, end));
    cr_expect_not(xr_reservoir_take(&reservoir, end));
    cr_expect_not(xr_reservoir_take(&reservoir, end - 1));
}

Test(reservoir, works_at_the_epoch)
{
    struct xr_reservoir reservoir;

    xr_reservoir_init(&reservoir, 1);
    cr_expect(xr_reservoir_take(&reservoir, 0));
    cr_expect_not(xr_reservoir_take(&reservoir, 1));
    cr_expect(xr_reservoir_take(&reservoir, NS_PER_S));
}
