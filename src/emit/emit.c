/* SPDX-License-Identifier: Apache-2.0 */
#include "emit/emit.h"

#include <errno.h>
#include <string.h>

int xr_emitter_return(xray_emitter *ret, const xray_emitter *made)
{
    size_t size = ret->size;

    if (size < XR_EMITTER_LEAST)
        return -EINVAL;
    memset(ret, 0, size);
    memcpy(ret, made, size < sizeof(*made) ? size : sizeof(*made));
    ret->size = size;
    return 0;
}
