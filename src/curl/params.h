/* SPDX-License-Identifier: Apache-2.0 */
/* Structs that begin with their size: of callers compiled with older and newer headers. */
#ifndef XR_CURL_PARAMS_H
#define XR_CURL_PARAMS_H

#include <stddef.h>

/*
 * Copies a caller's struct into the one known here, with zeros for what the
 * caller's does not have; the caller's begins with its size. Returns 0, -EINVAL
 * without a size, or -E2BIG when what is not known here is not zero (*ret is
 * filled in all the same).
 */
int xr_curl_params_read(void *ret, size_t known, const void *given);

/* Copies as much of a result as the caller's struct holds, and leaves its size alone. */
void xr_curl_params_write(void *given, const void *result, size_t known);

#endif /* XR_CURL_PARAMS_H */
