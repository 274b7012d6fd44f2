/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks of the user's: how they are taken over, and what surrounds each call.
 * Nothing that a hook begins is recorded, what it does to errno is not seen, and
 * its thread is not cancelled in it, since it may hold locks.
 */
#ifndef XR_BASE_HOOK_H
#define XR_BASE_HOOK_H

#include <errno.h>
#include <pthread.h>
#include <stddef.h>

#include "base/thread.h"

struct xr_hook_call {
    int error;
    int cancel_state;
};

static inline struct xr_hook_call xr_hook_enter(void)
{
    struct xr_hook_call call = { .error = errno };

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &call.cancel_state);
    xr_thread.hooks_running++;
    return call;
}

static inline void xr_hook_leave(struct xr_hook_call call)
{
    xr_thread.hooks_running--;
    pthread_setcancelstate(call.cancel_state, NULL);
    errno = call.error;
}

/* A copy of a struct with its size first, as this library knows it; 0, -EINVAL or -E2BIG. */
int xr_hook_copy(void *ret, const void *hook, size_t known);

#endif /* XR_BASE_HOOK_H */
