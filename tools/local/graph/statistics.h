/* SPDX-License-Identifier: Apache-2.0 */
/* Counts and response times of many calls or segments, as the API's
   EdgeStatistics or ServiceStatistics and histograms have them. */
#ifndef LOCAL_STATISTICS_H
#define LOCAL_STATISTICS_H

#include "local/trace/facts.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/* Seconds, rounded to 3 decimals; above 200 different values neighbours are merged. */
#define HISTOGRAM_VALUES_MAX 200u

struct histogram_value {
    double seconds;
    uint64_t count;
};

struct histogram {
    struct histogram_value *values; /* in ascending order */
    size_t count;
    size_t size;
};

struct statistics {
    uint64_t ok;
    uint64_t throttles;
    uint64_t other_errors;
    uint64_t faults;
    double total_response_time; /* seconds */
};

/* Something in progress is not counted. */
void statistics_add(struct statistics *statistics, const struct facts_item *item);
uint64_t statistics_total(const struct statistics *statistics);
cJSON *statistics_json(const struct statistics *statistics); /* NULL: out of memory */

int histogram_add(struct histogram *histogram, double seconds); /* 0 or -ENOMEM */
void histogram_free(struct histogram *histogram);
cJSON *histogram_json(const struct histogram *histogram); /* NULL: out of memory */
/* 0 to 1 as the share; 0 if it is empty. */
double histogram_percentile(const struct histogram *histogram, double share);

#endif
