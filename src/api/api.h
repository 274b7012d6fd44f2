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

/*
 * The same without a copy when the caller's struct is as this library knows it.
 * copy is where it goes otherwise; *ret_more says whether something was left out.
 */
static inline const void *xr_params_view(void *copy, size_t known, const void *params,
                                         bool *ret_more)
{
    size_t size = 0;

    *ret_more = false;
    if (params)
        memcpy(&size, params, sizeof(size));
    if (__builtin_expect(size == known, 1))
        return params;
    *ret_more = xr_params_copy(copy, known, params);
    return copy;
}

#endif /* XR_API_API_H */
