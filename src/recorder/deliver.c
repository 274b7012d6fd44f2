/* SPDX-License-Identifier: Apache-2.0 */
/* From a finished document to the emitter: forks, hooks, and what is said of failures. */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "recorder/recorder.h"

/* The child may have started threads before: one tells the hooks, and the others wait for it. */
void xr_recorder_after_fork(xray_recorder *recorder)
{
    uint32_t prepared = atomic_load(&recorder->fork_prepared);

    if (xr_hooks_running)
        return;
    if (prepared == xr_fork_generation ||
        !atomic_compare_exchange_strong(&recorder->fork_prepared, &prepared, xr_fork_generation)) {
        while (atomic_load(&recorder->fork_generation) != xr_fork_generation)
            sched_yield();
        return;
    }
    xr_hooks_running++;
    if (recorder->sampler.after_fork)
        recorder->sampler.after_fork(recorder->sampler.data);
    if (recorder->emitter.after_fork)
        recorder->emitter.after_fork(recorder->emitter.data);
    xr_hooks_running--;
    atomic_store(&recorder->fork_generation, xr_fork_generation);
}

static enum xr_complaint complaint_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return XR_COMPLAINT_REFUSED;
    case EMSGSIZE:
        return XR_COMPLAINT_TOO_LARGE;
    case EAGAIN:
    case ENOBUFS:
        return XR_COMPLAINT_BUSY;
    default:
        return XR_COMPLAINT_OTHER;
    }
}

static const char *remedy_of(enum xr_complaint complaint)
{
    switch (complaint) {
    case XR_COMPLAINT_REFUSED:
        return "nobody listens at the daemon address; start a daemon or xraytrace-local, or set "
               "AWS_XRAY_SDK_DISABLED=true";
    case XR_COMPLAINT_TOO_LARGE:
        return "the emitter takes no documents of this size";
    case XR_COMPLAINT_BUSY:
        return "the send buffer is full; sample less, or use an emitter with a queue";
    default:
        return "see the emitter";
    }
}

int xr_recorder_emit(xray_recorder *recorder, const xray_document *document)
{
    enum xr_complaint complaint;
    int saved = errno, r;

    xr_recorder_check_fork(recorder);
    xr_hooks_running++;
    r = recorder->emitter.emit(recorder->emitter.data, document);
    xr_hooks_running--;
    /* Who ends a segment between a failed call and looking at errno still finds it. */
    errno = saved;
    if (__builtin_expect(r >= 0, 1))
        return 0;
    complaint = complaint_of(-r);
    if (xr_recorder_may_complain(recorder, complaint))
        xr_log(&recorder->logger, XR_LOG_WARNING, "a segment was not sent: %s; %s", strerror(-r),
               remedy_of(complaint));
    return r;
}

int xr_recorder_flush(xray_recorder *recorder, int timeout_ms)
{
    int r;

    if (!recorder->emitter.flush)
        return 0;
    xr_recorder_check_fork(recorder);
    xr_hooks_running++;
    r = recorder->emitter.flush(recorder->emitter.data, timeout_ms);
    xr_hooks_running--;
    return r;
}
