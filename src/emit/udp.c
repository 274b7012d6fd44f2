/* SPDX-License-Identifier: Apache-2.0 */
/* One datagram a document, over one connected socket that never blocks. */
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "emit/emit.h"
#include "wire/daemon_address.h"

struct udp {
    _Atomic int socket;   /* -1 when a fork could not have its own */
    atomic_bool refusing; /* nobody listened when last seen */
    socklen_t address_length;
    struct sockaddr_storage address;
};

static const char header_line[] = "{\"format\":\"json\",\"version\":1}\n";

static int open_socket(const struct udp *udp)
{
    int fd = socket(udp->address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&udp->address, udp->address_length) < 0) {
        int error = errno;

        close(fd);
        return -error;
    }
    return fd;
}

/* On this machine a refusal is known at once: as long as there are any, each is looked for. */
static int fate_of_last(struct udp *udp, int fd)
{
    int error = 0;
    socklen_t length = sizeof(error);

    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != ECONNREFUSED)
        atomic_store_explicit(&udp->refusing, false, memory_order_relaxed);
    return -error;
}

static int emit(void *data, const xray_document *document)
{
    struct udp *udp = data;
    struct iovec parts[2] = {
        { (void *)header_line, sizeof(header_line) - 1 },
        { (void *)document->json, document->length },
    };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    int fd = atomic_load_explicit(&udp->socket, memory_order_relaxed);

    if (fd < 0)
        return -ENOTCONN;
    if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0) {
        /* What a connected socket reports is the fate of the datagram before: this one can go. */
        if (errno != ECONNREFUSED)
            return -errno;
        atomic_store_explicit(&udp->refusing, true, memory_order_relaxed);
        if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
            return -errno;
    }
    if (__builtin_expect(atomic_load_explicit(&udp->refusing, memory_order_relaxed), 0))
        return fate_of_last(udp, fd);
    return 0;
}

static void after_fork(void *data)
{
    struct udp *udp = data;
    int inherited = atomic_exchange(&udp->socket, -1);
    int own = open_socket(udp);

    if (inherited >= 0)
        close(inherited);
    if (own >= 0)
        atomic_store(&udp->socket, own);
}

static void destroy(void *data)
{
    struct udp *udp = data;
    int fd = atomic_load(&udp->socket);

    if (fd >= 0)
        close(fd);
    xr_free(udp, sizeof(*udp));
}

/* A numeric address costs nothing; a name may take as long as the resolver does. */
static int resolve(struct udp *udp, const char *host, uint16_t port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST };
    struct addrinfo *found;
    char service[8];

    *xr_json_u64(service, port) = '\0';
    if (getaddrinfo(host, service, &hints, &found) != 0) {
        hints.ai_flags = AI_ADDRCONFIG;
        if (getaddrinfo(host, service, &hints, &found) != 0)
            return -EADDRNOTAVAIL;
    }
    memcpy(&udp->address, found->ai_addr, found->ai_addrlen);
    udp->address_length = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

int xr_emitter_udp(xray_emitter *ret, const char *address)
{
    struct xr_daemon_address parsed;
    struct udp *udp;
    int r;

    if (ret->size < XR_EMITTER_LEAST)
        return -EINVAL;
    r = xr_daemon_address_parse(&parsed, address ? address : "127.0.0.1:2000");
    if (r < 0)
        return r;
    udp = xr_alloc_zero(sizeof(*udp));
    if (!udp)
        return -ENOMEM;
    r = resolve(udp, parsed.udp.host, parsed.udp.port);
    if (r >= 0)
        r = open_socket(udp);
    if (r < 0) {
        xr_free(udp, sizeof(*udp));
        return r;
    }
    atomic_init(&udp->socket, r);
    return xr_emitter_return(ret, &(xray_emitter){
                                      .data = udp,
                                      .emit = emit,
                                      .after_fork = after_fork,
                                      .destroy = destroy,
                                  });
}
