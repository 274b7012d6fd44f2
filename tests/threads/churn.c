/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of short threads: what they took is used again, so that memory stays bounded. */
#include "stress.h"

#define AT_ONCE 8
#define ROUNDS  500

static atomic_ulong allocated;

static void *allocate(void *data, size_t size)
{
    (void)data;
    atomic_fetch_add(&allocated, size);
    return malloc(size);
}

static void release(void *data, void *memory, size_t size)
{
    (void)data;
    atomic_fetch_sub(&allocated, size);
    free(memory);
}

static xray_recorder *recorder;
static xray_segment *handed_over[AT_ONCE];

static void *record_a_little(void *number)
{
    xray_segment *a = xray_begin_segment("a");

    xray_end(xray_begin_subsegment("b"));
    xray_annotate(a, "thread", (long)number);
    xray_end(a);
    return NULL;
}

static void *leave_open(void *number)
{
    xray_begin_segment("a");
    for (int i = 0; i < 30; i++)
        xray_begin_subsegment("b");
    return number;
}

static void *only_end(void *number)
{
    xray_end(handed_over[(long)number]);
    return NULL;
}

static void end_what_others_began(void)
{
    for (int i = 0; i < AT_ONCE; i++) {
        handed_over[i] = xray_start_segment(recorder, NULL);
        xray_detach(handed_over[i]);
    }
    run_threads(AT_ONCE, only_end);
}

static void record_in_threads(void)
{
    run_threads(AT_ONCE, record_a_little);
}

static void leave_open_in_threads(void)
{
    run_threads(AT_ONCE, leave_open);
}

/* Whether the second half of the rounds takes no more than one round might. */
static bool bounded(void (*round)(void))
{
    unsigned long half;

    for (int i = 0; i < ROUNDS / 2; i++)
        round();
    half = allocated;
    for (int i = 0; i < ROUNDS / 2; i++)
        round();
    printf("# %lu KiB, then %lu KiB\n", half / 1024, allocated / 1024);
    /* How many threads were there at once varies, and with it how much they took. */
    return allocated <= half + 1024 * 1024;
}

int main(void)
{
    xray_allocator allocator = { .size = sizeof(allocator),
                                 .allocate = allocate,
                                 .release = release };
    uint64_t begun;

    if (xray_set_allocator(&allocator) < 0)
        return 99;
    recorder = make_recorder(1);
    xray_recorder_set_default(recorder);
    expect(bounded(record_in_threads), "threads that record a little take no more and more");
    begun = AT_ONCE * ROUNDS * 2;
    expect(balanced(recorder, begun, AT_ONCE * ROUNDS), "and all is counted");
    expect(bounded(end_what_others_began), "nor threads that only end what others began");
    begun += AT_ONCE * ROUNDS;
    expect(balanced(recorder, begun, AT_ONCE * ROUNDS * 2), "and all is counted");
    expect(bounded(leave_open_in_threads), "nor threads that leave much open");
    begun += AT_ONCE * ROUNDS * 31;
    expect(balanced(recorder, begun, AT_ONCE * ROUNDS * 3), "and all is counted");
    xray_recorder_set_default(NULL);
    xray_recorder_free(recorder);
    return report();
}
