/* SPDX-License-Identifier: Apache-2.0 */
/* GetSamplingStatisticSummaries: what was reported, by rule and time, page by page. */
#include "local/sampling/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAGE         100
#define TOKEN_PREFIX "statistics-"

/* Where a page ended: the window, and the place of the rule in their order. */
struct position {
    int64_t start_s;
    struct sampling_rule rule;
};

static bool parse_token(const char *token, struct position *ret)
{
    int name = 0;
    if (sscanf(token, TOKEN_PREFIX "%12" SCNd64 "-%5u-%n", &ret->start_s, &ret->rule.priority,
               &name) != 2 ||
        name == 0)
        return false;
    ret->rule.name = token + name;
    return true;
}

static bool add_token(cJSON *body, int64_t start_s, const struct sampling_rule *rule)
{
    char token[sizeof TOKEN_PREFIX + 180];
    snprintf(token, sizeof token, TOKEN_PREFIX "%" PRId64 "-%05u-%s", start_s, rule->priority,
             rule->name);
    return cJSON_AddStringToObject(body, "NextToken", token) != NULL;
}

/* The model has 32 bits for these. */
static double limited(uint64_t count)
{
    return count > INT32_MAX ? INT32_MAX : (double)count;
}

static bool add_summary(cJSON *list, const char *rule_name, const struct sampling_window *window)
{
    cJSON *summary = cJSON_CreateObject();
    cJSON_AddStringToObject(summary, "RuleName", rule_name);
    cJSON_AddNumberToObject(summary, "Timestamp", (double)window->start_s);
    cJSON_AddNumberToObject(summary, "RequestCount", limited(window->requests));
    cJSON_AddNumberToObject(summary, "BorrowCount", limited(window->borrowed));
    if (!cJSON_AddNumberToObject(summary, "SampledCount", limited(window->sampled)) ||
        !cJSON_AddItemToArray(list, summary)) {
        cJSON_Delete(summary);
        return false;
    }
    return true;
}

/* The newest windows first, in each the rules in their order. False if memory ran out. */
static bool add_page(const struct sampling_service *service, int64_t newest_s,
                     const struct position *after, cJSON *body)
{
    cJSON *list = cJSON_AddArrayToObject(body, "SamplingStatisticSummaries");
    const struct sampling_rule *last = NULL;
    int64_t last_s = 0;
    int added = 0;
    for (int back = 0; back < SAMPLING_WINDOWS; back++) {
        int64_t start_s = newest_s - (int64_t)back * SAMPLING_INTERVAL_S;
        for (size_t i = 0; i < service->count && start_s > 0; i++) {
            struct sampling_entry *entry = service->entries[i];
            const struct sampling_window *window = sampling_window_at(entry, start_s);
            if (window->start_s != start_s ||
                (after && (start_s > after->start_s ||
                           (start_s == after->start_s &&
                            sampling_rule_compare(&entry->rule, &after->rule) <= 0))))
                continue;
            if (added++ == PAGE)
                return add_token(body, last_s, last);
            if (!add_summary(list, entry->rule.name, window))
                return false;
            last = &entry->rule;
            last_s = start_s;
        }
    }
    return list != NULL;
}

void sampling_get_statistic_summaries(struct sampling_service *service, const cJSON *request,
                                      int64_t now_ns, struct sampling_reply *ret)
{
    const cJSON *token = sampling_member(request, "NextToken");
    struct position after;
    if (token && (!cJSON_IsString(token) || !parse_token(token->valuestring, &after))) {
        sampling_invalid(ret, "NextToken is not one that was returned here");
        return;
    }
    int64_t newest_s = now_ns / NS_PER_S / SAMPLING_INTERVAL_S * SAMPLING_INTERVAL_S;
    cJSON *body = cJSON_CreateObject();
    if (!add_page(service, newest_s, token ? &after : NULL, body)) {
        cJSON_Delete(body);
        body = NULL;
    }
    *ret = (struct sampling_reply){ .status = 200, .body = body };
}
