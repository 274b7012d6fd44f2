/* SPDX-License-Identifier: Apache-2.0 */
/* The transport hook: requests, replies, limits, threads and forks. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xraytrace/curl.h>

#include "capture.h"
#include "peer.h"

static const struct peer_reply HELLO[] = { { .body = "hello" } };

static xray_transport make(void)
{
    xray_transport transport = { .size = sizeof(transport) };

    cr_assert_eq(xray_transport_curl(&transport), 0);
    return transport;
}

static int get(const xray_transport *transport, const char *url, xray_http_exchange *exchange)
{
    *exchange = (xray_http_exchange){ .size = sizeof(*exchange), .method = "GET", .url = url };
    return transport->exchange(transport->data, exchange);
}

/* ---- Exchanges ----------------------------------------------------------------------------------
 */

Test(transport, hands_back_status_and_reply)
{
    static const struct peer_reply REPLY[] = { { .status = 503, .body = "busy" } };
    struct peer *peer = peer_start(REPLY, 1);
    xray_transport transport = make();
    xray_http_exchange exchange;

    cr_assert_eq(get(&transport, peer_url(peer), &exchange), 0);
    cr_assert_eq(exchange.status, 503);
    cr_assert_eq(exchange.reply_length, 4);
    cr_assert_str_eq(exchange.reply, "busy");
    transport.destroy(transport.data);
    peer_stop(peer);
}

Test(transport, sends_method_headers_and_body)
{
    static const char *const HEADERS[] = { "Content-Type: application/json", "X-Empty:", NULL };
    struct peer *peer = peer_start(HELLO, 1);
    xray_transport transport = make();
    xray_http_exchange exchange = {
        .size = sizeof(exchange),
        .method = "PATCH",
        .url = peer_url(peer),
        .headers = HEADERS,
        .body = "{\"a\":1}",
        .body_length = 7,
    };
    char *type;

    cr_assert_eq(transport.exchange(transport.data, &exchange), 0);
    cr_assert_eq(strncmp(peer_request(peer, 0), "PATCH / HTTP/1.1\r\n", 18), 0);
    type = peer_request_header(peer, 0, "Content-Type");
    cr_assert_str_eq(type, "application/json");
    cr_assert_eq(peer_request_header_count(peer, 0, "X-Empty"), 1);
    cr_assert_not_null(strstr(peer_request(peer, 0), "\r\n\r\n{\"a\":1}"));
    free(type);
    transport.destroy(transport.data);
    peer_stop(peer);
}

Test(transport, adds_no_content_type_of_its_own)
{
    struct peer *peer = peer_start(HELLO, 1);
    xray_transport transport = make();
    xray_http_exchange exchange = { .size = sizeof(exchange),
                                    .method = "POST",
                                    .url = peer_url(peer) };

    cr_assert_eq(transport.exchange(transport.data, &exchange), 0);
    cr_assert_eq(peer_request_header_count(peer, 0, "Content-Type"), 0);
    transport.destroy(transport.data);
    peer_stop(peer);
}

Test(transport, reads_no_body_of_a_head_request)
{
    struct peer *peer = peer_start(HELLO, 1);
    xray_transport transport = make();
    xray_http_exchange exchange = { .size = sizeof(exchange),
                                    .method = "HEAD",
                                    .url = peer_url(peer) };

    cr_assert_eq(transport.exchange(transport.data, &exchange), 0);
    cr_assert_eq(exchange.status, 200);
    cr_assert_eq(exchange.reply_length, 0);
    transport.destroy(transport.data);
    peer_stop(peer);
}

Test(transport, keeps_its_connection)
{
    struct peer *peer = peer_start(HELLO, 1);
    xray_transport transport = make();
    xray_http_exchange exchange;

    for (int i = 0; i < 5; i++)
        cr_assert_eq(get(&transport, peer_url(peer), &exchange), 0);
    cr_assert_eq(peer_connection_count(peer), 1);
    transport.destroy(transport.data);
    peer_stop(peer);
}

Test(transport, does_not_follow_redirections)
{
    static const struct peer_reply REPLY[] = { { .status = 302, .headers = "Location: /x\r\n" } };
    struct peer *peer = peer_start(REPLY, 1);
    xray_transport transport = make();
    xray_http_exchange exchange;

    cr_assert_eq(get(&transport, peer_url(peer), &exchange), 0);
    cr_assert_eq(exchange.status, 302);
    cr_assert_eq(peer_request_count(peer), 1);
    transport.destroy(transport.data);
    peer_stop(peer);
}

Test(transport, ignores_a_proxy_on_the_way_to_this_machine)
{
    struct peer *peer = peer_start(HELLO, 1);
    xray_transport transport;
    xray_http_exchange exchange;

    setenv("http_proxy", peer_refusing_url(), 1);
    transport = make();
    cr_assert_eq(get(&transport, peer_url(peer), &exchange), 0);
    transport.destroy(transport.data);
    peer_stop(peer);
}

Test(transport, is_never_traced)
{
    struct peer *peer = peer_start(HELLO, 1);
    xray_transport transport = make();
    struct capture capture;
    xray_http_exchange exchange;

    capture_begin(&capture, true);
    cr_assert_eq(get(&transport, peer_url(peer), &exchange), 0);
    capture_end(&capture);
    cr_assert_not_null(capture.document);
    cr_assert_null(json_at(capture.document, "subsegments"));
    cr_assert_eq(peer_request_header_count(peer, 0, "X-Amzn-Trace-Id"), 0);
    capture_free(&capture);
    transport.destroy(transport.data);
    peer_stop(peer);
}

/* ---- Failures
 * ------------------------------------------------------------------------------------ */

Test(failure, to_connect_is_refused)
{
    xray_transport transport = make();
    xray_http_exchange exchange;

    cr_assert_eq(get(&transport, peer_refusing_url(), &exchange), -ECONNREFUSED);
    transport.destroy(transport.data);
}

Test(failure, to_answer_in_time_is_a_time_out)
{
    static const struct peer_reply REPLY[] = { { .silent = 1 } };
    struct peer *peer = peer_start(REPLY, 1);
    xray_transport transport = make();
    xray_http_exchange exchange = {
        .size = sizeof(exchange), .method = "GET", .url = peer_url(peer), .timeout_ms = 200
    };

    cr_assert_eq(transport.exchange(transport.data, &exchange), -ETIMEDOUT);
    transport.destroy(transport.data);
    peer_stop(peer);
}

Test(failure, to_answer_at_all_is_an_io_error)
{
    static const struct peer_reply REPLY[] = { { .hang_up = 1 } };
    struct peer *peer = peer_start(REPLY, 1);
    xray_transport transport = make();
    xray_http_exchange exchange;

    cr_assert_eq(get(&transport, peer_url(peer), &exchange), -EIO);
    transport.destroy(transport.data);
    peer_stop(peer);
}

Test(failure, to_be_brief_is_too_large)
{
    static const struct peer_reply REPLIES[] = { { .padding = 16 * 1024 * 1024 },
                                                 { .padding = 16 * 1024 * 1024 + 1 } };
    struct peer *peer = peer_start(REPLIES, 2);
    xray_transport transport = make();
    xray_http_exchange exchange;

    cr_assert_eq(get(&transport, peer_url(peer), &exchange), 0);
    cr_assert_eq(exchange.reply_length, 16 * 1024 * 1024);
    cr_assert_eq(get(&transport, peer_url(peer), &exchange), -EMSGSIZE);
    transport.destroy(transport.data);
    peer_stop(peer);
}

Test(failure, does_not_spoil_the_next_exchange)
{
    static const struct peer_reply REPLIES[] = { { .padding = 17 * 1024 * 1024 },
                                                 { .body = "fine" } };
    struct peer *peer = peer_start(REPLIES, 2);
    xray_transport transport = make();
    xray_http_exchange exchange;

    cr_assert_eq(get(&transport, peer_url(peer), &exchange), -EMSGSIZE);
    cr_assert_eq(get(&transport, peer_url(peer), &exchange), 0);
    cr_assert_str_eq(exchange.reply, "fine");
    transport.destroy(transport.data);
    peer_stop(peer);
}

Test(failure, of_arguments_is_told)
{
    static const char *const SMUGGLED[] = { "X-A: b\r\nX-C: d", NULL };
    xray_transport transport = make(), none = { 0 };
    xray_http_exchange exchange = { .size = sizeof(exchange), .method = "GET" };

    cr_expect_eq(xray_transport_curl(NULL), -EINVAL);
    cr_expect_eq(xray_transport_curl(&none), -EINVAL);
    cr_expect_eq(transport.exchange(transport.data, &exchange), -EINVAL);
    cr_expect_eq(get(&transport, "file:///etc/hostname", &exchange), -EINVAL);
    exchange.url = peer_refusing_url();
    exchange.headers = SMUGGLED;
    cr_expect_eq(transport.exchange(transport.data, &exchange), -EINVAL);
    transport.destroy(transport.data);
}

/* ---- Threads and forks
 * ------------------------------------------------------------------------------ */

struct worker {
    const xray_transport *transport;
    const char *url;
    int result;
};

static void *work(void *data)
{
    struct worker *worker = data;
    xray_http_exchange exchange;

    worker->result = get(worker->transport, worker->url, &exchange);
    for (int i = 0; worker->result == 0 && i < 4; i++)
        worker->result = get(worker->transport, worker->url, &exchange);
    if (worker->result == 0 && strcmp(exchange.reply, "hello") != 0)
        worker->result = -1;
    return NULL;
}

Test(threads, have_a_connection_each)
{
    struct peer *peer = peer_start(HELLO, 1);
    xray_transport transport = make();
    struct worker workers[4];
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++) {
        workers[i] = (struct worker){ &transport, peer_url(peer), -1 };
        cr_assert_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(workers[i].result, 0);
    }
    cr_assert_eq(peer_connection_count(peer), 4);
    transport.destroy(transport.data);
    peer_stop(peer);
}

static size_t open_descriptors(void)
{
    size_t count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) != -1;
    return count;
}

/* libcurl keeps none of its own after its first use, which the first thread has. */
Test(threads, leave_no_connection_open_when_they_end)
{
    struct peer *peer = peer_start(HELLO, 1);
    xray_transport transport = make();
    struct worker worker = { &transport, peer_refusing_url(), 0 };
    pthread_t thread;
    size_t before, after;

    pthread_create(&thread, NULL, work, &worker);
    pthread_join(thread, NULL);
    before = open_descriptors();
    for (int i = 0; i < 8; i++) {
        worker.url = peer_url(peer);
        pthread_create(&thread, NULL, work, &worker);
        pthread_join(thread, NULL);
        cr_assert_eq(worker.result, 0);
    }
    transport.destroy(transport.data);
    peer_stop(peer);
    after = open_descriptors();
    /* The peer had a listener, and a pipe. */
    cr_assert_eq(after + 3, before);
}

Test(threads, may_end_after_the_transport)
{
    struct peer *peer = peer_start(HELLO, 1);
    xray_transport first = make(), second;
    xray_http_exchange exchange;

    cr_assert_eq(get(&first, peer_url(peer), &exchange), 0);
    first.destroy(first.data);
    second = make();
    cr_assert_eq(get(&second, peer_url(peer), &exchange), 0);
    cr_assert_str_eq(exchange.reply, "hello");
    second.destroy(second.data);
    peer_stop(peer);
}

/* Returns the exit status of a child that makes an exchange; hook: it calls after_fork first. */
static int exchange_in_child(const xray_transport *transport, const char *url, bool hook)
{
    xray_http_exchange exchange;
    int status = -1;
    pid_t child = fork();

    cr_assert_geq(child, 0);
    if (child == 0) {
        if (hook)
            transport->after_fork(transport->data);
        _exit(get(transport, url, &exchange) == 0 && strcmp(exchange.reply, "hello") == 0 ? 0 : 1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(fork, gives_the_child_a_connection_of_its_own)
{
    struct peer *peer = peer_start(HELLO, 1);
    xray_transport transport = make();
    xray_http_exchange exchange;

    cr_assert_eq(get(&transport, peer_url(peer), &exchange), 0);
    cr_assert_eq(exchange_in_child(&transport, peer_url(peer), true), 0);
    cr_assert_eq(peer_connection_count(peer), 2);
    transport.destroy(transport.data);
    peer_stop(peer);
}

Test(fork, is_noticed_without_the_hook_too)
{
    struct peer *peer = peer_start(HELLO, 1);
    xray_transport transport = make();
    xray_http_exchange exchange;

    cr_assert_eq(get(&transport, peer_url(peer), &exchange), 0);
    cr_assert_eq(exchange_in_child(&transport, peer_url(peer), false), 0);
    cr_assert_eq(peer_connection_count(peer), 2);
    transport.destroy(transport.data);
    peer_stop(peer);
}

Test(fork, leaves_the_parents_connection_usable)
{
    struct peer *peer = peer_start(HELLO, 1);
    xray_transport transport = make();
    xray_http_exchange exchange;

    cr_assert_eq(get(&transport, peer_url(peer), &exchange), 0);
    cr_assert_eq(exchange_in_child(&transport, peer_url(peer), true), 0);
    cr_assert_eq(get(&transport, peer_url(peer), &exchange), 0);
    cr_assert_eq(peer_connection_count(peer), 2);
    transport.destroy(transport.data);
    peer_stop(peer);
}
