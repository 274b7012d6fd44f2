/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"

struct block {
    struct block *next;
};

struct list {
    struct block *first;
    size_t count;
};

/* A thread keeps at most this many: half of them go when one is over. */
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

static _Thread_local struct list mine[XR_POOL_CLASSES];
static struct list shared[XR_POOL_CLASSES];
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;

static void push(struct list *list, struct block *block)
{
    block->next = list->first;
    list->first = block;
    list->count++;
}

static struct block *pop(struct list *list)
{
    struct block *block = list->first;

    list->first = block->next;
    list->count--;
    return block;
}

static void move(struct list *to, struct list *from, size_t count)
{
    while (count-- > 0 && from->first)
        push(to, pop(from));
}

static void give_back_all(void)
{
    pthread_mutex_lock(&shared_lock);
    for (int class = 0; class < XR_POOL_CLASSES; class ++)
        move(&shared[class], &mine[class], SIZE_MAX);
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

/* Segments must be aligned to their size; a slab has room for that, and is never freed. */
static void make(enum xr_pool_class class)
{
    size_t bytes = classes[class].bytes;
    size_t slab = classes[class].slab * bytes + (class == XR_POOL_SEGMENT ? bytes : 0);
    char *memory = xr_alloc(slab);
    uintptr_t past;

    if (!memory)
        return;
    if (class == XR_POOL_SEGMENT) {
        memset(memory, 0, slab);
        past = (uintptr_t)memory % bytes;
        memory += past ? bytes - past : 0;
    }
    for (size_t i = classes[class].slab; i-- > 0;)
        push(&mine[class], (struct block *)(memory + i * bytes));
}

static void *get_slow(enum xr_pool_class class)
{
    xr_thread_enter();
    lock();
    move(&mine[class], &shared[class], classes[class].keep / 2);
    unlock();
    if (!mine[class].first)
        make(class);
    return mine[class].first ? pop(&mine[class]) : NULL;
}

size_t xr_pool_bytes(enum xr_pool_class class)
{
    return classes[class].bytes;
}

void *xr_pool_get(enum xr_pool_class class)
{
    if (__builtin_expect(mine[class].first != NULL, 1))
        return pop(&mine[class]);
    return get_slow(class);
}

void xr_pool_put(enum xr_pool_class class, void *block)
{
    struct list *list = &mine[class];

    push(list, block);
    if (__builtin_expect(list->count > classes[class].keep, 0)) {
        xr_thread_enter();
        lock();
        move(&shared[class], list, classes[class].keep / 2);
        unlock();
    }
}
