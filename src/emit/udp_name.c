/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon that is known by a host name may come back at another address. Asking
 * takes as long as the resolver does, so a thread does it that lives no longer
 * than the question, and it is asked only while documents leave.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/thread.h"
#include "emit/udp.h"
#include "emit/worker.h"

/* Names of containers live for half a minute. A daemon that is away is looked for sooner. */
#define LOOK_EVERY_NS       (60 * XR_NS_PER_S)
#define LOOK_AGAIN_AFTER_NS (10 * XR_NS_PER_S)

int (*xr_udp_lookup)(const char *, const char *, const struct addrinfo *,
                     struct addrinfo **) = getaddrinfo;

static int64_t now_ns(void)
{
    return xr_clock_read(CLOCK_MONOTONIC_COARSE);
}

static void keep(struct xr_udp_address *ret, const struct addrinfo *found)
{
    memset(ret, 0, sizeof(*ret));
    memcpy(&ret->address, found->ai_addr, found->ai_addrlen);
    ret->length = found->ai_addrlen;
}

int xr_udp_resolve(struct xr_udp *udp, const char *host, uint16_t port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST };
    struct addrinfo *found;

    *xr_json_u64(udp->port, port) = '\0';
    if (getaddrinfo(host, udp->port, &hints, &found) != 0) {
        hints.ai_flags = AI_ADDRCONFIG;
        if (xr_udp_lookup(host, udp->port, &hints, &found) != 0)
            return -EADDRNOTAVAIL;
        strncpy(udp->host, host, sizeof(udp->host) - 1);
        atomic_init(&udp->look_ns, now_ns() + LOOK_EVERY_NS);
    }
    keep(&udp->addresses[0], found);
    freeaddrinfo(found);
    return 0;
}

/*
 * An answer that has the present address is no reason to leave it. When that
 * one fails, the next in the answer is tried: localhost is ::1 and 127.0.0.1.
 */
static const struct addrinfo *choose(const struct addrinfo *found,
                                     const struct xr_udp_address *present, bool failing)
{
    const struct addrinfo *at = found;

    while (at && (at->ai_addrlen != present->length ||
                  memcmp(at->ai_addr, &present->address, at->ai_addrlen) != 0))
        at = at->ai_next;
    if (at && failing)
        at = at->ai_next;
    return at ? at : found;
}

static void *look(void *data)
{
    struct xr_udp *udp = data;
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG };
    struct addrinfo *found;
    unsigned current = atomic_load(&udp->current);
    const struct xr_udp_address *present = &udp->addresses[current];
    struct xr_udp_address *next = &udp->addresses[1 - current];

    xr_thread.hooks_running++;
    if (xr_udp_lookup(udp->host, udp->port, &hints, &found) == 0) {
        keep(next, choose(found, present, udp->failing));
        freeaddrinfo(found);
        if (next->length != present->length ||
            memcmp(&next->address, &present->address, next->length) != 0) {
            int fd = xr_udp_open(next);

            if (fd >= 0) {
                atomic_store(&udp->current, 1 - current);
                xr_udp_replace(udp, fd);
            }
        }
    }
    atomic_store(&udp->looking, false);
    xr_udp_release(udp);
    return NULL;
}

/* Errors that another address may not have. */
static bool blames_address(int result)
{
    return result < 0 && result != -EAGAIN && result != -ENOBUFS && result != -ENOMEM &&
           result != -EMSGSIZE;
}

void xr_udp_look_again(struct xr_udp *udp, int result)
{
    bool failing = blames_address(result);
    _Atomic int64_t *due = failing ? &udp->look_again_ns : &udp->look_ns;
    int64_t now = now_ns(), at = atomic_load_explicit(due, memory_order_relaxed);
    pthread_t thread;

    if (now < at || atomic_exchange(&udp->looking, true))
        return;
    udp->failing = failing;
    atomic_store(&udp->look_ns, now + LOOK_EVERY_NS);
    if (failing)
        atomic_store(&udp->look_again_ns, now + LOOK_AGAIN_AFTER_NS);
    atomic_fetch_add(&udp->references, 1);
    if (xr_worker_start(&thread, "xraytrace-name", look, udp) == 0) {
        pthread_detach(thread);
        return;
    }
    /* No thread now; it is due again later. */
    atomic_fetch_sub(&udp->references, 1);
    atomic_store(&udp->looking, false);
}
