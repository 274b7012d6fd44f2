/* SPDX-License-Identifier: Apache-2.0 */
/* What a segment was when it ended, for adaptive sampling: anomalies, and the sampler's report. */
#ifndef XR_RECORDER_OUTCOME_H
#define XR_RECORDER_OUTCOME_H

#include "model/segment.h"
#include "wire/output.h"

/* The field of the trace header that says by whose rule a trace was sampled. */
#define XR_RULE_FIELD        "xrsr="
#define XR_RULE_HASH_DIGITS  16 /* of the name's SHA-256, the first eight bytes */
#define XR_RULE_FIELD_LENGTH (sizeof(XR_RULE_FIELD) - 1 + XR_RULE_HASH_DIGITS)

/* Whether the fields of a header have one. Its digits go to ret, with a NUL; else "". */
bool xr_rule_field_read(const char *extra, char ret[XR_RULE_HASH_DIGITS + 1]);

/* Behind the fields that there are, if it has a place there. */
void xr_rule_field_add(char *extra, size_t size, const char *rule);

/* XR_ANOMALY_… of sampling/adaptive.h. */
unsigned xr_outcome_anomaly(const struct xr_segment *segment, int64_t end_ns);

/* Tells the sampler, which asked for it. */
void xr_outcome_report(const struct xr_segment *segment, unsigned anomaly, int64_t end_ns);

#endif /* XR_RECORDER_OUTCOME_H */
