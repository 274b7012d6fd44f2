/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's place on loopback: a process of its own that takes what arrives,
 * counts it, and answers nothing. It reads without a pause while documents come,
 * so that no sender pays for waking it.
 */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include <stdint.h>
#include <sys/types.h>

#define SINK_BUFFER   (4 << 20) /* bytes asked for: what a stall of the reader may take */
#define DATAGRAM_SIZE 65536

struct sink_shared;

struct sink {
    struct sink_shared *shared;
    pid_t process;
    int socket;       /* connected to it, and never blocks */
    int buffer;       /* bytes of receive buffer the kernel granted */
    char address[32]; /* "127.0.0.1:port" */
    uint32_t tick;    /* the last one sent */
    uint64_t seen[4]; /* totals at the last sink_take() */
};

/* What arrived since the last sink_take(). */
struct sink_counts {
    uint64_t documents;
    uint64_t bytes;     /* of whole datagrams, header line included */
    uint64_t dropped;   /* by the socket, which was full */
    uint64_t malformed; /* without the daemon's header line or the closing brace */
};

/* cpu: where it runs; less than 0 is anywhere, and then it sleeps between datagrams. */
int sink_start(struct sink *ret, int cpu);

/* Waits until all that was sent has been read or dropped. 0, or -ETIMEDOUT. */
int sink_take(struct sink *sink, struct sink_counts *ret);

/* The first document since the last call, without its header line; its bytes, 0 when none. */
size_t sink_first(struct sink *sink, char *ret, size_t size);

void sink_stop(struct sink *sink);

#endif /* BENCH_SINK_H */
