/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_TRACING_H
#define MEDIA_LOCAL_TRACING_H

#include <stdbool.h>

#include <xraytrace/trace.h>

/*
 * Who records what: the two variables of the Terraform configuration, and what
 * follows from them for the stage of the API, for Lambda and for the functions.
 *
 *   mode       stage                Lambda
 *   full       on                   Active: all
 *   selective  on                   Active: those named; else PassThrough
 *   passive    on                   PassThrough: all
 *   on_demand  as is_enabled says   is_enabled ? Active : PassThrough, all
 *
 * The functions themselves record iff is_enabled: their ENABLE_XRAY.
 */
enum tracing_mode {
    TRACING_FULL,
    TRACING_SELECTIVE,
    TRACING_PASSIVE,
    TRACING_ON_DEMAND,
};

struct tracing {
    enum tracing_mode mode;
    bool is_enabled;
    const char *functions; /* names with commas between; NULL: TRACING_DEFAULT_FUNCTIONS */
};

#define TRACING_DEFAULT_FUNCTIONS "WebhookFeedly,FileCoordinator,StartFileUpload"

/* Values of the command line. 0 or -EINVAL, with the reason on stderr. */
int tracing_read_mode(struct tracing *tracing, const char *text);
int tracing_read_enabled(struct tracing *tracing, const char *text);
int tracing_read_functions(struct tracing *tracing, const char *text);

bool tracing_of_stage(const struct tracing *tracing);

/* Active, as opposed to PassThrough. */
bool tracing_is_active(const struct tracing *tracing, const char *function);

/*
 * What somebody who does not record passes on: the trace, or a new one, and
 * what nobody knows of, but neither a parent nor a decision. caller may be NULL.
 */
void tracing_pass_through(const xray_trace_header *caller, xray_trace_header *ret);

#endif /* MEDIA_LOCAL_TRACING_H */
