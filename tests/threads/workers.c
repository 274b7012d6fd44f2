/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool of threads serves requests, of which some handlers forget to end, to
 * detach or to end in order: no request may find what another one left behind.
 */
#include "stress.h"

#include <string.h>

#define WORKERS  4
#define REQUESTS 4000

static xray_recorder *recorder;
static atomic_int next_request, in_wrong_trace, under_wrong_parent;

/* The number of a request is the end of its trace id, and the name of all in it. */
static int number_of(const xray_document *document)
{
    return document->trace_id.bytes[14] << 8 | document->trace_id.bytes[15];
}

static int check_names(void *data, const xray_document *document)
{
    char expected[32];
    size_t length = (size_t)snprintf(expected, sizeof(expected), "\"name\":\"request %d\"",
                                     number_of(document));
    const char *end = document->json + document->length, *p = document->json;

    (void)data;
    while ((p = memmem(p, (size_t)(end - p), "\"name\":\"request ", 16))) {
        if ((size_t)(end - p) < length || memcmp(p, expected, length) != 0)
            atomic_fetch_add(&in_wrong_trace, 1);
        p += 16;
    }
    atomic_fetch_add(&documents, 1);
    return 0;
}

static void handle(int number)
{
    xray_trace_header header = { .parent_id = 7, .sampled = XRAY_SAMPLED_YES }, seen;
    xray_segment *request, *inner;
    char name[32];

    header.trace_id.bytes[0] = 1;
    header.trace_id.bytes[14] = (uint8_t)(number >> 8);
    header.trace_id.bytes[15] = (uint8_t)number;
    snprintf(name, sizeof(name), "request %d", number);
    request = xray_start_segment(recorder, xray_segment_params(.name = name, .header = &header));
    xray_attach(request);
    inner = xray_begin_subsegment(name);
    xray_get_header(inner, &seen);
    if (memcmp(&seen.trace_id, &header.trace_id, sizeof(seen.trace_id)) != 0)
        atomic_fetch_add(&under_wrong_parent, 1);
    switch (number % 5) {
    case 0: /* forgets the request */
        xray_end(inner);
        return;
    case 1: /* forgets what is in it */
        xray_end(request);
        return;
    case 2: /* takes it off first, and ends it late */
        xray_detach(request);
        xray_end(request);
        xray_end(inner);
        return;
    case 3: /* takes it off, and forgets it */
        xray_end(inner);
        xray_detach(request);
        return;
    default:
        xray_end(inner);
        xray_end(request);
        return;
    }
}

static void *serve(void *unused)
{
    int number;

    while ((number = atomic_fetch_add(&next_request, 1)) < REQUESTS)
        handle(number);
    return unused;
}

int main(void)
{
    xray_emitter emitter = { .size = sizeof(emitter), .emit = check_names };
    xray_sampler sampler = { .size = sizeof(sampler) };
    xray_stats stats = { .size = sizeof(stats) };

    if (xray_sampler_rate(&sampler, 0, 0) < 0 ||
        xray_recorder_new(&recorder, xray_recorder_params(.emitter = &emitter, .sampler = &sampler,
                                                          .flags = XRAY_RECORDER_NO_ENVIRONMENT)) <
            0)
        return 99;
    run_threads(WORKERS, serve);
    xray_recorder_get_stats(recorder, &stats);
    expect(under_wrong_parent == 0, "what begins in a request is in its trace");
    expect(in_wrong_trace == 0, "and in no other document");
    /* What was only forgotten on a thread's stack ended with the thread. */
    expect(stats.sampled == 2 * REQUESTS && stats.dropped == 0 && stats.failed == 0,
           "every request is served");
    expect(stats.emitted == documents &&
               stats.embedded + stats.emitted + 2 * REQUESTS / 5 == stats.sampled,
           "only what nobody can reach is missing");
    xray_recorder_free(recorder);
    return report();
}
