/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many small traces at half the rate that raw sends of the same bytes reach:
 * million [COUNT [queue]]. What was emitted arrives, or the receiving socket
 * counts it as dropped, and no id comes twice. With a receive buffer of 4 MiB
 * nothing is dropped on a quiet machine, which is printed but not demanded.
 */
#include "../threads/stress.h"
#include "sink.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_COUNT 100000
#define BURST         4 /* documents that leave at once when this thread was held up */
#define CALIBRATIONS  5
#define CALIBRATE_NS  60000000

static struct sink sink;
static xray_recorder *recorder;

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

static void trace_one(long i)
{
    xray_segment *segment = xray_start_segment(recorder,
                                               xray_segment_params(.name = "checkout-api"));
    xray_segment *work = xray_start_subsegment(segment, "work");

    xray_annotate(work, "customer", i);
    xray_annotate(work, "tier", "gold");
    xray_add_metadata(work, NULL, "note", "hello metadata");
    xray_end(work);
    xray_end(segment);
}

/* ---- The raw rate ------------------------------------------------------------------ */

static size_t document_length;

static int keep_length(void *data, const xray_document *document)
{
    (void)data;
    document_length = document->length;
    return 0;
}

/* With the daemon's header line. */
static size_t measure_document(void)
{
    xray_emitter emitter = { .size = sizeof(emitter), .emit = keep_length };
    xray_sampler sampler = { .size = sizeof(sampler) };

    if (xray_sampler_rate(&sampler, 0, 1) < 0 ||
        xray_recorder_new(&recorder, xray_recorder_params(.emitter = &emitter, .sampler = &sampler,
                                                          .flags = XRAY_RECORDER_NO_ENVIRONMENT)) <
            0)
        exit(99);
    trace_one(100000);
    xray_recorder_free(recorder);
    return document_length + strlen("{\"format\":\"json\",\"version\":1}\n");
}

static int connect_to(const char *text)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    address.sin_port = htons((uint16_t)atoi(strchr(text, ':') + 1));
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        exit(99);
    return fd;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Sends a second to the sink, which reads them: the median of a few runs. */
static double raw_rate(size_t length)
{
    static char text[65536];
    double rates[CALIBRATIONS];
    int fd = connect_to(sink.address);

    memset(text, 'x', length);
    for (int i = 0; i < CALIBRATIONS; i++) {
        int64_t start = now_ns(), end;
        long sent = 0;

        do {
            for (int j = 0; j < 64; j++)
                sent += send(fd, text, length, 0) > 0;
            end = now_ns();
        } while (end < start + CALIBRATE_NS);
        rates[i] = (double)sent * 1e9 / (double)(end - start);
    }
    close(fd);
    qsort(rates, CALIBRATIONS, sizeof(*rates), by_size);
    return rates[CALIBRATIONS / 2];
}

/* ---- The traces ---------------------------------------------------------------------- */

/* Spins from one to the next; time that was lost is not made up for with a burst. */
static void trace_at_rate(long count, double rate)
{
    int64_t interval_ns = (int64_t)(1e9 / rate);
    int64_t due = now_ns(), now;

    for (long i = 0; i < count; i++) {
        while ((now = now_ns()) < due)
            ;
        if (now > due + BURST * interval_ns)
            due = now;
        due += interval_ns;
        trace_one(i);
    }
}

static void make_recorder_to_sink(bool queued)
{
    xray_emitter udp = { .size = sizeof(udp) }, emitter = { .size = sizeof(emitter) };
    xray_sampler sampler = { .size = sizeof(sampler) };

    if (xray_sampler_rate(&sampler, 0, 1) < 0 || xray_emitter_udp(&udp, sink.address) < 0)
        exit(99);
    if (!queued)
        emitter = udp;
    else if (xray_emitter_queue(&emitter, &udp, 0) < 0)
        exit(99);
    if (xray_recorder_new(&recorder, xray_recorder_params(.emitter = &emitter, .sampler = &sampler,
                                                          .flags = XRAY_RECORDER_NO_ENVIRONMENT)) <
        0)
        exit(99);
}

static void check(long count, bool settled)
{
    xray_stats stats = { .size = sizeof(stats) };
    unsigned long received = sink.received, dropped = sink.dropped;

    xray_recorder_get_stats(recorder, &stats);
    printf("# emitted %lu, failed %lu; received %lu, dropped by the receiving socket %lu\n",
           (unsigned long)stats.emitted, (unsigned long)stats.failed, received, dropped);
    expect(settled, "the sink takes the last one");
    expect(stats.sampled == 2 * (uint64_t)count && stats.embedded == (uint64_t)count &&
               stats.emitted + stats.failed == (uint64_t)count && stats.dropped == 0,
           "every trace is counted");
    expect(stats.failed == 0, "every trace is sent");
    expect(received > 0 && stats.emitted == received + dropped, "emitted = received + dropped");
    expect(sink.not_documents == 0, "each is a document behind a header line");
    expect(sink.twice == 0 && sink.ids.count == 2 * received, "no id is there twice");
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? atol(argv[1]) : DEFAULT_COUNT;
    bool queued = argc > 2 && strcmp(argv[2], "queue") == 0;
    bool apart = sysconf(_SC_NPROCESSORS_ONLN) > 1, settled;
    size_t length = measure_document();
    cpu_set_t set;
    double raw;
    int64_t start;

    CPU_ZERO(&set);
    CPU_SET(0, &set);
    /* The queue's thread would be put there with this one. */
    if (apart && !queued && sched_setaffinity(0, sizeof(set), &set) < 0)
        apart = false;
    if (!sink_begin(&sink, apart ? 1 : -1)) {
        perror("sink");
        return 99;
    }
    raw = raw_rate(length);
    settled = sink_settle(&sink);
    sink_forget(&sink, 2 * (size_t)count);
    make_recorder_to_sink(queued);
    printf("# %ld traces of %zu bytes through %s; receive buffer %d KiB; raw rate %.0f/s\n", count,
           length, queued ? "the queue" : "the socket", sink.room / 1024, raw);
    start = now_ns();
    trace_at_rate(count, raw / 2);
    if (xray_recorder_flush(recorder, 20000) < 0)
        printf("# not everything was out in time\n");
    printf("# at %.0f/s\n", (double)count * 1e9 / (double)(now_ns() - start));
    settled = sink_settle(&sink) && settled;
    check(count, settled);
    xray_recorder_free(recorder);
    sink_end(&sink);
    return report();
}
