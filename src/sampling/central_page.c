/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/central_page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "sampling/central.h"
#include "sampling/central_json.h"

#define NAME_OF_DEFAULT "Default"
#define TOKEN_MAX       8192 /* bytes; those of X-Ray have some hundred */

/* What a rule matches, with the API's limits in characters. */
static const struct field {
    const char *name;
    size_t most;
    size_t offset; /* in struct xr_patterns */
} FIELDS[] = {
    { "ServiceName", 64, offsetof(struct xr_patterns, service) },
    { "ServiceType", 64, offsetof(struct xr_patterns, service_type) },
    { "Host", 64, offsetof(struct xr_patterns, host) },
    { "HTTPMethod", 10, offsetof(struct xr_patterns, http_method) },
    { "URLPath", 128, offsetof(struct xr_patterns, url_path) },
    { "ResourceARN", 500, offsetof(struct xr_patterns, resource_arn) },
};

#define FIELD_COUNT        (sizeof(FIELDS) / sizeof(*FIELDS))
#define ATTRIBUTE_TEXT_MAX 32

/* ---- One rule ---------------------------------------------------------------- */

static bool is_text(const cJSON *item, size_t most)
{
    size_t length;

    if (!cJSON_IsString(item))
        return false;
    length = strlen(item->valuestring);
    return length <= 4 * most && xr_utf8_prefix(item->valuestring, length, most) == length;
}

static bool is_name(const cJSON *item)
{
    size_t length, character;

    if (!cJSON_IsString(item))
        return false;
    length = strlen(item->valuestring);
    if (length == 0 || length > XR_RULE_NAME_MAX)
        return false;
    /* It is sent back: a repaired one would be another rule's. */
    for (size_t at = 0; at < length; at += character) {
        character = xr_utf8_valid(item->valuestring + at, length - at);
        if (character == 0)
            return false;
    }
    return true;
}

static bool check_attributes(const cJSON *attributes, size_t *bytes)
{
    const cJSON *item;
    size_t count = 0;

    if (!attributes)
        return true;
    if (!cJSON_IsObject(attributes))
        return false;
    cJSON_ArrayForEach(item, attributes)
    {
        if (++count > XR_RULE_ATTRIBUTES_MAX || !is_text(item, ATTRIBUTE_TEXT_MAX) ||
            strlen(item->string) > 4 * ATTRIBUTE_TEXT_MAX)
            return false;
        *bytes += strlen(item->string) + strlen(item->valuestring) + 2;
    }
    return true;
}

/* Whether its texts are within the limits; adds what copies of them need to *bytes. */
static bool check_texts(const cJSON *rule, size_t *bytes)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const cJSON *item = xr_reply_member(rule, FIELDS[i].name);

        if (!item)
            continue;
        if (!is_text(item, FIELDS[i].most))
            return false;
        *bytes += strlen(item->valuestring) + 1;
    }
    return check_attributes(xr_reply_member(rule, "Attributes"), bytes);
}

static const char *copy(char **storage, const char *text)
{
    size_t size = strlen(text) + 1;
    char *to = memcpy(*storage, text, size);

    *storage += size;
    return to;
}

static void copy_texts(struct xr_draft *draft, const cJSON *rule)
{
    const cJSON *item;
    char *storage = draft->text;
    size_t count = 0;

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        item = xr_reply_member(rule, FIELDS[i].name);
        if (item) {
            const char *pattern = copy(&storage, item->valuestring);

            memcpy((char *)&draft->patterns + FIELDS[i].offset, &pattern, sizeof(pattern));
        }
    }
    cJSON_ArrayForEach(item, xr_reply_member(rule, "Attributes"))
    {
        draft->attributes[count].key = copy(&storage, item->string);
        draft->attributes[count++].value = copy(&storage, item->valuestring);
    }
    draft->patterns.attributes = draft->attributes;
    draft->patterns.attribute_count = count;
}

/* Whether a rule has what it cannot be without; what it may be without is zero then. */
static bool check_numbers(const cJSON *rule, bool is_default, struct xr_draft *ret)
{
    double version = 0, rate = -1, priority = -1, size = 0;

    if (!xr_reply_number(rule, "Version", &version) || version != 1 ||
        !xr_reply_number_within(rule, "FixedRate", 0, 1, &rate) || rate < 0 ||
        !xr_reply_number_within(rule, "ReservoirSize", 0, 1e18, &size))
        return false;
    if (!is_default &&
        (!xr_reply_number_within(rule, "Priority", 1, 9999, &priority) || priority < 0))
        return false;
    ret->fixed_rate = rate;
    ret->reservoir_size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
    ret->priority = is_default ? INT32_MAX : (int32_t)priority;
    return true;
}

static void read_boost(struct xr_draft *draft, const cJSON *rule)
{
    const cJSON *boost = xr_reply_member(rule, "SamplingRateBoost");

    if (!cJSON_IsObject(boost))
        return;
    draft->boost = true;
    draft->no_default = cJSON_IsTrue(xr_reply_member(boost, "DisableDefaultAnomalyDetection")) ||
                        cJSON_IsTrue(xr_reply_member(rule, "DisableDefaultAnomalyDetection"));
}

/* 0 with a draft, or with NULL for a rule that is not for us; -ENOMEM. */
static int draft_new(struct xr_draft **ret, const cJSON *rule)
{
    struct xr_draft checked = { 0 }, *draft;
    size_t bytes = sizeof(struct xr_draft);
    const cJSON *name;
    bool is_default;

    *ret = NULL;
    if (!cJSON_IsObject(rule))
        return 0;
    name = xr_reply_member(rule, "RuleName");
    if (!is_name(name))
        return 0;
    is_default = strcmp(name->valuestring, NAME_OF_DEFAULT) == 0;
    if (!check_numbers(rule, is_default, &checked) || (!is_default && !check_texts(rule, &bytes)))
        return 0;

    draft = xr_alloc(bytes);
    if (!draft)
        return -ENOMEM;
    *draft = checked;
    draft->bytes = bytes;
    memcpy(draft->name, name->valuestring, strlen(name->valuestring) + 1);
    if (!is_default) /* that one matches everything, whatever it says */
        copy_texts(draft, rule);
    read_boost(draft, rule);
    *ret = draft;
    return 0;
}

/* ---- Pages ------------------------------------------------------------------- */

static int reserve(struct xr_drafts *drafts)
{
    size_t capacity = drafts->capacity > 0 ? 2 * drafts->capacity : 32;
    struct xr_draft **list;

    if (drafts->count < drafts->capacity)
        return 0;
    list = xr_alloc(capacity * sizeof(*list));
    if (!list)
        return -ENOMEM;
    if (drafts->count > 0)
        memcpy(list, drafts->list, drafts->count * sizeof(*list));
    xr_free(drafts->list, drafts->capacity * sizeof(*list));
    drafts->list = list;
    drafts->capacity = capacity;
    return 0;
}

static int add_rule(struct xr_drafts *drafts, const cJSON *rule)
{
    struct xr_draft *draft;
    int r = draft_new(&draft, rule);

    if (r < 0)
        return r;
    if (!draft) {
        drafts->skipped++;
        return 0;
    }
    if (drafts->count >= XR_CENTRAL_RULES_MAX && draft->priority != INT32_MAX) {
        drafts->excess++;
        xr_free(draft, draft->bytes);
        return 0;
    }
    r = drafts->count > 2 * XR_CENTRAL_RULES_MAX ? -E2BIG : reserve(drafts);
    if (r < 0) {
        xr_free(draft, draft->bytes);
        return r;
    }
    draft->arrival = drafts->count;
    drafts->list[drafts->count++] = draft;
    return 0;
}

static void free_token(struct xr_drafts *drafts)
{
    if (drafts->token)
        xr_free(drafts->token, strlen(drafts->token) + 1);
    drafts->token = NULL;
}

static int read_token(struct xr_drafts *drafts, const cJSON *page)
{
    const cJSON *token = xr_reply_member(page, "NextToken");
    size_t size;

    free_token(drafts);
    if (!token)
        return 0;
    if (!cJSON_IsString(token))
        return -EBADMSG;
    size = strlen(token->valuestring) + 1;
    if (size == 1)
        return 0;
    if (size > TOKEN_MAX || drafts->pages >= XR_CENTRAL_PAGES_MAX)
        return -E2BIG;
    drafts->token = xr_alloc(size);
    if (!drafts->token)
        return -ENOMEM;
    memcpy(drafts->token, token->valuestring, size);
    return 0;
}

int xr_drafts_add(struct xr_drafts *drafts, const char *body, size_t length)
{
    const cJSON *records, *record;
    cJSON *page;
    int r;

    if (length > XR_CENTRAL_REPLY_MAX - drafts->bytes)
        return -E2BIG;
    drafts->bytes += length;
    drafts->pages++;
    page = xr_reply_parse(body, length);
    records = xr_reply_member(page, "SamplingRuleRecords");
    r = cJSON_IsArray(records) ? 0 : -EBADMSG;
    if (r >= 0) {
        cJSON_ArrayForEach(record, records)
        {
            r = add_rule(drafts, xr_reply_member(record, "SamplingRule"));
            if (r < 0)
                break;
        }
    }
    if (r >= 0)
        r = read_token(drafts, page);
    cJSON_Delete(page);
    return r;
}

/* ---- Order ------------------------------------------------------------------- */

static int by_name_and_arrival(const void *a, const void *b)
{
    const struct xr_draft *x = *(struct xr_draft *const *)a, *y = *(struct xr_draft *const *)b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : (x->arrival < y->arrival) - (x->arrival > y->arrival);
}

static int by_priority_and_name(const void *a, const void *b)
{
    const struct xr_draft *x = *(struct xr_draft *const *)a, *y = *(struct xr_draft *const *)b;
    int order = (x->priority > y->priority) - (x->priority < y->priority);

    return order != 0 ? order : strcmp(x->name, y->name);
}

void xr_drafts_sort(struct xr_drafts *drafts)
{
    size_t kept = 0;

    if (drafts->count == 0)
        return;
    qsort(drafts->list, drafts->count, sizeof(*drafts->list), by_name_and_arrival);
    for (size_t i = 0; i < drafts->count; i++) {
        struct xr_draft *draft = drafts->list[i];

        /* A list that changes between two pages can show a rule twice. */
        if (kept > 0 && strcmp(drafts->list[kept - 1]->name, draft->name) == 0)
            xr_free(draft, draft->bytes);
        else
            drafts->list[kept++] = draft;
    }
    drafts->count = kept;
    qsort(drafts->list, kept, sizeof(*drafts->list), by_priority_and_name);
}

void xr_drafts_clear(struct xr_drafts *drafts)
{
    for (size_t i = 0; i < drafts->count; i++)
        xr_free(drafts->list[i], drafts->list[i]->bytes);
    xr_free(drafts->list, drafts->capacity * sizeof(*drafts->list));
    free_token(drafts);
    *drafts = (struct xr_drafts){ 0 };
}
