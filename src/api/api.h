/* SPDX-License-Identifier: Apache-2.0 */
/* What the public functions share. */
#ifndef XR_API_API_H
#define XR_API_API_H

#include <stdbool.h>
#include <string.h>

/*
 * Copies a caller's struct into one that this library knows: what the caller
 * does not have is zero, what this library does not know is left out. True when
 * something was.
 */
static inline bool xr_params_copy(void *ret, size_t known, const void *params)
{
    const unsigned char *bytes = params;
    size_t size = 0;

    memset(ret, 0, known);
    if (params)
        memcpy(&size, params, sizeof(size));
    if (size > 0)
        memcpy(ret, params, size < known ? size : known);
    for (size_t i = known; i < size; i++)
        if (bytes[i] != 0)
            return true;
    return false;
}

#endif /* XR_API_API_H */
