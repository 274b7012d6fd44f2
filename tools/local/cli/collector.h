/* SPDX-License-Identifier: Apache-2.0 */
/* All parts that take in and answer, put together: for who listens until a signal, and
   for who runs a command beside it. */
#ifndef LOCAL_COLLECTOR_H
#define LOCAL_COLLECTOR_H

#include "local/api/api.h"
#include "local/cli/options.h"
#include "local/http/sockets.h"
#include "local/intake/receiver.h"

#include <signal.h>

/* In the order in which they start. */
struct collector {
    const struct options *options; /* lent */
    struct sampling_service *sampling;
    struct socket_pair sockets; /* -1 when taken over */
    struct store *store;
    struct ingest *ingest;
    struct forward *forward; /* NULL: none, as faults */
    struct faults *faults;
    struct page *page;
    struct receiver *receiver;
    struct http_server *otlp; /* NULL: none, which is no error */
    struct http_server *server;
    bool watched;
    struct api api;
};

/* Blocks the signals that end the program, for all threads that begin after this. */
void collector_block_signals(sigset_t *ret_stop_signals);

/* 0, or an exit code after a message on stderr: then there is nothing to stop. */
int collector_start(struct collector *ret, const struct options *options);
void collector_stop(struct collector *collector);

/* http://127.0.0.1:2000: where this machine reaches it. */
#define COLLECTOR_URL_SIZE 80
void collector_url(const struct collector *collector, char ret[COLLECTOR_URL_SIZE]);

#endif
