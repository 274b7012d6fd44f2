/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads on one recorder, and on one tree of segments. */
#include "stress.h"

#define THREADS 16
#define ROUNDS  400

static xray_recorder *recorder;
static xray_segment *root;

/* Each thread has trees of its own. */
static void *record_trees(void *number)
{
    for (int i = 0; i < ROUNDS; i++) {
        xray_segment *a = xray_begin_segment("a");

        for (int j = 0; j < 3; j++) {
            XRAY_SUBSEGMENT("b");
            xray_annotate(xray_current(), "thread", (long)number);
            xray_add_metadata(xray_current(), NULL, "round", i);
        }
        xray_set_http(a, xray_http(.method = "GET", .status = 200));
        xray_end(a);
    }
    return NULL;
}

/* All threads have children of one segment, which is open all the time. */
static void *record_children(void *number)
{
    for (int i = 0; i < ROUNDS; i++) {
        xray_segment *child = xray_start_subsegment(root, "child");
        xray_trace_header header;

        xray_annotate(child, "thread", (long)number);
        xray_get_header(root, &header);
        (void)xray_is_sampled(root);
        xray_attach(child);
        xray_end(xray_begin_subsegment("grandchild"));
        xray_end(child);
    }
    return NULL;
}

/* And the home thread goes on with it meanwhile. */
static void *record_at_home(void *unused)
{
    (void)unused;
    root = xray_start_segment(recorder, xray_segment_params(.name = "root"));
    for (int i = 0; i < ROUNDS; i++) {
        xray_annotate(root, "round", i);
        xray_end(xray_start_subsegment(root, "at home"));
    }
    run_threads(THREADS, record_children);
    xray_end(root);
    return NULL;
}

static atomic_int reading;

static void *read_counts(void *unused)
{
    xray_stats stats = { .size = sizeof(stats) };

    while (atomic_load(&reading))
        xray_recorder_get_stats(recorder, &stats);
    return unused;
}

static void *use_two(void *number)
{
    xray_recorder *own = make_recorder(1);

    for (int i = 0; i < ROUNDS / 10; i++) {
        xray_end(xray_start_segment(own, NULL));
        xray_end(xray_start_segment(recorder, NULL));
    }
    if (!balanced(own, ROUNDS / 10, ROUNDS / 10))
        exit(98);
    xray_recorder_free(own);
    return number;
}

int main(void)
{
    pthread_t reader;

    recorder = make_recorder(1);
    xray_recorder_set_default(recorder);
    atomic_store(&reading, 1);
    pthread_create(&reader, NULL, read_counts, NULL);
    run_threads(THREADS, record_trees);
    expect(balanced(recorder, THREADS * ROUNDS * 4, THREADS * ROUNDS), "trees on many threads");
    run_threads(THREADS, use_two);
    expect(balanced(recorder, THREADS * ROUNDS * 4 + THREADS * ROUNDS / 10,
                    THREADS * ROUNDS + THREADS * ROUNDS / 10),
           "recorders that come and go beside it");
    atomic_store(&reading, 0);
    pthread_join(reader, NULL);
    xray_recorder_set_default(NULL);
    xray_recorder_free(recorder);

    recorder = make_recorder(1);
    xray_recorder_set_default(recorder);
    record_at_home(NULL);
    expect(balanced(recorder, 1 + ROUNDS + 2 * THREADS * ROUNDS,
                    documents - THREADS * (ROUNDS / 10) * 2 - THREADS * ROUNDS),
           "children of one segment on many threads");
    xray_recorder_set_default(NULL);
    xray_recorder_free(recorder);
    return report();
}
