/* SPDX-License-Identifier: Apache-2.0 */
#include "local/http/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 128
/* Any free UDP port is free for TCP too, but for bad luck. */
#define PORT_TRIES 32

int socket_address(const char *address, uint16_t port, struct sockaddr_storage *ret,
                   socklen_t *ret_length)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
        memcpy(ret, &v4, sizeof v4);
        *ret_length = sizeof v4;
    } else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
        memcpy(ret, &v6, sizeof v6);
        *ret_length = sizeof v6;
    } else {
        return -EINVAL;
    }
    return 0;
}

static int bound_port(int fd, uint16_t *ret)
{
    struct sockaddr_storage own;
    socklen_t length = sizeof own;
    if (getsockname(fd, (struct sockaddr *)&own, &length) < 0)
        return -errno;
    /* The port is at the same place in both families. */
    struct sockaddr_in v4;
    memcpy(&v4, &own, sizeof v4);
    *ret = ntohs(v4.sin_port);
    return 0;
}

static int open_one(const char *address, uint16_t port, int type, int *ret)
{
    struct sockaddr_storage to;
    socklen_t length;
    int on = 1;
    int r = socket_address(address, port, &to, &length);
    if (r < 0)
        return r;
    int fd = socket(to.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    /* Connections of an instance that has just stopped must not stand in the way. */
    if (type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&to, length) < 0 ||
        (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)) {
        r = -errno;
        close(fd);
        return r;
    }
    *ret = fd;
    return 0;
}

static int open_both(const char *address, uint16_t port, struct socket_pair *ret,
                     bool *ret_udp_taken)
{
    struct socket_pair pair = { .udp = -1, .tcp = -1 };
    int r = open_one(address, port, SOCK_DGRAM, &pair.udp);
    *ret_udp_taken = r == -EADDRINUSE;
    if (r < 0)
        return r;
    r = bound_port(pair.udp, &pair.port);
    if (r == 0)
        r = open_one(address, pair.port, SOCK_STREAM, &pair.tcp);
    if (r < 0)
        close(pair.udp);
    else
        *ret = pair;
    return r;
}

int socket_pair_open(const char *address, uint16_t port, struct socket_pair *ret,
                     bool *ret_udp_taken)
{
    int r = -EADDRINUSE;
    for (int i = 0; r == -EADDRINUSE && i < (port ? 1 : PORT_TRIES); i++)
        r = open_both(address, port, ret, ret_udp_taken);
    return r;
}

int socket_listen(const char *address, uint16_t port, int *ret, uint16_t *ret_port)
{
    int fd = -1;
    int r = open_one(address, port, SOCK_STREAM, &fd);
    if (r < 0)
        return r;
    r = bound_port(fd, ret_port);
    if (r < 0)
        close(fd);
    else
        *ret = fd;
    return r;
}
