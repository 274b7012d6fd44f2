/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many short segments in constant memory: memory [COUNT]. And a child that is
 * never ended keeps its own block, but nothing of the tree it was in.
 */
#include "../threads/stress.h"

#include <string.h>
#include <sys/resource.h>

#define DEFAULT_COUNT 1000000
#define WARM_UP       20000
#define TREES         1000
#define BLOCK         (2 * 2048) /* of a segment that stays open, with what its slab leaves unused */

static atomic_ulong held, taken;

static void *allocate(void *data, size_t size)
{
    (void)data;
    atomic_fetch_add(&held, size);
    atomic_fetch_add(&taken, 1);
    return malloc(size);
}

static void release(void *data, void *memory, size_t size)
{
    (void)data;
    atomic_fetch_sub(&held, size);
    free(memory);
}

static long resident_kib(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : -1;
}

/* Short ones of all kinds: alone, nested, with a header, unsampled, with some text. */
static void record_short(xray_recorder *recorder, long i)
{
    static const char text[5000] = { [0 ... 4998] = 'x' };
    xray_trace_header no = { .sampled = XRAY_SAMPLED_NO }, header;
    xray_segment *segment = xray_begin_segment("short"), *late;

    switch (i % 32) {
    case 0:
        xray_end(xray_begin_subsegment("inside"));
        break;
    case 1:
        xray_end(xray_start_segment(recorder, xray_segment_params(.header = &no)));
        break;
    case 2:
        xray_add_metadata(segment, NULL, "text", text);
        break;
    case 3:
        xray_get_header(segment, &header);
        xray_end(xray_resume(recorder, &header, "resumed"));
        break;
    case 4:
        late = xray_begin_subsegment("late");
        xray_end(segment);
        xray_end(late);
        return;
    default:
        xray_annotate(segment, "number", i);
        break;
    }
    xray_end(segment);
}

static void expect_constant(xray_recorder *recorder, long count)
{
    unsigned long held_before, taken_before;
    long resident_before;

    for (long i = 0; i < WARM_UP; i++)
        record_short(recorder, i);
    held_before = held;
    taken_before = taken;
    resident_before = resident_kib();
    for (long i = 0; i < count; i++)
        record_short(recorder, i);
    printf("# %ld segments: %lu KiB held, then %lu KiB; at most %ld KiB resident, then %ld KiB\n",
           count, held_before / 1024, held / 1024, resident_before, resident_kib());
    expect(taken == taken_before && held == held_before, "short segments take no memory");
    expect(resident_kib() <= resident_before + 1024, "nor does the process");
}

/* A tree of 100 KiB and more, which ends but for one child. */
static xray_segment *leave_one_open(xray_recorder *recorder)
{
    static const char text[20000] = { [0 ... 19998] = 'x' };
    xray_segment *root = xray_start_segment(recorder, NULL), *forgotten;

    for (int i = 0; i < 5; i++) {
        xray_segment *child = xray_start_subsegment(root, "child");

        xray_add_metadata(child, NULL, "text", text);
        xray_end(child);
    }
    xray_add_metadata(root, NULL, "text", text);
    forgotten = xray_start_subsegment(root, "never ended");
    xray_end(root);
    return forgotten;
}

static void expect_unpinned(xray_recorder *recorder)
{
    static xray_segment *forgotten[TREES];
    unsigned long before, after;

    for (int i = 0; i < 10; i++)
        xray_end(leave_one_open(recorder));
    before = held;
    for (int i = 0; i < TREES; i++)
        forgotten[i] = leave_one_open(recorder);
    after = held;
    printf("# %d trees with one open child each: %lu bytes for each\n", TREES,
           (after - before) / TREES);
    expect(after - before <= TREES * BLOCK, "a child that never ends keeps nothing but itself");
    for (int i = 0; i < TREES; i++)
        xray_end(forgotten[i]);
    before = held;
    for (int i = 0; i < TREES; i++)
        forgotten[i] = leave_one_open(recorder);
    expect(held == before, "and what it kept is used again once it has ended");
    for (int i = 0; i < TREES; i++)
        xray_end(forgotten[i]);
}

int main(int argc, char **argv)
{
    xray_allocator allocator = { .size = sizeof(allocator),
                                 .allocate = allocate,
                                 .release = release };
    xray_recorder *recorder;
    xray_stats stats = { .size = sizeof(stats) };

    if (xray_set_allocator(&allocator) < 0)
        return 99;
    recorder = make_recorder(1);
    xray_recorder_set_default(recorder);
    expect_constant(recorder, argc > 1 ? atol(argv[1]) : DEFAULT_COUNT);
    expect_unpinned(recorder);
    xray_recorder_get_stats(recorder, &stats);
    expect(stats.sampled == stats.embedded + stats.emitted + stats.failed + stats.dropped &&
               stats.failed == 0 && stats.dropped == 0,
           "and nothing is lost");
    xray_recorder_set_default(NULL);
    xray_recorder_free(recorder);
    return report();
}
