/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of unsampled segments, asked for by many threads at once: all get the same. */
#include "stress.h"

#include <string.h>

#define THREADS 8
#define ROUNDS  2000

static xray_segment *segment, *subsegment;
static pthread_barrier_t barrier;
static xray_trace_header answers[THREADS];
static atomic_int differences;

static void *ask(void *number)
{
    long me = (long)number;

    for (int i = 0; i < ROUNDS; i++) {
        if (me == 0) {
            segment = xray_begin_segment("segment");
            subsegment = xray_begin_subsegment("subsegment");
        }
        pthread_barrier_wait(&barrier);
        xray_get_header(me % 2 ? segment : subsegment, &answers[me]);
        pthread_barrier_wait(&barrier);
        if (memcmp(&answers[me].trace_id, &answers[0].trace_id, sizeof(answers[0].trace_id)) != 0 ||
            answers[me].parent_id != answers[me % 2].parent_id || answers[me].parent_id == 0)
            atomic_fetch_add(&differences, 1);
        pthread_barrier_wait(&barrier);
        if (me == 0) {
            xray_end(subsegment);
            xray_end(segment);
        }
    }
    return NULL;
}

/* Children begin and ask while the segment they are in ends. */
static void *ask_while_it_ends(void *number)
{
    for (int i = 0; i < ROUNDS; i++) {
        xray_segment *child;
        xray_trace_header header;

        if (!number)
            segment = xray_begin_segment("segment");
        pthread_barrier_wait(&barrier);
        child = xray_start_subsegment(segment, "child");
        pthread_barrier_wait(&barrier);
        if (!number)
            xray_end(segment);
        xray_get_header(child, &header);
        if (header.parent_id == 0)
            atomic_fetch_add(&differences, 1);
        xray_end(child);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

int main(void)
{
    xray_recorder *recorder = make_recorder(0);

    xray_recorder_set_default(recorder);
    pthread_barrier_init(&barrier, NULL, THREADS);
    run_threads(THREADS, ask);
    expect(differences == 0, "all threads get the same header");
    run_threads(THREADS, ask_while_it_ends);
    expect(differences == 0, "every header is complete while its segment ends");
    expect(balanced(recorder, ROUNDS * 2 + ROUNDS * (THREADS + 1), 0), "nothing is sent");
    xray_recorder_set_default(NULL);
    xray_recorder_free(recorder);
    return report();
}
