/* SPDX-License-Identifier: Apache-2.0 */
/* Structs that begin with their size. */
#include "params.h"

#include <errno.h>
#include <string.h>

static size_t size_of(const void *given)
{
    size_t size;

    memcpy(&size, given, sizeof(size));
    return size;
}

int xr_curl_params_read(void *ret, size_t known, const void *given)
{
    size_t size = size_of(given);
    const char *bytes = given;

    memset(ret, 0, known);
    if (size < sizeof(size))
        return -EINVAL;
    memcpy(ret, given, size < known ? size : known);
    memcpy(ret, &known, sizeof(known));
    for (size_t i = known; i < size; i++)
        if (bytes[i])
            return -E2BIG;
    return 0;
}

void xr_curl_params_write(void *given, const void *result, size_t known)
{
    size_t size = size_of(given), copied = size < known ? size : known;

    if (copied > sizeof(size))
        memcpy((char *)given + sizeof(size), (const char *)result + sizeof(size),
               copied - sizeof(size));
}
