/* SPDX-License-Identifier: Apache-2.0 */
/* What a recorder is to do: its params, and the environment, which beats their plain values. */
#ifndef XR_RECORDER_SETTINGS_H
#define XR_RECORDER_SETTINGS_H

#include <xraytrace/recorder.h>

#include "base/log.h"

struct xr_settings {
    bool disabled;
    bool in_lambda;
    bool makes_no_ids;   /* for what is not sampled */
    int context_missing; /* never DEFAULT */
    size_t stream_bytes;
    const char *service; /* these point into the params or the environment */
    const char *service_version;
    const char *origin;
    const char *resource_arn;
    const char *environment_address; /* to be tried first, or NULL */
    const char *daemon_address;
    double sampling_fraction; /* of all traces; negative for the default sampler */
    struct xr_logger logger;
};

/* Only plain values: the hooks but the logger are not looked at. 0 or -EINVAL. */
int xr_settings_read(struct xr_settings *ret, const xray_recorder_params *params);

#endif /* XR_RECORDER_SETTINGS_H */
