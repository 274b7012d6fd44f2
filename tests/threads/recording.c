/* SPDX-License-Identifier: Apache-2.0 */
/* A recording is asked while many threads record to it, in progress and in the end. */
#include "stress.h"

#include <string.h>
#include <xraytrace/testing.h>

#define THREADS 6
#define ROUNDS  100

static xray_recording *recording;
static xray_recorder *recorder;
static atomic_int reading;

static void *record(void *number)
{
    for (int i = 0; i < ROUNDS; i++) {
        xray_segment *root = xray_start_segment(recorder, xray_segment_params(.name = "root"));
        xray_attach(root);
        if (i % 4 == 0)
            xray_send_in_progress(root);
        xray_segment *child = xray_begin_subsegment("child");
        xray_annotate(child, "round", i);
        xray_end(child);
        xray_end(root);
    }
    return number;
}

static void *ask(void *unused)
{
    while (atomic_load(&reading)) {
        const xray_recorded *child = NULL;
        while ((child = xray_recording_find(recording, "child", child)))
            if (!xray_recorded_has(child, "annotations.round"))
                exit(98);
        if (!strstr(xray_recording_text(recording), "ro") && xray_recording_count(recording, NULL))
            exit(97);
    }
    return unused;
}

int main(void)
{
    pthread_t reader;

    if (xray_recording_new(&recording) < 0 ||
        xray_recording_new_recorder(recording, "stress", &recorder) < 0)
        return 99;
    atomic_store(&reading, 1);
    pthread_create(&reader, NULL, ask, NULL);
    run_threads(THREADS, record);
    atomic_store(&reading, 0);
    pthread_join(reader, NULL);
    expect(xray_recording_count(recording, "root") == (size_t)THREADS * ROUNDS,
           "each segment once, whether or not it was sent in progress");
    expect(xray_recording_count(recording, "child") == (size_t)THREADS * ROUNDS,
           "each subsegment once, within its parent or alone");
    xray_recorder_free(recorder);
    xray_recording_free(recording);
    return report();
}
