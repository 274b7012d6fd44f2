/* SPDX-License-Identifier: Apache-2.0 */
#include <xraytrace/base.h>

#include "recorder/version.h"

const char *xray_version(void)
{
    return XR_VERSION_TEXT;
}
