/* SPDX-License-Identifier: Apache-2.0 */
/* From a finished document to the emitter: forks, hooks, and what is said of failures. */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/hook.h"
#include "recorder/capture.h"
#include "recorder/recorder.h"

/* The child may have started threads before: one tells the hooks, and the others wait for it. */
void xr_recorder_after_fork(xray_recorder *recorder)
{
    uint32_t prepared = atomic_load(&recorder->fork_prepared);
    struct xr_hook_call call;

    if (xr_thread.hooks_running)
        return;
    if (prepared == xr_fork_generation ||
        !atomic_compare_exchange_strong(&recorder->fork_prepared, &prepared, xr_fork_generation)) {
        while (atomic_load(&recorder->fork_generation) != xr_fork_generation)
            sched_yield();
        return;
    }
    xr_capture_after_fork(recorder->capture);
    call = xr_hook_enter();
    if (recorder->sampler.after_fork)
        recorder->sampler.after_fork(recorder->sampler.data);
    if (recorder->emitter.after_fork)
        recorder->emitter.after_fork(recorder->emitter.data);
    xr_hook_leave(call);
    atomic_store(&recorder->fork_generation, xr_fork_generation);
}

static enum xr_failure failure_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return XR_REFUSED;
    case EAGAIN:
        return XR_BUSY;
    case ENOBUFS:
    case ENOMEM:
        return XR_NO_BUFFERS;
    case EMSGSIZE:
        return XR_TOO_LARGE;
    default:
        return XR_OTHER_FAILURE;
    }
}

static const char *remedy_of(enum xr_failure failure)
{
    switch (failure) {
    case XR_REFUSED:
        return "nobody listens at the daemon address; start a daemon or xraytrace-local, or set "
               "AWS_XRAY_SDK_DISABLED=true";
    case XR_BUSY:
        return "the send buffer is full; sample less, or use xray_emitter_queue()";
    case XR_NO_BUFFERS:
        return "the system is out of memory for it; sample less";
    case XR_TOO_LARGE:
        return "the emitter takes no documents of this size";
    default:
        return "see the emitter";
    }
}

static enum xr_counter counter_of(const xray_document *document, enum xr_failure failure)
{
    if (document->flags & XRAY_DOCUMENT_IN_PROGRESS)
        return XR_IN_PROGRESS_FAILED;
    if (document->flags & XRAY_DOCUMENT_CAPTURED)
        return document->flags & XRAY_DOCUMENT_SEGMENT ? XR_CAPTURE_FAILED : XR_CAPTURE_DROPPED;
    return (enum xr_counter)(XR_FAILED_REFUSED + (int)failure);
}

static void count_failure(xray_recorder *recorder, int error, const xray_document *document)
{
    enum xr_failure failure = failure_of(error);

    xr_count(recorder, counter_of(document, failure), 1);
    if (xr_recorder_may_complain(recorder,
                                 (enum xr_complaint)(XR_COMPLAINT_FAILURE + (int)failure)))
        xr_log(&recorder->logger, XR_LOG_WARNING, "a segment was not sent: %s; %s", strerror(error),
               remedy_of(failure));
}

static enum xr_counter sent_counter(const xray_document *document)
{
    if (__builtin_expect(!(document->flags & XRAY_DOCUMENT_CAPTURED), 1))
        return XR_EMITTED;
    return document->flags & XRAY_DOCUMENT_SEGMENT ? XR_CAPTURED_COUNT : XR_CAPTURED_PARTS;
}

void xr_recorder_emit(xray_recorder *recorder, const xray_document *document)
{
    struct xr_hook_call call;
    int r;

    xr_recorder_check_fork(recorder);
    call = xr_hook_enter();
    r = recorder->emitter.emit(recorder->emitter.data, document);
    /* Who ends a segment between a failed call and looking at errno still finds it. */
    xr_hook_leave(call);
    if (document->flags & XRAY_DOCUMENT_IN_PROGRESS)
        xr_count(recorder, XR_IN_PROGRESS, 1);
    else if (r >= 0)
        xr_count(recorder, sent_counter(document), 1);
    if (__builtin_expect(r < 0, 0))
        count_failure(recorder, -r, document);
}

void xr_recorder_get_losses(xray_recorder *recorder, xray_losses *ret)
{
    struct xr_hook_call call;

    memset(ret, 0, sizeof(*ret));
    ret->size = sizeof(*ret);
    if (!recorder->emitter.get_losses)
        return;
    xr_recorder_check_fork(recorder);
    call = xr_hook_enter();
    recorder->emitter.get_losses(recorder->emitter.data, ret);
    xr_hook_leave(call);
}

int xr_recorder_flush(xray_recorder *recorder, int timeout_ms)
{
    struct xr_hook_call call;
    int r;

    if (!recorder->emitter.flush)
        return 0;
    xr_recorder_check_fork(recorder);
    call = xr_hook_enter();
    r = recorder->emitter.flush(recorder->emitter.data, timeout_ms);
    xr_hook_leave(call);
    return r;
}
