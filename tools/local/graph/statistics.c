/* SPDX-License-Identifier: Apache-2.0 */
#include "local/graph/statistics.h"

#include "local/trace/summary.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

void statistics_add(struct statistics *statistics, const struct facts_item *item)
{
    if (item->marks & MARK_IN_PROGRESS)
        return;
    if (item->marks & MARK_FAULT)
        statistics->faults++;
    else if (item->marks & MARK_THROTTLE)
        statistics->throttles++;
    else if (item->marks & MARK_ERROR)
        statistics->other_errors++;
    else
        statistics->ok++;
    statistics->total_response_time += item->end - item->start;
}

uint64_t statistics_total(const struct statistics *statistics)
{
    return statistics->ok + statistics->throttles + statistics->other_errors + statistics->faults;
}

cJSON *statistics_json(const struct statistics *statistics)
{
    cJSON *json = cJSON_CreateObject();
    bool whole = cJSON_AddNumberToObject(json, "OkCount", (double)statistics->ok);
    cJSON *errors = cJSON_AddObjectToObject(json, "ErrorStatistics");
    double error_count = (double)(statistics->throttles + statistics->other_errors);
    whole = cJSON_AddNumberToObject(errors, "ThrottleCount", (double)statistics->throttles) &&
            cJSON_AddNumberToObject(errors, "OtherCount", (double)statistics->other_errors) &&
            cJSON_AddNumberToObject(errors, "TotalCount", error_count) && whole;
    cJSON *faults = cJSON_AddObjectToObject(json, "FaultStatistics");
    whole = cJSON_AddNumberToObject(faults, "OtherCount", (double)statistics->faults) &&
            cJSON_AddNumberToObject(faults, "TotalCount", (double)statistics->faults) && whole;
    whole = cJSON_AddNumberToObject(json, "TotalCount", (double)statistics_total(statistics)) &&
            cJSON_AddNumberToObject(json, "TotalResponseTime",
                                    summary_round(statistics->total_response_time)) &&
            whole;
    if (whole)
        return json;
    cJSON_Delete(json);
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    const struct histogram_value *x = a;
    const struct histogram_value *y = b;
    return x->seconds < y->seconds ? -1 : x->seconds > y->seconds;
}

static void sort_values(struct histogram *histogram)
{
    struct histogram_value *values = histogram->values;
    size_t count = 0;
    if (histogram->sorted == histogram->count)
        return;
    qsort(values, histogram->count, sizeof *values, by_value);
    for (size_t i = 0; i < histogram->count; i++) {
        if (count && values[count - 1].seconds == values[i].seconds)
            values[count - 1].count += values[i].count;
        else
            values[count++] = values[i];
    }
    histogram->count = count;
    histogram->sorted = count;
}

/* Sorts only when there is no room, and makes room for as many again as there are
   different values: what one addition costs does not grow with their number. */
static int make_room(struct histogram *histogram)
{
    sort_values(histogram);
    if (histogram->count < histogram->size / 2)
        return 0;
    size_t size = histogram->size ? histogram->size * 2 : 8;
    struct histogram_value *values = realloc(histogram->values, size * sizeof *values);
    if (!values)
        return -ENOMEM;
    histogram->values = values;
    histogram->size = size;
    return 0;
}

int histogram_add(struct histogram *histogram, double seconds)
{
    if (histogram->count == histogram->size) {
        int r = make_room(histogram);
        if (r < 0)
            return r;
    }
    histogram->values[histogram->count++] = (struct histogram_value){
        .seconds = seconds > 0 ? round(seconds * 1000) / 1000 : 0,
        .count = 1,
    };
    return 0;
}

void histogram_free(struct histogram *histogram)
{
    free(histogram->values);
    *histogram = (struct histogram){ 0 };
}

/* The end of the group that begins with values[first]: what is larger by no more than
   the share. */
static size_t group_end(const struct histogram *histogram, size_t first, double share)
{
    double most = histogram->values[first].seconds * (1 + share);
    size_t end = first + 1;
    while (end < histogram->count && histogram->values[end].seconds <= most)
        end++;
    return end;
}

/* The least share of a series that leaves few enough groups. It is relative, so that
   neither short nor long times lose their differences; it ends, as times do. */
static double group_share(const struct histogram *histogram)
{
    double share = 0;
    size_t groups = histogram->count;
    while (groups > HISTOGRAM_VALUES_MAX) {
        share = share > 0 ? share * 1.25 : 0.005;
        groups = 0;
        for (size_t i = 0; i < histogram->count; i = group_end(histogram, i, share))
            groups++;
    }
    return share;
}

/* A group stands at the mean of its values. */
static bool add_group(cJSON *json, const struct histogram *histogram, size_t first, size_t end)
{
    double sum = 0;
    uint64_t count = 0;
    for (size_t i = first; i < end; i++) {
        sum += histogram->values[i].seconds * (double)histogram->values[i].count;
        count += histogram->values[i].count;
    }
    double value = round(sum / (double)count * 1000) / 1000;
    cJSON *entry = cJSON_CreateObject();
    if (entry && cJSON_AddNumberToObject(entry, "Value", value) &&
        cJSON_AddNumberToObject(entry, "Count", (double)count) && cJSON_AddItemToArray(json, entry))
        return true;
    cJSON_Delete(entry);
    return false;
}

cJSON *histogram_json(struct histogram *histogram)
{
    cJSON *json = cJSON_CreateArray();
    sort_values(histogram);
    double share = group_share(histogram);
    size_t i = 0;
    while (json && i < histogram->count) {
        size_t end = group_end(histogram, i, share);
        if (!add_group(json, histogram, i, end)) {
            cJSON_Delete(json);
            return NULL;
        }
        i = end;
    }
    return json;
}

double histogram_percentile(struct histogram *histogram, double share)
{
    uint64_t total = 0;
    uint64_t seen = 0;
    sort_values(histogram);
    for (size_t i = 0; i < histogram->count; i++)
        total += histogram->values[i].count;
    for (size_t i = 0; i < histogram->count; i++) {
        seen += histogram->values[i].count;
        if ((double)seen >= share * (double)total)
            return histogram->values[i].seconds;
    }
    return 0;
}
