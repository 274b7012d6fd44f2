/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What recording costs, as one JSON line for each workload: the median of seven
 * runs in nanoseconds, as a ratio to a clock read, or to a connected send of 600
 * bytes where documents leave, and what was allocated. Each run is measured
 * between two calibrations, since the speed of a shared machine changes.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <xraytrace/xraytrace.h>

#define RUNS 7

struct workload {
    const char *name;
    const char *what;
    void (*run)(void);
    xray_recorder **recorder;
    long repeats;
    long operations; /* in each repeat */
    bool sends;
};

static xray_recorder *unsampled, *by_default, *kept, *sent;
static xray_sampler rules = { .size = sizeof(rules) };
static atomic_ulong allocations, documents, bytes;
static int calibration_socket;

/* ---- Hooks -------------------------------------------------------------------------- */

static void *allocate(void *data, size_t size)
{
    (void)data;
    atomic_fetch_add(&allocations, 1);
    return malloc(size);
}

static void release(void *data, void *memory, size_t size)
{
    (void)data;
    (void)size;
    free(memory);
}

static int keep(void *data, const xray_document *document)
{
    (void)data;
    __asm__ volatile("" : : "r"(document->json) : "memory");
    atomic_fetch_add_explicit(&documents, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&bytes, document->length, memory_order_relaxed);
    return 0;
}

/* ---- Workloads ---------------------------------------------------------------------- */

static void one_subsegment(void)
{
    xray_segment *segment = xray_begin_segment("checkout-api");
    xray_segment *work = xray_begin_subsegment("work");

    xray_annotate(work, "customer", "c-12345");
    xray_end(work);
    xray_end(segment);
}

static void small(void)
{
    xray_segment *segment = xray_begin_segment("checkout-api");
    xray_segment *work = xray_begin_subsegment("work");

    xray_annotate(work, "customer", "c-12345");
    xray_annotate(work, "tier", "gold");
    xray_add_metadata(work, NULL, "note", "hello metadata");
    xray_end(work);
    xray_end(segment);
}

static void call_table(void)
{
    xray_segment *call = xray_begin_subsegment("DynamoDB");

    xray_set_namespace(call, "aws");
    xray_set_aws(call,
                 xray_aws(.operation = "GetItem", .table_name = "orders", .region = "us-east-1",
                          .request_id = "3AIENM5J4ELQ3SPODHKBIRVIC3VV4KQNSO5AEMVJF66Q9ASUAAJG"));
    xray_set_http(call, xray_http(.status = 200));
    xray_end(call);
}

static void call_service(void)
{
    xray_segment *call = xray_begin_subsegment("payments.example.com");

    xray_set_namespace(call, "remote");
    xray_set_http(call, xray_http(.method = "GET", .url = "https://payments.example.com/v1/charge",
                                  .status = 200, .content_length = 128));
    xray_end(call);
}

static void typical(void)
{
    xray_segment *segment = xray_begin_segment("checkout-api");

    xray_set_http(segment,
                  xray_http(.method = "POST", .url = "https://api.example.com/orders/1234/items",
                            .user_agent = "Mozilla/5.0 (X11; Linux x86_64)",
                            .client_ip = "203.0.113.7", .status = 200, .content_length = 512));
    xray_annotate(segment, "customer", "c-12345");
    xray_annotate(segment, "items", 42);
    xray_annotate(segment, "premium", xray_bool(true));
    for (int i = 0; i < 3; i++)
        call_table();
    for (int i = 0; i < 2; i++)
        call_service();
    xray_end(segment);
}

static void header(void)
{
    static const char *volatile text =
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    char buffer[XRAY_TRACE_HEADER_SIZE];
    xray_trace_header parsed;

    (void)xray_trace_header_parse(&parsed, text);
    xray_trace_header_format(&parsed, buffer, sizeof(buffer));
    __asm__ volatile("" : : "r"(buffer) : "memory");
}

static void decision(void)
{
    static const xray_sampling_request request = {
        .size = sizeof(request),
        .host = "shop.example.com",
        .http_method = "POST",
        .url_path = "/orders/1234/items",
    };
    xray_sampling_decision decided;

    rules.decide(rules.data, &request, &decided);
    __asm__ volatile("" : : "r"(&decided) : "memory");
}

#define WIDTH 10000

static void wide(void)
{
    xray_segment *segment = xray_begin_segment("wide");

    for (int i = 0; i < WIDTH; i++) {
        xray_segment *work = xray_begin_subsegment("work");

        xray_annotate(work, "i", i);
        xray_end(work);
    }
    xray_end(segment);
}

/* ---- Calibration -------------------------------------------------------------------- */

static void read_clock(void)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    __asm__ volatile("" : : "r"(&time) : "memory");
}

static void send_600(void)
{
    static char datagram[600];

    (void)send(calibration_socket, datagram, sizeof(datagram), MSG_DONTWAIT);
}

/* ---- Measuring ---------------------------------------------------------------------- */

static double now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double time_of(void (*run)(void), long repeats)
{
    double start = now_ns();

    for (long i = 0; i < repeats; i++)
        run();
    return (now_ns() - start) / (double)repeats;
}

static double calibrate(bool sends)
{
    return sends ? time_of(send_600, 5000) : time_of(read_clock, 200000);
}

static double median(double results[RUNS])
{
    qsort(results, RUNS, sizeof(*results), compare);
    return results[RUNS / 2];
}

static void measure(const struct workload *w)
{
    double ns[RUNS], ratios[RUNS], before, after;

    time_of(w->run, w->repeats / 10 + 1);
    allocations = documents = bytes = 0;
    after = calibrate(w->sends);
    for (int r = 0; r < RUNS; r++) {
        before = after;
        ns[r] = time_of(w->run, w->repeats) / (double)w->operations;
        after = calibrate(w->sends);
        ratios[r] = 2 * ns[r] / (before + after);
    }
    printf("{\"workload\":\"%s\",\"what\":\"%s\",\"ns\":%.1f,\"%s\":%.2f,\"calibration_ns\":%.1f,"
           "\"allocations\":%lu,\"documents\":%lu,\"bytes\":%lu}\n",
           w->name, w->what, median(ns), w->sends ? "sends" : "clocks", median(ratios), after,
           allocations, documents, documents ? bytes / documents : 0);
    fflush(stdout);
}

/* ---- The peer of what is sent: reads on another thread ------------------------------ */

static void *drain(void *data)
{
    char buffer[65536];

    while (recv(*(int *)data, buffer, sizeof(buffer), 0) > 0) {
    }
    return NULL;
}

static int open_sink(char address[32])
{
    static int sink;
    struct sockaddr_in local = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(local);
    pthread_t thread;

    sink = socket(AF_INET, SOCK_DGRAM, 0);
    calibration_socket = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(sink, (struct sockaddr *)&local, size) < 0 ||
        getsockname(sink, (struct sockaddr *)&local, &size) < 0 ||
        connect(calibration_socket, (struct sockaddr *)&local, size) < 0 ||
        pthread_create(&thread, NULL, drain, &sink) != 0)
        return -1;
    pthread_detach(thread);
    snprintf(address, 32, "127.0.0.1:%d", ntohs(local.sin_port));
    return 0;
}

/* ---- Set-up ------------------------------------------------------------------------- */

static int make_rules(void)
{
    char text[8192] = "{\"version\":2,\"default\":{\"fixed_target\":0,\"rate\":0},\"rules\":[";
    size_t used = strlen(text);

    for (int i = 0; i < 24; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "{\"host\":\"svc%d.example.com\",\"http_method\":\"%s\","
                                 "\"url_path\":\"/api/v%d/resource/*\",\"fixed_target\":0,"
                                 "\"rate\":0.05},",
                                 i, i % 2 ? "GET" : "*", i);
    snprintf(text + used, sizeof(text) - used,
             "{\"host\":\"*.example.com\",\"http_method\":\"POST\",\"url_path\":\"/orders/*\","
             "\"fixed_target\":1,\"rate\":0.05}]}");
    return xray_sampler_local(&rules, text);
}

static int make(xray_recorder **ret, double per_second, double fraction, const char *address)
{
    xray_emitter emitter = { .size = sizeof(emitter), .emit = keep };
    xray_sampler sampler = { .size = sizeof(sampler) };
    int r = xray_sampler_rate(&sampler, per_second, fraction);

    if (r >= 0 && address)
        r = xray_emitter_udp(&emitter, address);
    if (r < 0)
        return r;
    return xray_recorder_new(ret, xray_recorder_params(.flags = XRAY_RECORDER_NO_ENVIRONMENT,
                                                       .service = "bench", .emitter = &emitter,
                                                       .sampler = &sampler));
}

int main(void)
{
    static const struct workload workloads[] = {
        { "W1", "unsampled, no reservoir", one_subsegment, &unsampled, 2000000, 1, false },
        { "W1b", "default sampler, which samples 5 %", one_subsegment, &by_default, 1000000, 1,
          false },
        { "W2", "1 subsegment, before the send", small, &kept, 200000, 1, false },
        { "W3", "5 subsegments with blocks, before the send", typical, &kept, 50000, 1, false },
        { "W4", "parse and format a header", header, NULL, 2000000, 1, false },
        { "W5", "25 rules, the last matches", decision, NULL, 1000000, 1, false },
        { "W6", "10,000 subsegments, each, before the send", wide, &kept, 20, WIDTH, false },
        { "W2", "1 subsegment, sent", small, &sent, 50000, 1, true },
        { "W3", "5 subsegments with blocks, sent", typical, &sent, 20000, 1, true },
        { "W6", "10,000 subsegments, each, sent", wide, &sent, 4, WIDTH, true },
    };
    xray_allocator counting = { .size = sizeof(counting),
                                .allocate = allocate,
                                .release = release };
    char address[32];

    if (xray_set_allocator(&counting) < 0 || open_sink(address) < 0 || make_rules() < 0 ||
        make(&unsampled, 0, 0, NULL) < 0 || make(&by_default, 1, 0.05, NULL) < 0 ||
        make(&kept, 0, 1, NULL) < 0 || make(&sent, 0, 1, address) < 0) {
        fprintf(stderr, "record: could not set up\n");
        return 1;
    }
    for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); i++) {
        const struct workload *w = &workloads[i];

        xray_recorder_set_default(w->recorder ? *w->recorder : NULL);
        measure(w);
    }
    return 0;
}
