/* SPDX-License-Identifier: Apache-2.0 */
/*
 * malloc() and its kin, counted for the whole process: these definitions come
 * before the C library's, for its own calls and for those of libxraytrace too.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

static atomic_ulong seen;

unsigned long allocations_seen(void)
{
    return atomic_load_explicit(&seen, memory_order_relaxed);
}

/* The C library's own call is what must not pass by. */
bool allocations_are_seen(void)
{
    unsigned long before = allocations_seen();

    free(strdup("seen"));
    return allocations_seen() > before;
}

#ifdef __GLIBC__

#define COUNTED __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static void count(void)
{
    atomic_fetch_add_explicit(&seen, 1, memory_order_relaxed);
}

COUNTED void *malloc(size_t size)
{
    count();
    return __libc_malloc(size);
}

COUNTED void *calloc(size_t n, size_t size)
{
    count();
    return __libc_calloc(n, size);
}

COUNTED void *realloc(void *memory, size_t size)
{
    count();
    return __libc_realloc(memory, size);
}

COUNTED void *aligned_alloc(size_t alignment, size_t size)
{
    count();
    return __libc_memalign(alignment, size);
}

COUNTED int posix_memalign(void **ret, size_t alignment, size_t size)
{
    void *memory;

    count();
    memory = __libc_memalign(alignment, size);
    if (!memory)
        return ENOMEM;
    *ret = memory;
    return 0;
}

#endif
