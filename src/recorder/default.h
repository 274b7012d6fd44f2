/* SPDX-License-Identifier: Apache-2.0 */
/* The recorder that is used when none is named. */
#ifndef XR_RECORDER_DEFAULT_H
#define XR_RECORDER_DEFAULT_H

#include "recorder/recorder.h"

extern _Atomic(xray_recorder *) xr_default_lent;
extern _Atomic(xray_recorder *) xr_default_own;

xray_recorder *xr_default_make(void);

/* As xray_recorder_give_default(). */
int xr_default_give(xray_recorder *recorder);

/* NULL before the first use. */
static inline xray_recorder *xr_default_if_made(void)
{
    xray_recorder *recorder = atomic_load_explicit(&xr_default_lent, memory_order_acquire);

    return recorder ? recorder : atomic_load_explicit(&xr_default_own, memory_order_acquire);
}

static inline xray_recorder *xr_default(void)
{
    xray_recorder *recorder = xr_default_if_made();

    return __builtin_expect(recorder != NULL, 1) ? recorder : xr_default_make();
}

#endif /* XR_RECORDER_DEFAULT_H */
