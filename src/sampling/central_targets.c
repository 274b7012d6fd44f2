/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports of what was decided, and the targets which they are answered with.
 * Rules that are due make a round, of as many calls as their documents need. A
 * report is taken off the counts once it has arrived, so none is lost.
 */
#include "sampling/central_state.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/random.h"
#include "sampling/central_json.h"

/* Room for the longest document of each kind. */
#define STATISTICS_SIZE 512
#define BOOST_SIZE      1024

#define INTERVAL_MOST_S 300
#define ROUNDS_MOST_NS  ((INTERVAL_MOST_S + 1) * XR_NS_PER_S) /* with the jitter */

/* Spreads clients that began at the same moment, as the other SDKs do. */
#define JITTER_NS (XR_NS_PER_S / 10)

/* ---- Asking ------------------------------------------------------------------ */

static bool is_due(const struct xr_rule_state *state, int64_t now_ns)
{
    return xr_central_is_due(state->due_ns, now_ns, INTERVAL_MOST_S * XR_NS_PER_S);
}

/* True when this rule has documents for which there is room no more. */
static bool collect_boosts(struct xr_central_poll *poll, struct xr_rule_state *state)
{
    size_t count = poll->boosts_count;

    for (struct xr_boost *boost = atomic_load_explicit(&state->boosts, memory_order_acquire); boost;
         boost = boost->next) {
        struct xr_boost_statistics *statistics = &poll->boosts[count];

        if (atomic_load_explicit(&boost->counts[XR_BOOST_TOTAL], memory_order_relaxed) ==
            boost->reported[XR_BOOST_TOTAL])
            continue;
        if (count == XR_CENTRAL_DOCUMENTS_MAX)
            return true;
        /* The other way round than they are counted: never more anomalies than traces. */
        for (int i = XR_BOOST_COUNT - 1; i >= 0; i--)
            statistics->counts[i] = atomic_load_explicit(&boost->counts[i], memory_order_acquire);
        statistics->state = state;
        statistics->boost = boost;
        count++;
    }
    poll->boosts_count = count;
    return false;
}

static bool collect_statistics(struct xr_central_poll *poll, struct xr_rule_state *state)
{
    struct xr_statistics *statistics = &poll->statistics[poll->statistics_count];
    uint64_t requests = 0;

    if (poll->statistics_count == XR_CENTRAL_DOCUMENTS_MAX)
        return true;
    for (int i = 0; i < XR_DECIDED_COUNT; i++) {
        statistics->counts[i] = atomic_load_explicit(&state->counts[i], memory_order_relaxed);
        requests += statistics->counts[i] - state->reported[i];
    }
    statistics->state = state;
    poll->statistics_count += requests > 0;
    return false;
}

/* What the next call of this round tells. */
static void collect(struct xr_central *central)
{
    struct xr_central_poll *poll = &central->poll;

    poll->statistics_count = 0;
    poll->boosts_count = 0;
    for (size_t i = 0; i < central->set->count; i++) {
        struct xr_rule_state *state = central->set->rules[i].state;
        size_t count = poll->statistics_count;

        if (!is_due(state, poll->round_ns))
            continue;
        /* All of a rule or nothing, since what is told of it ends its turn in this round. */
        if (collect_statistics(poll, state) || collect_boosts(poll, state)) {
            poll->statistics_count = count;
            return;
        }
    }
}

static char *write_name(char *p, const char *name)
{
    p = XR_JSON_LITERAL(p, "{\"RuleName\":");
    return xr_json_string(p, name, strlen(name), NULL);
}

static char *write_statistics(char *p, const struct xr_central *central,
                              const struct xr_statistics *statistics, int64_t now_ns)
{
    const struct xr_rule_state *state = statistics->state;
    uint64_t counts[XR_DECIDED_COUNT], requests = 0;

    for (int i = 0; i < XR_DECIDED_COUNT; i++) {
        counts[i] = statistics->counts[i] - state->reported[i];
        requests += counts[i];
    }
    p = write_name(p, state->name);
    p = XR_JSON_LITERAL(p, ",\"ClientID\":\"");
    p = xr_json_bytes(p, central->client_id, XR_CLIENT_ID_LENGTH);
    p = XR_JSON_LITERAL(p, "\",\"Timestamp\":");
    p = xr_json_i64(p, now_ns / XR_NS_PER_S);
    p = XR_JSON_LITERAL(p, ",\"RequestCount\":");
    p = xr_json_u64(p, requests);
    p = XR_JSON_LITERAL(p, ",\"SampledCount\":");
    p = xr_json_u64(p, counts[XR_DECIDED_SAMPLED]);
    p = XR_JSON_LITERAL(p, ",\"BorrowCount\":");
    p = xr_json_u64(p, counts[XR_DECIDED_BORROWED]);
    return XR_JSON_LITERAL(p, "},");
}

static char *write_boost(char *p, const struct xr_boost_statistics *statistics, int64_t now_ns)
{
    const struct xr_boost *boost = statistics->boost;
    uint64_t counts[XR_BOOST_COUNT];

    for (int i = 0; i < XR_BOOST_COUNT; i++)
        counts[i] = statistics->counts[i] - boost->reported[i];
    p = write_name(p, statistics->state->name);
    p = XR_JSON_LITERAL(p, ",\"ServiceName\":");
    p = xr_json_string(p, boost->service, strlen(boost->service), NULL);
    p = XR_JSON_LITERAL(p, ",\"Timestamp\":");
    p = xr_json_i64(p, now_ns / XR_NS_PER_S);
    p = XR_JSON_LITERAL(p, ",\"AnomalyCount\":");
    p = xr_json_u64(p, counts[XR_BOOST_ANOMALIES]);
    p = XR_JSON_LITERAL(p, ",\"TotalCount\":");
    p = xr_json_u64(p, counts[XR_BOOST_TOTAL]);
    p = XR_JSON_LITERAL(p, ",\"SampledAnomalyCount\":");
    p = xr_json_u64(p, counts[XR_BOOST_SAMPLED_ANOMALIES]);
    return XR_JSON_LITERAL(p, "},");
}

static bool write_call(struct xr_central *central, int64_t now_ns)
{
    struct xr_central_poll *poll = &central->poll;
    size_t bytes = 128 + poll->statistics_count * STATISTICS_SIZE + poll->boosts_count * BOOST_SIZE;
    char *p = xr_alloc(bytes);

    if (!p)
        return false;
    poll->body = p;
    poll->body_bytes = bytes;
    p = XR_JSON_LITERAL(p, "{\"SamplingStatisticsDocuments\":[");
    for (size_t i = 0; i < poll->statistics_count; i++)
        p = write_statistics(p, central, &poll->statistics[i], now_ns);
    p -= p[-1] == ',';
    *p++ = ']';
    if (poll->boosts_count > 0) {
        p = XR_JSON_LITERAL(p, ",\"SamplingBoostStatisticsDocuments\":[");
        for (size_t i = 0; i < poll->boosts_count; i++)
            p = write_boost(p, &poll->boosts[i], now_ns);
        p[-1] = ']';
    }
    *p++ = '}';
    poll->body_length = (size_t)(p - poll->body);
    return true;
}

/* Those that had nothing to say are asked again after their interval, too. */
static void end_round(struct xr_central *central)
{
    struct xr_central_poll *poll = &central->poll;
    int64_t first = poll->round_ns + INTERVAL_MOST_S * XR_NS_PER_S;

    for (size_t i = 0; i < central->set->count; i++) {
        struct xr_rule_state *state = central->set->rules[i].state;

        if (is_due(state, poll->round_ns))
            state->due_ns = poll->round_ns + state->interval_ns;
        if (state->due_ns < first)
            first = state->due_ns;
    }
    poll->targets_due_ns = first + (int64_t)(xr_random_u64() % JITTER_NS);
    poll->round_ns = 0;
}

static void begin_again(struct xr_central *central, int64_t now_ns)
{
    for (size_t i = 0; i < central->set->count; i++) {
        struct xr_rule_state *state = central->set->rules[i].state;

        state->due_ns = now_ns + state->interval_ns;
    }
    central->poll.forked = false;
}

bool xr_central_report_next(struct xr_central *central, int64_t now_ns)
{
    struct xr_central_poll *poll = &central->poll;

    if (!central->set)
        return false;
    if (poll->forked)
        begin_again(central, now_ns);
    for (;;) {
        if (poll->round_ns == 0) {
            if (!xr_central_is_due(poll->targets_due_ns, now_ns, ROUNDS_MOST_NS))
                return false;
            poll->round_ns = now_ns;
        }
        collect(central);
        if (poll->statistics_count > 0 || poll->boosts_count > 0)
            return write_call(central, now_ns);
        end_round(central); /* perhaps one that began long ago */
    }
}

/* ---- Taking ------------------------------------------------------------------ */

static void take_boost(struct xr_rule_state *state, const cJSON *target)
{
    const cJSON *boost = xr_reply_member(target, "SamplingBoost");
    double rate = -1;
    int64_t until_ns;

    if (!xr_reply_number_within(boost, "BoostRate", 0, 1, &rate) || rate < 0 ||
        !xr_reply_time(boost, "BoostRateTTL", &until_ns))
        return;
    atomic_store_explicit(&state->boost_rate, rate, memory_order_relaxed);
    atomic_store_explicit(&state->boost_until_ns, until_ns, memory_order_release);
}

/* What is not there, or makes no sense, stays as it was. */
static void take_target(const struct xr_rule_set *set, const cJSON *target)
{
    const cJSON *name = xr_reply_member(target, "RuleName");
    const struct xr_rule *rule;
    struct xr_rule_state *state;
    double value;
    int64_t until_ns;

    if (!cJSON_IsString(name))
        return;
    rule = xr_rule_set_find(set, name->valuestring);
    if (!rule)
        return;
    state = rule->state;
    if (xr_reply_number(target, "FixedRate", &value) && value >= 0 && value <= 1)
        atomic_store_explicit(&state->target_rate, value, memory_order_relaxed);
    if (xr_reply_number(target, "ReservoirQuota", &value) && value >= 0)
        atomic_store_explicit(&state->quota, value < UINT32_MAX ? (uint32_t)value : UINT32_MAX,
                              memory_order_relaxed);
    if (xr_reply_time(target, "ReservoirQuotaTTL", &until_ns))
        atomic_store_explicit(&state->quota_until_ns, until_ns, memory_order_release);
    if (xr_reply_number(target, "Interval", &value) && value >= 1)
        state->interval_ns = (int64_t)((value < INTERVAL_MOST_S ? value : INTERVAL_MOST_S) *
                                       (double)XR_NS_PER_S);
    take_boost(state, target);
}

/* What is said of a rule in a list of what X-Ray did not process. */
enum refusal {
    REFUSED_NOT,
    REFUSED_NOW,  /* an error of theirs: it is told again */
    REFUSED_EVER, /* one of ours, such as a rule that is not there any more */
};

static enum refusal refusal_of(const cJSON *unprocessed, const char *name)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, unprocessed)
    {
        const cJSON *rule = xr_reply_member(item, "RuleName");
        const cJSON *code = xr_reply_member(item, "ErrorCode");
        double number = 0;

        if (!cJSON_IsString(rule) || strcmp(rule->valuestring, name) != 0)
            continue;
        if (cJSON_IsString(code) && code->valuestring[0] == '4')
            return REFUSED_EVER;
        return xr_reply_number(item, "ErrorCode", &number) && number >= 400 && number < 500
                   ? REFUSED_EVER
                   : REFUSED_NOW;
    }
    return REFUSED_NOT;
}

/* Returns whether a rule was refused, so that the rules are worth another look. */
static bool settle(struct xr_central_poll *poll, const cJSON *reply)
{
    const cJSON *unprocessed = xr_reply_member(reply, "UnprocessedStatistics");
    const cJSON *boosts = xr_reply_member(reply, "UnprocessedBoostStatistics");
    bool refused = false;

    for (size_t i = 0; i < poll->statistics_count; i++) {
        const struct xr_statistics *statistics = &poll->statistics[i];
        enum refusal refusal = refusal_of(unprocessed, statistics->state->name);

        refused |= refusal == REFUSED_EVER;
        if (refusal != REFUSED_NOW)
            memcpy(statistics->state->reported, statistics->counts, sizeof(statistics->counts));
        statistics->state->due_ns = poll->round_ns + statistics->state->interval_ns;
    }
    for (size_t i = 0; i < poll->boosts_count; i++) {
        const struct xr_boost_statistics *statistics = &poll->boosts[i];
        enum refusal refusal = refusal_of(boosts, statistics->state->name);

        refused |= refusal == REFUSED_EVER;
        if (refusal != REFUSED_NOW)
            memcpy(statistics->boost->reported, statistics->counts, sizeof(statistics->counts));
        statistics->state->due_ns = poll->round_ns + statistics->state->interval_ns;
    }
    return refused;
}

static bool is_reply(const cJSON *reply)
{
    return cJSON_GetObjectItemCaseSensitive(reply, "SamplingTargetDocuments") ||
           cJSON_GetObjectItemCaseSensitive(reply, "UnprocessedStatistics") ||
           cJSON_GetObjectItemCaseSensitive(reply, "LastRuleModification");
}

/*
 * Whether the rules have changed since they were read. Only the first answer is
 * compared with our clock: the later ones, with the ones before them.
 */
static bool is_modified(struct xr_central *central, const cJSON *reply)
{
    struct xr_central_poll *poll = &central->poll;
    int64_t modified_ns, known_ns;

    if (!xr_reply_time(reply, "LastRuleModification", &modified_ns))
        return false;
    known_ns = poll->modified_known ? poll->modified_ns : central->set->fetched_ns;
    poll->modified_known = true;
    if (modified_ns <= known_ns) {
        if (poll->modified_ns < modified_ns)
            poll->modified_ns = modified_ns;
        return false;
    }
    poll->modified_ns = modified_ns;
    return true;
}

int xr_central_take_targets(struct xr_central *central, const char *body, size_t length,
                            int64_t now_ns)
{
    struct xr_central_poll *poll = &central->poll;
    cJSON *reply = xr_reply_parse(body, length);
    const cJSON *target;

    if (!is_reply(reply)) {
        cJSON_Delete(reply);
        return -EBADMSG;
    }
    cJSON_ArrayForEach(target, xr_reply_member(reply, "SamplingTargetDocuments"))
    {
        take_target(central->set, target);
    }
    if (settle(poll, reply))
        poll->rules_due_ns = now_ns;
    if (is_modified(central, reply))
        poll->rules_due_ns = now_ns;
    cJSON_Delete(reply);
    return 0;
}
