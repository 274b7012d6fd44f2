/* SPDX-License-Identifier: Apache-2.0 */
/* W1 to W6: the time of an operation, as a ratio to a clock read or a send. */
#include <errno.h>

#include "record.h"

#define FLUSH_MS 10000
#define SLICES   10 /* of a run */
#define SAMPLED  2000

xray_stats stats_of(xray_recorder **recorder)
{
    xray_stats stats = { .size = sizeof(stats) };

    if (recorder)
        xray_recorder_get_stats(*recorder, &stats);
    return stats;
}

struct totals {
    unsigned long allocations, library_allocations;
    struct sink_counts arrived;
    double wall, cpu;
};

/* Nanoseconds of one operation, and of the processor in it. */
struct cost {
    double wall, cpu;
};

/* What the same operation costs when it is sampled. */
static double sampled(const struct workload *workload)
{
    double start;

    xray_recorder_set_default(recorders.kept);
    start = now_ns();
    for (int i = 0; i < SAMPLED; i++)
        workload->run();
    start = now_ns() - start;
    xray_recorder_set_default(*workload->recorder);
    return start / SAMPLED;
}

static const char *calibration_of(const struct workload *workload)
{
    static const char *const names[] = {
        [TO_CLOCK] = "clock read", [TO_SEND] = "send of 600 bytes", [TO_SAMPLED] = "when sampled"
    };

    return names[workload->to];
}

static struct cost calibrate(const struct workload *workload)
{
    double start = now_ns(), cpu = cpu_ns(), ns;

    if (workload->to == TO_SAMPLED)
        ns = sampled(workload);
    else
        ns = workload->to == TO_SEND ? send_600() : clock_read();
    cpu = cpu_ns() - cpu;
    return (struct cost){ ns, ns * cpu / (now_ns() - start) };
}

/* Nanoseconds of some repeats, what is counted added to *totals; less than 0 is -errno. */
static double one_slice(const struct workload *w, long repeats, struct sink *sink,
                        struct totals *totals)
{
    unsigned long library = library_allocations_seen(), all;
    struct sink_counts arrived;
    double start, cpu;
    int r;

    r = w->to == TO_SEND ? sink_take(sink, &arrived) : 0;
    if (r < 0)
        return r;
    kept = (struct kept){ 0 };
    all = allocations_seen();
    cpu = cpu_ns();
    start = now_ns();
    for (long i = 0; i < repeats; i++)
        w->run();
    if (w->batched)
        r = xray_recorder_flush(*w->recorder, FLUSH_MS);
    start = now_ns() - start;
    totals->wall += start;
    totals->cpu += cpu_ns() - cpu;
    totals->allocations += allocations_seen() - all;
    totals->library_allocations += library_allocations_seen() - library;
    arrived = (struct sink_counts){ .documents = kept.documents, .bytes = kept.bytes };
    if (r >= 0 && w->to == TO_SEND)
        r = sink_take(sink, &arrived);
    totals->arrived.documents += arrived.documents;
    totals->arrived.bytes += arrived.bytes;
    totals->arrived.dropped += arrived.dropped;
    totals->arrived.malformed += arrived.malformed;
    return r < 0 ? r : start;
}

struct run {
    struct cost own, calibration;
};

/* Slices between calibrations, so that what slows the machine slows both. 0 or -errno. */
static int one_run(const struct workload *w, long repeats, struct sink *sink, struct totals *totals,
                   struct run *ret)
{
    long slices = repeats < SLICES ? repeats : SLICES, done = 0;
    double operations = (double)(repeats * w->operations), wall = totals->wall, cpu = totals->cpu;
    struct cost first = calibrate(w), last = first, sum = { 0, 0 };

    for (long i = 0; i < slices; i++) {
        long now = (repeats - done) / (slices - i);
        double ns = one_slice(w, now, sink, totals);

        if (ns < 0)
            return (int)ns;
        done += now;
        last = calibrate(w);
        sum.wall += last.wall;
        sum.cpu += last.cpu;
    }
    ret->own = (struct cost){ (totals->wall - wall) / operations,
                              (totals->cpu - cpu) / operations };
    /* Of the outer two calibrations a half each. */
    ret->calibration.wall = (sum.wall + (first.wall - last.wall) / 2) / (double)slices;
    ret->calibration.cpu = (sum.cpu + (first.cpu - last.cpu) / 2) / (double)slices;
    return 0;
}

static int fill_in(struct result *ret, const struct totals *totals, const double ns[RUNS],
                   const double ratios[RUNS], const double calibrations[RUNS])
{
    uint64_t documents = totals->arrived.documents;

    if (totals->arrived.malformed > 0)
        return -EBADMSG;
    ret->ns = figure_of(ns);
    ret->ratio = figure_of(ratios);
    ret->calibration_ns = figure_of(calibrations).median;
    ret->cpu_ns = totals->cpu / (double)ret->operations;
    ret->taken = 1 - totals->cpu / totals->wall;
    ret->allocations = totals->allocations;
    ret->library_allocations = totals->library_allocations;
    ret->documents = documents;
    ret->bytes = documents > 0 ? totals->arrived.bytes / documents : 0;
    ret->dropped = totals->arrived.dropped;
    return 0;
}

int measure(const struct workload *w, struct sink *sink, long divisor, struct result *ret)
{
    double ns[RUNS], ratios[RUNS], calibrations[RUNS], cpu_ratios[RUNS];
    long repeats = w->repeats / divisor > 0 ? w->repeats / divisor : 1;
    struct totals totals = { 0 }, warm = { 0 };
    struct run run;
    xray_stats before, after;
    int r;

    *ret = (struct result){ .workload = w->name,
                            .variant = w->variant,
                            .what = w->what,
                            .calibration = calibration_of(w),
                            .goal = w->goal,
                            .no_allocations = true,
                            .operations = RUNS * repeats * w->operations };
    xray_recorder_set_default(w->recorder ? *w->recorder : NULL);
    r = one_run(w, repeats / 4 + 1, sink, &warm, &run);
    if (r < 0)
        return r;
    before = stats_of(w->recorder);
    for (int i = 0; i < RUNS; i++) {
        r = one_run(w, repeats, sink, &totals, &run);
        if (r < 0)
            return r;
        ns[i] = run.own.wall;
        calibrations[i] = run.calibration.wall;
        ratios[i] = run.own.wall / run.calibration.wall;
        cpu_ratios[i] = run.own.cpu / run.calibration.cpu;
    }
    /* The library says what left, the sink what came and what its socket dropped. */
    ret->cpu_ratio = figure_of(cpu_ratios).median;
    after = stats_of(w->recorder);
    ret->failed = after.failed - before.failed;
    if (w->to == TO_SEND &&
        after.emitted - before.emitted != totals.arrived.documents + totals.arrived.dropped)
        return -EPROTO;
    return fill_in(ret, &totals, ns, ratios, calibrations);
}
