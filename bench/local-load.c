/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two ends of bench/local-ingest: sends documents at a steady rate, or takes
 * datagrams and does nothing with them, which is what the machine itself needs.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"

#define BATCH    64
#define BYTES    600 /* of a document */
#define EACH     5   /* documents of a trace */
#define TICK_NS  1e6
#define SILENCE  2 /* seconds after which a receiver ends */
#define RECEIVER (8 << 20)

static const char usage[] =
    "Usage: bench-local-load send PORT RATE SECONDS CPU\n"
    "       bench-local-load receive CPU\n"
    "\n"
    "send: documents of 600 bytes, five a trace, to 127.0.0.1:PORT, RATE of them a second.\n"
    "Prints how many they were, the seconds it took, and the first and the last second\n"
    "of their trace ids.\n"
    "receive: prints the port it takes, then, after two seconds of silence, how many\n"
    "datagrams came and the processor time they took.\n"
    "CPU is where it runs; -1 is anywhere.\n"
    "\n"
    "Example:\n"
    "  bench-local-load send 2000 10000 1 -1\n";

static const char header[] = "{\"format\":\"json\",\"version\":1}\n";

/* Five services of one request, each called by the one before. */
static size_t write_document(char *out, size_t size, uint64_t number, double now)
{
    static const char *const names[EACH] = { "web", "api", "orders", "stock", "mail" };
    uint64_t trace = number / EACH, at = number % EACH, id = number + 1;
    char parent[40] = "";
    size_t length;

    if (at > 0)
        snprintf(parent, sizeof(parent), "\"parent_id\":\"%016lx\",", id - 1 + (1ul << 40));
    length = (size_t)snprintf(
        out, size,
        "%s{\"trace_id\":\"1-%08lx-%024lx\",\"id\":\"%016lx\",%s\"name\":\"%s\",\"start_time\":%."
        "6f,"
        "\"end_time\":%.6f,\"http\":{\"request\":{\"method\":\"GET\",\"url\":\"http://%s.local/v1/"
        "items/%lu\"},\"response\":{\"status\":200,\"content_length\":512}},\"annotations\":{"
        "\"customer\":\"c%lu\",\"tier\":\"gold\"},\"subsegments\":[{\"id\":\"%016lx\",\"name\":\"%"
        "s\","
        "\"start_time\":%.6f,\"end_time\":%.6f,\"namespace\":\"remote\"}],\"metadata\":{"
        "\"default\":{"
        "\"note\":\"",
        header, (unsigned long)now, trace, id, parent, names[at], now, now + 0.05, names[at],
        number % 1000, trace % 100, id + (1ul << 40), names[(at + 1) % EACH], now + 0.01,
        now + 0.04);
    while (length < sizeof(header) - 1 + BYTES - 4)
        out[length++] = 'x';
    memcpy(out + length, "\"}}}", 4);
    return length + 4;
}

static double wall(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What is refused for want of room is tried again: it has not been sent. */
static void send_batch(int out, struct mmsghdr *messages, unsigned count)
{
    for (unsigned sent = 0; sent < count;) {
        int r = sendmmsg(out, messages + sent, count - sent, 0);

        sent += r > 0 ? (unsigned)r : 0;
    }
}

static int send_all(uint16_t port, double rate, double seconds)
{
    static char texts[BATCH][1024];
    struct iovec vectors[BATCH];
    struct mmsghdr messages[BATCH] = { 0 };
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    uint64_t total = (uint64_t)(rate * seconds / EACH) * EACH, done = 0;
    int out = socket(AF_INET, SOCK_DGRAM, 0);
    double start, began = wall(), epoch = began;

    if (out < 0 || connect(out, (struct sockaddr *)&to, sizeof(to)) < 0)
        return -errno;
    start = now_ns();
    while (done < total) {
        uint64_t due = (uint64_t)((now_ns() - start) / 1e9 * rate) + 1;
        unsigned count = 0;

        for (; count < BATCH && done < total && done < due; count++, done++) {
            if (done % EACH == 0)
                epoch = wall();
            vectors[count] = (struct iovec){ texts[count],
                                             write_document(texts[count], 1024, done, epoch) };
            messages[count].msg_hdr = (struct msghdr){ .msg_iov = &vectors[count],
                                                       .msg_iovlen = 1 };
        }
        send_batch(out, messages, count);
        if (done >= due)
            usleep((unsigned)(TICK_NS / 1e3));
    }
    printf("{\"documents\":%lu,\"traces\":%lu,\"seconds\":%.3f,\"first\":%lu,\"last\":%lu,"
           "\"cpu_seconds\":%.3f}\n",
           total, total / EACH, (now_ns() - start) / 1e9, (unsigned long)began,
           (unsigned long)epoch, cpu_ns() / 1e9);
    close(out);
    return 0;
}

static int receive_all(void)
{
    static char texts[BATCH][2048];
    struct iovec vectors[BATCH];
    struct mmsghdr messages[BATCH] = { 0 };
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval silence = { .tv_sec = SILENCE };
    socklen_t length = sizeof(at);
    int in = socket(AF_INET, SOCK_DGRAM, 0), bytes = RECEIVER, count;
    unsigned long datagrams = 0;
    double cpu;

    if (in < 0 || bind(in, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        getsockname(in, (struct sockaddr *)&at, &length) < 0)
        return -errno;
    if (setsockopt(in, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        (void)setsockopt(in, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    (void)setsockopt(in, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence));
    for (int i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec){ texts[i], sizeof(texts[i]) };
        messages[i].msg_hdr = (struct msghdr){ .msg_iov = &vectors[i], .msg_iovlen = 1 };
    }
    printf("{\"port\":%u}\n", ntohs(at.sin_port));
    fflush(stdout);
    cpu = cpu_ns();
    while ((count = recvmmsg(in, messages, BATCH, MSG_WAITFORONE, NULL)) > 0 || datagrams == 0)
        datagrams += count > 0 ? (unsigned)count : 0;
    printf("{\"documents\":%lu,\"cpu_seconds\":%.6f}\n", datagrams, (cpu_ns() - cpu) / 1e9);
    close(in);
    return 0;
}

int main(int argc, char **argv)
{
    int r;

    if (argc == 6 && strcmp(argv[1], "send") == 0) {
        place_on(atoi(argv[5]));
        r = send_all((uint16_t)atoi(argv[2]), atof(argv[3]), atof(argv[4]));
    } else if (argc == 3 && strcmp(argv[1], "receive") == 0) {
        place_on(atoi(argv[2]));
        r = receive_all();
    } else {
        bool help = argc == 2 && strcmp(argv[1], "--help") == 0;

        fputs(usage, help ? stdout : stderr);
        return help ? 0 : 2;
    }
    if (r < 0)
        fprintf(stderr, "bench-local-load: %s\n", strerror(-r));
    return r < 0;
}
