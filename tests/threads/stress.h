/* SPDX-License-Identifier: Apache-2.0 */
/* What the thread-stress programs share: plain ones, since Criterion does not start under TSan. */
#ifndef TESTS_THREADS_STRESS_H
#define TESTS_THREADS_STRESS_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <xraytrace/xraytrace.h>

static atomic_ulong documents, bytes;
static int tests_run, tests_failed;

static inline int keep_count(void *data, const xray_document *document)
{
    (void)data;
    atomic_fetch_add(&documents, 1);
    atomic_fetch_add(&bytes, document->length);
    return 0;
}

static inline void ignore(void *data, int level, const char *message)
{
    (void)data;
    (void)level;
    (void)message;
}

static inline void expect(bool condition, const char *what)
{
    tests_run++;
    tests_failed += !condition;
    printf("%s %d - %s\n", condition ? "ok" : "not ok", tests_run, what);
    fflush(stdout);
}

static inline int report(void)
{
    printf("1..%d\n", tests_run);
    return tests_failed > 0;
}

/* Everything is sampled, but not with fraction 0. */
static inline xray_recorder *make_recorder(double fraction)
{
    xray_emitter emitter = { .size = sizeof(emitter), .emit = keep_count };
    xray_sampler sampler = { .size = sizeof(sampler) };
    xray_recorder *recorder;

    if (xray_sampler_rate(&sampler, 0, fraction) < 0 ||
        xray_recorder_new(&recorder, xray_recorder_params(.emitter = &emitter, .sampler = &sampler,
                                                          .flags = XRAY_RECORDER_NO_ENVIRONMENT)) <
            0)
        exit(99);
    return recorder;
}

/* Runs one function on so many threads, each with its number, and waits for them. */
static inline void run_threads(int count, void *(*function)(void *))
{
    pthread_t threads[64];

    for (long i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, function, (void *)i) != 0)
            exit(99);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static inline bool balanced(xray_recorder *recorder, uint64_t begun, uint64_t sent)
{
    xray_stats stats = { .size = sizeof(stats) };

    xray_recorder_get_stats(recorder, &stats);
    printf("# begun %lu sampled %lu embedded %lu emitted %lu failed %lu dropped %lu\n",
           (unsigned long)stats.begun, (unsigned long)stats.sampled, (unsigned long)stats.embedded,
           (unsigned long)stats.emitted, (unsigned long)stats.failed, (unsigned long)stats.dropped);
    return stats.begun == begun && stats.emitted == sent &&
           stats.sampled == stats.embedded + stats.emitted + stats.failed + stats.dropped;
}

#endif /* TESTS_THREADS_STRESS_H */
