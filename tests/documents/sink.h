/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon that only listens: reads each datagram as X-Ray's does, up to the
 * first newline and then one document, and checks that document.
 */
#ifndef TESTS_DOCUMENTS_SINK_H
#define TESTS_DOCUMENTS_SINK_H

#include <pthread.h>

#include "rules.h"

struct sink {
    int fd;
    char address[32]; /* "127.0.0.1:12345" */
    pthread_t thread;
    struct documents documents;

    /* After sink_close(). */
    size_t datagrams;
    size_t largest;  /* bytes of a datagram */
    size_t lost;     /* datagrams for which the socket had no room */
    char wrong[600]; /* what is wrong with the first one that is, or "" */
};

/* Reads one datagram; false, with the reason in sink->wrong, if the daemon or a rule refuses it. */
bool sink_read(struct sink *sink, const char *datagram, size_t length);

/* On loopback and a port of the kernel's choice. 0 or -errno. */
int sink_open(struct sink *sink);

/* Once nobody sends any more: reads what is there, looks for every cause, and stops. */
void sink_close(struct sink *sink);

#endif /* TESTS_DOCUMENTS_SINK_H */
