/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of adaptive sampling, as the AWS distributions of
 * OpenTelemetry read it: what counts as an anomaly, and what it is good for.
 */
#ifndef XR_SAMPLING_ADAPTIVE_H
#define XR_SAMPLING_ADAPTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XR_ADAPTIVE_TEXT_MAX       (64U * 1024)
#define XR_ADAPTIVE_CONDITIONS_MAX 64
#define XR_ADAPTIVE_OPERATIONS_MAX 64 /* of each condition */
#define XR_ADAPTIVE_REASON_SIZE    256

/* How many captured traces a second there may be when the configuration says nothing. */
#define XR_ADAPTIVE_TRACES_PER_SECOND 1.0

enum {
    XR_ANOMALY_BOOST = 1,   /* counts for the rule's boost */
    XR_ANOMALY_CAPTURE = 2, /* is to be kept although it was not sampled */
    XR_ANOMALY_DEFAULT = 4, /* by the default condition, which a rule may turn off */
};

struct xr_adaptive;

/* What a segment was when it ended. Texts may be NULL. */
struct xr_adaptive_ending {
    int status; /* of HTTP; 0 if not known */
    bool fault;
    int64_t duration_ns;
    const char *http_method;
    const char *url_path;
    const char *name;
};

/*
 * Reads a configuration from text. It is taken as a whole or not at all:
 * -EINVAL or -ENOMEM leave *ret alone, and ret_reason, which may be NULL, says
 * what is wrong, at which line, and what to do. What it says is printable ASCII.
 */
int xr_adaptive_new(struct xr_adaptive **ret, const char *text, char *ret_reason,
                    size_t reason_size);

/*
 * The same from what the environment holds: text, or the path of a file. It is a
 * path if it ends in .yaml, .yml or .json or if a file has that name, and if it
 * has no newline and does not begin with "{". -errno if the file cannot be read.
 */
int xr_adaptive_read(struct xr_adaptive **ret, const char *text_or_path, char *ret_reason,
                     size_t reason_size);

/* NULL is allowed. */
void xr_adaptive_free(struct xr_adaptive *adaptive);

/* NULL has the default. */
double xr_adaptive_traces_per_second(const struct xr_adaptive *adaptive);

/*
 * What the ending is an anomaly for: the flags above, or 0. NULL, and a
 * configuration without conditions, have the default condition alone: a status
 * above 499, or a fault without one. Any thread.
 */
unsigned xr_adaptive_judge(const struct xr_adaptive *adaptive,
                           const struct xr_adaptive_ending *ending);

#endif /* XR_SAMPLING_ADAPTIVE_H */
