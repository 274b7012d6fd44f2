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
    double ns; /* returned: of each operation */
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

    place_on(worker->cpu);
    if (worker->sharing)
        time_of(worker->sharing->run, worker->repeats / 10 + 1);
    atomic_fetch_add(worker->ready, 1);
    while (atomic_load(worker->ready) < worker->company) {
    }
    worker->allocations = allocations_seen();
    worker->ns = work(worker);
    worker->allocations = allocations_seen() - worker->allocations;
    return NULL;
}

/* The mean of those that work together; less than 0 is -errno. */
static double together(struct worker *workers, int n, unsigned long *allocations)
{
    atomic_int ready = 0;
    double sum = 0;
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
        sum += workers[i].ns;
        *allocations += workers[i].allocations;
    }
    return r != 0 ? -r : sum / n;
}

struct pair {
    double one, two;
    unsigned long allocations;
};

/* Each alone, both together, each alone again. */
static int compare(const struct sharing *sharing, long repeats, struct pair *ret)
{
    struct worker workers[2] = { { .sharing = sharing, .repeats = repeats, .cpu = places.program },
                                 { .sharing = sharing, .repeats = repeats, .cpu = places.sink } };
    double ns[5];

    *ret = (struct pair){ 0 };
    ns[0] = together(&workers[0], 1, &ret->allocations);
    ns[1] = together(&workers[1], 1, &ret->allocations);
    ns[2] = together(workers, 2, &ret->allocations);
    ns[3] = together(&workers[0], 1, &ret->allocations);
    ns[4] = together(&workers[1], 1, &ret->allocations);
    for (int i = 0; i < 5; i++)
        if (ns[i] < 0)
            return (int)ns[i];
    ret->one = (ns[0] + ns[1] + ns[3] + ns[4]) / 4;
    ret->two = ns[2];
    return 0;
}

int share(const struct sharing *sharing, long divisor, struct result *ret)
{
    double ns[RUNS], alone[RUNS], ratios[RUNS], computed[RUNS];
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
        computed[i] = pure.two / pure.one;
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
        .goal = 1.15,
        .no_allocations = true,
        .operations = RUNS * 6 * repeats,
        .allocations = allocations,
        .extras = { { "computation_ratio", figure_of(computed).median },
                    { "computation_ratio_max", figure_of(computed).most } },
    };
    return 0;
}
