/* SPDX-License-Identifier: Apache-2.0 */
#include "local/intake/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define HOST_MAX 256u

struct forward {
    int socket;
    atomic_uint_fast64_t sent;
    atomic_uint_fast64_t failed;
    const char *target;
};

struct place {
    char host[HOST_MAX];
    char port[6];
};

/* "udp:HOST:PORT" */
static bool parse_target(const char *text, struct place *ret)
{
    if (strncmp(text, "udp:", 4) != 0)
        return false;
    const char *host = text + 4;
    const char *colon = strrchr(host, ':');
    if (!colon)
        return false;
    size_t length = (size_t)(colon - host);
    if (length > 2 && *host == '[' && colon[-1] == ']') {
        host++;
        length -= 2;
    } else if (memchr(host, ':', length)) {
        return false; /* IPv6 without brackets: where would the port begin? */
    }
    size_t digits = strlen(colon + 1);
    if (!length || length >= sizeof ret->host || !digits || digits > 5 ||
        strspn(colon + 1, "0123456789") != digits)
        return false;
    long port = strtol(colon + 1, NULL, 10);
    memcpy(ret->host, host, length);
    ret->host[length] = '\0';
    snprintf(ret->port, sizeof ret->port, "%ld", port);
    return port >= 1 && port <= 65535;
}

static uint16_t port_of(const struct sockaddr *address)
{
    struct sockaddr_in v4; /* The port is at the same place in both families. */
    memcpy(&v4, address, sizeof v4);
    return ntohs(v4.sin_port);
}

/* Only to an address of this machine can a socket be bound. */
static bool is_local(const struct addrinfo *to)
{
    struct sockaddr_storage own;
    int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(&own, to->ai_addr, to->ai_addrlen);
    ((struct sockaddr_in *)&own)->sin_port = 0;
    bool local = fd >= 0 && bind(fd, (struct sockaddr *)&own, to->ai_addrlen) == 0;
    if (fd >= 0)
        close(fd);
    return local;
}

static bool is_any(const char *address)
{
    return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

/* Whether what is sent there comes back here. */
static bool is_here(const struct addrinfo *to, const char *own_address, uint16_t own_port)
{
    char address[HOST_MAX];
    if (port_of(to->ai_addr) != own_port ||
        getnameinfo(to->ai_addr, to->ai_addrlen, address, sizeof address, NULL, 0,
                    NI_NUMERICHOST) != 0)
        return false;
    return strcmp(address, own_address) == 0 || is_any(address) ||
           (is_any(own_address) && is_local(to));
}

static int connect_to(const struct addrinfo *to, int *ret)
{
    int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, to->ai_addr, to->ai_addrlen) < 0) {
        int r = -errno;
        close(fd);
        return r;
    }
    *ret = fd;
    return 0;
}

int forward_new(struct forward **ret, const char *target, const char *own_address,
                uint16_t own_port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
    struct addrinfo *found;
    struct place place;
    int fd = -1;
    if (!parse_target(target, &place))
        return -EINVAL;
    if (getaddrinfo(place.host, place.port, &hints, &found) != 0)
        return -ENXIO;
    int r = is_here(found, own_address, own_port) ? -ELOOP : connect_to(found, &fd);
    freeaddrinfo(found);
    if (r < 0)
        return r;
    struct forward *forward = calloc(1, sizeof *forward);
    if (!forward) {
        close(fd);
        return -ENOMEM;
    }
    forward->socket = fd;
    forward->target = target;
    *ret = forward;
    return 0;
}

void forward_free(struct forward *forward)
{
    if (!forward)
        return;
    close(forward->socket);
    free(forward);
}

void forward_document(struct forward *forward, const char *text, size_t length)
{
    static char header[] = "{\"format\":\"json\",\"version\":1}\n";
    /* The call does not write to it. */
    union {
        const char *given;
        char *base;
    } pointer = { .given = text };
    struct iovec parts[] = { { header, sizeof header - 1 }, { pointer.base, length } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    ssize_t sent = sendmsg(forward->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    /* That was the answer to an earlier one; this one has not been tried. */
    if (sent < 0 && errno == ECONNREFUSED) {
        atomic_fetch_add(&forward->failed, 1);
        atomic_fetch_sub(&forward->sent, 1);
        sent = sendmsg(forward->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    atomic_fetch_add(sent < 0 ? &forward->failed : &forward->sent, 1);
}

const char *forward_target(const struct forward *forward)
{
    return forward->target;
}

void forward_count(const struct forward *forward, struct forward_counts *ret)
{
    ret->sent = atomic_load(&forward->sent);
    ret->failed = atomic_load(&forward->failed);
}
