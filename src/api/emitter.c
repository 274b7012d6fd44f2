/* SPDX-License-Identifier: Apache-2.0 */
/* xraytrace/emitter.h and the version. */
#include <errno.h>

#include "emit/emit.h"

#define STRINGIFY_(text) #text
#define STRINGIFY(text)  STRINGIFY_(text)

const char *xray_version(void)
{
    return STRINGIFY(XRAY_VERSION_MAJOR) "." STRINGIFY(XRAY_VERSION_MINOR) "." STRINGIFY(
        XRAY_VERSION_PATCH);
}

int xray_emitter_udp(xray_emitter *ret, const char *address)
{
    return ret ? xr_emitter_udp(ret, address) : -EINVAL;
}

int xray_emitter_stream(xray_emitter *ret, FILE *stream)
{
    return ret ? xr_emitter_stream(ret, stream) : -EINVAL;
}
