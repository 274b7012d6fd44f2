/* SPDX-License-Identifier: Apache-2.0 */
#include "view.h"

#include <string.h>

void view_begin(struct view *ret)
{
    *ret = (struct view){ 0 };
    ret->rules[RULE_LOCAL] = (struct rule_view){ .there = true, .rate = LOCAL_RATE };
}

int view_rule(const struct view *view, int meant, int64_t now_ns)
{
    if (!view->any || now_ns - view->fetched_ns > RULES_VALID_NS)
        return RULE_LOCAL;
    return view->rules[meant].there ? meant : RULE_DEFAULT;
}

enum grant view_grant(struct view *view, int rule, int64_t now_ns)
{
    struct rule_view *of = &view->rules[rule];
    bool has_quota = rule == RULE_LOCAL || now_ns <= of->quota_until_ns;
    uint32_t most = rule == RULE_LOCAL ? LOCAL_RESERVOIR
                    : has_quota        ? of->quota
                                       : of->reservoir > 0;

    if (of->second != now_ns / NS_PER_S) {
        of->second = now_ns / NS_PER_S;
        of->used = 0;
    }
    if (of->used >= most)
        return GRANT_NONE;
    of->used++;
    return has_quota ? GRANT_QUOTA : GRANT_BORROWED;
}

void view_count(struct view *view, int rule, enum grant grant, bool sampled)
{
    struct counts *made = &view->rules[rule].made;

    made->requests++;
    made->borrowed += grant == GRANT_BORROWED;
    made->sampled += sampled && grant != GRANT_BORROWED;
}

/* ---- Reports ----------------------------------------------------------------- */

static struct counts less(struct counts a, struct counts b)
{
    return (struct counts){ a.requests - b.requests, a.sampled - b.sampled,
                            a.borrowed - b.borrowed };
}

static bool is_number(const cJSON *document, const char *name, uint64_t wanted)
{
    const cJSON *item = cJSON_GetObjectItem(document, name);

    return cJSON_IsNumber(item) && item->valuedouble >= (double)wanted &&
           item->valuedouble <= (double)wanted;
}

bool view_check_report(struct view *view, const char *body, size_t length)
{
    cJSON *call = cJSON_ParseWithLength(body, length);
    const cJSON *list = cJSON_GetObjectItem(call, "SamplingStatisticsDocuments"), *document;
    bool right = cJSON_GetArraySize(list) > 0;

    for (int i = 0; i < RULE_COUNT; i++)
        view->rules[i].told = view->rules[i].known;
    cJSON_ArrayForEach(document, list)
    {
        int rule = rule_named(cJSON_GetStringValue(cJSON_GetObjectItem(document, "RuleName")));
        struct rule_view *of = &view->rules[rule];
        struct counts wanted;

        if (rule == RULE_COUNT) {
            right = false;
            continue;
        }
        wanted = less(of->made, of->known);
        right = right && wanted.requests > 0 &&
                is_number(document, "RequestCount", wanted.requests) &&
                is_number(document, "SampledCount", wanted.sampled) &&
                is_number(document, "BorrowCount", wanted.borrowed);
        of->told = of->made;
    }
    cJSON_Delete(call);
    return right;
}

uint64_t view_pending(const struct view *view)
{
    uint64_t pending = 0;

    for (int i = 0; i < RULE_COUNT; i++)
        pending += less(view->rules[i].made, view->rules[i].known).requests;
    return pending;
}

/* ---- Replies ----------------------------------------------------------------- */

static double number_of(const cJSON *object, const char *name)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItem(object, name));
}

static int rule_of(const cJSON *object)
{
    return rule_named(cJSON_GetStringValue(cJSON_GetObjectItem(object, "RuleName")));
}

/* A rule that has changed waits for a new target; one that comes begins from nothing. */
static void take_rule(struct rule_view *of, const struct rule_view *page)
{
    bool changed = page->fixed_rate < of->fixed_rate || page->fixed_rate > of->fixed_rate;

    if (!page->there || !of->there) {
        *of = *page;
        of->rate = page->fixed_rate;
        return;
    }
    if (changed)
        of->fixed_rate = of->rate = page->fixed_rate;
    if (page->reservoir != of->reservoir) {
        of->reservoir = page->reservoir;
        of->quota_until_ns = 0;
    }
}

void view_drop_pages(struct view *view)
{
    memset(view->pages, 0, sizeof(view->pages));
}

void view_take_rules(struct view *view, const cJSON *reply, int64_t now_ns)
{
    const cJSON *record;

    cJSON_ArrayForEach(record, cJSON_GetObjectItem(reply, "SamplingRuleRecords"))
    {
        const cJSON *rule = cJSON_GetObjectItem(record, "SamplingRule");

        view->pages[rule_of(rule)] = (struct rule_view){
            .there = true,
            .fixed_rate = number_of(rule, "FixedRate"),
            .reservoir = (uint32_t)number_of(rule, "ReservoirSize"),
        };
    }
    if (!cJSON_GetObjectItem(reply, "NextToken")) {
        for (int i = 0; i < RULE_COUNT; i++)
            take_rule(&view->rules[i], &view->pages[i]);
        view_drop_pages(view);
        view->any = true;
        view->fetched_ns = now_ns;
    }
}

void view_take_targets(struct view *view, const cJSON *reply)
{
    const cJSON *target;

    for (int i = 0; i < RULE_COUNT; i++)
        view->rules[i].known = view->rules[i].told;
    cJSON_ArrayForEach(target, cJSON_GetObjectItem(reply, "SamplingTargetDocuments"))
    {
        struct rule_view *of = &view->rules[rule_of(target)];

        if (!of->there)
            continue;
        of->rate = number_of(target, "FixedRate");
        of->quota = (uint32_t)number_of(target, "ReservoirQuota");
        of->quota_until_ns = (int64_t)number_of(target, "ReservoirQuotaTTL") * NS_PER_S;
    }
}
