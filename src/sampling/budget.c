/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/budget.h"

#include "base/clock.h"

#define BURST_S     10
#define BURST_LEAST 2 /* one to take, and one to leave */
#define HALF_NS     (10 * XR_NS_PER_S)
#define ACTIVE_NS   (60 * XR_NS_PER_S) /* kinds that came within this compete */

void xr_budget_init(struct xr_budget *ret, double per_second, double bytes_per_second)
{
    ret->per_second = per_second;
    ret->burst = BURST_S * per_second > BURST_LEAST ? BURST_S * per_second : BURST_LEAST;
    if (per_second <= 0)
        ret->burst = 0;
    ret->traces = ret->burst;
    ret->bytes_per_second = bytes_per_second;
    ret->bytes = BURST_S * bytes_per_second;
    ret->now_ns = ret->halved_ns = 0;
    ret->count = 0;
}

static void refill(struct xr_budget *budget, int64_t now_ns)
{
    double seconds = budget->now_ns == 0 || now_ns < budget->now_ns
                         ? 0
                         : (double)(now_ns - budget->now_ns) / XR_NS_PER_S;

    /* A clock that was set back begins anew from there. */
    budget->now_ns = now_ns;
    budget->traces += seconds * budget->per_second;
    if (budget->traces > budget->burst)
        budget->traces = budget->burst;
    budget->bytes += seconds * budget->bytes_per_second;
    if (budget->bytes > BURST_S * budget->bytes_per_second)
        budget->bytes = BURST_S * budget->bytes_per_second;
}

static void forget_slowly(struct xr_budget *budget, int64_t now_ns)
{
    int64_t halvings = (now_ns - budget->halved_ns) / HALF_NS;

    if (now_ns < budget->halved_ns || halvings > 60) {
        budget->halved_ns = now_ns;
        halvings = halvings > 60 ? 60 : 0;
    } else {
        budget->halved_ns += halvings * HALF_NS;
    }
    for (size_t i = 0; halvings > 0 && i < budget->count; i++)
        budget->kinds[i].taken /= (double)(INT64_C(1) << halvings);
}

static struct xr_budget_kind *find(struct xr_budget *budget, uint64_t kind)
{
    struct xr_budget_kind *oldest = &budget->kinds[0];

    for (size_t i = 0; i < budget->count; i++) {
        if (budget->kinds[i].kind == kind)
            return &budget->kinds[i];
        if (budget->kinds[i].asked_ns < oldest->asked_ns)
            oldest = &budget->kinds[i];
    }
    if (budget->count < XR_BUDGET_KINDS)
        oldest = &budget->kinds[budget->count++];
    *oldest = (struct xr_budget_kind){ .kind = kind };
    return oldest;
}

/* What this kind has to leave: one for a kind to come, and one for each that had less. */
static double to_leave(const struct xr_budget *budget, const struct xr_budget_kind *mine)
{
    double leave = 1;

    if (mine->taken < 1)
        return 0;
    for (size_t i = 0; i < budget->count; i++)
        if (budget->kinds[i].taken < mine->taken &&
            budget->now_ns - budget->kinds[i].asked_ns < ACTIVE_NS)
            leave++;
    return leave < budget->burst / 2 ? leave : budget->burst / 2;
}

bool xr_budget_take(struct xr_budget *budget, uint64_t kind, int64_t now_ns)
{
    struct xr_budget_kind *mine;

    refill(budget, now_ns);
    forget_slowly(budget, now_ns);
    mine = find(budget, kind);
    mine->asked_ns = now_ns;
    if (budget->traces < 1 + to_leave(budget, mine) ||
        (budget->bytes_per_second > 0 && budget->bytes <= 0))
        return false;
    budget->traces--;
    mine->taken++;
    return true;
}

void xr_budget_spend_bytes(struct xr_budget *budget, size_t bytes)
{
    if (budget->bytes_per_second > 0)
        budget->bytes -= (double)bytes;
}
