/* SPDX-License-Identifier: Apache-2.0 */
/* Times, their median, and where a thread runs. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "measure.h"

struct places places = { -1, -1 };

void places_find(void)
{
    int found[2] = { -1, -1 }, n = 0;
    cpu_set_t allowed;

    if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
        return;
    for (int cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++)
        if (CPU_ISSET((size_t)cpu, &allowed))
            found[n++] = cpu;
    if (n == 2)
        places = (struct places){ .program = found[0], .sink = found[1] };
}

void place_on(int cpu)
{
    cpu_set_t set;

    if (cpu < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
}

static double read_ns(clockid_t which)
{
    struct timespec time;

    clock_gettime(which, &time);
    return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

double now_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

double cpu_ns(void)
{
    return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

double thread_cpu_ns(void)
{
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

double time_of(void (*run)(void), long n)
{
    double start = now_ns();

    for (long i = 0; i < n; i++)
        run();
    return now_ns() - start;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

struct figure figure_of(const double values[RUNS])
{
    double sorted[RUNS];

    memcpy(sorted, values, sizeof(sorted));
    qsort(sorted, RUNS, sizeof(*sorted), compare);
    return (struct figure){ sorted[RUNS / 2], sorted[0], sorted[RUNS - 1] };
}
