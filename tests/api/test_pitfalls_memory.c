/* SPDX-License-Identifier: Apache-2.0 */
/* What ends is given back, however often, and what never ends keeps nothing but itself. */
#include "support.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Sanitizers take ten times as long. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SEGMENTS 1000000
#else
#define SEGMENTS 10000000
#endif

#define BLOCK (64 * 1024) /* more than one segment takes by itself */

static _Atomic size_t live_bytes, checked_documents;
static _Atomic unsigned turn;

static void *allocate(void *data, size_t bytes)
{
    (void)data;
    live_bytes += bytes;
    return malloc(bytes);
}

static void release(void *data, void *memory, size_t bytes)
{
    (void)data;
    live_bytes -= bytes;
    free(memory);
}

/* One document of a thousand is looked at: to read all would take most of the time. */
static int emit_some(void *data, const xray_document *document)
{
    (void)data;
    if (turn++ % 1000 == 0) {
        check_document(document);
        checked_documents++;
    }
    return 0;
}

static void count_and_record(void)
{
    static const xray_allocator allocator = { .size = sizeof(allocator),
                                              .allocate = allocate,
                                              .release = release };
    static const xray_emitter emitter = { .size = sizeof(emitter), .emit = emit_some };

    cr_assert_eq(xray_set_allocator(&allocator), 0);
    cr_assert_eq(xray_recorder_new(
                     &recorder, xray_recorder_params(.flags = XRAY_RECORDER_NO_ENVIRONMENT,
                                                     .emitter = &emitter, .sampler = &sampler_yes)),
                 0);
    xray_recorder_set_default(recorder);
}

TestSuite(pitfall, .init = count_and_record, .timeout = 600);

static void one_short_trace(void)
{
    xray_segment *a = xray_begin_segment("a");

    xray_annotate(a, "key", 1);
    xray_end(xray_begin_subsegment("b"));
    xray_end(a);
}

Test(pitfall, of_memory_that_grows_with_every_trace)
{
    size_t before;

    for (int i = 0; i < 1000; i++)
        one_short_trace();
    before = live_bytes;
    for (int i = 0; i < SEGMENTS / 2; i++)
        one_short_trace();
    cr_expect_eq(live_bytes, before);
    cr_expect_gt(checked_documents, SEGMENTS / 2 / 1000);
    settle();
}

/* A large trace with a child that nobody ends. */
static xray_segment *leave_a_child(const char *text)
{
    xray_segment *a = xray_begin_segment("a"), *never;

    for (int i = 0; i < 3; i++) {
        xray_segment *b = xray_begin_subsegment("b");

        xray_add_metadata(b, NULL, "text", text);
        xray_end(b);
    }
    never = xray_start_subsegment(a, "never ended");
    xray_add_metadata(a, NULL, "text", text);
    xray_end(a);
    return never;
}

Test(pitfall, of_a_child_that_never_ends_and_keeps_its_tree)
{
    static char text[9001];
    static xray_segment *never[2000];
    size_t before, each;
    xray_stats stats;

    memset(text, 'x', sizeof(text) - 1);
    for (int i = 0; i < 1000; i++)
        never[i] = leave_a_child(text);
    before = live_bytes;
    for (int i = 1000; i < 2000; i++)
        never[i] = leave_a_child(text);
    each = (live_bytes - before) / 1000;
    cr_expect_lt(each, 4096, "%zu bytes for each that is open: there are 36 KiB around it", each);
    for (int i = 0; i < 2000; i++)
        xray_end(never[i]);
    before = live_bytes;
    for (int i = 0; i < 2000; i++)
        never[i] = leave_a_child(text);
    cr_expect_leq(live_bytes, before + BLOCK, "what they took is used again");
    for (int i = 0; i < 2000; i++)
        xray_end(never[i]);
    stats = stats_of(recorder);
    cr_expect_eq(stats.sampled, 5 * 4000u);
    settle();
}
