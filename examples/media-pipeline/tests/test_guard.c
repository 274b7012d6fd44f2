/* SPDX-License-Identifier: Apache-2.0 */
/* The proxy with real sockets, on the loopback alone: names of the Internet come from a resolver
 * of ours, and are never connected to. */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "media/guard.h"
#include "peer.h"
#include "runtime/text.h"

/* Longer than the tests, since the peer looks at them from its thread. */
static const struct peer_reply hello = { .body = "hello" };
static const struct peer_reply empty = { .body = "" };
static const struct peer_reply silence = { .silent = 1 };
static const struct peer_reply long_one = { .padding = 16 * 1024 * 1024 };

static struct guard *guard;
static struct peer *peer;
static struct text body;
static char refusal[512];
static char trusted[64]; /* "127.0.0.1:port" of the peer */

static void start(struct guard_params params)
{
    struct failure failure;
    peer = peer_start(&hello, 1);
    snprintf(trusted, sizeof(trusted), "%s", peer_url(peer) + strlen("http://"));
    if (!params.media_hosts)
        params.media_hosts = trusted;
    cr_assert_eq(guard_start(&params, &guard, &failure), 0, "%s", failure.message);
}

static void end(void)
{
    guard_stop(guard);
    if (peer)
        peer_stop(peer);
    text_release(&body);
}

TestSuite(guard, .fini = end, .timeout = 60);

/* ---- curl as the client ------------------------------------------------------------------ */

static size_t collect(char *bytes, size_t size, size_t count, void *data)
{
    text_add_bytes(data, bytes, size * count);
    return size * count;
}

static bool with_head; /* body gets the origin's headers too */

/* The status of the origin or of the guard, 0 when there is none. */
static long get(const char *url, bool has_tunnel)
{
    long status = 0, connect_status = 0;
    CURL *curl = curl_easy_init();
    text_clear(&body);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, guard_url(guard));
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
    curl_easy_setopt(curl, CURLOPT_HTTPPROXYTUNNEL, (long)has_tunnel);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(curl, CURLOPT_HEADER, (long)with_head);
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &connect_status);
    curl_easy_cleanup(curl);
    return status ? status : connect_status;
}

static const char *refusal_of(const char *url, bool has_tunnel)
{
    long status = get(url, has_tunnel);
    cr_expect_eq(status, 403, "%s: %ld", url, status);
    return guard_take_refusal(guard, refusal, sizeof(refusal)) ? refusal : "";
}

static const char *peer_url_at(const char *host)
{
    static char url[128];
    snprintf(url, sizeof(url), "http://%s%s/", host, strrchr(peer_url(peer), ':'));
    return url;
}

Test(guard, lets_a_trusted_host_through)
{
    start((struct guard_params){ 0 });
    cr_expect_eq(get(peer_url(peer), false), 200);
    cr_expect_str_eq(body.data, "hello");
    cr_expect_not(guard_take_refusal(guard, refusal, sizeof(refusal)));
}

Test(guard, lets_a_tunnel_to_a_trusted_host_through)
{
    start((struct guard_params){ 0 });
    cr_expect_eq(get(peer_url(peer), true), 200);
    cr_expect_str_eq(body.data, "hello");
}

Test(guard, says_in_the_answer_that_no_other_request_can_follow)
{
    start((struct guard_params){ 0 });
    with_head = true;
    cr_expect_eq(get(peer_url(peer), false), 200);
    const char *line_end = strstr(body.data, "\r\n");
    cr_assert(line_end, "%s", body.data);
    cr_expect_eq(strncmp(line_end, "\r\nConnection: close\r\n", 21), 0, "%s", body.data);
    cr_expect(strstr(body.data, "\r\n\r\nhello"), "%s", body.data);
}

Test(guard, changes_nothing_in_a_tunnel)
{
    start((struct guard_params){ 0 });
    with_head = true;
    cr_expect_eq(get(peer_url(peer), true), 200);
    cr_expect_null(strstr(body.data, " OK\r\nConnection: close\r\n"), "%s", body.data);
}

Test(guard, keeps_its_secret_from_the_origin)
{
    start((struct guard_params){ 0 });
    get(peer_url(peer), false);
    get(peer_url(peer), true);
    for (size_t i = 0; i < 2; i++)
        cr_expect_eq(peer_request_header_count(peer, i, "Proxy-Authorization"), 0);
}

Test(guard, carries_what_is_long)
{
    start((struct guard_params){ 0 });
    peer_stop(peer);
    peer = peer_start(&long_one, 1);
    guard_stop(guard);
    struct failure failure;
    struct guard_params params = { .media_hosts = "127.0.0.1" };
    cr_assert_eq(guard_start(&params, &guard, &failure), 0);
    cr_expect_eq(get(peer_url(peer), true), 200);
    cr_expect_eq(body.length, 16 * 1024 * 1024);
    cr_expect_eq(get(peer_url(peer), false), 200);
    cr_expect_eq(body.length, 16 * 1024 * 1024);
}

Test(guard, refuses_an_address_of_our_own_network_and_says_what_to_do)
{
    start((struct guard_params){ .media_hosts = "media.example.org" });
    const char *port = strrchr(peer_url(peer), ':') + 1;
    char expected[256];
    snprintf(expected, sizeof(expected),
             "host 127.0.0.1 resolves to 127.0.0.1, which is a loopback address: add "
             "127.0.0.1:%s to MEDIA_HOSTS if you trust it",
             port);
    cr_expect_str_eq(refusal_of(peer_url(peer), false), expected);
    cr_expect_str_eq(refusal_of(peer_url(peer), true), expected);
    cr_expect_eq(peer_connection_count(peer), 0);
}

Test(guard, refuses_every_spelling_of_it)
{
    static const char *const hosts[] = {
        "localhost", "127.1",        "2130706433",         "0x7f.1",
        "[::1]",     "017700000001", "[::ffff:127.0.0.1]", "0"
    };
    start((struct guard_params){ .media_hosts = "media.example.org" });
    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
        for (int has_tunnel = 0; has_tunnel < 2; has_tunnel++)
            cr_expect(strstr(refusal_of(peer_url_at(hosts[i]), has_tunnel), "MEDIA_HOSTS"), "%s",
                      hosts[i]);
    cr_expect_eq(peer_connection_count(peer), 0);
}

Test(guard, trusts_a_host_with_the_port_that_was_named)
{
    start((struct guard_params){ .media_hosts = "127.0.0.1:1" });
    cr_assert(strstr(refusal_of(peer_url(peer), false), "a loopback address"));
}

/* ---- Names -------------------------------------------------------------------------------- */

static int resolutions;

static void set_address(struct guard_address *ret, const char *address, int port)
{
    struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    cr_assert_eq(inet_pton(AF_INET, address, &ipv4.sin_addr), 1);
    memcpy(&ret->address, &ipv4, sizeof(ipv4));
    ret->length = sizeof(ipv4);
}

/* A name server that changes its mind: what it says later is another address. */
static int resolve_once(void *data, const char *host, int port, struct guard_address *ret)
{
    (void)host;
    set_address(ret, resolutions++ == 0 ? data : "127.0.0.99", port);
    return 1;
}

static int resolve_two(void *data, const char *host, int port, struct guard_address *ret)
{
    (void)data;
    (void)host;
    set_address(&ret[0], "8.8.8.8", port);
    set_address(&ret[1], "192.168.0.1", port);
    return 2;
}

static int resolve_nothing(void *data, const char *host, int port, struct guard_address *ret)
{
    (void)data;
    (void)host;
    (void)port;
    (void)ret;
    return EAI_NONAME;
}

Test(guard, connects_to_the_very_address_it_has_checked)
{
    /* No other name server knows the name: whoever resolves it again gets nowhere. */
    start((struct guard_params){ .media_hosts = "rebinding.invalid",
                                 .resolver = resolve_once,
                                 .data = (char[]){ "127.0.0.1" } });
    cr_expect_eq(get(peer_url_at("rebinding.invalid"), true), 200);
    cr_expect_eq(resolutions, 1);
}

Test(guard, looks_at_what_a_name_is_now)
{
    start((struct guard_params){ .media_hosts = "other.example.org",
                                 .resolver = resolve_once,
                                 .data = (char[]){ "10.1.2.3" } });
    cr_expect(strstr(refusal_of("http://rebinding.invalid/", false),
                     "host rebinding.invalid resolves to 10.1.2.3, which is a private address"));
    cr_expect(strstr(refusal_of("http://rebinding.invalid/", false), "127.0.0.99"));
}

Test(guard, refuses_a_name_of_which_one_address_is_ours)
{
    start((struct guard_params){ .resolver = resolve_two });
    cr_assert(strstr(refusal_of("http://two.example.org/", true), "192.168.0.1"));
}

Test(guard, refuses_ports_that_no_web_server_has)
{
    start((struct guard_params){ .resolver = resolve_once, .data = (char[]){ "8.8.8.8" } });
    cr_assert(strstr(refusal_of("http://mail.example.org:25/", true),
                     "port 25 of host mail.example.org is neither 80 nor 443"));
}

Test(guard, says_that_a_name_is_unknown)
{
    start((struct guard_params){ .resolver = resolve_nothing });
    cr_expect_eq(get("http://nobody.example.org/", false), 502);
    cr_expect_not(guard_take_refusal(guard, refusal, sizeof(refusal)), "another time it may be");
}

Test(guard, says_that_nobody_listens)
{
    start((struct guard_params){ .media_hosts = "127.0.0.1" });
    cr_assert_eq(get(peer_refusing_url(), true), 502);
}

/* ---- Other clients -------------------------------------------------------------------------- */

static int connect_to_guard(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_port = htons((uint16_t)atoi(strrchr(guard_url(guard), ':') + 1));
    cr_assert_eq(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    return client;
}

static void say(int client, const char *text)
{
    size_t length = strlen(text);
    cr_assert_eq(send(client, text, length, MSG_NOSIGNAL), (ssize_t)length);
}

/* We have said all: until the other side is done with us. */
static const char *hear(int client)
{
    static char heard[4096];
    size_t length = 0;
    ssize_t count;
    shutdown(client, SHUT_WR);
    while ((count = recv(client, heard + length, sizeof(heard) - 1 - length, 0)) > 0)
        length += (size_t)count;
    heard[length] = '\0';
    close(client);
    return heard;
}

/* As curl would send it, so that nothing here knows how the secret is encoded. */
static const char *authorization(void)
{
    static char line[256];
    char *header;
    struct peer *origin = peer_start(&empty, 1);
    char url[128], name[8], secret[64];
    CURL *curl = curl_easy_init();
    cr_assert_eq(sscanf(guard_url(guard), "http://%7[^:]:%63[^@]", name, secret), 2);
    snprintf(url, sizeof(url), "%s/", peer_url(origin));
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_USERNAME, name);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, secret);
    cr_assert_eq(curl_easy_perform(curl), CURLE_OK);
    curl_easy_cleanup(curl);
    header = peer_request_header(origin, 0, "Authorization");
    snprintf(line, sizeof(line), "Proxy-Authorization: %s\r\n", header);
    free(header);
    peer_stop(origin);
    return line;
}

Test(guard, is_of_no_use_without_the_secret)
{
    start((struct guard_params){ 0 });
    int client = connect_to_guard();
    char request[256];
    snprintf(request, sizeof(request), "GET %s/ HTTP/1.1\r\n\r\n", peer_url(peer));
    say(client, request);
    const char *heard = hear(client);
    cr_expect(strstr(heard, "HTTP/1.1 407 "), "%s", heard);
    cr_expect(strstr(heard, "Proxy-Authenticate: Basic"), "%s", heard);
    cr_expect_eq(peer_connection_count(peer), 0);
}

Test(guard, has_another_secret_each_time)
{
    char first[128];
    start((struct guard_params){ 0 });
    snprintf(first, sizeof(first), "%.40s", guard_url(guard));
    end();
    start((struct guard_params){ 0 });
    cr_assert_neq(strncmp(first, guard_url(guard), 40), 0);
}

Test(guard, passes_no_second_request_on)
{
    start((struct guard_params){ 0 });
    const char *line = authorization();
    int client = connect_to_guard();
    char request[1024];
    snprintf(request, sizeof(request),
             "GET http://%s/first HTTP/1.1\r\n%s\r\nGET http://%s/second HTTP/1.1\r\n%s\r\n",
             trusted, line, trusted, line);
    say(client, request);
    hear(client);
    for (size_t i = 0; i < peer_request_count(peer); i++)
        cr_expect_null(strstr(peer_request(peer, i), "second"));
}

Test(guard, passes_no_later_request_on)
{
    start((struct guard_params){ 0 });
    const char *line = authorization();
    int client = connect_to_guard();
    char request[1024], answer[64];
    snprintf(request, sizeof(request), "GET http://%s/first HTTP/1.1\r\n%s\r\n", trusted, line);
    say(client, request);
    cr_assert_gt(recv(client, answer, sizeof(answer), 0), 0);
    say(client, "GET /second HTTP/1.1\r\nHost: elsewhere\r\n\r\n");
    hear(client);
    cr_expect_eq(peer_request_count(peer), 1);
}

Test(guard, passes_a_body_on_that_comes_late)
{
    start((struct guard_params){ 0 });
    const char *line = authorization();
    int client = connect_to_guard();
    char request[1024];
    snprintf(request, sizeof(request), "POST http://%s/ HTTP/1.1\r\n%sContent-Length: 8\r\n\r\nbo",
             trusted, line);
    say(client, request);
    say(client, "dy-");
    say(client, "end");
    cr_expect(strstr(hear(client), "hello"));
    cr_expect(strstr(peer_request(peer, 0), "\r\n\r\nbody-end"));
}

Test(guard, does_not_wait_for_a_slow_request)
{
    start((struct guard_params){ .head_timeout_ms = 200 });
    int client = connect_to_guard();
    char answer[64] = "";
    say(client, "GET http://h/ HTTP/1.1\r\n");
    cr_assert_gt(recv(client, answer, sizeof(answer) - 1, 0), 0);
    cr_expect(strstr(answer, "HTTP/1.1 408 "));
    close(client);
}

Test(guard, does_not_take_a_request_without_end)
{
    start((struct guard_params){ 0 });
    int client = connect_to_guard();
    say(client, "GET http://h/ HTTP/1.1\r\n");
    for (int i = 0; i < 33; i++) {
        char line[1025];
        memset(line, 'a', sizeof(line) - 1);
        line[sizeof(line) - 1] = '\0';
        if (send(client, line, sizeof(line) - 1, MSG_NOSIGNAL) < 0)
            break;
    }
    cr_assert(strstr(hear(client), "HTTP/1.1 431 "));
}

Test(guard, has_room_for_a_bounded_number)
{
    start((struct guard_params){ .max_connections = 1 });
    int first = connect_to_guard();
    say(first, "GET ");
    int second = connect_to_guard();
    cr_expect_str_eq(hear(second), "");
    close(first);
}

Test(guard, ends_a_connection_on_which_nothing_happens)
{
    start((struct guard_params){ .media_hosts = "127.0.0.1", .idle_timeout_ms = 200 });
    peer_stop(peer);
    peer = peer_start(&silence, 1);
    cr_assert_eq(get(peer_url(peer), false), 0);
}

Test(guard, ends_all_connections_when_it_stops)
{
    start((struct guard_params){ 0 });
    int client = connect_to_guard();
    say(client, "GET ");
    guard_stop(guard);
    guard = NULL;
    char answer[64];
    ssize_t count;
    while ((count = recv(client, answer, sizeof(answer), 0)) > 0)
        ;
    cr_expect(count == 0 || errno == ECONNRESET);
    close(client);
}
