/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What users say about a segment, written into its log. Each function returns
 * how many attributes were cut, repaired or left out.
 */
#ifndef XR_MODEL_DESCRIBE_H
#define XR_MODEL_DESCRIBE_H

#include <xraytrace/describe.h>

#include "base/unwind.h"
#include "model/segment.h"

unsigned xr_describe_annotation(struct xr_segment *segment, const char *key,
                                const xray_value *value);
unsigned xr_describe_metadata(struct xr_segment *segment, const char *name_space, const char *key,
                              const xray_value *value);

unsigned xr_describe_http(struct xr_segment *segment, const xray_http *http);
unsigned xr_describe_aws(struct xr_segment *segment, const xray_aws *aws);
unsigned xr_describe_aws_field(struct xr_segment *segment, const char *key,
                               const xray_value *value);
unsigned xr_describe_sql(struct xr_segment *segment, const xray_sql *sql);

unsigned xr_describe_user(struct xr_segment *segment, const char *user);
unsigned xr_describe_namespace(struct xr_segment *segment, const char *name_space);
unsigned xr_describe_precursor(struct xr_segment *segment, xray_segment_id sibling);
unsigned xr_describe_link(struct xr_segment *segment, const xray_trace_header *to);
unsigned xr_describe_rule(struct xr_segment *segment, const char *rule);

/* The calls that led to an exception, in the place of its frames. */
struct xr_calls {
    struct xr_call calls[XR_UNWIND_MAX];
    size_t count;
    size_t left_out;
};

/* id is the new exception's; calls may be NULL. */
unsigned xr_describe_unwound(struct xr_segment *segment, xray_segment_id id,
                             const xray_exception *exception, const struct xr_calls *calls);

static inline unsigned xr_describe_exception(struct xr_segment *segment, xray_segment_id id,
                                             const xray_exception *exception)
{
    return xr_describe_unwound(segment, id, exception, NULL);
}

/* An exception of a segment within this one; those of its own win. */
unsigned xr_describe_cause(struct xr_segment *segment, xray_segment_id exception);

/* Marks: THROTTLE brings ERROR with it, and goes with it. */
void xr_describe_marks(struct xr_segment *segment, unsigned marks);
void xr_describe_unmark(struct xr_segment *segment, unsigned marks);

/* What an HTTP status says, as marks. */
unsigned xr_marks_of_status(int status);

#endif /* XR_MODEL_DESCRIBE_H */
