/* SPDX-License-Identifier: Apache-2.0 */
/* What GetTraceSummaries says of one trace. */
#ifndef LOCAL_SUMMARY_H
#define LOCAL_SUMMARY_H

#include "local/trace/trace.h"

/* Of annotations, users, services and resources: more than this are left out. */
#define SUMMARY_ITEMS_MAX 1000

struct trace_times {
    double start;         /* of the earliest segment */
    double duration;      /* to the end of the latest that is complete */
    double response_time; /* of the root */
};

/* The segment with which the trace begins, TRACE_NONE if no segment is there. */
size_t summary_root(const struct trace *trace);
struct trace_times summary_times(const struct trace *trace);
bool summary_is_partial(const struct trace *trace);

/* Seconds to the microsecond: a difference of two doubles has digits that mean nothing. */
double summary_round(double seconds);

/* A TraceSummary; NULL when out of memory. */
cJSON *summary_new(const struct trace *trace, const struct trace_id *id);

#endif
