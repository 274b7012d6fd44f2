/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites about datagrams share: a daemon that is a socket, and what it reads. */
#ifndef TESTS_UNIT_DATAGRAMS_H
#define TESTS_UNIT_DATAGRAMS_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "emit/emit.h"

static const char header_line[] = "{\"format\":\"json\",\"version\":1}\n";

/* Binds to a loopback port, 0 for any; gives the socket and the port. */
static inline int listen_at(int family, uint16_t *port)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } address = { 0 };
    socklen_t length = family == AF_INET ? sizeof(address.in) : sizeof(address.in6);
    int fd = socket(family, SOCK_DGRAM, 0), yes = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    address.any.sa_family = (sa_family_t)family;
    if (family == AF_INET) {
        address.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.in.sin_port = htons(*port);
    } else {
        address.in6.sin6_addr = in6addr_loopback;
        address.in6.sin6_port = htons(*port);
    }
    if (bind(fd, &address.any, length) < 0) {
        close(fd);
        return -1;
    }
    cr_assert_eq(getsockname(fd, &address.any, &length), 0);
    *port = ntohs(family == AF_INET ? address.in.sin_port : address.in6.sin6_port);
    return fd;
}

/* The next datagram, or "" when there is none after so long. */
static inline const char *wait_for_datagram(int fd, int timeout_ms)
{
    static char text[65536];
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    ssize_t length = poll(&wait, 1, timeout_ms) == 1 ? recv(fd, text, sizeof(text) - 1, 0) : 0;

    cr_assert_geq(length, 0);
    text[length] = '\0';
    return text;
}

static inline const char *next_datagram(int fd)
{
    return wait_for_datagram(fd, 0);
}

static inline xray_emitter emitter_to(const char *before, uint16_t port, const char *after)
{
    xray_emitter emitter = { .size = sizeof(emitter) };
    char address[64];

    snprintf(address, sizeof(address), "%s%d%s", before, port, after);
    cr_assert_eq(xr_emitter_udp(&emitter, address), 0, "%s", address);
    return emitter;
}

static inline int emit_text(const xray_emitter *emitter, const char *json)
{
    xray_document document = { .size = sizeof(document), .json = json, .length = strlen(json) };

    return emitter->emit(emitter->data, &document);
}

static inline void expect_datagram(int fd, const char *json)
{
    const char *text = next_datagram(fd);

    cr_assert_eq(strncmp(text, header_line, strlen(header_line)), 0, "%s", text);
    cr_assert_str_eq(text + strlen(header_line), json);
}

/* The next one is this document, but for blanks before the last brace. */
static inline void expect_padded(int fd, const char *json)
{
    const char *text = next_datagram(fd);
    size_t length = strlen(json), got;

    cr_assert_eq(strncmp(text, header_line, strlen(header_line)), 0, "\"%.200s\"", text);
    text += strlen(header_line);
    got = strlen(text);
    cr_assert_geq(got, length);
    cr_assert_eq(strncmp(text, json, length - 1), 0, "%.200s, not %.200s", text, json);
    cr_assert_eq(strspn(text + length - 1, " "), got - length);
    cr_assert_eq(text[got - 1], '}');
}

#endif /* TESTS_UNIT_DATAGRAMS_H */
