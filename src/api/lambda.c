/* SPDX-License-Identifier: Apache-2.0 */
/* xraytrace/lambda.h. */
#include <xraytrace/lambda.h>

#include "base/env.h"
#include "recorder/current.h"
#include "recorder/leave.h"
#include "recorder/lifecycle.h"

xray_segment *xray_lambda_begin(xray_recorder *recorder, const char *trace_header)
{
    struct xr_segment *invocation;

    if (!recorder)
        return NULL;
    if (!trace_header)
        trace_header = xr_env_get(XR_ENV_TRACE_HEADER);
    invocation = xr_start_invocation(recorder, trace_header);
    if (!invocation)
        return NULL;
    return xr_stack.invocation = xr_current_push(invocation);
}

int xray_lambda_end(xray_segment *handle, int timeout_ms)
{
    struct xr_segment *invocation = xr_segment_of(handle);
    xray_recorder *recorder;

    if (!invocation)
        return 0;
    recorder = invocation->recorder;
    if (handle == xr_stack.invocation) {
        xr_leave_inside(invocation);
        xr_stack.invocation = NULL;
    }
    xr_end(invocation, xr_handle(invocation), 0);
    return xr_recorder_flush(recorder, timeout_ms);
}
