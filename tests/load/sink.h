/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that receives as the daemon does: a header line and one document in
 * each datagram. It counts what comes, what the socket says it had no room for,
 * what is not a document, and ids that came before.
 */
#ifndef TESTS_LOAD_SINK_H
#define TESTS_LOAD_SINK_H

#include <pthread.h>
#include <stdatomic.h>

#include "../threads/entities.h"

struct sink {
    int socket;
    int room; /* bytes of the receive buffer, as the kernel counts them */
    bool counts_drops;
    char address[32];
    pthread_t thread;
    atomic_ulong received, entities, twice, not_documents, dropped;
    atomic_bool marked;
    struct id_set ids;
    uint32_t drops_before; /* of what was sent before it mattered */
};

/* Makes the socket, and the thread on the given processor (-1: on any). False with errno. */
bool sink_begin(struct sink *sink, int processor);

/*
 * Waits until nothing more comes and everything is counted, the drops as well.
 * False if the socket takes nothing any more.
 */
bool sink_settle(struct sink *sink);

/*
 * Forgets what came so far, and takes memory for so many ids, which it has no
 * time for while they come. Only after sink_settle().
 */
void sink_forget(struct sink *sink, size_t expected);

void sink_end(struct sink *sink);

#endif /* TESTS_LOAD_SINK_H */
