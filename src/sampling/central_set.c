/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/central_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "base/sha256.h"
#include "sampling/central.h"

#define NEVER_NS        INT64_MIN
#define SERVICE_DEFAULT "default" /* what ADOT says for no name */
#define SERVICE_MAX     64        /* characters, in the API */

/* ---- What is kept of a name -------------------------------------------------- */

static uint64_t hash_of(const char *name)
{
    unsigned char digest[XR_SHA256_BYTES];
    uint64_t hash = 0;

    xr_sha256(digest, name, strlen(name));
    for (int i = 0; i < 8; i++)
        hash = hash << 8 | digest[i];
    return hash;
}

static struct xr_rule_state *state_new(const char *name, int64_t now_ns)
{
    struct xr_rule_state *state = xr_alloc_zero(sizeof(*state));

    if (!state)
        return NULL;
    xr_reservoir_init(&state->reservoir, 0);
    atomic_init(&state->quota_until_ns, NEVER_NS);
    atomic_init(&state->boost_until_ns, NEVER_NS);
    atomic_init(&state->target_rate, -1);
    memcpy(state->name, name, strlen(name) + 1);
    state->interval_ns = XR_CENTRAL_TARGETS_EVERY_S * XR_NS_PER_S;
    state->due_ns = now_ns + state->interval_ns;
    state->hash = hash_of(name);
    return state;
}

static void state_leave(struct xr_rule_state *state)
{
    struct xr_boost *boost, *next;

    if (--state->users > 0)
        return;
    for (boost = atomic_load(&state->boosts); boost; boost = next) {
        next = boost->next;
        xr_free(boost, boost->bytes);
    }
    xr_free(state, sizeof(*state));
}

void xr_rule_state_after_fork(struct xr_rule_state *state)
{
    for (int i = 0; i < XR_DECIDED_COUNT; i++)
        atomic_store(&state->counts[i], 0);
    memset(state->reported, 0, sizeof(state->reported));
    atomic_store(&state->quota_until_ns, NEVER_NS);
    for (struct xr_boost *boost = atomic_load(&state->boosts); boost; boost = boost->next) {
        for (int i = 0; i < XR_BOOST_COUNT; i++)
            atomic_store(&boost->counts[i], 0);
        memset(boost->reported, 0, sizeof(boost->reported));
    }
}

/* ---- Sets -------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct xr_rule *x = *(struct xr_rule *const *)a, *y = *(struct xr_rule *const *)b;

    return strcmp(x->state->name, y->state->name);
}

static int by_hash(const void *a, const void *b)
{
    const struct xr_rule *x = *(struct xr_rule *const *)a, *y = *(struct xr_rule *const *)b;

    return (x->state->hash > y->state->hash) - (x->state->hash < y->state->hash);
}

static int compare_name(const void *name, const void *rule)
{
    return strcmp(name, (*(struct xr_rule *const *)rule)->state->name);
}

static int compare_hash(const void *hash, const void *rule)
{
    uint64_t x = *(const uint64_t *)hash, y = (*(struct xr_rule *const *)rule)->state->hash;

    return (x > y) - (x < y);
}

struct xr_rule *xr_rule_set_find(const struct xr_rule_set *set, const char *name)
{
    struct xr_rule **found;

    if (set->count == 0)
        return NULL;
    found = bsearch(name, set->by_name, set->count, sizeof(*set->by_name), compare_name);
    return found ? *found : NULL;
}

struct xr_rule *xr_rule_set_find_hash(const struct xr_rule_set *set, uint64_t hash)
{
    struct xr_rule **found;

    if (set->boosted == 0)
        return NULL;
    found = bsearch(&hash, set->by_hash, set->boosted, sizeof(*set->by_hash), compare_hash);
    return found ? *found : NULL;
}

static void make_indexes(struct xr_rule_set *set)
{
    set->by_name = (struct xr_rule **)(set->rules + set->count);
    set->by_hash = set->by_name + set->count;
    for (size_t i = 0; i < set->count; i++) {
        set->by_name[i] = &set->rules[i];
        if (set->rules[i].boost)
            set->by_hash[set->boosted++] = &set->rules[i];
    }
    if (set->count == 0)
        return;
    qsort(set->by_name, set->count, sizeof(*set->by_name), by_name);
    qsort(set->by_hash, set->boosted, sizeof(*set->by_hash), by_hash);
}

/* What was granted to a rule that has changed since is X-Ray's answer to another rule. */
static void take_over(struct xr_rule *rule, const struct xr_rule *former)
{
    if (rule->fixed_rate < former->fixed_rate || rule->fixed_rate > former->fixed_rate)
        atomic_store(&rule->state->target_rate, -1);
    if (rule->reservoir_size != former->reservoir_size)
        atomic_store(&rule->state->quota_until_ns, NEVER_NS);
}

static bool add_rule(struct xr_rule_set *set, const struct xr_draft *draft,
                     const struct xr_rule_set *former, int64_t now_ns)
{
    struct xr_rule *old = former ? xr_rule_set_find(former, draft->name) : NULL;
    struct xr_rule *rule = &set->rules[set->count];

    *rule = (struct xr_rule){
        .state = old ? old->state : state_new(draft->name, now_ns),
        .fixed_rate = draft->fixed_rate,
        .reservoir_size = draft->reservoir_size,
        .boost = draft->boost,
        .no_default = draft->no_default,
    };
    if (!rule->state)
        return false;
    if (old)
        take_over(rule, old);
    rule->state->users++;
    set->count++;
    return true;
}

static int make_matcher(struct xr_rule_set *set, const struct xr_drafts *drafts)
{
    size_t bytes = drafts->count * sizeof(struct xr_patterns);
    struct xr_patterns *patterns = xr_alloc(bytes + 1);
    int r;

    if (!patterns)
        return -ENOMEM;
    for (size_t i = 0; i < drafts->count; i++)
        patterns[i] = drafts->list[i]->patterns;
    r = xr_matcher_new(&set->matcher, patterns, drafts->count);
    xr_free(patterns, bytes + 1);
    return r;
}

int xr_rule_set_new(struct xr_rule_set **ret, const struct xr_drafts *drafts,
                    const struct xr_rule_set *former, int64_t now_ns)
{
    size_t bytes = sizeof(struct xr_rule_set) +
                   drafts->count * (sizeof(struct xr_rule) + 2 * sizeof(struct xr_rule *));
    struct xr_rule_set *set = xr_alloc_zero(bytes);

    if (!set)
        return -ENOMEM;
    set->bytes = bytes;
    set->fetched_ns = now_ns;
    if (make_matcher(set, drafts) < 0) {
        xr_free(set, bytes);
        return -ENOMEM;
    }
    for (size_t i = 0; i < drafts->count; i++)
        if (!add_rule(set, drafts->list[i], former, now_ns)) {
            xr_rule_set_free(set);
            return -ENOMEM;
        }
    make_indexes(set);
    *ret = set;
    return 0;
}

void xr_rule_set_free(void *data)
{
    struct xr_rule_set *set = data;

    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++)
        state_leave(set->rules[i].state);
    xr_matcher_free(set->matcher);
    xr_free(set, set->bytes);
}

/* ---- Decisions --------------------------------------------------------------- */

static double rate_of(const struct xr_rule *rule, int64_t now_ns)
{
    struct xr_rule_state *state = rule->state;
    double rate = atomic_load_explicit(&state->target_rate, memory_order_relaxed), boosted;

    if (rate < 0)
        rate = rule->fixed_rate;
    if (__builtin_expect(
            now_ns < atomic_load_explicit(&state->boost_until_ns, memory_order_acquire), 0)) {
        boosted = atomic_load_explicit(&state->boost_rate, memory_order_relaxed);
        if (boosted >= rate)
            rate = boosted;
    }
    return rate;
}

static int decide(const struct xr_rule *rule, int64_t now_ns)
{
    struct xr_rule_state *state = rule->state;

    if (now_ns <= atomic_load_explicit(&state->quota_until_ns, memory_order_acquire)) {
        uint32_t quota = atomic_load_explicit(&state->quota, memory_order_relaxed);

        if (xr_reservoir_take_up_to(&state->reservoir, quota, now_ns))
            return XR_DECIDED_SAMPLED;
    } else if (rule->reservoir_size > 0 && xr_reservoir_take_up_to(&state->reservoir, 1, now_ns)) {
        return XR_DECIDED_BORROWED;
    }
    return xr_random_chance(rate_of(rule, now_ns)) ? XR_DECIDED_SAMPLED : XR_DECIDED_NOT;
}

int xr_rule_decide(const struct xr_rule *rule, int64_t now_ns)
{
    int decided = decide(rule, now_ns);

    atomic_fetch_add_explicit(&rule->state->counts[decided], 1, memory_order_relaxed);
    return decided;
}

/* ---- Boosts ------------------------------------------------------------------ */

static struct xr_boost *boost_new(const char *service, size_t length)
{
    size_t bytes = sizeof(struct xr_boost) + length + 1;
    struct xr_boost *boost = xr_alloc_zero(bytes);

    if (!boost)
        return NULL;
    boost->bytes = bytes;
    memcpy(boost->service, service, length);
    return boost;
}

static struct xr_boost *find_boost(struct xr_boost *first, const char *service, size_t length,
                                   size_t *ret_count)
{
    struct xr_boost *boost;

    *ret_count = 0;
    for (boost = first; boost; boost = boost->next, ++*ret_count)
        if (strncmp(boost->service, service, length) == 0 && boost->service[length] == '\0')
            break;
    return boost;
}

/* Of a service that is one of the first most; else NULL. */
static struct xr_boost *add_boost(struct xr_rule_state *state, const char *service, size_t length,
                                  size_t most)
{
    struct xr_boost *first = atomic_load_explicit(&state->boosts, memory_order_acquire);
    struct xr_boost *boost, *made = NULL;
    size_t count;

    for (;;) {
        boost = find_boost(first, service, length, &count);
        if (boost || count >= most)
            break;
        if (!made)
            made = boost_new(service, length);
        if (!made)
            return NULL;
        made->next = first;
        if (atomic_compare_exchange_weak_explicit(&state->boosts, &first, made,
                                                  memory_order_acq_rel, memory_order_acquire))
            return made;
    }
    if (made)
        xr_free(made, made->bytes);
    return boost;
}

struct xr_boost *xr_rule_boost(struct xr_rule_state *state, const char *service)
{
    struct xr_boost *boost = NULL;

    if (service && service[0] != '\0') {
        size_t length = xr_utf8_prefix(service, strnlen(service, 4 * SERVICE_MAX), SERVICE_MAX);

        boost = add_boost(state, service, length, XR_BOOST_SERVICES_MAX);
    }
    if (!boost)
        boost = add_boost(state, SERVICE_DEFAULT, sizeof(SERVICE_DEFAULT) - 1,
                          XR_BOOST_SERVICES_MAX + 1);
    return boost;
}
