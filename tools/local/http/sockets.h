/* SPDX-License-Identifier: Apache-2.0 */
/* The pair of sockets on one port number, and who else has it. */
#ifndef LOCAL_SOCKETS_H
#define LOCAL_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct socket_pair {
    int udp;
    int tcp; /* listening */
    uint16_t port;
};

/* A numeric address, IPv4 or IPv6. 0 or -EINVAL. */
int socket_address(const char *address, uint16_t port, struct sockaddr_storage *ret,
                   socklen_t *ret_length);

/* Port 0 takes one that is free for both. 0 or -errno; -EADDRINUSE says in
 *ret_udp_taken which of both was taken. */
int socket_pair_open(const char *address, uint16_t port, struct socket_pair *ret,
                     bool *ret_udp_taken);

/* A listening TCP socket alone; port 0 takes a free one. 0 or -errno. */
int socket_listen(const char *address, uint16_t port, int *ret, uint16_t *ret_port);

struct port_holder {
    int pid;       /* 0 if it can't be found out */
    char name[32]; /* safe to print */
};

/* Looks for the process that has this port, in /proc. */
void port_holder_find(const char *address, uint16_t port, bool udp, struct port_holder *ret);

#endif
