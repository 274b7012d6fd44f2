/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams to a real socket: what is in them, and what happens when nobody listens. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "emit/emit.h"
#include "recorder/library.h"
#include "recorder/recorder.h"

TestSuite(udp, .init = xr_library_enter);

static const char header_line[] = "{\"format\":\"json\",\"version\":1}\n";

/* Binds to a loopback port, 0 for any; gives the socket and the port. */
static int listen_at(int family, uint16_t *port)
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

/* The next datagram, or "" when there is none. */
static const char *next_datagram(int fd)
{
    static char text[65536];
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    ssize_t length = poll(&wait, 1, 0) == 1 ? recv(fd, text, sizeof(text) - 1, 0) : 0;

    cr_assert_geq(length, 0);
    text[length] = '\0';
    return text;
}

static xray_emitter emitter_to(const char *before, uint16_t port, const char *after)
{
    xray_emitter emitter = { .size = sizeof(emitter) };
    char address[64];

    snprintf(address, sizeof(address), "%s%d%s", before, port, after);
    cr_assert_eq(xr_emitter_udp(&emitter, address), 0, "%s", address);
    return emitter;
}

static int emit_text(const xray_emitter *emitter, const char *json)
{
    xray_document document = { .size = sizeof(document), .json = json, .length = strlen(json) };

    return emitter->emit(emitter->data, &document);
}

static void expect_datagram(int fd, const char *json)
{
    const char *text = next_datagram(fd);

    cr_assert_eq(strncmp(text, header_line, strlen(header_line)), 0, "%s", text);
    cr_assert_str_eq(text + strlen(header_line), json);
}

Test(udp, sends_the_header_line_and_the_document)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");

    cr_expect_eq(emit_text(&emitter, "{\"a\":1}"), 0);
    expect_datagram(fd, "{\"a\":1}");
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, sends_one_datagram_for_each_document)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");

    emit_text(&emitter, "{\"a\":1}");
    emit_text(&emitter, "{\"b\":2}");
    expect_datagram(fd, "{\"a\":1}");
    expect_datagram(fd, "{\"b\":2}");
    cr_expect_str_eq(next_datagram(fd), "");
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, takes_every_form_of_address)
{
    static const char *const forms[][2] = {
        { "127.0.0.1:", "" },
        { "udp:127.0.0.1:", "" },
        { "udp:127.0.0.1:", " tcp:127.0.0.1:1" },
        { "tcp:127.0.0.1:1 udp:127.0.0.1:", "" },
    };
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);

    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        xray_emitter emitter = emitter_to(forms[i][0], port, forms[i][1]);

        cr_expect_eq(emit_text(&emitter, "{}"), 0);
        expect_datagram(fd, "{}");
        emitter.destroy(emitter.data);
    }
    close(fd);
}

Test(udp, resolves_a_name)
{
    /* It may be IPv6's loopback: that it can be made is enough. */
    xray_emitter emitter = emitter_to("localhost:", 1, "");

    emitter.destroy(emitter.data);
}

Test(udp, speaks_ipv6)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET6, &port);
    xray_emitter emitter;

    if (fd < 0)
        cr_skip_test("there is no IPv6 here");
    emitter = emitter_to("[::1]:", port, "");
    cr_expect_eq(emit_text(&emitter, "{}"), 0);
    expect_datagram(fd, "{}");
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, sends_the_largest_document)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");
    char *json = calloc(1, XR_DOCUMENT_MAX + 1);

    memset(json, 'x', XR_DOCUMENT_MAX);
    cr_expect_eq(emit_text(&emitter, json), 0);
    cr_expect_eq(strlen(next_datagram(fd)), 63 * 1024);
    free(json);
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, says_when_a_document_is_larger_than_a_datagram)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");
    char *json = calloc(1, 70001);

    memset(json, 'x', 70000);
    cr_expect_eq(emit_text(&emitter, json), -EMSGSIZE);
    free(json);
    cr_expect_eq(emit_text(&emitter, "{}"), 0, "and the next one goes");
    expect_datagram(fd, "{}");
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, tells_that_nobody_listens)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");

    close(fd);
    /* The fate of the first one is not known when it leaves. */
    (void)emit_text(&emitter, "{\"lost\":1}");
    for (int i = 0; i < 10; i++)
        cr_expect_eq(emit_text(&emitter, "{\"lost\":1}"), -ECONNREFUSED, "%d", i);
    emitter.destroy(emitter.data);
}

Test(udp, reaches_a_daemon_that_comes_later)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");

    close(fd);
    for (int lost = 1; lost <= 3; lost++) {
        for (int i = 0; i < lost; i++)
            (void)emit_text(&emitter, "{\"lost\":1}");
        fd = listen_at(AF_INET, &port);
        cr_assert_geq(fd, 0);
        for (int i = 0; i < 3; i++) {
            cr_expect_eq(emit_text(&emitter, "{\"here\":1}"), 0, "after %d", lost);
            expect_datagram(fd, "{\"here\":1}");
        }
        close(fd);
    }
    emitter.destroy(emitter.data);
}

Test(udp, loses_nothing_but_what_was_sent_while_the_daemon_was_away)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");

    close(fd);
    (void)emit_text(&emitter, "{\"lost\":1}");
    fd = listen_at(AF_INET, &port);
    /* The refusal of the one before comes now, and must not cost this one. */
    cr_expect_eq(emit_text(&emitter, "{\"here\":1}"), 0);
    expect_datagram(fd, "{\"here\":1}");
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, never_blocks)
{
    uint16_t port = 0;
    int fd = listen_at(AF_INET, &port);
    xray_emitter emitter = emitter_to("127.0.0.1:", port, "");
    char *json = calloc(1, 60001);

    /* Nobody reads: this ends only if no call waits. */
    memset(json, 'x', 60000);
    for (int i = 0; i < 2000; i++)
        (void)emit_text(&emitter, json);
    free(json);
    emitter.destroy(emitter.data);
    close(fd);
}

Test(udp, refuses_an_address_that_it_cannot_read)
{
    static const char *const bad[] = { "",
                                       "127.0.0.1:port",
                                       "127.0.0.1:0x10",
                                       "127.0.0.1:99999",
                                       "[::1:2000",
                                       "udp:",
                                       "tcp:127.0.0.1:1 tcp:127.0.0.1:1" };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        xray_emitter emitter = { .size = sizeof(emitter) };

        cr_expect_eq(xr_emitter_udp(&emitter, bad[i]), -EINVAL, "%s", bad[i]);
        cr_expect_null(emitter.data);
    }
}

Test(udp, refuses_a_struct_without_its_size)
{
    xray_emitter emitter = { .size = 0 };

    cr_expect_eq(xr_emitter_udp(&emitter, "127.0.0.1:1"), -EINVAL);
}

Test(udp, has_a_socket_that_no_program_inherits)
{
    int next = dup(STDERR_FILENO);
    xray_emitter emitter;

    close(next);
    emitter = emitter_to("127.0.0.1:", 1, "");
    cr_expect(fcntl(next, F_GETFD) & FD_CLOEXEC);
    cr_expect(fcntl(next, F_GETFL) & O_NONBLOCK);
    emitter.destroy(emitter.data);
    cr_expect_eq(fcntl(next, F_GETFD), -1, "and closes it");
}
