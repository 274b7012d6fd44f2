/* SPDX-License-Identifier: Apache-2.0 */
/* What any thread does with a central: decisions, and what became of them. */
#include "sampling/central.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/random.h"
#include "sampling/central_state.h"
#include "wire/hex.h"

static void set_client(struct xr_central *central, const char client_id[XR_CLIENT_ID_LENGTH])
{
    memcpy(central->client_id, client_id, XR_CLIENT_ID_LENGTH);
    central->poll.share = (double)(xr_random_u64() >> 11) * 0x1p-53;
}

int xr_central_new(struct xr_central **ret, const char client_id[XR_CLIENT_ID_LENGTH],
                   const struct xr_logger *logger)
{
    struct xr_central *central = xr_alloc_zero(sizeof(*central));

    if (!central)
        return -ENOMEM;
    xr_published_init(&central->rules, NULL, xr_rule_set_free);
    central->logger = *logger;
    set_client(central, client_id);
    *ret = central;
    return 0;
}

static void poll_clear(struct xr_central_poll *poll)
{
    xr_drafts_clear(&poll->drafts);
    xr_free(poll->body, poll->body_bytes);
    poll->body = NULL;
    poll->body_bytes = 0;
    poll->asked = XR_ASKED_NOTHING;
}

void xr_central_free(struct xr_central *central)
{
    if (!central)
        return;
    poll_clear(&central->poll);
    xr_published_destroy(&central->rules);
    xr_free(atomic_load(&central->seen), sizeof(struct xr_seen));
    xr_free(central, sizeof(*central));
}

void xr_central_after_fork(struct xr_central *central, const char client_id[XR_CLIENT_ID_LENGTH])
{
    struct xr_central_poll *poll = &central->poll;
    struct xr_seen *seen = atomic_load(&central->seen);
    unsigned ticket;

    xr_published_after_fork(&central->rules);
    central->set = xr_published_enter(&central->rules, &ticket);
    xr_published_leave(&central->rules, ticket);
    if (atomic_load(&central->polling)) {
        /* The parent's poller was at work on this: what it has allocated cannot be told any more.
         */
        poll->drafts = (struct xr_drafts){ 0 };
        poll->body = NULL;
        poll->body_bytes = 0;
        atomic_store(&central->polling, false);
    }
    poll_clear(poll);
    poll->round_ns = 0;
    poll->targets_due_ns = 0;
    poll->forked = true;
    memset(poll->attempts, 0, sizeof(poll->attempts));
    set_client(central, client_id);
    if (central->set) {
        poll->rules_due_ns = xr_central_refresh_ns(central);
        for (size_t i = 0; i < central->set->count; i++)
            xr_rule_state_after_fork(central->set->rules[i].state);
    }
    if (seen)
        for (size_t i = 0; i < XR_SEEN_SETS; i++)
            for (size_t k = 0; k < XR_SEEN_WAYS; k++)
                atomic_store_explicit(&seen->traces[i][k], 0, memory_order_relaxed);
}

/* ---- Decisions --------------------------------------------------------------- */

static bool decide(const struct xr_rule_set *set, const xray_sampling_request *request,
                   int64_t now_ns, xray_sampling_decision *ret)
{
    const struct xr_rule *rule;
    size_t found;

    if (now_ns - set->fetched_ns > XR_CENTRAL_RULES_VALID_S * XR_NS_PER_S)
        return false;
    found = xr_matcher_find(set->matcher, request);
    if (found >= set->count)
        return false;
    rule = &set->rules[found];
    memset(ret, 0, sizeof(*ret));
    ret->sampled = xr_rule_decide(rule, now_ns) != XR_DECIDED_NOT;
    ret->report = rule->boost;
    memcpy(ret->rule, rule->state->name, sizeof(ret->rule));
    return true;
}

bool xr_central_decide(struct xr_central *central, const xray_sampling_request *request,
                       int64_t now_ns, xray_sampling_decision *ret)
{
    unsigned ticket;
    const struct xr_rule_set *set = xr_published_enter(&central->rules, &ticket);
    bool decided = set && decide(set, request, now_ns, ret);

    xr_published_leave(&central->rules, ticket);
    return decided;
}

/* ---- Outcomes ---------------------------------------------------------------- */

/* The rule that began the trace: the caller's, or the one that decided here. */
static const struct xr_rule *rule_of(const struct xr_rule_set *set,
                                     const xray_sampling_outcome *outcome)
{
    const char *upstream = outcome->upstream;
    const struct xr_rule *rule;
    uint64_t hash;

    if (upstream && upstream[0] != '\0')
        return strnlen(upstream, 17) == 16 && xr_hex64_read(upstream, XR_HEX_ANY_CASE, &hash) == 0
                   ? xr_rule_set_find_hash(set, hash)
                   : NULL;
    if (!outcome->rule || outcome->rule[0] == '\0')
        return NULL;
    rule = xr_rule_set_find(set, outcome->rule);
    return rule && rule->boost ? rule : NULL;
}

static void count(_Atomic uint64_t *counts, int which, bool whether)
{
    if (whether)
        atomic_fetch_add_explicit(&counts[which], 1, memory_order_release);
}

static void report(struct xr_seen *seen, const struct xr_rule_set *set,
                   const xray_sampling_outcome *outcome)
{
    const struct xr_rule *rule = rule_of(set, outcome);
    struct xr_boost *boost;
    struct xr_sight sight;
    bool anomaly;

    if (!rule || !seen)
        return;
    boost = xr_rule_boost(rule->state, outcome->service);
    if (!boost)
        return;
    anomaly = outcome->anomaly == 1 || (outcome->anomaly == 2 && !rule->no_default);
    sight = xr_seen_add(seen, outcome->trace_id, anomaly, outcome->now_ns);
    count(boost->counts, XR_BOOST_TOTAL, sight.trace);
    count(boost->counts, XR_BOOST_ANOMALIES, sight.anomaly);
    count(boost->counts, XR_BOOST_SAMPLED_ANOMALIES, sight.anomaly && outcome->sampled);
}

void xr_central_report(struct xr_central *central, const xray_sampling_outcome *outcome)
{
    const struct xr_rule_set *set;
    unsigned ticket;

    if (!outcome ||
        outcome->size < offsetof(xray_sampling_outcome, now_ns) + sizeof(outcome->now_ns))
        return;
    set = xr_published_enter(&central->rules, &ticket);
    if (set)
        report(atomic_load_explicit(&central->seen, memory_order_acquire), set, outcome);
    xr_published_leave(&central->rules, ticket);
}
