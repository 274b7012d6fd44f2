/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_SEGMENTS_H
#define MEDIA_LOCAL_SEGMENTS_H

#include <xraytrace/segment.h>

#include "lambda.h"

/*
 * The segments which AWS itself sends: of the API's stage, and of each function
 * the service's and the function's own. NULL segments are fine everywhere, as
 * in libxraytrace.
 */
struct segments;

struct segments_params {
    const char *daemon_address;
    const char *region;
    const char *account;
    const char *const *functions; /* names, ended by NULL */
    bool has_no_stage;            /* the stage of the API is not traced */
};

/* 0 or -errno, with the reason on stderr. */
int segments_new(struct segments **ret, const struct segments_params *params);

/* NULL is allowed. After all its segments have ended. */
void segments_free(struct segments *segments);

/* ---- API Gateway ---------------------------------------------------------------- */

struct stage_request {
    const xray_trace_header *caller;
    const char *method;
    const char *url;
    const char *path;
    const char *user_agent;
    const char *client_ip;
    const char *request_id;
};

/* The stage; the call of a function from it, and of the authorizer before that. */
xray_segment *segments_stage_begin(struct segments *segments, const struct stage_request *request);
void segments_stage_end(xray_segment *stage, int status, size_t content_length);
xray_segment *segments_call_begin(struct segments *segments, xray_segment *stage, const char *name,
                                  const char *function);
void segments_call_end(xray_segment *call, const struct lambda_result *result);

/* ---- Lambda ---------------------------------------------------------------------- */

/* The service's segment: one for each Invoke, whatever comes of it. */
xray_segment *segments_service_begin(struct segments *segments, const char *function,
                                     const xray_trace_header *caller, const char *request_id);
void segments_service_end(xray_segment *service, const struct lambda_result *result);

/* An event: accepted with 202, visible while it waits and runs. */
void segments_service_accepted(xray_segment *service);

/* The wait in the queue: from the acceptance until now. */
void segments_dwell(xray_segment *service, int64_t accepted_ns);

/* The function's segment below it. start_ns: of the environment when cold, else 0. */
xray_segment *segments_function_begin(struct segments *segments, const char *function,
                                      xray_segment *service, const char *request_id,
                                      int64_t start_ns, bool is_event);

struct function_times {
    int64_t started_ns;     /* of the environment when cold, else 0 */
    int64_t initialized_ns; /* cold: when it asked for work, 0 when it never did */
    int64_t delivered_ns;   /* 0: never */
    int64_t done_ns;
};

/* error: the body of the function's error, NULL when it succeeded; cause: X-Ray's, or NULL. */
void segments_function_end(xray_segment *function, const struct function_times *times,
                           const char *error, const char *cause);

#endif /* MEDIA_LOCAL_SEGMENTS_H */
