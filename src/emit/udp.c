/* SPDX-License-Identifier: Apache-2.0 */
/* One datagram a document, over one connected socket that never blocks. */
#include "emit/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "emit/emit.h"
#include "wire/daemon_address.h"

int xr_udp_open(const struct xr_udp_address *address)
{
    int fd = socket(address->address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address->address, address->length) < 0) {
        int error = errno;

        close(fd);
        return -error;
    }
    return fd;
}

void xr_udp_replace(struct xr_udp *udp, int fd)
{
    /* Other threads may be sending: for them the number has the old socket or the new one. */
    (void)dup3(fd, udp->socket, O_CLOEXEC);
    close(fd);
    atomic_store(&udp->refusing, false);
}

void xr_udp_release(struct xr_udp *udp)
{
    if (atomic_fetch_sub(&udp->references, 1) > 1)
        return;
    close(udp->socket);
    xr_free(udp, sizeof(*udp));
}

/* On this machine a refusal is known at once: as long as there are any, each is looked for. */
int xr_udp_fate(struct xr_udp *udp)
{
    int error = 0;
    socklen_t length = sizeof(error);

    (void)getsockopt(udp->socket, SOL_SOCKET, SO_ERROR, &error, &length);
    atomic_store_explicit(&udp->refusing, error == ECONNREFUSED, memory_order_relaxed);
    return -error;
}

static int send_one(struct xr_udp *udp, const xray_document *document)
{
    struct iovec parts[2] = {
        { (void *)XR_UDP_HEADER_LINE, XR_UDP_HEADER_LENGTH },
        { (void *)document->json, document->length },
    };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

    if (sendmsg(udp->socket, &message, MSG_NOSIGNAL) < 0) {
        /* What a connected socket reports is the fate of the datagram before: this one can go. */
        if (errno != ECONNREFUSED)
            return -errno;
        atomic_store_explicit(&udp->refusing, true, memory_order_relaxed);
        if (sendmsg(udp->socket, &message, MSG_NOSIGNAL) < 0)
            return -errno;
    }
    if (__builtin_expect(atomic_load_explicit(&udp->refusing, memory_order_relaxed), 0))
        return xr_udp_fate(udp);
    return 0;
}

int xr_udp_emit(void *data, const xray_document *document)
{
    struct xr_udp *udp = data;
    int r = send_one(udp, document);

    if (__builtin_expect(udp->host[0] != '\0', 0))
        xr_udp_look_again(udp, r);
    return r;
}

/* A child that closed all it inherited may have something else at our number. */
static bool is_ours(const struct xr_udp *udp, const struct xr_udp_address *address)
{
    struct sockaddr_storage peer = { 0 };
    socklen_t length = sizeof(peer);

    return getpeername(udp->socket, (struct sockaddr *)&peer, &length) == 0 &&
           length == address->length && memcmp(&peer, &address->address, length) == 0;
}

/* Without a socket of its own, the child shares the parent's. */
static void after_fork(void *data)
{
    struct xr_udp *udp = data;
    const struct xr_udp_address *address = &udp->addresses[atomic_load(&udp->current)];
    bool ours = is_ours(udp, address);
    int own = xr_udp_open(address);

    if (own >= 0 && ours)
        xr_udp_replace(udp, own);
    else if (own >= 0)
        udp->socket = own;
    /* A thread that was looking for the name is the parent's. */
    atomic_store(&udp->looking, false);
    atomic_store(&udp->references, 1);
}

static void destroy(void *data)
{
    xr_udp_release(data);
}

int xr_emitter_udp(xray_emitter *ret, const char *address)
{
    struct xr_daemon_address parsed;
    struct xr_udp *udp;
    int r;

    if (ret->size < XR_EMITTER_LEAST)
        return -EINVAL;
    r = xr_daemon_address_parse(&parsed, address ? address : "127.0.0.1:2000");
    if (r < 0)
        return r;
    udp = xr_alloc_zero(sizeof(*udp));
    if (!udp)
        return -ENOMEM;
    atomic_init(&udp->references, 1);
    r = xr_udp_resolve(udp, parsed.udp.host, parsed.udp.port);
    if (r >= 0)
        r = xr_udp_open(&udp->addresses[0]);
    if (r < 0) {
        xr_free(udp, sizeof(*udp));
        return r;
    }
    udp->socket = r;
    return xr_emitter_return(ret, &(xray_emitter){
                                      .data = udp,
                                      .emit = xr_udp_emit,
                                      .after_fork = after_fork,
                                      .destroy = destroy,
                                  });
}
