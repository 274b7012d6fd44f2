/* SPDX-License-Identifier: Apache-2.0 */
#include "local/graph/series.h"

#include "local/graph/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

struct bucket {
    uint64_t number; /* of the period since 1970 */
    struct statistics statistics;
    struct histogram times;
};

struct series {
    struct series_params params;
    struct bucket *buckets; /* by number; periods in which nothing ended have none */
    size_t count;
    size_t size;
};

int series_new(struct series **ret, const struct series_params *params)
{
    struct series *series = calloc(1, sizeof *series);
    if (!series)
        return -ENOMEM;
    series->params = *params;
    *ret = series;
    return 0;
}

void series_free(struct series *series)
{
    if (!series)
        return;
    for (size_t i = 0; i < series->count; i++)
        histogram_free(&series->buckets[i].times);
    free(series->buckets);
    free(series);
}

/* Where the bucket is, or belongs. */
static size_t find_bucket(const struct series *series, uint64_t number)
{
    size_t low = 0;
    size_t high = series->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (series->buckets[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int add_bucket(struct series *series, size_t at, uint64_t number)
{
    if (series->count == series->size) {
        size_t size = series->size ? series->size * 2 : 64;
        struct bucket *buckets = realloc(series->buckets, size * sizeof *buckets);
        if (!buckets)
            return -ENOMEM;
        series->buckets = buckets;
        series->size = size;
    }
    for (size_t i = series->count++; i > at; i--)
        series->buckets[i] = series->buckets[i - 1];
    series->buckets[at] = (struct bucket){ .number = number };
    return 0;
}

static int add_item(struct series *series, const struct facts_item *item)
{
    const struct series_params *params = &series->params;
    if (item->marks & MARK_IN_PROGRESS || item->end < params->start || item->end >= params->end)
        return 0;
    uint64_t number = (uint64_t)(item->end / params->period_seconds);
    size_t at = find_bucket(series, number);
    if (at == series->count || series->buckets[at].number != number) {
        int r = add_bucket(series, at, number);
        if (r < 0)
            return r;
    }
    statistics_add(&series->buckets[at].statistics, item);
    return histogram_add(&series->buckets[at].times, item->end - item->start);
}

static int add_segments(struct series *series, const struct facts *facts)
{
    int r = 0;
    for (uint32_t i = 0; i < facts->segment_count && r == 0; i++)
        if (filter_selector_takes_segment(series->params.selector, &facts->segments[i]))
            r = add_item(series, &facts->segments[i].item);
    return r;
}

static int add_calls(struct series *series, const struct facts *facts)
{
    int r = 0;
    for (uint32_t i = 0; i < facts->call_count && r == 0; i++)
        if (filter_selector_takes_call(series->params.selector, facts, &facts->calls[i]))
            r = add_item(series, &facts->calls[i].item);
    return r;
}

/* As many as the graph has edges: those of the client lead to the roots. */
static int add_all_edges(struct series *series, const struct facts *facts)
{
    int r = 0;
    for (uint32_t i = 0; i < facts->segment_count && r == 0; i++)
        if (facts->segments[i].item.marks & MARK_ROOT)
            r = add_item(series, &facts->segments[i].item);
    for (uint32_t i = 0; i < facts->call_count && r == 0; i++)
        r = add_item(series, &facts->calls[i].item);
    return r;
}

static enum filter_selected selected(const struct series *series)
{
    const struct filter_selector *selector = series->params.selector;
    return selector ? filter_selector_kind(selector) : SELECTED_EDGES;
}

int series_add(struct series *series, const struct facts *facts)
{
    switch (selected(series)) {
    case SELECTED_SERVICE:
        return add_segments(series, facts);
    case SELECTED_EDGE:
        return add_calls(series, facts);
    case SELECTED_EDGES:
        break;
    }
    return add_all_edges(series, facts);
}

static cJSON *bucket_json(const struct series *series, struct bucket *bucket)
{
    const char *name = selected(series) == SELECTED_SERVICE ? "ServiceSummaryStatistics"
                                                            : "EdgeSummaryStatistics";
    double time = (double)bucket->number * series->params.period_seconds;
    cJSON *json = cJSON_CreateObject();
    cJSON *statistics = statistics_json(&bucket->statistics);
    cJSON *times = histogram_json(&bucket->times);
    bool timed = cJSON_AddNumberToObject(json, "Timestamp", time);
    bool counted = json && statistics && cJSON_AddItemToObject(json, name, statistics);
    bool measured = json && times && cJSON_AddItemToObject(json, "ResponseTimeHistogram", times);
    if (!counted)
        cJSON_Delete(statistics);
    if (!measured)
        cJSON_Delete(times);
    if (timed && counted && measured)
        return json;
    cJSON_Delete(json);
    return NULL;
}

cJSON *series_json(const struct series *series)
{
    cJSON *json = cJSON_CreateArray();
    for (size_t i = 0; i < series->count && json; i++) {
        cJSON *item = bucket_json(series, &series->buckets[i]);
        if (item && cJSON_AddItemToArray(json, item))
            continue;
        cJSON_Delete(item);
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}
