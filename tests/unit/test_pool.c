/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks that are recycled within a thread and between threads. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "recorder/library.h"
#include "recorder/recorder.h"

static size_t allocated;

static void *count_and_allocate(void *data, size_t bytes)
{
    (void)data;
    allocated += bytes;
    return malloc(bytes);
}

static void *allocate_nothing(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return NULL;
}

static void release(void *data, void *memory, size_t bytes)
{
    (void)data;
    (void)bytes;
    free(memory);
}

static void set_up(void)
{
    static const struct xr_allocator counting = { NULL, count_and_allocate, release };

    xr_alloc_set(&counting);
    xr_library_enter();
}

/* What was taken, to be given back: nothing may be lost, not even by a test. */
static struct {
    enum xr_pool_class class;
    void *block;
} taken[4096];
static size_t taken_count;

static void *get(enum xr_pool_class class)
{
    void *block = xr_pool_get(class);

    cr_assert(block);
    taken[taken_count].class = class;
    taken[taken_count++].block = block;
    return block;
}

static void put_all(void)
{
    while (taken_count-- > 0)
        xr_pool_put(taken[taken_count].class, taken[taken_count].block);
    taken_count = 0;
}

TestSuite(pool, .init = set_up, .fini = put_all);

Test(pool, gives_segments_that_are_aligned_to_their_size_and_zero)
{
    for (int i = 0; i < 100; i++) {
        unsigned char *block = get(XR_POOL_SEGMENT);

        cr_assert_eq((uintptr_t)block % XR_POOL_SEGMENT_BYTES, 0);
        for (size_t j = sizeof(void *); j < XR_POOL_SEGMENT_BYTES; j++)
            cr_assert_eq(block[j], 0);
    }
}

Test(pool, gives_back_what_was_put_last)
{
    void *block = get(XR_POOL_4K);

    put_all();
    cr_assert_eq(get(XR_POOL_4K), block);
}

Test(pool, gives_no_block_twice)
{
    void *blocks[1000];

    for (int i = 0; i < 1000; i++) {
        blocks[i] = get(XR_POOL_SEGMENT);
        for (int j = 0; j < i; j++)
            cr_assert_neq(blocks[i], blocks[j]);
    }
    put_all();
    for (int i = 0; i < 1000; i++) {
        blocks[i] = get(XR_POOL_SEGMENT);
        for (int j = 0; j < i; j++)
            cr_assert_neq(blocks[i], blocks[j]);
    }
}

Test(pool, has_blocks_as_large_as_it_says)
{
    for (int class = 0; class < XR_POOL_CLASSES; class ++) {
        size_t bytes = xr_pool_bytes((enum xr_pool_class) class);

        for (int i = 0; i < 20; i++)
            memset(get((enum xr_pool_class) class), 0xFF, bytes);
    }
}

Test(pool, keeps_what_stands_behind_the_first_word_of_a_block)
{
    char *block = get(XR_POOL_SEGMENT);

    memset(block, 7, XR_POOL_SEGMENT_BYTES);
    put_all();
    for (size_t i = sizeof(void *); i < XR_POOL_SEGMENT_BYTES; i++)
        cr_assert_eq(block[i], 7);
}

static void *take_many(void *unused)
{
    void *blocks[500];

    for (int i = 0; i < 500; i++)
        blocks[i] = xr_pool_get(XR_POOL_4K);
    for (int i = 0; i < 500; i++)
        xr_pool_put(XR_POOL_4K, blocks[i]);
    return unused;
}

static void run(void *(*function)(void *), void *data)
{
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, function, data), 0);
    pthread_join(thread, NULL);
}

Test(pool, gives_the_blocks_of_a_thread_that_ended_to_others)
{
    size_t first;

    run(take_many, NULL);
    first = allocated;
    cr_assert_gt(first, 0);
    for (int i = 0; i < 50; i++)
        run(take_many, NULL);
    cr_assert_eq(allocated, first);
}

static void *put_there(void *block)
{
    xr_pool_put(XR_POOL_16K, block);
    return NULL;
}

Test(pool, takes_back_what_a_new_thread_puts)
{
    size_t first;

    run(put_there, xr_pool_get(XR_POOL_16K));
    first = allocated;
    for (int i = 0; i < 50; i++)
        run(put_there, xr_pool_get(XR_POOL_16K));
    cr_assert_eq(allocated, first);
}

Test(pool, that_gets_no_memory_gives_none)
{
    /* In place of the suite's, as long as nothing was taken. */
    static const struct xr_allocator nothing = { NULL, allocate_nothing, release };

    cr_assert(xr_alloc_set(&nothing));
    for (int class = 0; class < XR_POOL_CLASSES; class ++)
        cr_assert_null(xr_pool_get((enum xr_pool_class) class));
}
