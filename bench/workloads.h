/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is measured. bench/peers has the same, with the same names and values,
 * in other languages: a change here is one there.
 */
#ifndef BENCH_WORKLOADS_H
#define BENCH_WORKLOADS_H

#include <stddef.h>

#include <xraytrace/xraytrace.h>

#define WIDTH 10000 /* subsegments of W6 */

struct recorders {
    xray_recorder *unsampled;  /* a sampler that needs no time: nothing is sampled */
    xray_recorder *by_default; /* decides as the default sampler does, and hardly ever samples */
    xray_recorder *kept;       /* all sampled; a callback that keeps nothing */
    xray_recorder *sent;       /* all sampled; over UDP */
    xray_recorder *batched;    /* all sampled; over UDP behind a queue */
    xray_recorder *captured;   /* as unsampled, with capture */
};
extern struct recorders recorders;

/* Documents and their bytes that the callback got on this thread. */
struct kept {
    unsigned long documents, bytes;
};
extern _Thread_local struct kept kept;

/* capacity: of the queue; 0 is its default. 0 or -errno. */
int recorders_make(const char *sink_address, size_t capacity);
void recorders_free(void);

/* Through xray_set_allocator(), by any thread. */
unsigned long library_allocations_seen(void);

/* The 25 rules of W5 as a sampling rules file. */
size_t rules_text(char *ret, size_t size);

void one_subsegment(void); /* W1 */
void small(void);          /* W2 */
void typical(void);        /* W3 */
void header(void);         /* W4 */
void decision(void);       /* W5 */
void wide(void);           /* W6 */

#endif /* BENCH_WORKLOADS_H */
