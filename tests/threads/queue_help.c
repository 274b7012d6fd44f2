/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Producers that find a queue full and send what waits, while its thread does the
 * same and others flush. Whoever sends is held up at times. Each document arrives once.
 */
#include "stress.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PRODUCERS 4
#define ROUNDS    5000
#define AHEAD     30 /* of what was received; more than the queue takes, less than the socket does */

static xray_emitter queue;
static int daemon_socket;
static atomic_ulong received, malformed, twice, failed, from_producers;
static atomic_int producing = PRODUCERS;
static _Thread_local bool is_producer;

/* In the place of libc's: now and then others go first. */
__attribute__((visibility("default"))) ssize_t sendmsg(int fd, const struct msghdr *message,
                                                       int flags)
{
    static atomic_uint calls;
    unsigned call = atomic_fetch_add(&calls, 1);

    if (is_producer && message->msg_controllen > 0)
        atomic_fetch_add(&from_producers, 1);
    if (call % 16 == 0)
        usleep(200);
    else if (call % 4 == 0)
        sched_yield();
    return syscall(SYS_sendmsg, fd, message, flags);
}

static void look_at(const char *text)
{
    static const char start[] = "{\"format\":\"json\",\"version\":1}\n{\"thread\":";
    static bool seen[PRODUCERS][ROUNDS];
    long thread = 0, round = 0;

    if (memcmp(text, start, sizeof(start) - 1) != 0 || text[strlen(text) - 1] != '}' ||
        sscanf(text + sizeof(start) - 1, "%ld,\"round\":%ld", &thread, &round) != 2 || thread < 0 ||
        thread >= PRODUCERS || round < 0 || round >= ROUNDS) {
        atomic_fetch_add(&malformed, 1);
        return;
    }
    if (seen[thread][round])
        atomic_fetch_add(&twice, 1);
    seen[thread][round] = true;
    atomic_fetch_add(&received, 1);
}

static void *receive(void *unused)
{
    static char text[65536];
    ssize_t length;

    while (received + malformed < PRODUCERS * ROUNDS &&
           (length = recv(daemon_socket, text, sizeof(text) - 1, 0)) > 0) {
        text[length] = '\0';
        look_at(text);
    }
    return unused;
}

static void produce(long number)
{
    char json[1400];

    is_producer = true;
    for (int i = 0; i < ROUNDS; i++) {
        xray_document document = { .size = sizeof(document), .json = json, .service = "queue" };

        while (i > AHEAD + (int)(received / PRODUCERS))
            sched_yield();
        document.length = (size_t)snprintf(json, sizeof(json),
                                           "{\"thread\":%ld,\"round\":%d,\"x\":\"%0*d\"}", number,
                                           i, 1100 + i % 8 * 20, 0);
        if (queue.emit(queue.data, &document) < 0)
            atomic_fetch_add(&failed, 1);
    }
    atomic_fetch_sub(&producing, 1);
}

static void *produce_or_flush(void *number)
{
    if ((long)number < PRODUCERS) {
        produce((long)number);
        return NULL;
    }
    while (producing > 0) {
        if (queue.flush(queue.data, 60000) < 0)
            atomic_fetch_add(&failed, 1);
        usleep(500);
    }
    return NULL;
}

int main(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    xray_emitter udp = { .size = sizeof(udp) };
    socklen_t length = sizeof(address);
    int buffer = 4 * 1024 * 1024;
    pthread_t receiver;
    char text[32];

    daemon_socket = socket(AF_INET, SOCK_DGRAM, 0);
    if (setsockopt(daemon_socket, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) < 0)
        setsockopt(daemon_socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    if (bind(daemon_socket, (struct sockaddr *)&address, length) < 0 ||
        getsockname(daemon_socket, (struct sockaddr *)&address, &length) < 0)
        return 99;
    snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(address.sin_port));
    queue = (xray_emitter){ .size = sizeof(queue) };
    if (xray_emitter_udp(&udp, text) < 0 || xray_emitter_queue(&queue, &udp, 64 * 1024) < 0)
        return 99;

    pthread_create(&receiver, NULL, receive, NULL);
    run_threads(PRODUCERS + 1, produce_or_flush);
    queue.destroy(queue.data);
    pthread_join(receiver, NULL);
    printf("# %lu batches left on threads of producers\n", from_producers);
    expect(malformed == 0, "each datagram is the header line and one document");
    expect(received == PRODUCERS * ROUNDS && twice == 0, "each document arrives once");
    expect(failed == 0, "all were taken, and all was flushed in time");
    expect(from_producers > 0, "producers sent some of it");
    close(daemon_socket);
    return report();
}
