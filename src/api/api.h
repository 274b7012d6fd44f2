/* SPDX-License-Identifier: Apache-2.0 */
/* What the public functions share. */
#ifndef XR_API_API_H
#define XR_API_API_H

#include <string.h>

/*
 * Copies a caller's struct into one that this library knows: what the caller
 * does not have is zero, what this library does not know is left out.
 */
static inline void xr_params_copy(void *ret, size_t known, const void *params)
{
    size_t size = 0;

    memset(ret, 0, known);
    if (params)
        memcpy(&size, params, sizeof(size));
    if (size > 0)
        memcpy(ret, params, size < known ? size : known);
}

#endif /* XR_API_API_H */
