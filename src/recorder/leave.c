/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/leave.h"

#include <stdlib.h>

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
        xr_end(inner, xr_handle(inner), 0);
}

static const xray_exception thread_exit = {
    .size = sizeof(thread_exit),
    .type = "ThreadExit",
    .message = "the thread ended while this was open",
};

static const xray_exception process_exit = {
    .size = sizeof(process_exit),
    .type = "ProcessExit",
    .message = "the process ended while this was open",
};

/* How long a process that ends waits for an emitter that sends later. */
#define EXIT_FLUSH_MS 100

static void flush_at_exit(xray_recorder *recorder, const xray_exception *reason)
{
    if (recorder && reason == &process_exit)
        (void)xr_recorder_flush(recorder, EXIT_FLUSH_MS);
}

/* What is open on the stack ends, and says why. */
static void leave_all(const xray_exception *reason)
{
    xray_recorder *recorder = NULL;
    struct xr_segment *segment;

    while ((segment = xr_current_innermost()) != NULL) {
        /* Who frees a recorder first has lost what is open on it. */
        if (!xr_counters_exist(&segment->recorder->counters)) {
            xr_current_remove(segment, true);
            continue;
        }
        if (recorder != segment->recorder)
            flush_at_exit(recorder, reason);
        recorder = segment->recorder;
        if ((segment->flags & (XR_RECORDING | XR_FACADE)) == XR_RECORDING)
            (void)xr_describe_exception(segment, xr_random_u64() | 1, reason);
        xr_end(segment, xr_handle(segment), 0);
    }
    flush_at_exit(recorder, reason);
    xr_current_clear();
}

static void on_thread_exit(void)
{
    leave_all(&thread_exit);
}

/* Of the thread that called exit(): the others may still be at work. A hook may hold locks. */
static void on_process_exit(void)
{
    if (!xr_thread.hooks_running)
        leave_all(&process_exit);
}

void xr_leave_set_up(void)
{
    static const struct xr_thread_hooks hooks = { .exit = on_thread_exit };

    xr_thread_register(&hooks);
    (void)atexit(on_process_exit);
}
