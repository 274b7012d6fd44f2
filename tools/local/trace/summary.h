/* SPDX-License-Identifier: Apache-2.0 */
/* What GetTraceSummaries says of one trace. */
#ifndef LOCAL_SUMMARY_H
#define LOCAL_SUMMARY_H

#include "local/trace/facts.h"

/* Of annotations, users, services and resources: more than this are left out. */
#define SUMMARY_ITEMS_MAX 1000

/* Seconds to the microsecond: a difference of two doubles has digits that mean nothing. */
double summary_round(double seconds);

/* {"Name", "Names", "AccountId", "Type"}, as the API's ServiceId. */
cJSON *summary_service_id(const struct facts_item *item);

/* A TraceSummary; NULL when out of memory. revision is the number of documents that
   came after the trace was first looked at, and 1. */
cJSON *summary_new(const struct facts *facts, uint32_t revision);

#endif
