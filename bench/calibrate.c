/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine itself needs, in the same moment: to read its clock, to send
 * a datagram to a reader that takes it, to send many as one, to compute.
 */
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "measure.h"
#include "sink.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define CLOCK_READS  50000
#define SENDS        2000
#define COMPUTATIONS 20000000
#define GSO_MOST     32
#define GSO_BYTES    65000 /* of one call; the kernel's limit is just above */

static int peer = -1;
static char datagrams[DATAGRAM_SIZE]; /* one, or a batch back to back */

void calibrate_with(const struct sink *sink)
{
    peer = sink->socket;
}

static void read_clock(void)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    __asm__ volatile("" : : "r"(&time) : "memory");
}

double clock_read(void)
{
    return time_of(read_clock, CLOCK_READS) / CLOCK_READS;
}

/* What the sink takes for a document. */
static void fill(char *datagram, size_t bytes)
{
    static const char header[] = "{\"format\":\"json\",\"version\":1}\n{";

    memset(datagram, ' ', bytes);
    memcpy(datagram, header, sizeof(header) - 1);
    datagram[bytes - 1] = '}';
}

double send_600(void)
{
    return raw_send(SENDS, 600) / SENDS;
}

double raw_send(long n, size_t bytes)
{
    double start;

    fill(datagrams, bytes);
    start = now_ns();
    for (long i = 0; i < n; i++)
        (void)send(peer, datagrams, bytes, MSG_DONTWAIT);
    return now_ns() - start;
}

double raw_gso(long n, size_t bytes)
{
    size_t batch = GSO_BYTES / bytes < GSO_MOST ? GSO_BYTES / bytes : GSO_MOST;
    int segment = (int)bytes, off = 0;
    double start;

    if (batch == 0)
        return -1;
    for (size_t i = 0; i < batch; i++)
        fill(datagrams + i * bytes, bytes);
    if (setsockopt(peer, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0)
        return -1;
    start = now_ns();
    for (long left = n; left > 0; left -= (long)batch)
        (void)send(peer, datagrams, (left < (long)batch ? (size_t)left : batch) * bytes,
                   MSG_DONTWAIT);
    start = now_ns() - start;
    (void)setsockopt(peer, IPPROTO_UDP, UDP_SEGMENT, &off, sizeof(off));
    return start;
}

double computation(void)
{
    uint64_t x = 88172645463325252;
    double start = now_ns();

    for (long i = 0; i < COMPUTATIONS; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        __asm__ volatile("" : "+r"(x));
    }
    return (now_ns() - start) / COMPUTATIONS;
}
