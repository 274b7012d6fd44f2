/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/budget.h"

#include "base/clock.h"

#define BURST_S         10
#define BURST_LEAST     2     /* one to take, and one to leave */
#define HALF_S          10    /* and longer below one a second, in which as many leave */
#define HALF_MOST_S     1e5   /* for rates that give next to nothing */
#define ACTIVE          6     /* halvings: kinds that came within this compete */
#define HAD_NONE        0.125 /* taken, three halvings after the last one */
#define OUT_OF_ORDER_NS XR_NS_PER_S

static int64_t half_of(double per_second)
{
    double seconds = per_second < 1 ? HALF_S / per_second : HALF_S;

    return (int64_t)(seconds < HALF_MOST_S ? seconds : HALF_MOST_S) * XR_NS_PER_S;
}

void xr_budget_init(struct xr_budget *ret, double per_second, double bytes_per_second)
{
    ret->per_second = per_second;
    ret->burst = BURST_S * per_second > BURST_LEAST ? BURST_S * per_second : BURST_LEAST;
    if (per_second <= 0)
        ret->burst = 0;
    ret->traces = ret->burst;
    ret->half_ns = half_of(per_second);
    ret->bytes_per_second = bytes_per_second;
    ret->bytes = BURST_S * bytes_per_second;
    ret->now_ns = ret->halved_ns = 0;
    ret->count = 0;
}

static void refill(struct xr_budget *budget, int64_t now_ns)
{
    int64_t passed_ns = budget->now_ns == 0 ? 0 : now_ns - budget->now_ns;
    double seconds = passed_ns > 0 ? (double)passed_ns / XR_NS_PER_S : 0;

    /* What threads asked in another order is now; a clock that was set back begins anew. */
    if (passed_ns < 0 && passed_ns > -OUT_OF_ORDER_NS)
        return;
    budget->now_ns = now_ns;
    budget->traces += seconds * budget->per_second;
    if (budget->traces > budget->burst)
        budget->traces = budget->burst;
    budget->bytes += seconds * budget->bytes_per_second;
    if (budget->bytes > BURST_S * budget->bytes_per_second)
        budget->bytes = BURST_S * budget->bytes_per_second;
}

static void forget_slowly(struct xr_budget *budget)
{
    int64_t now_ns = budget->now_ns, halvings = (now_ns - budget->halved_ns) / budget->half_ns;

    if (now_ns < budget->halved_ns || halvings > 60) {
        budget->halved_ns = now_ns;
        halvings = halvings > 60 ? 60 : 0;
    } else {
        budget->halved_ns += halvings * budget->half_ns;
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

    if (mine->taken < HAD_NONE)
        return 0;
    for (size_t i = 0; i < budget->count; i++)
        if (budget->kinds[i].taken < mine->taken &&
            budget->now_ns - budget->kinds[i].asked_ns < ACTIVE * budget->half_ns)
            leave++;
    return leave < budget->burst / 2 ? leave : budget->burst / 2;
}

bool xr_budget_take(struct xr_budget *budget, uint64_t kind, int64_t now_ns)
{
    struct xr_budget_kind *mine;

    refill(budget, now_ns);
    forget_slowly(budget);
    mine = find(budget, kind);
    mine->asked_ns = budget->now_ns;
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
