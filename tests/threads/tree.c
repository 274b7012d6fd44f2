/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sixty-four threads open and close segments of one tree at once, each under its
 * own and under its neighbour's, and one of them closes the root meanwhile.
 */
#include "entities.h"
#include "stress.h"

#include <signal.h>
#include <unistd.h>

#define THREADS          64
#define ROUNDS           60
#define DEADLOCK_SECONDS 100

static xray_recorder *recorder;
static xray_segment *root, *children[THREADS];
static pthread_barrier_t barrier;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct id_set ids;
static unsigned twice, not_documents, deep;

static void keep_id(void *data, const struct entity *entity)
{
    (void)data;
    twice += !id_set_add(&ids, entity->id);
    deep += entity->parent != 0;
}

static int keep_ids(void *data, const xray_document *document)
{
    pthread_mutex_lock(&lock);
    not_documents += !read_entities(document->json, document->length, keep_id, data);
    pthread_mutex_unlock(&lock);
    return 0;
}

static void *open_and_close(void *number)
{
    long me = (long)number;

    for (int i = 0; i < ROUNDS; i++) {
        xray_segment *cousin, *inner;
        xray_trace_header header;

        if (me == 0) {
            root = xray_start_segment(recorder, xray_segment_params(.name = "root"));
            xray_detach(root);
        }
        pthread_barrier_wait(&barrier);
        children[me] = xray_start_subsegment(root, "child");
        xray_attach(children[me]);
        pthread_barrier_wait(&barrier);
        cousin = xray_start_subsegment(children[(me + 1) % THREADS], "cousin");
        inner = xray_begin_subsegment("inner");
        xray_get_header(children[(me + 2) % THREADS], &header);
        pthread_barrier_wait(&barrier);
        if (me == i)
            xray_end(root);
        if (me % 2)
            xray_end(cousin);
        xray_end(inner);
        xray_end(children[me]);
        xray_end(inner);
        xray_end(cousin);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void say_deadlock(int signal)
{
    static const char text[] = "not ok 1 - no deadlock\n1..1\n";

    (void)signal;
    _exit(write(STDOUT_FILENO, text, sizeof(text) - 1) > 0 ? 1 : 2);
}

int main(void)
{
    xray_emitter emitter = { .size = sizeof(emitter), .emit = keep_ids };
    xray_sampler sampler = { .size = sizeof(sampler) };

    signal(SIGALRM, say_deadlock);
    alarm(DEADLOCK_SECONDS);
    if (xray_sampler_rate(&sampler, 0, 1) < 0 ||
        xray_recorder_new(&recorder, xray_recorder_params(.emitter = &emitter, .sampler = &sampler,
                                                          .flags = XRAY_RECORDER_NO_ENVIRONMENT)) <
            0)
        return 99;
    pthread_barrier_init(&barrier, NULL, THREADS);
    run_threads(THREADS, open_and_close);
    /* What is inside a child that ends after it is part of it; all else is on its own. */
    expect(balanced(recorder, ROUNDS * (1 + 3 * THREADS), ROUNDS * (1 + 2 * THREADS)),
           "64 threads on one tree");
    expect(ids.count == ROUNDS * (1 + 3 * THREADS) && twice == 0, "every segment is there once");
    expect(not_documents == 0 && deep == ROUNDS * 3 * THREADS, "and in its place");
    xray_recorder_free(recorder);
    id_set_end(&ids);
    return report();
}
