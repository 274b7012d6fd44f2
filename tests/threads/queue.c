/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads behind one queue, to a real socket, while others flush and look at the losses. */
#include "stress.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PRODUCERS 8
#define ROUNDS    20000

static xray_emitter queue;
static int daemon_socket;
static atomic_ulong received, malformed, disordered, direct;
static atomic_int producing = PRODUCERS;
static bool keeps_order;

static void look_at(const char *text, ssize_t length)
{
    static const char start[] = "{\"format\":\"json\",\"version\":1}\n{\"thread\":";
    static long last[PRODUCERS];
    long thread = 0, round = 0;
    int end = 0;

    if (memcmp(text, start, sizeof(start) - 1) != 0 || text[length - 1] != '}' ||
        sscanf(text + sizeof(start) - 1, "%ld,\"round\":%ld%n", &thread, &round, &end) != 2 ||
        thread < 0 || thread >= PRODUCERS) {
        atomic_fetch_add(&malformed, 1);
        return;
    }
    if (round != last[thread] + 1)
        atomic_fetch_add(&disordered, 1);
    last[thread] = round;
    atomic_fetch_add(&received, 1);
}

static void *receive(void *unused)
{
    static char text[65536];
    ssize_t length;

    /* A datagram of one byte says that it is over. */
    while ((length = recv(daemon_socket, text, sizeof(text) - 1, 0)) > 1) {
        text[length] = '\0';
        look_at(text, length);
    }
    return unused;
}

static void *produce(void *number)
{
    char json[256];

    for (int i = 1; i <= ROUNDS; i++) {
        xray_document document = { .size = sizeof(document), .json = json, .service = "queue" };

        document.length = (size_t)snprintf(json, sizeof(json),
                                           "{\"thread\":%ld,\"round\":%d,\"x\":\"%.*s\"}",
                                           (long)number, i, i % 100,
                                           "-------------------------------------------------"
                                           "---------------------------------------------------");
        if (queue.emit(queue.data, &document) < 0)
            atomic_fetch_add(&direct, 1);
        /* A receive buffer holds only so many: what is full here is not what is tested. */
        while (keeps_order && i > 40 + (int)(received / PRODUCERS))
            sched_yield();
    }
    atomic_fetch_sub(&producing, 1);
    return NULL;
}

static void *look_around(void *unused)
{
    xray_losses losses = { .size = sizeof(losses) };

    while (producing > 0) {
        (void)queue.flush(queue.data, 1);
        queue.get_losses(queue.data, &losses);
        sched_yield();
    }
    return unused;
}

static void *produce_or_look(void *number)
{
    return (long)number < PRODUCERS ? produce(number) : look_around(NULL);
}

static void say_over(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    (void)sendto(fd, "", 1, 0, (const struct sockaddr *)address, sizeof(*address));
    close(fd);
}

static void listen_here(struct sockaddr_in *ret)
{
    socklen_t length = sizeof(*ret);
    int buffer = 4 * 1024 * 1024;

    *ret = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    daemon_socket = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(daemon_socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    if (bind(daemon_socket, (struct sockaddr *)ret, length) < 0 ||
        getsockname(daemon_socket, (struct sockaddr *)ret, &length) < 0)
        exit(99);
}

static void make_queue(const struct sockaddr_in *address, size_t capacity)
{
    xray_emitter udp = { .size = sizeof(udp) };
    char text[32];

    snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(address->sin_port));
    queue = (xray_emitter){ .size = sizeof(queue) };
    if (xray_emitter_udp(&udp, text) < 0 || xray_emitter_queue(&queue, &udp, capacity) < 0)
        exit(99);
}

int main(void)
{
    struct sockaddr_in address;
    pthread_t receiver;
    unsigned long before;

    listen_here(&address);
    pthread_create(&receiver, NULL, receive, NULL);

    keeps_order = true;
    make_queue(&address, 0);
    run_threads(PRODUCERS + 1, produce_or_look);
    queue.destroy(queue.data);
    while (received + malformed < PRODUCERS * ROUNDS)
        usleep(1000);
    expect(malformed == 0, "each datagram is the header line and one document");
    expect(disordered == 0, "those of one thread come in its order");
    expect(direct == 0, "all were taken");

    /* As fast as they can, with the least room: many go past the queue. */
    before = received;
    keeps_order = false;
    producing = PRODUCERS;
    make_queue(&address, 64 * 1024);
    run_threads(PRODUCERS + 1, produce_or_look);
    queue.destroy(queue.data);
    do
        say_over(&address);
    while (usleep(1000) == 0 && pthread_tryjoin_np(receiver, NULL) != 0);
    expect(malformed == 0, "also where it is full");
    expect(received > before, "and documents arrive");
    close(daemon_socket);
    return report();
}
