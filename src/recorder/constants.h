/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON that all segments of a recorder have in common, which is written once. */
#ifndef XR_RECORDER_CONSTANTS_H
#define XR_RECORDER_CONSTANTS_H

#include "recorder/recorder.h"
#include "recorder/settings.h"

/* Fills in constants, origin, resource_arn and text; 0 or -ENOMEM. */
int xr_constants_write(xray_recorder *recorder, const struct xr_settings *settings);

#endif /* XR_RECORDER_CONSTANTS_H */
