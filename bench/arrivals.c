/* SPDX-License-Identifier: Apache-2.0 */
/*
 * W7: documents a second that arrive, between two rounds of datagrams of the
 * same size that are only sent. Both are counted where they arrive: what is
 * sent faster than it can be taken is worth nothing.
 */
#include <errno.h>

#include "record.h"

#define FLUSH_MS 10000

struct round {
    double sent_per_second, arrived_per_second, cpu;
    uint64_t failed; /* refused by the emitter, which is full for a moment */
    struct sink_counts arrived;
};

/* How a round is sent: documents by a workload, or datagrams of so many bytes. */
struct source {
    const struct arrival *arrival; /* else raw */
    bool batched;
    size_t bytes;
};

static double send_all(const struct source *source, long n)
{
    double start = now_ns();
    int r = 0;

    if (!source->arrival)
        return source->batched ? raw_gso(n, source->bytes) : raw_send(n, source->bytes);
    for (long i = 0; i < n; i++)
        source->arrival->run();
    if (source->batched)
        r = xray_recorder_flush(*source->arrival->recorder, FLUSH_MS);
    return r < 0 ? r : now_ns() - start;
}

static int one_round(const struct source *source, long n, struct sink *sink, struct round *ret)
{
    struct sink_counts before;
    double ns, cpu;
    int r = sink_take(sink, &before);

    if (r < 0)
        return r;
    ret->failed = source->arrival ? stats_of(source->arrival->recorder).failed : 0;
    cpu = cpu_ns();
    ns = send_all(source, n);
    ret->cpu = cpu_ns() - cpu;
    if (source->arrival)
        ret->failed = stats_of(source->arrival->recorder).failed - ret->failed;
    if (ns < 0)
        return source->arrival ? (int)ns : -EOPNOTSUPP;
    r = sink_take(sink, &ret->arrived);
    if (r < 0)
        return r;
    if (ret->arrived.malformed > 0)
        return -EBADMSG;
    ret->sent_per_second = 1e9 * (double)n / ns;
    ret->arrived_per_second = 1e9 * (double)ret->arrived.documents / ns;
    return 0;
}

/* What the runs of one kind say together. */
struct series {
    double sent[RUNS], arrived[RUNS], cpu_shares[RUNS], cpu;
    uint64_t documents, bytes, dropped, failed;
};

static void add(struct series *series, int run, const struct round *round)
{
    series->sent[run] = round->sent_per_second;
    series->arrived[run] = round->arrived_per_second;
    series->cpu += round->cpu;
    series->documents += round->arrived.documents;
    series->bytes += round->arrived.bytes;
    series->dropped += round->arrived.dropped;
    series->failed += round->failed;
}

static int all_rounds(const struct arrival *arrival, long n, struct sink *sink, struct series *ours,
                      struct series *raw, double shares[RUNS])
{
    struct source source = { .arrival = arrival, .batched = arrival->batched }, only = source;
    struct round round, before, after;
    int r = one_round(&source, n / 10 + 1, sink, &round);

    if (r < 0)
        return r;
    if (round.arrived.documents == 0)
        return -ENOMSG;
    only.arrival = NULL;
    only.bytes = round.arrived.bytes / round.arrived.documents;
    r = one_round(&only, n, sink, &after);
    for (int i = 0; i < RUNS && r >= 0; i++) {
        before = after;
        r = one_round(&source, n, sink, &round);
        if (r >= 0)
            r = one_round(&only, n, sink, &after);
        add(ours, i, &round);
        before.arrived_per_second = (before.arrived_per_second + after.arrived_per_second) / 2;
        before.sent_per_second = (before.sent_per_second + after.sent_per_second) / 2;
        add(raw, i, &before);
        ours->cpu_shares[i] = (before.cpu + after.cpu) / 2 / round.cpu;
        shares[i] = round.arrived_per_second / before.arrived_per_second;
    }
    return r;
}

int arrive(const struct arrival *arrival, struct sink *sink, long divisor, struct result *ret)
{
    long n = arrival->documents / divisor;
    double shares[RUNS], ns[RUNS];
    struct series ours = { 0 }, raw = { 0 };
    unsigned long all = allocations_seen(), library = library_allocations_seen();
    int r;

    xray_recorder_set_default(*arrival->recorder);
    r = all_rounds(arrival, n, sink, &ours, &raw, shares);
    if (r < 0)
        return r;
    for (int i = 0; i < RUNS; i++)
        ns[i] = 1e9 / ours.sent[i];
    *ret = (struct result){
        .workload = "W7",
        .variant = arrival->variant,
        .what = arrival->what,
        .ns = figure_of(ns),
        .cpu_ns = ours.cpu / (double)(RUNS * n),
        .calibration = arrival->batched ? "raw UDP_SEGMENT rate" : "raw send rate",
        .calibration_ns = 1e9 / figure_of(raw.sent).median,
        .ratio = figure_of(shares),
        .cpu_ratio = figure_of(ours.cpu_shares).median,
        .goal = arrival->goal,
        .at_least = true,
        .operations = RUNS * n,
        .allocations = allocations_seen() - all,
        .library_allocations = library_allocations_seen() - library,
        .documents = ours.documents,
        .bytes = ours.documents ? ours.bytes / ours.documents : 0,
        .dropped = ours.dropped,
        .failed = ours.failed,
        .extras = { { "arrived_per_second", figure_of(ours.arrived).median },
                    { "raw_arrived_per_second", figure_of(raw.arrived).median },
                    { "raw_dropped", (double)raw.dropped } },
    };
    return 0;
}
