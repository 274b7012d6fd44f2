/* SPDX-License-Identifier: Apache-2.0 */
/* GetSamplingTargets: what the clients report, and what each may sample next. */
#include "local/sampling/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The service does not document its code; one that begins with 4 lets SDKs ask for the
   rules again. */
#define UNPROCESSED_CODE "400"

/* ---- What is allowed --------------------------------------------------------- */

struct member {
    const char *name;
    size_t least; /* characters */
    size_t most;  /* 0: a number */
    bool optional;
    bool time; /* a number with a fraction */
};

static const struct member statistics_members[] = {
    { "RuleName", 1, 32, false, false },    { "ClientID", 24, 24, false, false },
    { "Timestamp", 0, 0, false, true },     { "RequestCount", 0, 0, false, false },
    { "SampledCount", 0, 0, false, false }, { "BorrowCount", 0, 0, true, false },
};

static const struct member boost_members[] = {
    { "RuleName", 1, 32, false, false },  { "ServiceName", 0, 64, false, false },
    { "Timestamp", 0, 0, false, true },   { "AnomalyCount", 0, 0, false, false },
    { "TotalCount", 0, 0, false, false }, { "SampledAnomalyCount", 0, 0, false, false },
};

#define MEMBERS 6

static bool member_fits(const cJSON *document, const struct member *member)
{
    const cJSON *item = sampling_member(document, member->name);
    if (!item)
        return member->optional;
    if (member->most) {
        size_t length = cJSON_IsString(item) ? sampling_characters(item->valuestring) : 0;
        return cJSON_IsString(item) && length >= member->least && length <= member->most;
    }
    return member->time ? cJSON_IsNumber(item) : sampling_whole(item, 0, INT32_MAX);
}

/* False after an error. */
static bool check_documents(const cJSON *request, const char *name,
                            const struct member members[MEMBERS], struct sampling_reply *ret)
{
    const cJSON *documents = sampling_member(request, name);
    const cJSON *document;
    size_t at = 0;
    if (documents && !cJSON_IsArray(documents)) {
        sampling_invalid(ret, "%s must be an array", name);
        return false;
    }
    if (cJSON_GetArraySize(documents) > SAMPLING_DOCUMENTS_MAX) {
        sampling_invalid(ret, "%s has more than %d documents: report them in several calls", name,
                         SAMPLING_DOCUMENTS_MAX);
        return false;
    }
    cJSON_ArrayForEach(document, documents)
    {
        for (size_t i = 0; i < MEMBERS; i++) {
            const struct member *member = &members[i];
            if (member_fits(document, member))
                continue;
            if (member->most)
                sampling_invalid(ret, "%s[%zu].%s must be a string of %zu to %zu characters", name,
                                 at, member->name, member->least, member->most);
            else
                sampling_invalid(ret, "%s[%zu].%s must be a %s", name, at, member->name,
                                 member->time ? "time in seconds since 1970"
                                              : "whole number, 0 or more");
            return false;
        }
        at++;
    }
    return true;
}

/* ---- Clients ----------------------------------------------------------------- */

static bool is_active(const struct sampling_client *client, int64_t now_ns)
{
    return now_ns - client->last_ns <= SAMPLING_ACTIVE_S * NS_PER_S;
}

static void remove_client(struct sampling_entry *entry, size_t at)
{
    entry->client_count--;
    memmove(entry->clients + at, entry->clients + at + 1,
            (entry->client_count - at) * sizeof(*entry->clients));
}

/* Those that have been silent. A clock that was set back makes nobody stay for ever. */
static void forget_clients(struct sampling_entry *entry, int64_t now_ns)
{
    size_t kept = 0;
    for (size_t i = 0; i < entry->client_count; i++) {
        struct sampling_client *client = &entry->clients[i];
        if (client->last_ns > now_ns)
            client->last_ns = now_ns;
        if (is_active(client, now_ns))
            entry->clients[kept++] = *client;
    }
    entry->client_count = kept;
}

/* Its place in the order of ids, or where it would be. */
static size_t client_place(const struct sampling_entry *entry, const char *id, bool *ret_found)
{
    size_t at = 0;
    while (at < entry->client_count && strcmp(entry->clients[at].id, id) < 0)
        at++;
    *ret_found = at < entry->client_count && strcmp(entry->clients[at].id, id) == 0;
    return at;
}

/* 0, or -ENOMEM. */
static int make_room(struct sampling_entry *entry)
{
    if (entry->client_count == SAMPLING_CLIENTS_MAX) {
        size_t oldest = 0;
        for (size_t i = 1; i < entry->client_count; i++)
            if (entry->clients[i].last_ns < entry->clients[oldest].last_ns)
                oldest = i;
        remove_client(entry, oldest);
    }
    if (entry->client_count < entry->client_size)
        return 0;
    size_t size = entry->client_size ? entry->client_size * 2 : 4;
    struct sampling_client *clients = realloc(entry->clients, size * sizeof *clients);
    if (!clients)
        return -ENOMEM;
    entry->clients = clients;
    entry->client_size = size;
    return 0;
}

static uint32_t count_of(const cJSON *document, const char *name)
{
    const cJSON *item = sampling_member(document, name);
    return item ? (uint32_t)item->valuedouble : 0;
}

static int see_client(struct sampling_entry *entry, const cJSON *document, int64_t now_ns)
{
    const char *id = cJSON_GetStringValue(sampling_member(document, "ClientID"));
    bool found;
    size_t at = client_place(entry, id, &found);
    if (!found) {
        int r = make_room(entry);
        if (r < 0)
            return r;
        at = client_place(entry, id, &found);
        memmove(entry->clients + at + 1, entry->clients + at,
                (entry->client_count - at) * sizeof(*entry->clients));
        entry->client_count++;
        entry->clients[at] = (struct sampling_client){ 0 };
        snprintf(entry->clients[at].id, sizeof entry->clients[at].id, "%s", id);
    }
    struct sampling_client *client = &entry->clients[at];
    client->last_ns = now_ns;
    client->requests += count_of(document, "RequestCount");
    client->sampled += count_of(document, "SampledCount");
    client->borrowed += count_of(document, "BorrowCount");
    return 0;
}

/* The reservoir in equal parts; what is left over goes to the first ones, one each. */
uint32_t sampling_share(const struct sampling_entry *entry, const char *client_id)
{
    bool found;
    size_t at = client_place(entry, client_id, &found);
    uint32_t size = entry->rule.reservoir_size;
    if (!found)
        return 0;
    return size / (uint32_t)entry->client_count + (at < size % entry->client_count);
}

/* ---- Statistics -------------------------------------------------------------- */

static void count(struct sampling_entry *entry, const cJSON *document, int64_t now_ns)
{
    uint32_t requests = count_of(document, "RequestCount");
    uint32_t sampled = count_of(document, "SampledCount");
    uint32_t borrowed = count_of(document, "BorrowCount");
    int64_t start_s = now_ns / NS_PER_S / SAMPLING_INTERVAL_S * SAMPLING_INTERVAL_S;
    struct sampling_window *window = sampling_window_at(entry, start_s);
    if (window->start_s != start_s)
        *window = (struct sampling_window){ .start_s = start_s };
    window->requests += requests;
    window->sampled += sampled;
    window->borrowed += borrowed;
    entry->totals.requests += requests;
    entry->totals.sampled += sampled;
    entry->totals.borrowed += borrowed;
}

static const char *text_of(const cJSON *document, const char *name)
{
    return cJSON_GetStringValue(sampling_member(document, name));
}

static int add_unprocessed(cJSON *list, const char *rule_name, const char *message)
{
    cJSON *item = cJSON_CreateObject();
    if (!cJSON_AddStringToObject(item, "RuleName", rule_name) ||
        !cJSON_AddStringToObject(item, "ErrorCode", UNPROCESSED_CODE) ||
        !cJSON_AddStringToObject(item, "Message", message) || !cJSON_AddItemToArray(list, item)) {
        cJSON_Delete(item);
        return -ENOMEM;
    }
    return 0;
}

/* All of them, before any share is worked out: a call may report several clients. */
static int take_statistics(struct sampling_service *service, const cJSON *documents, int64_t now_ns,
                           cJSON *unprocessed)
{
    const cJSON *document;
    int r = 0;
    cJSON_ArrayForEach(document, documents)
    {
        const char *name = text_of(document, "RuleName");
        struct sampling_entry *entry = sampling_entry_find(service, name);
        if (!entry) {
            r = add_unprocessed(unprocessed, name, "there is no sampling rule of this name");
        } else {
            forget_clients(entry, now_ns);
            count(entry, document, now_ns);
            if (count_of(document, "RequestCount") > 0)
                r = see_client(entry, document, now_ns);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- Boost ------------------------------------------------------------------- */

static int take_boost_statistics(struct sampling_service *service, const cJSON *documents,
                                 int64_t now_ns, cJSON *unprocessed)
{
    const cJSON *document;
    int r = 0;
    cJSON_ArrayForEach(document, documents)
    {
        const char *name = text_of(document, "RuleName");
        struct sampling_entry *entry = sampling_entry_find(service, name);
        if (!entry)
            r = add_unprocessed(unprocessed, name, "there is no sampling rule of this name");
        else if (!entry->rule.has_boost)
            r = add_unprocessed(unprocessed, name, "this rule has no SamplingRateBoost");
        else if (count_of(document, "AnomalyCount") > 0)
            entry->anomaly_ns = now_ns;
        if (r < 0)
            return r;
    }
    return 0;
}

/* The cloud works a rate out, by a formula of its own, up to MaxRate. Here it is always
   MaxRate, for a minute, once in the cooldown window. */
static bool is_boosted(struct sampling_entry *entry, int64_t now_ns)
{
    int64_t cooldown_ns = (int64_t)entry->rule.boost_cooldown_minutes * 60 * NS_PER_S;
    bool anomaly = entry->anomaly_ns &&
                   now_ns - entry->anomaly_ns <= SAMPLING_INTERVAL_S * NS_PER_S;
    bool may_begin = !entry->boost_ns ||
                     (now_ns >= entry->boost_until_ns && now_ns - entry->boost_ns >= cooldown_ns);
    if (anomaly && may_begin) {
        entry->boost_ns = now_ns;
        entry->boost_until_ns = now_ns + SAMPLING_BOOST_S * NS_PER_S;
    }
    return now_ns < entry->boost_until_ns;
}

/* ---- Targets ----------------------------------------------------------------- */

static cJSON *new_target(struct sampling_entry *entry, const char *client_id, int64_t now_ns)
{
    cJSON *target = cJSON_CreateObject();
    cJSON_AddStringToObject(target, "RuleName", entry->rule.name);
    cJSON_AddNumberToObject(target, "FixedRate", entry->rule.fixed_rate);
    cJSON_AddNumberToObject(target, "ReservoirQuota", sampling_share(entry, client_id));
    cJSON_AddNumberToObject(target, "ReservoirQuotaTTL",
                            (double)(now_ns / NS_PER_S + SAMPLING_QUOTA_TTL_S));
    cJSON *last = cJSON_AddNumberToObject(target, "Interval", SAMPLING_INTERVAL_S);
    if (is_boosted(entry, now_ns)) {
        cJSON *boost = cJSON_AddObjectToObject(target, "SamplingBoost");
        cJSON_AddNumberToObject(boost, "BoostRate", entry->rule.boost_rate);
        last = cJSON_AddNumberToObject(boost, "BoostRateTTL",
                                       (double)(entry->boost_until_ns / NS_PER_S));
    }
    if (!last) {
        cJSON_Delete(target);
        return NULL;
    }
    return target;
}

static int add_targets(const struct sampling_service *service, const cJSON *documents,
                       int64_t now_ns, cJSON *targets)
{
    const cJSON *document;
    cJSON_ArrayForEach(document, documents)
    {
        struct sampling_entry *entry = sampling_entry_find(service, text_of(document, "RuleName"));
        if (!entry)
            continue;
        cJSON *target = new_target(entry, text_of(document, "ClientID"), now_ns);
        if (!target)
            return -ENOMEM;
        cJSON_AddItemToArray(targets, target);
    }
    return 0;
}

void sampling_get_targets(struct sampling_service *service, const cJSON *request, int64_t now_ns,
                          struct sampling_reply *ret)
{
    const cJSON *statistics = sampling_member(request, "SamplingStatisticsDocuments");
    const cJSON *boosts = sampling_member(request, "SamplingBoostStatisticsDocuments");
    if (!statistics) {
        sampling_invalid(ret, "SamplingStatisticsDocuments is missing");
        return;
    }
    if (!check_documents(request, "SamplingStatisticsDocuments", statistics_members, ret) ||
        !check_documents(request, "SamplingBoostStatisticsDocuments", boost_members, ret))
        return;
    cJSON *body = cJSON_CreateObject();
    cJSON *targets = cJSON_AddArrayToObject(body, "SamplingTargetDocuments");
    cJSON_AddNumberToObject(body, "LastRuleModification",
                            sampling_time(service->last_modification_ns));
    cJSON *unprocessed = cJSON_AddArrayToObject(body, "UnprocessedStatistics");
    cJSON *unprocessed_boosts = cJSON_AddArrayToObject(body, "UnprocessedBoostStatistics");
    int r = targets && unprocessed && unprocessed_boosts ? 0 : -ENOMEM;
    if (r == 0)
        r = take_statistics(service, statistics, now_ns, unprocessed);
    if (r == 0)
        r = take_boost_statistics(service, boosts, now_ns, unprocessed_boosts);
    if (r == 0)
        r = add_targets(service, statistics, now_ns, targets);
    if (r < 0) {
        cJSON_Delete(body);
        body = NULL;
    }
    *ret = (struct sampling_reply){ .status = 200, .body = body };
}

bool sampling_service_totals(const struct sampling_service *service, const char *rule_name,
                             int64_t now_ns, struct sampling_totals *ret)
{
    const struct sampling_entry *entry = sampling_entry_find(service, rule_name);
    if (!entry)
        return false;
    *ret = entry->totals;
    for (size_t i = 0; i < entry->client_count; i++)
        ret->clients += is_active(&entry->clients[i], now_ns);
    return true;
}
