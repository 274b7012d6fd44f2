/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many captured traces may leave: so many a second, with a burst of ten
 * times that. A kind of failure that is alone may have all of it; one that has
 * had some leaves a little for kinds that had less, and for those to come. Beyond
 * some twenty kinds that all come often, it goes to who comes first.
 */
#ifndef XR_SAMPLING_BUDGET_H
#define XR_SAMPLING_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XR_BUDGET_KINDS 128 /* of more, the one that came the longest ago is forgotten */

struct xr_budget_kind {
    uint64_t kind;
    int64_t asked_ns;
    double taken; /* in the last while: halved every half_ns */
};

/* For one thread at a time. */
struct xr_budget {
    double per_second;
    double burst;
    double traces;           /* that may leave now */
    double bytes_per_second; /* 0: any number */
    double bytes;
    int64_t half_ns;
    int64_t now_ns;
    int64_t halved_ns;
    size_t count;
    struct xr_budget_kind kinds[XR_BUDGET_KINDS];
};

void xr_budget_init(struct xr_budget *ret, double per_second, double bytes_per_second);

/*
 * Whether a trace of this kind may leave now, in ns of a clock that does not jump;
 * it counts as having left.
 */
bool xr_budget_take(struct xr_budget *budget, uint64_t kind, int64_t now_ns);

/* How large it was. The next ones wait until that is made up for. */
void xr_budget_spend_bytes(struct xr_budget *budget, size_t bytes);

#endif /* XR_SAMPLING_BUDGET_H */
