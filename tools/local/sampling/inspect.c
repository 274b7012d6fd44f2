/* SPDX-License-Identifier: Apache-2.0 */
/* What the API of X-Ray does not tell: who reports, what would be decided, and a boost
   when it is wanted. The replies have the form of the others. */
#include "local/sampling/internal.h"

#include <strings.h>

static cJSON *new_client(const struct sampling_entry *entry, const struct sampling_client *client)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "ClientID", client->id);
    cJSON_AddNumberToObject(item, "RequestCount", (double)client->requests);
    cJSON_AddNumberToObject(item, "SampledCount", (double)client->sampled);
    cJSON_AddNumberToObject(item, "BorrowCount", (double)client->borrowed);
    cJSON_AddNumberToObject(item, "ReservoirQuota", sampling_share(entry, client->id));
    cJSON_AddNumberToObject(item, "last", sampling_time(client->last_ns));
    return item;
}

static cJSON *new_rule(const struct sampling_entry *entry, int64_t now_ns)
{
    cJSON *rule = cJSON_CreateObject();
    cJSON_AddStringToObject(rule, "RuleName", entry->rule.name);
    cJSON *clients = cJSON_AddArrayToObject(rule, "clients");
    for (size_t i = 0; i < entry->client_count; i++)
        if (now_ns - entry->clients[i].last_ns <= SAMPLING_ACTIVE_S * NS_PER_S)
            cJSON_AddItemToArray(clients, new_client(entry, &entry->clients[i]));
    if (now_ns >= entry->boost_until_ns) {
        cJSON_AddNullToObject(rule, "boost");
        return rule;
    }
    cJSON *boost = cJSON_AddObjectToObject(rule, "boost");
    cJSON_AddNumberToObject(boost, "rate", entry->rule.boost_rate);
    cJSON_AddNumberToObject(boost, "until", sampling_time(entry->boost_until_ns));
    return rule;
}

void sampling_inspect(struct sampling_service *service, const cJSON *request, int64_t now_ns,
                      struct sampling_reply *ret)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *rules = cJSON_AddArrayToObject(body, "rules");
    (void)request;
    for (size_t i = 0; i < service->count; i++)
        cJSON_AddItemToArray(rules, new_rule(service->entries[i], now_ns));
    *ret = (struct sampling_reply){ .status = 200, .body = body };
}

static bool same_letter(char a, char b)
{
    char pair[2][2] = { { a, 0 }, { b, 0 } };
    return strcasecmp(pair[0], pair[1]) == 0;
}

/* * is any text, ? any byte; case does not matter. The last * is the only one that ever
   has to be tried again, so this takes no more than one length times the other. */
static bool glob_matches(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *again = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            again = text;
        } else if (*pattern && (*pattern == '?' || same_letter(*pattern, *text))) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++again;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(sampling_member(object, name));
    return text ? text : "";
}

/* Each attribute of the rule must be there and match. */
static bool attributes_match(const cJSON *rule, const cJSON *request)
{
    const cJSON *given = sampling_member(request, "Attributes");
    const cJSON *wanted;
    cJSON_ArrayForEach(wanted, sampling_member(rule, "Attributes"))
    {
        const char *value = cJSON_GetStringValue(sampling_member(given, wanted->string));
        if (!value || !glob_matches(cJSON_GetStringValue(wanted), value))
            return false;
    }
    return true;
}

static bool rule_matches(const struct sampling_rule *rule, const cJSON *request)
{
    static const char *const members[] = { "ServiceName", "ServiceType", "Host",
                                           "HTTPMethod",  "URLPath",     "ResourceARN" };
    if (sampling_rule_is_default(rule))
        return true;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (!glob_matches(text_of(rule->json, members[i]), text_of(request, members[i])))
            return false;
    return attributes_match(rule->json, request);
}

void sampling_try(struct sampling_service *service, const cJSON *request, int64_t now_ns,
                  struct sampling_reply *ret)
{
    const struct sampling_rule *rule = NULL;
    const cJSON *item;
    (void)now_ns;
    cJSON_ArrayForEach(item, request)
    {
        if (cJSON_IsString(item) && sampling_characters(item->valuestring) > 2048) {
            sampling_invalid(ret, "a value of the request has more than 2048 characters");
            return;
        }
    }
    for (size_t i = 0; !rule && i < service->count; i++)
        if (rule_matches(&service->entries[i]->rule, request))
            rule = &service->entries[i]->rule;
    cJSON *body = rule ? cJSON_CreateObject() : NULL;
    if (body) {
        cJSON_AddStringToObject(body, "RuleName", rule->name);
        cJSON_AddNumberToObject(body, "FixedRate", rule->fixed_rate);
        cJSON_AddNumberToObject(body, "ReservoirSize", rule->reservoir_size);
    }
    *ret = (struct sampling_reply){ .status = 200, .body = body };
}

void sampling_boost(struct sampling_service *service, const cJSON *request, int64_t now_ns,
                    struct sampling_reply *ret)
{
    const char *name = cJSON_GetStringValue(sampling_member(request, "RuleName"));
    struct sampling_entry *entry = name ? sampling_entry_find(service, name) : NULL;
    if (!entry) {
        sampling_invalid(ret, "RuleName must be the name of a sampling rule");
        return;
    }
    if (!entry->rule.has_boost) {
        sampling_invalid(ret, "this rule has no SamplingRateBoost: update it with one");
        return;
    }
    entry->boost_ns = now_ns;
    entry->boost_until_ns = now_ns + SAMPLING_BOOST_S * NS_PER_S;
    *ret = (struct sampling_reply){ .status = 200, .body = cJSON_CreateObject() };
}
