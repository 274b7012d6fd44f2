/* SPDX-License-Identifier: Apache-2.0 */
/* What a recorder is to do: its params, and the environment, which beats their plain values. */
#ifndef XR_RECORDER_SETTINGS_H
#define XR_RECORDER_SETTINGS_H

#include <xraytrace/recorder.h>

#include "base/log.h"

/* Of log groups: how many, and the characters of each. */
#define XR_LOG_GROUPS_MAX   20
#define XR_LOG_GROUP_LENGTH 250

struct xr_settings {
    bool disabled;
    bool in_lambda;
    bool collects_queries; /* of SQL */
    bool makes_no_ids;     /* for what is not sampled */
    bool passes_rule;      /* on to callees */
    int context_missing;   /* never DEFAULT */
    size_t stream_bytes;
    const char *service; /* these point into the params or the environment */
    const char *service_version;
    const char *origin;
    const char *resource_arn;
    const char *log_groups;          /* with commas and blanks between, or NULL */
    const char *environment_address; /* to be tried first, or NULL */
    const char *daemon_address;
    const char *adaptive_config; /* or NULL */
    bool captures;
    bool capture_across;
    uint32_t capture_marks; /* XRAY_FAULT… */
    int64_t capture_slower_than_ns;
    double capture_traces_per_second;
    double capture_bytes_per_second; /* 0: any number */
    const char *sampling_rules;      /* a document, or the path of one, or NULL */
    double sampling_fraction;        /* of all traces; negative for the default sampler */
    struct xr_logger logger;
};

/* Only plain values: the hooks but the logger are not looked at. 0 or -EINVAL. */
int xr_settings_read(struct xr_settings *ret, const xray_recorder_params *params);

#endif /* XR_RECORDER_SETTINGS_H */
