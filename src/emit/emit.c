/* SPDX-License-Identifier: Apache-2.0 */
#include "emit/emit.h"

#include <errno.h>
#include <string.h>

int xr_emitter_copy(xray_emitter *ret, const xray_emitter *given)
{
    const unsigned char *bytes = (const unsigned char *)given;
    size_t size = given->size;

    if (size < sizeof(size))
        return -EINVAL;
    for (size_t i = sizeof(*ret); i < size; i++)
        if (bytes[i] != 0)
            return -E2BIG;
    memset(ret, 0, sizeof(*ret));
    memcpy(ret, given, size < sizeof(*ret) ? size : sizeof(*ret));
    return 0;
}

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
