/* SPDX-License-Identifier: Apache-2.0 */
/* AWS_XRAY_DAEMON_ADDRESS in every form that is documented, and in those that break other SDKs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "wire/daemon_address.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))

struct expected {
    const char *text;
    const char *udp_host;
    uint16_t udp_port;
    const char *tcp_host;
    uint16_t tcp_port;
};

static void check(const struct expected *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct xr_daemon_address address;
        const struct expected *e = &list[i];

        cr_assert_eq(xr_daemon_address_parse(&address, e->text), 0, "refused: \"%s\"", e->text);
        cr_expect_str_eq(address.udp.host, e->udp_host, "\"%s\"", e->text);
        cr_expect_eq(address.udp.port, e->udp_port, "\"%s\"", e->text);
        cr_expect_str_eq(address.tcp.host, e->tcp_host, "\"%s\"", e->text);
        cr_expect_eq(address.tcp.port, e->tcp_port, "\"%s\"", e->text);
    }
}

static void refuse(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct xr_daemon_address address;

        cr_expect_eq(xr_daemon_address_parse(&address, texts[i]), -EINVAL, "accepted: \"%s\"",
                     texts[i]);
    }
}

Test(daemon_address, uses_one_address_for_both)
{
    static const struct expected list[] = {
        { "127.0.0.1:2000", "127.0.0.1", 2000, "127.0.0.1", 2000 },
        { "daemon:3000", "daemon", 3000, "daemon", 3000 },
        { "xray_daemon.svc-1.local:65535", "xray_daemon.svc-1.local", 65535,
          "xray_daemon.svc-1.local", 65535 },
        { "host:1", "host", 1, "host", 1 },
        { "  daemon:3000 ", "daemon", 3000, "daemon", 3000 },
    };

    check(list, LENGTH_OF(list));
}

Test(daemon_address, takes_udp_and_tcp_in_any_order)
{
    static const struct expected list[] = {
        { "udp:a:1 tcp:b:2", "a", 1, "b", 2 },
        { "tcp:b:2 udp:a:1", "a", 1, "b", 2 },
        { "TCP:b:2 Udp:a:1", "a", 1, "b", 2 },
    };

    check(list, LENGTH_OF(list));
}

Test(daemon_address, takes_blanks_and_commas_between_them)
{
    static const struct expected list[] = {
        { "udp:a:1,tcp:b:2", "a", 1, "b", 2 },         { "udp:a:1, tcp:b:2", "a", 1, "b", 2 },
        { "udp:a:1  tcp:b:2", "a", 1, "b", 2 },        { "udp:a:1\ttcp:b:2", "a", 1, "b", 2 },
        { " , udp:a:1 , tcp:b:2 , ", "a", 1, "b", 2 },
    };

    check(list, LENGTH_OF(list));
}

Test(daemon_address, takes_port_2000_when_there_is_none)
{
    static const struct expected list[] = {
        { "daemon", "daemon", 2000, "daemon", 2000 },
        { "tcp:h udp:h:1", "h", 1, "h", 2000 },
        { "[::1]", "::1", 2000, "::1", 2000 },
        { "udp:[::1]", "::1", 2000, "::1", 2000 },
    };

    check(list, LENGTH_OF(list));
}

Test(daemon_address, takes_one_of_them_for_both)
{
    static const struct expected list[] = {
        { "udp:a:1", "a", 1, "a", 1 },
        { "tcp:b:2", "b", 2, "b", 2 },
    };

    check(list, LENGTH_OF(list));
}

Test(daemon_address, takes_ipv6_in_brackets)
{
    static const struct expected list[] = {
        { "[::1]:2000", "::1", 2000, "::1", 2000 },
        { "udp:[::1]:1 tcp:[2001:db8::7]:2", "::1", 1, "2001:db8::7", 2 },
        { "[fe80::1%eth0]:3", "fe80::1%eth0", 3, "fe80::1%eth0", 3 },
        { "[fe80::1%2]:3", "fe80::1%2", 3, "fe80::1%2", 3 },
        { "[::ffff:127.0.0.1]:4", "::ffff:127.0.0.1", 4, "::ffff:127.0.0.1", 4 },
    };

    check(list, LENGTH_OF(list));
}

Test(daemon_address, is_not_misled_by_names_with_udp_or_tcp)
{
    static const struct expected list[] = {
        { "my-udp-host:2001", "my-udp-host", 2001, "my-udp-host", 2001 },
        { "tcp-gateway:2001", "tcp-gateway", 2001, "tcp-gateway", 2001 },
        { "udp:2001", "udp", 2001, "udp", 2001 },
        { "udp:udp:1 tcp:tcp:2", "udp", 1, "tcp", 2 },
        { "udp", "udp", 2000, "udp", 2000 },
        { "udp:my-tcp:1 tcp:my-udp:2", "my-tcp", 1, "my-udp", 2 },
    };

    check(list, LENGTH_OF(list));
}

Test(daemon_address, refuses_bad_ports)
{
    static const char *const texts[] = {
        "host:abc",  "host:",      "host:0",     "host:65536",      "host:99999999999", "host:-1",
        "host:+1",   "host:0x10",  "host:1:2",   "udp:h:x",         "[::1]:",           "[::1]:x",
        "[::1]2000", "host:2000x", "host: 2000", "udp:h:1 tcp:h:x",
    };

    refuse(texts, LENGTH_OF(texts));
}

Test(daemon_address, refuses_bad_hosts)
{
    static const char *const texts[] = {
        ":2000",          "2000",    "2000:2000",     "ho st:2000",       "::1:2000",
        "[::1",           "[]:1",    "[x]:1",         "[127.0.0.1]:2000", "[::1%]:1",
        "http://host:80", "h/x:1",   "h\xc3\xb6st:1", "host\n:1",         "udp:",
        "udp::1",         "@:1",     "user@host:1",   "[::1]]:1",         "[[::1]]:1",
        "unix:/run/xray", "[::g]:1",
    };

    refuse(texts, LENGTH_OF(texts));
}

Test(daemon_address, refuses_what_contradicts_itself)
{
    static const char *const texts[] = {
        "a:1 b:2",     "udp:a:1 udp:b:2",         "tcp:a:1 tcp:b:2",  "a:1 udp:b:2",
        "tcp:a:1 b:2", "udp:a:1 tcp:b:2 tcp:c:3", "tcp:2000 udp:h:1",
    };

    refuse(texts, LENGTH_OF(texts));
}

Test(daemon_address, refuses_nothing_at_all)
{
    static const char *const texts[] = { "", " ", ",", " , ,\t" };
    struct xr_daemon_address address;

    refuse(texts, LENGTH_OF(texts));
    cr_assert_eq(xr_daemon_address_parse(&address, NULL), -EINVAL);
    cr_assert_eq(xr_daemon_address_parse(NULL, "host:1"), -EINVAL);
}

Test(daemon_address, takes_names_of_255_bytes_and_no_longer)
{
    struct xr_daemon_address address;
    char text[300];

    memset(text, 'a', sizeof(text));
    strcpy(text + 255, ":2000");
    cr_assert_eq(xr_daemon_address_parse(&address, text), 0);
    cr_assert_eq(strlen(address.udp.host), 255);
    text[255] = 'a';
    strcpy(text + 256, ":2000");
    cr_assert_eq(xr_daemon_address_parse(&address, text), -EINVAL);
}

Test(daemon_address, refuses_what_has_no_end)
{
    static char text[100000];
    struct xr_daemon_address address;

    memset(text, ' ', sizeof(text) - 1);
    memcpy(text, "host:1", 6);
    cr_assert_eq(xr_daemon_address_parse(&address, text), -EINVAL);
}

Test(daemon_address, leaves_the_result_alone_when_it_refuses)
{
    struct xr_daemon_address address, before;

    memset(&address, 0x5a, sizeof(address));
    before = address;
    (void)xr_daemon_address_parse(&address, "udp:a:1 tcp:b:x");
    cr_assert_eq(memcmp(&address, &before, sizeof(address)), 0);
}

Test(daemon_address, survives_any_mixture_of_its_pieces)
{
    static const char *const pieces[] = { "udp", "tcp", ":", "[", "]", "::1", "%", "2000",
                                          "h",   " ",   ",", "-", ".", "0",   "",  "\xff" };
    uint64_t state = 1;

    for (int i = 0; i < 200000; i++) {
        struct xr_daemon_address address;
        char text[64] = "";

        for (int k = 0; k < 8; k++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
            strcat(text, pieces[state >> 60]);
        }
        if (xr_daemon_address_parse(&address, text) == 0) {
            cr_assert_gt(strlen(address.udp.host), 0, "\"%s\"", text);
            cr_assert_gt(strlen(address.tcp.host), 0, "\"%s\"", text);
            cr_assert_neq(address.udp.port, 0, "\"%s\"", text);
            cr_assert_neq(address.tcp.port, 0, "\"%s\"", text);
        }
    }
}
