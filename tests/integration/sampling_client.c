/* SPDX-License-Identifier: Apache-2.0 */
/* Begins a segment every 30 ms, by central rules. At a line on standard input it pauses, and
   prints how many the rules decided and how many of these were sampled; it ends with standard
   input. */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xraytrace/curl.h>
#include <xraytrace/xraytrace.h>

#define PAUSE_MS 30

/* The sampler, with an ear. */
struct counted {
    xray_sampler inner;
    unsigned decided;
    unsigned sampled;
};

static void decide(void *data, const xray_sampling_request *request, xray_sampling_decision *ret)
{
    struct counted *counted = data;
    counted->inner.decide(counted->inner.data, request, ret);
    if (*ret->rule) {
        counted->decided++;
        counted->sampled += ret->sampled == 1;
    }
}

static void destroy(void *data)
{
    struct counted *counted = data;
    counted->inner.destroy(counted->inner.data);
}

static int make_recorder(xray_recorder **ret, struct counted *counted)
{
    xray_transport transport = { .size = sizeof transport };
    xray_sampler sampler = {
        .size = sizeof sampler, .data = counted, .decide = decide, .destroy = destroy
    };
    int r = xray_transport_curl(&transport);
    if (r == 0)
        r = xray_sampler_central(&counted->inner, NULL, &transport, NULL);
    return r < 0 ? r : xray_recorder_new(ret, xray_recorder_params(.sampler = &sampler));
}

static void request(xray_recorder *recorder)
{
    xray_end(xray_start_segment(recorder, xray_segment_params(.name = "ours", .host = "localhost",
                                                              .http_method = "GET",
                                                              .url_path = "/orders/1")));
}

int main(void)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    struct counted counted = { .inner.size = sizeof counted.inner };
    xray_recorder *recorder;
    char line[64];
    bool paused = false;
    int r = make_recorder(&recorder, &counted);
    if (r < 0) {
        fprintf(stderr, "sampling-client: no recorder: %s\n", strerror(-r));
        return 1;
    }
    for (;;) {
        if (poll(&input, 1, paused ? -1 : PAUSE_MS) == 0) {
            request(recorder);
            continue;
        }
        if (read(STDIN_FILENO, line, sizeof line) <= 0)
            break;
        paused = true;
        printf("%u %u\n", counted.decided, counted.sampled);
        fflush(stdout);
    }
    xray_recorder_free(recorder);
    return 0;
}
