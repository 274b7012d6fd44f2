/* SPDX-License-Identifier: Apache-2.0 */
/* Many documents at once to a real socket: whatever way they leave, each is a datagram. */
#include "datagrams.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "emit/udp.h"
#include "recorder/library.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

TestSuite(queue_batch, .init = xr_library_enter);

static const enum xr_udp_way ways[] = { XR_UDP_UNKNOWN, XR_UDP_SEGMENTS, XR_UDP_MANY, XR_UDP_ONE };
#define WAYS ((int)(sizeof(ways) / sizeof(*ways)))

static xray_document documents[XR_BATCH_MAX];
static char *texts[XR_BATCH_MAX];
static int results[XR_BATCH_MAX];
static int count, daemon_socket;
static xray_emitter emitter;

/* {"n":7,"x":"…"} of so many bytes. */
static void add_document(size_t length)
{
    char *text = malloc(length + 1);
    int start = snprintf(text, length + 1, "{\"n\":%d,\"x\":\"", count);

    cr_assert_gt((int)length, start + 2);
    memset(text + start, 'x', length - (size_t)start - 2);
    memcpy(text + length - 2, "\"}", 3);
    texts[count] = text;
    documents[count++] =
        (xray_document){ .size = sizeof(*documents), .json = text, .length = length };
}

static void add_documents(int more, size_t length, size_t step)
{
    for (int i = 0; i < more; i++)
        add_document(length + step * (size_t)i);
}

static void send_by(enum xr_udp_way way)
{
    struct xr_udp *udp = emitter.data;

    atomic_store(&udp->way, way);
    memset(results, 0x55, sizeof(results));
    xr_udp_emit_batch(udp, documents, count, true, results);
}

static void expect_all_to_arrive(void)
{
    for (int i = 0; i < count; i++) {
        cr_assert_eq(results[i], 0, "%d: %s", i, strerror(-results[i]));
        expect_padded(daemon_socket, texts[i]);
    }
    cr_assert_str_eq(next_datagram(daemon_socket), "");
}

static void listen_here(void)
{
    uint16_t port = 0;
    int bytes = 4 * 1024 * 1024;

    daemon_socket = listen_at(AF_INET, &port);
    setsockopt(daemon_socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    emitter = emitter_to("127.0.0.1:", port, "");
}

static void stop(void)
{
    for (int i = 0; i < count; i++)
        free(texts[i]);
    emitter.destroy(emitter.data);
    close(daemon_socket);
}

static void expect_to_arrive_by_each_way(void)
{
    listen_here();
    for (int i = 0; i < WAYS; i++) {
        send_by(ways[i]);
        expect_all_to_arrive();
    }
    stop();
}

Test(queue_batch, of_one_size_arrives_as_datagrams)
{
    add_documents(XR_BATCH_MAX, 600, 0);
    expect_to_arrive_by_each_way();
}

Test(queue_batch, of_nearly_one_size_arrives_in_its_order)
{
    add_documents(16, 600, 3);
    add_documents(16, 645, 1);
    expect_to_arrive_by_each_way();
}

Test(queue_batch, of_all_sizes_arrives_in_its_order)
{
    static const size_t lengths[] = {
        400, 2000, 401, 30000, 30001, 64480, 20, 21, 900, 950, 20000
    };

    for (int i = 0; i < XR_BATCH_MAX / 2; i++)
        add_document(lengths[i % 11]);
    expect_to_arrive_by_each_way();
}

Test(queue_batch, of_one_arrives)
{
    add_document(600);
    expect_to_arrive_by_each_way();
}

Test(queue_batch, of_more_bytes_than_a_call_takes_arrives)
{
    add_documents(12, 20000, 100);
    expect_to_arrive_by_each_way();
}

Test(queue_batch, leaves_the_last_document_as_it_is)
{
    listen_here();
    add_document(610);
    add_document(600);
    send_by(XR_UDP_SEGMENTS);
    expect_datagram(daemon_socket, texts[0]);
    expect_datagram(daemon_socket, texts[1]);
    stop();
}

Test(queue_batch, pads_a_little_and_not_much)
{
    listen_here();
    add_document(600);
    add_document(610);
    add_document(2000);
    send_by(XR_UDP_SEGMENTS);
    cr_expect_eq(strlen(next_datagram(daemon_socket)), strlen(header_line) + 610);
    cr_expect_eq(strlen(next_datagram(daemon_socket)), strlen(header_line) + 610);
    cr_expect_eq(strlen(next_datagram(daemon_socket)), strlen(header_line) + 2000);
    stop();
}

Test(queue_batch, pads_nothing_that_does_not_end_with_a_brace)
{
    listen_here();
    add_documents(4, 600, 2);
    texts[1][601] = '\n';
    send_by(XR_UDP_SEGMENTS);
    cr_expect_eq(strlen(next_datagram(daemon_socket)), strlen(header_line) + 600);
    expect_datagram(daemon_socket, texts[1]);
    expect_padded(daemon_socket, texts[2]);
    expect_padded(daemon_socket, texts[3]);
    stop();
}

Test(queue_batch, is_one_piece_to_a_kernel_that_can)
{
    int yes = 1;

    listen_here();
    /* Asked to, the receiver sees what came as one. */
    if (setsockopt(daemon_socket, IPPROTO_UDP, UDP_GRO, &yes, sizeof(yes)) < 0)
        cr_skip_test("this kernel has no UDP_GRO");
    add_documents(XR_BATCH_MAX, 600, 0);
    send_by(XR_UDP_UNKNOWN);
    cr_expect_eq(strlen(next_datagram(daemon_socket)), XR_BATCH_MAX * (strlen(header_line) + 600));
    cr_expect_str_eq(next_datagram(daemon_socket), "");
    stop();
}

Test(queue_batch, says_which_document_was_too_large)
{
    listen_here();
    add_documents(3, 600, 0);
    add_document(70000);
    add_documents(3, 600, 0);
    for (int i = 0; i < WAYS; i++) {
        send_by(ways[i]);
        for (int k = 0; k < count; k++) {
            cr_assert_eq(results[k], k == 3 ? -EMSGSIZE : 0, "%d by %d", k, ways[i]);
            if (k != 3)
                expect_datagram(daemon_socket, texts[k]);
        }
    }
    stop();
}

Test(queue_batch, knows_all_that_nobody_took)
{
    listen_here();
    close(daemon_socket);
    add_documents(8, 600, 0);
    add_document(3000);
    for (int i = 0; i < WAYS; i++) {
        send_by(ways[i]);
        for (int k = 0; k < count; k++)
            cr_expect_eq(results[k], -ECONNREFUSED, "%d by %d", k, ways[i]);
    }
    stop();
}

Test(queue_batch, loses_nothing_to_the_refusal_of_a_document_before)
{
    uint16_t port = 0;

    daemon_socket = listen_at(AF_INET, &port);
    emitter = emitter_to("127.0.0.1:", port, "");
    add_documents(8, 600, 0);
    for (int i = 0; i < WAYS; i++) {
        close(daemon_socket);
        (void)emit_text(&emitter, "{\"lost\":1}");
        daemon_socket = listen_at(AF_INET, &port);
        send_by(ways[i]);
        expect_all_to_arrive();
    }
    stop();
}

/* A loopback of our own, whose frames have 1500 bytes as on a network. */
static bool enter_small_network(void)
{
    struct ifreq interface = { .ifr_name = "lo", .ifr_mtu = 1500 };
    int fd;
    bool done;

    if (unshare(CLONE_NEWNET) < 0)
        return false;
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    done = ioctl(fd, SIOCSIFMTU, &interface) == 0;
    interface.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
    done = done && ioctl(fd, SIOCSIFFLAGS, &interface) == 0;
    close(fd);
    return done;
}

Test(queue_batch, above_the_mtu_of_its_path_leaves_another_way)
{
    if (!enter_small_network())
        cr_skip_test("making a network takes root");
    add_documents(8, 600, 0);
    add_documents(8, 2000, 0);
    add_documents(8, 601, 0);
    expect_to_arrive_by_each_way();
}

/* A full buffer, for which a pair of Unix sockets does. */
Test(queue_batch, that_fits_in_part_says_which_part)
{
    struct xr_udp udp = { .socket = -1 };
    int pair[2], taken = 0, bytes = 8192;

    cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
    cr_assert_eq(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
    udp.socket = pair[0];
    add_documents(XR_BATCH_MAX, 1000, 0);
    xr_udp_emit_batch(&udp, documents, count, true, results);
    cr_expect_eq(udp.way, XR_UDP_MANY, "it was asked and cannot");
    for (; taken < count && results[taken] == 0; taken++)
        expect_datagram(pair[1], texts[taken]);
    cr_expect(taken > 0 && taken < count, "%d", taken);
    for (int i = taken; i < count; i++)
        cr_expect_eq(results[i], -EAGAIN, "%d", i);
    cr_expect_str_eq(next_datagram(pair[1]), "");
    for (int i = 0; i < count; i++)
        free(texts[i]);
    close(pair[0]);
    close(pair[1]);
}
