/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/hook.h"

static void *default_allocate(void *data, size_t bytes)
{
    (void)data;
    return malloc(bytes);
}

static void default_release(void *data, void *memory, size_t bytes)
{
    (void)data;
    (void)bytes;
    free(memory);
}

static struct xr_allocator allocator = { NULL, default_allocate, default_release };
static atomic_bool in_use;

bool xr_alloc_set(const struct xr_allocator *replacement)
{
    if (atomic_load(&in_use))
        return false;
    allocator = *replacement;
    return true;
}

void *xr_alloc(size_t bytes)
{
    struct xr_hook_call call = xr_hook_enter();
    void *memory;

    if (!atomic_load_explicit(&in_use, memory_order_relaxed))
        atomic_store(&in_use, true);
    memory = allocator.allocate(allocator.data, bytes);
    xr_hook_leave(call);
    return memory;
}

void *xr_alloc_zero(size_t bytes)
{
    void *memory = xr_alloc(bytes);

    if (memory)
        memset(memory, 0, bytes);
    return memory;
}

void xr_free(void *memory, size_t bytes)
{
    struct xr_hook_call call;

    if (!memory)
        return;
    call = xr_hook_enter();
    allocator.release(allocator.data, memory, bytes);
    xr_hook_leave(call);
}
