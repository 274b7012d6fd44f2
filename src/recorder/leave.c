/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/leave.h"

#include <xraytrace/describe.h>

#include "base/random.h"
#include "model/describe.h"
#include "recorder/current.h"
#include "recorder/lifecycle.h"

void xr_leave_inside(struct xr_segment *segment)
{
    struct xr_segment *inner;

    if (!xr_current_is_stacked(segment))
        return;
    while ((inner = xr_current_innermost()) != segment)
        xr_end(inner, 0);
}

/* What a thread leaves open on its stack ends with it, and says so. */
static void on_thread_exit(void)
{
    static const xray_exception reason = {
        .size = sizeof(reason),
        .type = "ThreadExit",
        .message = "the thread ended while this was open",
    };
    struct xr_segment *segment;

    while ((segment = xr_current_innermost()) != NULL) {
        if ((segment->flags & (XR_RECORDING | XR_FACADE)) == XR_RECORDING)
            (void)xr_describe_exception(segment, xr_random_u64() | 1, &reason);
        xr_end(segment, 0);
    }
    xr_current_clear();
}

void xr_leave_set_up(void)
{
    static const struct xr_thread_hooks hooks = { .exit = on_thread_exit };

    xr_thread_register(&hooks);
}
