/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Central sampling as a sampler: a state machine that decides, and a thread that
 * carries its questions to the daemon and the replies back. Who decides never
 * waits for that thread, nor does a process that ends.
 */
#ifndef XR_RECORDER_POLLER_H
#define XR_RECORDER_POLLER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <xraytrace/sampler.h>

#include "base/log.h"
#include "sampling/central.h"
#include "wire/daemon_address.h"

/* "http://", a host in brackets with the % of its zone as %25, a port, and a path. */
#define XR_POLLER_PATH_SIZE 64
#define XR_POLLER_URL_SIZE  (sizeof(((struct xr_daemon_endpoint *)0)->host) + 32)

struct xr_poller {
    /* What does not change. */
    xray_transport transport;
    xray_sampler fallback;
    struct xr_logger logger;
    char url[XR_POLLER_URL_SIZE]; /* up to the path */

    struct xr_central *central;     /* another one only after a fork; NULL without memory for it */
    _Atomic int64_t start_ns;       /* when a thread may be started; INT64_MAX: there is one */
    _Atomic int references;         /* the sampler's own, and the thread's */
    atomic_bool fallback_has_rules; /* it asks to hear of decisions by rules of its own */

    /* While the state machine works, never during an exchange: a fork waits for it. */
    pthread_mutex_t working;
    bool stopped_for_fork;
    bool interrupted; /* by a fork that could not wait: the machine is of no use here */
    struct xr_poller *next, *previous; /* in the list of all */

    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t wake; /* of the thread */
    pthread_cond_t over; /* of who waits for its end */
    pthread_t thread;
    bool running;
    bool stopping;
    bool ended;
    bool parked; /* it ended, but is not to be joined: see poller_thread.c */
};

/*
 * Fills *ret, whose size is set, with a sampler that asks that daemon. Takes
 * over transport and fallback, which have all their members and functions, when
 * it returns 0; else -EINVAL for a ret that is too small, or -ENOMEM.
 */
int xr_sampler_central(xray_sampler *ret, const struct xr_daemon_endpoint *daemon,
                       const xray_transport *transport, const xray_sampler *fallback,
                       const struct xr_logger *logger);

/* The daemon's TCP port: of the environment's address if that is one, else of the given one. */
int xr_poller_find_daemon(struct xr_daemon_endpoint *ret, const char *environment,
                          const char *given);

/* Gives up one reference; the last one destroys all there is. */
void xr_poller_release(struct xr_poller *poller);

/* ---- poller_thread.c --------------------------------------------------------- */

/* Starts the thread if it is time to. */
void xr_poller_start(struct xr_poller *poller);

/* Ends the thread, or leaves it to itself when that takes longer than a moment. */
void xr_poller_stop(struct xr_poller *poller);

/* ---- poller_process.c -------------------------------------------------------- */

/* exit() has been called: threads touch nothing any more. */
extern atomic_bool xr_poller_exiting;

/* What a new one begins with, and one in a forked child: no thread. */
void xr_poller_begin(struct xr_poller *poller);

/* From here on it is known to forks. */
void xr_poller_enlist(struct xr_poller *poller);
void xr_poller_delist(struct xr_poller *poller);

#endif /* XR_RECORDER_POLLER_H */
