/* SPDX-License-Identifier: Apache-2.0 */
/* Counts and response times of many calls or segments, as the API's
   EdgeStatistics or ServiceStatistics and histograms have them. */
#ifndef LOCAL_STATISTICS_H
#define LOCAL_STATISTICS_H

#include "local/trace/facts.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/* What a reply has at most; with more different values neighbours are merged. */
#define HISTOGRAM_VALUES_MAX 200u

struct histogram_value {
    double seconds; /* rounded to 3 decimals */
    uint64_t count;
};

/* Keeps all values apart, so that it is the same in whatever order they came. */
struct histogram {
    struct histogram_value *values;
    size_t count;
    size_t sorted; /* so many of them are in ascending order, each once */
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

/* Less than nothing counts as nothing. 0 or -ENOMEM. */
int histogram_add(struct histogram *histogram, double seconds);
void histogram_free(struct histogram *histogram);
cJSON *histogram_json(struct histogram *histogram); /* NULL: out of memory */
/* The least value which a share (0 to 1) of all does not exceed; 0 if it is empty. */
double histogram_percentile(struct histogram *histogram, double share);

#endif
