/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that a proxy may pass on, and those that want it to be understood in two ways. */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "media/guard_address.h"
#include "media/guard_request.h"

#define SECRET     "Basic Z3VhcmQ6c2VjcmV0"
#define AUTHORIZED "Proxy-Authorization: " SECRET "\r\n"

static struct guard_request request;
static const char *reason;

static int read_bytes(const char *head, size_t length)
{
    text_release(&request.head);
    memset(&request, 0, sizeof(request));
    return guard_request_read(head, length, SECRET, &request, &reason);
}

static int read_text(const char *head)
{
    return read_bytes(head, strlen(head));
}

static void clean_up(void)
{
    text_release(&request.head);
}

TestSuite(guard_request, .fini = clean_up);

Test(guard_request, for_a_tunnel_names_host_and_port)
{
    cr_assert_eq(
        read_text("CONNECT Media.Example.ORG:443 HTTP/1.1\r\nHost: other\r\n" AUTHORIZED "\r\n"),
        0);
    cr_expect(request.is_tunnel);
    cr_expect_str_eq(request.host, "media.example.org");
    cr_expect_eq(request.port, 443);
}

Test(guard_request, for_a_tunnel_may_name_an_ipv6_address)
{
    cr_assert_eq(read_text("CONNECT [2606:4700::1]:443 HTTP/1.0\r\n" AUTHORIZED "\r\n"), 0);
    cr_expect_str_eq(request.host, "[2606:4700::1]");
}

Test(guard_request, is_passed_on_without_what_concerns_the_proxy_alone)
{
    cr_assert_eq(read_text("GET http://media.example.org:8080/a?b=c HTTP/1.1\r\n"
                           "Host: elsewhere.example.org\r\n"
                           "X-Mine: 1\r\n" AUTHORIZED "Proxy-Connection: keep-alive\r\n"
                           "Connection: keep-alive, X-Mine\r\n"
                           "Accept: */*\r\n\r\n"),
                 0);
    cr_expect_str_eq(request.head.data, "GET /a?b=c HTTP/1.1\r\n"
                                        "Host: media.example.org:8080\r\n"
                                        "Connection: close\r\n"
                                        "Accept: */*\r\n\r\n");
    cr_expect_eq(request.port, 8080);
}

Test(guard_request, has_a_path_when_the_address_has_none)
{
    cr_assert_eq(read_text("GET http://media.example.org?a HTTP/1.1\r\n" AUTHORIZED "\r\n"), 0);
    cr_expect(strstr(request.head.data, "GET /?a HTTP/1.1\r\nHost: media.example.org\r\n"));
    cr_expect_eq(request.port, 80);
}

Test(guard_request, may_have_a_body_of_a_known_length)
{
    cr_assert_eq(read_text("POST http://h/ HTTP/1.1\r\n" AUTHORIZED "Content-Length: 12\r\n"
                           "Connection: Content-Length\r\n\r\n"),
                 0);
    cr_expect_eq(request.body_length, 12);
    cr_expect(strstr(request.head.data, "Content-Length: 12\r\n"));
}

Test(guard_request, without_the_secret_is_refused)
{
    static const char *const heads[] = {
        "GET http://h/ HTTP/1.1\r\n\r\n",
        "CONNECT h:443 HTTP/1.1\r\n\r\n",
        "GET http://h/ HTTP/1.1\r\nProxy-Authorization: Basic Z3VhcmQ6c2VjcmVx\r\n\r\n",
        "GET http://h/ HTTP/1.1\r\nProxy-Authorization: Basic\r\n\r\n",
        "GET http://h/ HTTP/1.1\r\nAuthorization: " SECRET "\r\n\r\n",
        /* The last one counts. */
        "GET http://h/ HTTP/1.1\r\n" AUTHORIZED "Proxy-Authorization: other\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
        cr_expect_eq(read_text(heads[i]), 407, "%s", heads[i]);
}

Test(guard_request, that_can_be_understood_in_two_ways_is_refused)
{
    static const struct {
        const char *head;
        int status;
    } cases[] = {
        { "GET http://h/ HTTP/1.1\n" AUTHORIZED "\r\n", 400 },
        { "GET http://h/ HTTP/1.1\r\nA: b\n" AUTHORIZED "\r\n", 400 },
        { "GET http://h/ HTTP/1.1\r\nA: b\rC: d\r\n" AUTHORIZED "\r\n", 400 },
        { "GET http://h/ HTTP/1.1\r\nA : b\r\n" AUTHORIZED "\r\n", 400 },
        { "GET http://h/ HTTP/1.1\r\n" AUTHORIZED "A: b\r\n c\r\n\r\n", 400 },
        { "GET http://h/ HTTP/1.1\r\n: b\r\n" AUTHORIZED "\r\n", 400 },
        { "GET http://h/ HTTP/1.1\r\nA\r\n" AUTHORIZED "\r\n", 400 },
        { "GET http://h/ HTTP/1.1\r\nA: \x01\r\n" AUTHORIZED "\r\n", 400 },
        { "POST http://h/ HTTP/1.1\r\n" AUTHORIZED "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
          400 },
        { "POST http://h/ HTTP/1.1\r\n" AUTHORIZED "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
          400 },
        { "POST http://h/ HTTP/1.1\r\n" AUTHORIZED "Content-Length: +1\r\n\r\n", 400 },
        { "POST http://h/ HTTP/1.1\r\n" AUTHORIZED "Content-Length: 1,1\r\n\r\n", 400 },
        { "POST http://h/ HTTP/1.1\r\n" AUTHORIZED "Content-Length: 99999999999\r\n\r\n", 413 },
        { "POST http://h/ HTTP/1.1\r\n" AUTHORIZED "Content-Length: 1\r\n"
          "Transfer-Encoding: chunked\r\n\r\n",
          501 },
        { "POST http://h/ HTTP/1.1\r\n" AUTHORIZED "Transfer-Encoding: chunked\r\n\r\n", 501 },
        { "GET http://h/ HTTP/1.1\r\n" AUTHORIZED "Connection: a\r\nConnection: b\r\n\r\n", 400 },
        { "CONNECT h:443 HTTP/1.1\r\n" AUTHORIZED "Content-Length: 1\r\n\r\n", 400 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        cr_expect_eq(read_text(cases[i].head), cases[i].status, "%s", cases[i].head);
}

Test(guard_request, may_not_hide_the_host)
{
    static const char *const lines[] = {
        "GET http://youtube.com@10.0.0.1/ HTTP/1.1",
        "GET http://user:password@h/ HTTP/1.1",
        "CONNECT youtube.com@10.0.0.1:443 HTTP/1.1",
        "GET http://h%2f@10.0.0.1/ HTTP/1.1",
        "GET http://[fe80::1%25eth0]/ HTTP/1.1",
        "GET http://h\\@10.0.0.1/ HTTP/1.1",
        "GET http://h#@10.0.0.1/ HTTP/1.1",
        "GET http:// HTTP/1.1",
        "GET http:///path HTTP/1.1",
        "GET http://h:0/ HTTP/1.1",
        "GET http://h:65536/ HTTP/1.1",
        "GET http://h:80x/ HTTP/1.1",
        "CONNECT h HTTP/1.1",
        "CONNECT h: HTTP/1.1",
        "CONNECT http://h:443/ HTTP/1.1",
    };
    char head[256];
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        snprintf(head, sizeof(head), "%s\r\n" AUTHORIZED "\r\n", lines[i]);
        cr_expect_eq(read_text(head), 400, "%s", lines[i]);
    }
}

Test(guard_request, is_of_http_alone)
{
    static const struct {
        const char *line;
        int status;
    } cases[] = {
        { "GET / HTTP/1.1", 400 },
        { "GET https://h/ HTTP/1.1", 400 },
        { "GET ftp://h/ HTTP/1.1", 400 },
        { "GET file:///etc/passwd HTTP/1.1", 400 },
        { "GET http://h/ HTTP/2.0", 505 },
        { "GET http://h/", 400 },
        { "GET  http://h/ HTTP/1.1", 400 },
        { "GET http://h/ HTTP/1.1 ", 400 },
        { "GET http://h/ x HTTP/1.1", 400 },
        { "get http://h/ HTTP/1.1", 400 },
        { "", 400 },
    };
    char head[256];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(head, sizeof(head), "%s\r\n" AUTHORIZED "\r\n", cases[i].line);
        cr_expect_eq(read_text(head), cases[i].status, "%s", cases[i].line);
    }
}

Test(guard_request, has_no_nul_in_it)
{
    static const char head[] = "GET http://h/ HTTP/1.1\r\nA: b\0c\r\n" AUTHORIZED "\r\n";
    cr_assert_eq(read_bytes(head, sizeof(head) - 1), 400);
}

Test(guard_request, has_a_bounded_number_of_headers)
{
    char head[8192] = "GET http://h/ HTTP/1.1\r\n" AUTHORIZED;
    for (int i = 0; i < GUARD_MAX_HEADERS; i++)
        strcat(head, "A: b\r\n");
    strcat(head, "\r\n");
    cr_assert_eq(read_text(head), 431);
}

/* ---- Addresses ------------------------------------------------------------------------------ */

static const char *kind_of(const char *text)
{
    struct sockaddr_in ipv4 = { .sin_family = AF_INET };
    struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };
    if (inet_pton(AF_INET, text, &ipv4.sin_addr) == 1)
        return guard_address_kind((const struct sockaddr *)&ipv4);
    cr_assert_eq(inet_pton(AF_INET6, text, &ipv6.sin6_addr), 1, "%s", text);
    return guard_address_kind((const struct sockaddr *)&ipv6);
}

Test(guard_address, of_the_internet_is_let_through)
{
    static const char *const addresses[] = {
        "1.1.1.1",         "8.8.8.8",         "9.255.255.255",        "11.0.0.0",
        "100.63.255.255",  "100.128.0.0",     "126.255.255.255",      "128.0.0.0",
        "169.253.255.255", "169.255.0.0",     "172.15.255.255",       "172.32.0.0",
        "192.0.1.0",       "192.167.255.255", "192.169.0.0",          "198.17.255.255",
        "198.20.0.0",      "223.255.255.255", "2606:4700:4700::1111", "2001:4860:4860::8888",
        "2a00:1450::1",    "::ffff:8.8.8.8",  "64:ff9b::8.8.8.8",     "2001:200::1",
        "3ffe::1",
    };
    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++)
        cr_expect_null(kind_of(addresses[i]), "%s: %s", addresses[i], kind_of(addresses[i]));
}

Test(guard_address, of_another_kind_is_named)
{
    static const struct {
        const char *address, *kind;
    } cases[] = {
        { "0.0.0.0", "the address of no host" },
        { "0.255.255.255", "the address of no host" },
        { "10.0.0.1", "a private address" },
        { "10.255.255.255", "a private address" },
        { "100.64.0.0", "an address of a provider's own network" },
        { "100.127.255.255", "an address of a provider's own network" },
        { "127.0.0.1", "a loopback address" },
        { "127.255.255.255", "a loopback address" },
        { "169.254.169.254", "a link-local address" },
        { "172.16.0.0", "a private address" },
        { "172.31.255.255", "a private address" },
        { "192.0.0.1", "a reserved address" },
        { "192.0.2.1", "a reserved address" },
        { "192.88.99.1", "a reserved address" },
        { "192.168.0.1", "a private address" },
        { "198.18.0.1", "a reserved address" },
        { "198.19.255.255", "a reserved address" },
        { "198.51.100.1", "a reserved address" },
        { "203.0.113.1", "a reserved address" },
        { "224.0.0.1", "a multicast address" },
        { "239.255.255.255", "a multicast address" },
        { "240.0.0.1", "a reserved address" },
        { "255.255.255.255", "a reserved address" },
        { "::", "the address of no host" },
        { "::1", "a loopback address" },
        { "::127.0.0.1", "a reserved address" },
        { "::ffff:127.0.0.1", "a loopback address" },
        { "::ffff:10.0.0.1", "a private address" },
        { "::ffff:0:10.0.0.1", "a reserved address" },
        { "64:ff9b::169.254.169.254", "a link-local address" },
        { "64:ff9b::10.0.0.1", "a private address" },
        { "64:ff9b:1::8.8.8.8", "a reserved address" },
        { "100::1", "a reserved address" },
        { "2001::1", "a reserved address" },
        { "2001:0:4136:e378:8000:63bf:3fff:fdd2", "a reserved address" },
        { "2001:db8::1", "a reserved address" },
        { "2002:a00:1::1", "a 6to4 address" },
        { "2002:808:808::1", "a 6to4 address" },
        { "3fff::1", "a reserved address" },
        { "4000::1", "a reserved address" },
        { "5f00::1", "a reserved address" },
        { "fc00::1", "a private address" },
        { "fd00:ec2::254", "a private address" },
        { "fe80::1", "a link-local address" },
        { "febf::1", "a link-local address" },
        { "fec0::1", "a private address" },
        { "ff02::1", "a multicast address" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *kind = kind_of(cases[i].address);
        cr_expect(kind && strcmp(kind, cases[i].kind) == 0, "%s: %s", cases[i].address,
                  kind ? kind : "let through");
    }
}
