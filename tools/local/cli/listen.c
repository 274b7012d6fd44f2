/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int port_taken(const struct options *options, bool udp)
{
    const char *protocol = udp ? "UDP" : "TCP";
    struct port_holder holder;
    port_holder_find(options->address, options->port, udp, &holder);
    if (holder.pid)
        fprintf(
            stderr,
            "xraytrace-local: port %u (%s) is taken by process %d (%s); stop it or use --port N\n",
            options->port, protocol, holder.pid, holder.name);
    else
        fprintf(stderr,
                "xraytrace-local: port %u (%s) is taken by a process that can't be seen from here "
                "(another user's, or outside this container); use --port N\n",
                options->port, protocol);
    return EXIT_PORT_TAKEN;
}

int cannot(const char *what, int error)
{
    fprintf(stderr, "xraytrace-local: cannot %s: %s\n", what, strerror(-error));
    return EXIT_NOT_FOUND;
}

int open_sockets(const struct options *options, struct socket_pair *ret)
{
    char what[128];
    bool udp_taken = false;
    int r = socket_pair_open(options->address, options->port, ret, &udp_taken);
    if (r == 0)
        return 0;
    if (r == -EADDRINUSE && options->port)
        return port_taken(options, udp_taken);
    snprintf(what, sizeof what, "listen on %s port %u", options->address, options->port);
    return cannot(what, r);
}

int open_otlp(const struct options *options, uint16_t *ret_port)
{
    struct port_holder holder;
    int fd;
    if (options->otlp_port == OTLP_PORT_NONE)
        return -1;
    int r = socket_listen(options->address, (uint16_t)options->otlp_port, &fd, ret_port);
    if (r == 0)
        return fd;
    port_holder_find(options->address, (uint16_t)options->otlp_port, false, &holder);
    fprintf(stderr, "xraytrace-local: no port for OpenTelemetry: cannot listen on %s port %d: %s",
            options->address, options->otlp_port, strerror(-r));
    if (r == -EADDRINUSE && holder.pid)
        fprintf(stderr, ", by process %d (%s)", holder.pid, holder.name);
    fputs("; use --otlp-port N, or send to the first port\n", stderr);
    return -1;
}
