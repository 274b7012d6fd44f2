/* SPDX-License-Identifier: Apache-2.0 */
/* xraytrace/emitter.h. */
#include <errno.h>

#include "emit/emit.h"

int xray_emitter_udp(xray_emitter *ret, const char *address)
{
    return ret ? xr_emitter_udp(ret, address) : -EINVAL;
}

int xray_emitter_queue(xray_emitter *ret, const xray_emitter *inner, size_t capacity)
{
    return ret && inner ? xr_emitter_queue(ret, inner, capacity) : -EINVAL;
}

int xray_emitter_stream(xray_emitter *ret, FILE *stream)
{
    return ret ? xr_emitter_stream(ret, stream) : -EINVAL;
}
