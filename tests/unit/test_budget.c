/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "sampling/budget.h"

#define START (INT64_C(1700000000) * XR_NS_PER_S)

static struct xr_budget budget;

/* Of one kind, so many a second for some seconds: how many may leave. */
static unsigned ask(uint64_t kind, double from_s, double seconds, unsigned per_second)
{
    unsigned taken = 0;

    for (unsigned i = 0; i < seconds * per_second; i++)
        taken += xr_budget_take(&budget, kind,
                                START + (int64_t)((from_s + (double)i / per_second) * 1e9));
    return taken;
}

/* Several kinds at once, each as often; ret gets how many of each may leave. */
static void compete(const unsigned *per_second, unsigned kinds, unsigned seconds, unsigned *ret)
{
    for (unsigned kind = 0; kind < kinds; kind++)
        ret[kind] = 0;
    for (unsigned ms = 0; ms < 1000 * seconds; ms++)
        for (unsigned kind = 0; kind < kinds; kind++)
            for (unsigned i = ms * per_second[kind] / 1000; i < (ms + 1) * per_second[kind] / 1000;
                 i++)
                ret[kind] += xr_budget_take(&budget, kind + 1, START + ms * INT64_C(1000000));
}

Test(budget, gives_a_kind_that_is_alone_the_rate_and_the_burst)
{
    unsigned taken;

    xr_budget_init(&budget, 5, 0);
    cr_expect_eq(ask(1, 0, 0.1, 10000), 49, "one of the burst is for another kind");
    taken = ask(1, 0.1, 60, 100);
    cr_expect(taken == 299 || taken == 300, "%u", taken);
}

Test(budget, is_never_more_than_rate_and_burst_together)
{
    static const unsigned many[] = { 1000, 900, 70, 3, 1, 1, 400, 20 };
    unsigned taken[8], sum = 0;

    xr_budget_init(&budget, 2, 0);
    compete(many, 8, 120, taken);
    for (int i = 0; i < 8; i++)
        sum += taken[i];
    cr_expect_leq(sum, 2 * 120 + 20);
    cr_expect_geq(sum, 2 * 120, "and little of it is left");
}

Test(budget, lets_a_rare_kind_through_beside_a_loop_of_another)
{
    unsigned rare = 0;

    xr_budget_init(&budget, 1, 0);
    for (int second = 0; second < 600; second++) {
        ask(1, second, 1, 1000);
        if (second % 20 == 19)
            rare += ask(2 + (uint64_t)second, second + 0.9995, 0.0001, 10000);
    }
    cr_expect_eq(rare, 30);
}

Test(budget, lets_a_rare_kind_through_beside_twenty_loops)
{
    unsigned rare = 0;

    xr_budget_init(&budget, 1, 0);
    for (int i = 0; i < 6000; i++) {
        for (uint64_t kind = 1; kind <= 20; kind++)
            (void)xr_budget_take(&budget, kind, START + i * (XR_NS_PER_S / 10));
        if (i % 600 == 599)
            rare += xr_budget_take(&budget, 100, START + i * (XR_NS_PER_S / 10));
    }
    cr_expect_eq(rare, 10, "%u of 10", rare);
}

Test(budget, of_one_in_a_while_lets_a_rare_kind_through_too)
{
    unsigned rare = 0;

    xr_budget_init(&budget, 0.01, 0);
    for (int minute = 0; minute < 600; minute++) {
        ask(1, 60 * minute, 60, 10);
        if (minute % 20 == 19)
            rare += ask(2 + (uint64_t)minute, 60 * minute + 59.95, 0.01, 100);
    }
    cr_expect_eq(rare, 30, "%u of 30", rare);
}

Test(budget, is_not_more_for_threads_that_come_out_of_order)
{
    unsigned taken = 0;

    xr_budget_init(&budget, 10, 0);
    for (int i = 0; i < 60000; i++)
        taken += xr_budget_take(&budget, 1, START + i * INT64_C(1000000) - i % 2 * 5000000);
    cr_expect_leq(taken, 10 * 60 + 100, "%u", taken);
}

Test(budget, is_shared_evenly_by_kinds_that_all_want_more)
{
    static const unsigned many[] = { 2000, 100, 50 };
    unsigned taken[3];

    xr_budget_init(&budget, 3, 0);
    compete(many, 3, 300, taken);
    for (int i = 0; i < 3; i++)
        cr_expect(taken[i] > 250 && taken[i] < 350, "kind %d: %u of 900", i, taken[i]);
}

Test(budget, goes_to_who_wants_more_when_others_want_less_than_their_share)
{
    static const unsigned many[] = { 1000, 1 };
    unsigned taken[2];

    xr_budget_init(&budget, 10, 0);
    compete(many, 2, 100, taken);
    cr_expect_eq(taken[1], 100);
    cr_expect_geq(taken[0], 890);
}

Test(budget, of_less_than_one_a_second_gives_one_now_and_then)
{
    xr_budget_init(&budget, 0.1, 0);
    cr_expect_eq(ask(1, 0, 1, 100), 1);
    cr_expect_eq(ask(1, 1, 1000, 10), 100);
}

Test(budget, of_nothing_gives_nothing)
{
    xr_budget_init(&budget, 0, 0);
    cr_expect_eq(ask(1, 0, 100, 100), 0);
}

Test(budget, waits_until_bytes_are_made_up_for)
{
    xr_budget_init(&budget, 1000, 1000);
    for (int i = 0; i < 2; i++) {
        cr_expect(xr_budget_take(&budget, 1, START));
        xr_budget_spend_bytes(&budget, 8000);
    }
    cr_expect_not(xr_budget_take(&budget, 1, START + XR_NS_PER_S));
    cr_expect(xr_budget_take(&budget, 1, START + 7 * XR_NS_PER_S));
}

Test(budget, does_not_stall_when_the_clock_is_set_back)
{
    xr_budget_init(&budget, 1, 0);
    ask(1, 7200, 1, 100);
    cr_expect_geq(ask(1, 3600, 60, 10), 59);
}

Test(budget, forgets_the_kind_that_came_the_longest_ago)
{
    xr_budget_init(&budget, 1, 0);
    for (uint64_t kind = 1; kind <= 10 * XR_BUDGET_KINDS; kind++)
        (void)xr_budget_take(&budget, kind, START + (int64_t)kind);
    cr_expect_eq(budget.count, XR_BUDGET_KINDS);
}
