/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hook.h"

#include <string.h>

int xr_hook_copy(void *ret, const void *hook, size_t known)
{
    const unsigned char *bytes = hook;
    size_t size;

    memcpy(&size, hook, sizeof(size));
    if (size < sizeof(size))
        return -EINVAL;
    for (size_t i = known; i < size; i++)
        if (bytes[i] != 0)
            return -E2BIG;
    memset(ret, 0, known);
    memcpy(ret, hook, size < known ? size : known);
    return 0;
}
