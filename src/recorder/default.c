/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/default.h"

#include <errno.h>
#include <string.h>

#include "recorder/library.h"

_Atomic(xray_recorder *) xr_default_lent;
_Atomic(xray_recorder *) xr_default_own;

/* Threads may race to make it: all but one take theirs back. */
xray_recorder *xr_default_make(void)
{
    static _Thread_local bool making;
    xray_recorder *expected = NULL;
    xray_recorder *made = NULL;
    int saved = errno, r;

    /* An allocator that begins a segment asks for what is just being made. */
    if (making)
        return NULL;
    xr_library_enter();
    making = true;
    r = xr_recorder_new(&made, NULL);
    making = false;
    errno = saved;
    if (r < 0 && r != -ENOMEM) {
        xr_log(&xr_log_stderr, XR_LOG_ERROR, "tracing is off: %s", strerror(-r));
        made = xr_recorder_new_disabled();
    }
    if (!made)
        return NULL;
    made->is_librarys_own = true;
    if (atomic_compare_exchange_strong(&xr_default_own, &expected, made))
        return made;
    made->is_librarys_own = false;
    xr_recorder_free(made);
    return expected;
}

int xr_default_give(xray_recorder *recorder)
{
    xray_recorder *expected = NULL;

    if (atomic_load(&xr_default_lent))
        return -EBUSY;
    recorder->is_librarys_own = true;
    if (atomic_compare_exchange_strong(&xr_default_own, &expected, recorder))
        return 0;
    /* Given twice it is there already. */
    recorder->is_librarys_own = expected == recorder;
    return expected == recorder ? 0 : -EBUSY;
}
