/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_RECORDER_VERSION_H
#define XR_RECORDER_VERSION_H

#include <xraytrace/version.h>

#define XR_STRINGIFY_(text) #text
#define XR_STRINGIFY(text)  XR_STRINGIFY_(text)

/* "0.1.0" */
#define XR_VERSION_TEXT              \
    XR_STRINGIFY(XRAY_VERSION_MAJOR) \
    "." XR_STRINGIFY(XRAY_VERSION_MINOR) "." XR_STRINGIFY(XRAY_VERSION_PATCH)

#endif /* XR_RECORDER_VERSION_H */
