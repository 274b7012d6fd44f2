/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"

static const struct {
    size_t bytes;
    size_t keep;
    size_t slab; /* blocks made at a time */
} classes[XR_POOL_CLASSES] = {
    [XR_POOL_SEGMENT] = { XR_POOL_SEGMENT_BYTES, 128, 15 },
    [XR_POOL_4K] = { 4096, 64, 4 },
    [XR_POOL_16K] = { 16384, 16, 1 },
    [XR_POOL_64K] = { 65536, 8, 1 },
};

static struct xr_pool_block *shared[XR_POOL_CLASSES];
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;

static void push(struct xr_pool_block **list, struct xr_pool_block *block)
{
    block->next = *list;
    *list = block;
}

/* Returns how many there were, at most count. */
static size_t move(struct xr_pool_block **to, struct xr_pool_block **from, size_t count)
{
    size_t moved = 0;

    for (; moved < count && *from; moved++) {
        struct xr_pool_block *block = *from;

        *from = block->next;
        push(to, block);
    }
    return moved;
}

/* Without places: who comes again enters again. */
static void give_back_all(void)
{
    pthread_mutex_lock(&shared_lock);
    for (int class = 0; class < XR_POOL_CLASSES; class ++) {
        move(&shared[class], &xr_thread.pools[class].first, SIZE_MAX);
        xr_thread.pools[class].places = 0;
    }
    pthread_mutex_unlock(&shared_lock);
}

static void lock(void)
{
    pthread_mutex_lock(&shared_lock);
}

static void unlock(void)
{
    pthread_mutex_unlock(&shared_lock);
}

void xr_pool_set_up(void)
{
    static const struct xr_thread_hooks hooks = {
        .exit = give_back_all,
        .fork_prepare = lock,
        .fork_parent = unlock,
        .fork_child = unlock,
    };

    xr_thread_register(&hooks);
}

/* Those of segments: they are never freed, and tools that look for leaks should find them. */
struct slab {
    struct slab *next;
};

static _Atomic(struct slab *) slabs;

static void list(struct slab *slab)
{
    slab->next = atomic_load(&slabs);
    while (!atomic_compare_exchange_weak(&slabs, &slab->next, slab))
        ;
}

/* Segments must be aligned to their size: a slab has room for that, of which some is in front. */
static void make(enum xr_pool_class class)
{
    struct xr_pool_list *mine = &xr_thread.pools[class];
    size_t bytes = classes[class].bytes;
    size_t slab = classes[class].slab * bytes + (class == XR_POOL_SEGMENT ? bytes : 0);
    char *memory = xr_alloc(slab);

    if (!memory)
        return;
    if (class == XR_POOL_SEGMENT) {
        memset(memory, 0, slab);
        list((struct slab *)(void *)memory);
        memory += bytes - (uintptr_t)memory % bytes;
    }
    for (size_t i = classes[class].slab; i-- > 0;)
        push(&mine->first, (struct xr_pool_block *)(memory + i * bytes));
    mine->places -= classes[class].slab;
}

void *xr_pool_get_slow(enum xr_pool_class class)
{
    struct xr_pool_list *mine = &xr_thread.pools[class];
    size_t keep = classes[class].keep;

    xr_thread_enter();
    lock();
    mine->places = keep - move(&mine->first, &shared[class], keep / 2);
    unlock();
    if (!mine->first)
        make(class);
    return mine->first ? xr_pool_get(class) : NULL;
}

void xr_pool_make_place(enum xr_pool_class class)
{
    struct xr_pool_list *mine = &xr_thread.pools[class];
    size_t keep = classes[class].keep;

    xr_thread_enter();
    /* Nothing is kept, so far. */
    if (!mine->first) {
        mine->places = keep;
        return;
    }
    lock();
    mine->places = move(&shared[class], &mine->first, keep / 2);
    unlock();
}

size_t xr_pool_bytes(enum xr_pool_class class)
{
    return classes[class].bytes;
}
