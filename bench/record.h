/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of measurement; each has a file of its own. */
#ifndef BENCH_RECORD_H
#define BENCH_RECORD_H

#include "measure.h"
#include "sink.h"
#include "workloads.h"

struct workload {
    const char *name, *variant, *what;
    void (*run)(void);
    xray_recorder **recorder;
    long repeats;
    long operations; /* in each repeat */
    double goal;
    enum { TO_CLOCK, TO_SEND, TO_SAMPLED } to;
    bool batched; /* what waits in the queue is sent within the time */
};

/* W7: what arrives, as a share of what arrives when the same bytes are only sent. */
struct arrival {
    const char *variant, *what;
    void (*run)(void);
    xray_recorder **recorder;
    long documents; /* in each run */
    double goal;
    bool batched; /* compared with UDP_SEGMENT */
};

/* Two threads on one recorder, compared with one. */
struct sharing {
    const char *variant, *what;
    void (*run)(void);
    xray_recorder **recorder;
    long repeats;
};

/* Of a recorder; all zero without one. */
xray_stats stats_of(xray_recorder **recorder);

/* Each fills *ret, and is 0 or -errno. */
int measure(const struct workload *workload, struct sink *sink, long divisor, struct result *ret);
int arrive(const struct arrival *arrival, struct sink *sink, long divisor, struct result *ret);
int share(const struct sharing *sharing, long divisor, struct result *ret);

#endif /* BENCH_RECORD_H */
