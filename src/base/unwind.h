/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that led here, where the C library can tell them; elsewhere there are none. */
#ifndef XR_BASE_UNWIND_H
#define XR_BASE_UNWIND_H

#include <stddef.h>
#include <stdint.h>

/* Before 2.34, glibc has the one half of it in a library of its own. */
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
#define XR_HAVE_UNWIND 1
#else
#define XR_HAVE_UNWIND 0
#endif

#define XR_UNWIND_MAX 32

/* A call: it holds no memory of its own, and is good until the object is unloaded. */
struct xr_call {
    const char *object;   /* path of the program or library */
    const char *function; /* when the object exports its name; else NULL */
    uintptr_t address;    /* of the call within the object, as addr2line -e object takes it */
};

/*
 * The calls from the one that returns to return_address outwards; all of them
 * when none does. Returns how many; *ret_left_out is how many more there were,
 * of those that are looked at. Leaves errno alone.
 *
 * Tens of microseconds, and milliseconds the first time, when the C library
 * loads its unwinder. Not for signal handlers.
 */
size_t xr_unwind(struct xr_call ret[XR_UNWIND_MAX], const void *return_address,
                 size_t *ret_left_out);

#endif /* XR_BASE_UNWIND_H */
