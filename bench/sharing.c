/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two threads on one recorder, compared with each of them alone. Two virtual
 * CPUs may be one core, so pure computation is measured in the same way: what
 * that loses, no library can keep.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "record.h"

struct worker {
    const struct sharing *sharing; /* else pure computation */
    long repeats;
    int cpu;
    int company; /* workers that start together */
    atomic_int *ready;
    double ns, cpu_ns; /* returned: of each operation */
    unsigned long allocations;
    pthread_t thread;
};

static double work(const struct worker *worker)
{
    if (!worker->sharing)
        return computation();
    return time_of(worker->sharing->run, worker->repeats) / (double)worker->repeats;
}

static void *start(void *data)
{
    struct worker *worker = data;
    double wall, cpu;

    place_on(worker->cpu);
    if (worker->sharing)
        time_of(worker->sharing->run, worker->repeats / 10 + 1);
    atomic_fetch_add(worker->ready, 1);
    while (atomic_load(worker->ready) < worker->company) {
    }
    worker->allocations = allocations_seen();
    cpu = thread_cpu_ns();
    wall = now_ns();
    worker->ns = work(worker);
    cpu = thread_cpu_ns() - cpu;
    worker->cpu_ns = worker->ns * cpu / (now_ns() - wall);
    worker->allocations = allocations_seen() - worker->allocations;
    return NULL;
}

struct pair {
    double one, two, one_cpu, two_cpu;
    unsigned long allocations;
};

/* Adds the mean of those that work together. 0 or -errno. */
static int together(struct worker *workers, int n, double *wall, double *cpu,
                    unsigned long *allocations)
{
    atomic_int ready = 0;
    int started = 0, r = 0;

    for (; started < n && r == 0; started += r == 0) {
        workers[started].company = n;
        workers[started].ready = &ready;
        r = pthread_create(&workers[started].thread, NULL, start, &workers[started]);
    }
    if (r != 0)
        atomic_store(&ready, n); /* so that nobody waits for those that did not start */
    for (int i = 0; i < started; i++) {
        pthread_join(workers[i].thread, NULL);
        *wall += workers[i].ns / n;
        *cpu += workers[i].cpu_ns / n;
        *allocations += workers[i].allocations;
    }
    return -r;
}

/* Each alone, both together, each alone again. */
static int compare(const struct sharing *sharing, long repeats, struct pair *ret)
{
    struct worker workers[2] = { { .sharing = sharing, .repeats = repeats, .cpu = places.program },
                                 { .sharing = sharing, .repeats = repeats, .cpu = places.sink } };
    int r = 0;

    *ret = (struct pair){ 0 };
    for (int i = 0; i < 5 && r >= 0; i++)
        if (i == 2)
            r = together(workers, 2, &ret->two, &ret->two_cpu, &ret->allocations);
        else
            r = together(&workers[i % 3], 1, &ret->one, &ret->one_cpu, &ret->allocations);
    ret->one /= 4;
    ret->one_cpu /= 4;
    return r;
}

int share(const struct sharing *sharing, long divisor, struct result *ret)
{
    double ns[RUNS], alone[RUNS], ratios[RUNS], cpu_ratios[RUNS], computed[RUNS],
        computed_cpu[RUNS];
    long repeats = sharing->repeats / divisor;
    unsigned long allocations = 0;
    struct pair pair, pure;
    int r = 0;

    xray_recorder_set_default(*sharing->recorder);
    for (int i = 0; i < RUNS && r >= 0; i++) {
        r = compare(sharing, repeats, &pair);
        if (r >= 0)
            r = compare(NULL, 0, &pure);
        ns[i] = pair.two;
        alone[i] = pair.one;
        ratios[i] = pair.two / pair.one;
        cpu_ratios[i] = pair.two_cpu / pair.one_cpu;
        computed[i] = pure.two / pure.one;
        computed_cpu[i] = pure.two_cpu / pure.one_cpu;
        allocations += pair.allocations;
    }
    if (r < 0)
        return r;
    *ret = (struct result){
        .workload = "threads",
        .variant = sharing->variant,
        .what = sharing->what,
        .ns = figure_of(ns),
        .calibration = "one thread",
        .calibration_ns = figure_of(alone).median,
        .ratio = figure_of(ratios),
        .cpu_ratio = figure_of(cpu_ratios).median,
        .goal = 1.15,
        .no_allocations = true,
        .operations = RUNS * 6 * repeats,
        .allocations = allocations,
        .extras = { { "computation_ratio", figure_of(computed).median },
                    { "computation_cpu_ratio", figure_of(computed_cpu).median } },
    };
    return 0;
}
