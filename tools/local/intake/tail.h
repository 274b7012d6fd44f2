/* SPDX-License-Identifier: Apache-2.0 */
/* Decides about whole traces after they have happened: holds their documents back for
   some seconds, keeps those with a fault, slow ones and a share of the rest, and drops
   the others. From any thread. */
#ifndef LOCAL_TAIL_H
#define LOCAL_TAIL_H

#include "local/trace/document.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAIL_SECONDS 10.0
#define TAIL_RATE    0.05
#define TAIL_BYTES   ((size_t)64 << 20)
/* Of the traces decided last, the verdict is remembered for documents that come late. */
#define TAIL_DECIDED_MAX 200000u

struct tail_rules {
    double seconds;      /* after a trace's first document */
    double slow_seconds; /* traces that take longer are kept; 0: however long */
    double rate;         /* of the rest, by a hash of the trace id: the same everywhere */
    bool errors;         /* are kept as faults are */
    size_t bytes;        /* what is held back at most; 0: TAIL_BYTES */
};

struct tail_counts {
    uint64_t buffered; /* traces that wait for their verdict */
    uint64_t documents;
    uint64_t bytes;
    uint64_t kept;        /* traces */
    uint64_t dropped;     /* traces, of which... */
    uint64_t early;       /* had to go before their time to make room */
    uint64_t late_faults; /* documents with a fault of a trace that had been dropped */
};

/* Gets the documents of kept traces; without the tail's lock. */
typedef void tail_keeper(void *data, const struct document *documents, size_t count);

struct tail;

int tail_new(struct tail **ret, const struct tail_rules *rules, tail_keeper *keeper, void *data);
/* Those that still wait are dropped: nothing spoke for them. */
void tail_free(struct tail *tail);
/* ret has 0 or -ENOMEM for each. */
void tail_put_many(struct tail *tail, const struct document *documents, size_t count, int *ret);
void tail_count(struct tail *tail, struct tail_counts *ret);

/* Whether the share has this trace. */
bool tail_is_sampled(const struct trace_id *id, double rate);

#endif
