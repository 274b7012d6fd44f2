/* SPDX-License-Identifier: Apache-2.0 */
/* What is reported to X-Ray and when, and what its targets do to decisions. */
#include "central.h"

#define DUE     (NOW + 11 * NS_PER_S) /* a report is, whatever the jitter */
#define DUE_S   (NOW_S + 11)
#define AGAIN   (NOW + 22 * NS_PER_S)
#define AGAIN_S (NOW_S + 22)

/* One request, so that there is something to report, and the target in reply to it. */
static void give_target(struct xr_central *central, const char *target, int64_t now_ns)
{
    decision(central, "/", now_ns);
    asked(central, "/SamplingTargets", now_ns);
    reply(central, 200, target, now_ns);
}

/* ---- Decisions --------------------------------------------------------------- */

Test(central_decision, borrows_one_a_second_before_there_is_a_quota)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 5)));

    cr_expect_eq(sampled(central, "/", NOW, 10), 1);
    cr_expect_eq(sampled(central, "/", NOW + NS_PER_S, 10), 1);
    xr_central_free(central);
}

Test(central_decision, borrows_nothing_without_a_reservoir)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 0)));

    cr_expect_eq(sampled(central, "/", NOW, 10), 0);
    xr_central_free(central);
}

Test(central_decision, takes_the_quota_of_each_second)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 50)));

    give_target(central, TARGETS(TARGET("Default", 0, QUOTA(5, 1500000300))), DUE);
    cr_expect_eq(sampled(central, "/", DUE + NS_PER_S, 100), 5);
    cr_expect_eq(sampled(central, "/", DUE + 2 * NS_PER_S, 100), 5);
    xr_central_free(central);
}

Test(central_decision, samples_by_the_rate_of_the_target)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 0)));

    give_target(central, TARGETS(TARGET("Default", 1, "")), DUE);
    cr_expect_eq(sampled(central, "/", DUE, 100), 100);
    xr_central_free(central);
}

/* ---- Reports ----------------------------------------------------------------- */

Test(central_report, counts_each_request_once)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(0, 1)));
    struct report report;

    cr_expect_eq(sampled(central, "/", NOW, 10), 1);
    report = reported(central, "Default", DUE);
    cr_expect_eq(report.documents, 1);
    cr_expect_eq(report.requests, 10);
    cr_expect_eq(report.sampled, 0);
    cr_expect_eq(report.borrowed, 1);
    cr_expect_eq(report.timestamp, DUE_S);
    xr_central_free(central);
}

Test(central_report, takes_off_what_arrived)
{
    struct xr_central *central = central_with(PAGE(DEFAULT(1, 0)));
    struct report report;

    sampled(central, "/", NOW, 10);
    reported(central, "Default", DUE);
    sampled(central, "/", DUE, 3); /* on the way */
    reply(central, 200, TARGETS(""), DUE);
    report = reported(central, "Default", AGAIN);
    cr_expect_eq(report.requests, 3);
    cr_expect_eq(report.sampled, 3);
    xr_central_free(central);
}
