/* SPDX-License-Identifier: Apache-2.0 */
/* Where the daemon listens, as AWS_XRAY_DAEMON_ADDRESS says it. Nothing is resolved here. */
#ifndef XR_WIRE_DAEMON_ADDRESS_H
#define XR_WIRE_DAEMON_ADDRESS_H

#include <stdint.h>

#define XR_DAEMON_PORT_DEFAULT 2000

struct xr_daemon_endpoint {
    char host[256]; /* a name, or a numeric address without brackets */
    uint16_t port;
};

struct xr_daemon_address {
    struct xr_daemon_endpoint udp;
    struct xr_daemon_endpoint tcp;
};

/*
 * Reads "host:port" for both, or "udp:host:port" and "tcp:host:port" in any
 * order with blanks or commas between them; of these one alone stands for both
 * too. IPv6 addresses are in brackets: "[::1]:2000". Without a port it is 2000.
 *
 * Returns 0, or -EINVAL for NULL and for anything else; *ret is then left alone.
 */
int xr_daemon_address_parse(struct xr_daemon_address *ret, const char *text);

#endif /* XR_WIRE_DAEMON_ADDRESS_H */
