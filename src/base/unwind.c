/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glibc's own means: backtrace() finds the calls, dladdr1() where they are. It
 * loads the compiler's unwinder at its first use, so nobody else pays for it.
 */
#include "base/unwind.h"

#if XR_HAVE_UNWIND

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <stdbool.h>

#define LOOKED_AT_MAX 128

/* False for an address that is in no object, as code that was generated is. */
static bool locate(struct xr_call *ret, void *address)
{
    /* What returns here is the instruction before. */
    const char *call = (const char *)address - 1;
    struct link_map *map = NULL;
    Dl_info info;

    if (!dladdr1(call, &info, (void **)&map, RTLD_DL_LINKMAP) || !map)
        return false;
    ret->object = info.dli_fname;
    ret->function = info.dli_sname;
    ret->address = (uintptr_t)call - map->l_addr;
    return true;
}

size_t xr_unwind(struct xr_call ret[XR_UNWIND_MAX], const void *return_address,
                 size_t *ret_left_out)
{
    void *addresses[LOOKED_AT_MAX];
    int saved = errno;
    int count = backtrace(addresses, LOOKED_AT_MAX), first = 0;
    size_t calls = 0;

    for (int i = 0; i < count; i++)
        if (addresses[i] == return_address) {
            first = i;
            break;
        }
    *ret_left_out = 0;
    for (int i = first; i < count; i++) {
        if (calls == XR_UNWIND_MAX)
            ++*ret_left_out;
        else
            calls += locate(&ret[calls], addresses[i]);
    }
    errno = saved;
    return calls;
}

#else

size_t xr_unwind(struct xr_call ret[XR_UNWIND_MAX], const void *return_address,
                 size_t *ret_left_out)
{
    (void)ret;
    (void)return_address;
    *ret_left_out = 0;
    return 0;
}

#endif
