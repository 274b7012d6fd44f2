/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics over time, as GetTimeSeriesServiceStatistics returns them. */
#ifndef LOCAL_SERIES_H
#define LOCAL_SERIES_H

#include "local/filter/filter.h"
#include "local/trace/facts.h"

#include <cjson/cJSON.h>

struct series;

struct series_params {
    double start; /* seconds since 1970 */
    double end;
    unsigned period_seconds;                /* 60 or 300 */
    const struct filter_selector *selector; /* lent; NULL: all edges */
};

/* 0 or -ENOMEM. The range is the caller's to bound. */
int series_new(struct series **ret, const struct series_params *params);
void series_free(struct series *series);
int series_add(struct series *series, const struct facts *facts); /* 0 or -ENOMEM */
/* The array "TimeSeriesServiceStatistics", by time; NULL when out of memory. */
cJSON *series_json(const struct series *series);

#endif
