/* SPDX-License-Identifier: Apache-2.0 */
/* Requests through three services, each of which sends its own documents:
   three-services ADDRESS REQUESTS FAULTS. FAULTS of a thousand requests have a fault in
   one of the services. Prints each request's trace id, and "fault" or "-". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xraytrace/xraytrace.h>

#define SERVICES 3

static xray_recorder *recorders[SERVICES];
static const char *const names[SERVICES] = { "shop", "stock", "mail" };

static void handle(int service, const xray_trace_header *caller, int faulty)
{
    xray_segment *segment = xray_start_segment(
        recorders[service], xray_segment_params(.name = names[service], .header = caller));
    if (service + 1 < SERVICES) {
        xray_segment *call = xray_start_subsegment_with(
            segment, xray_subsegment_params(.name = names[service + 1], .name_space = "remote",
                                            .traced = 1));
        xray_trace_header header;
        xray_get_header(call, &header);
        handle(service + 1, &header, faulty);
        xray_end(call);
    }
    if (service == faulty)
        xray_mark(segment, XRAY_FAULT);
    if (!caller) {
        char id[64];
        xray_trace_header header;
        xray_get_header(segment, &header);
        xray_trace_id_format(header.trace_id, id, sizeof(id));
        printf("%s %s\n", id, faulty < 0 ? "-" : "fault");
    }
    xray_end(segment);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return fprintf(stderr, "usage: three-services ADDRESS REQUESTS FAULTS\n"), 2;
    for (int i = 0; i < SERVICES; i++) {
        xray_sampler all = { .size = sizeof(all) };
        if (xray_sampler_rate(&all, 0, 1) < 0 ||
            xray_recorder_new(&recorders[i],
                              xray_recorder_params(.flags = XRAY_RECORDER_NO_ENVIRONMENT,
                                                   .daemon_address = argv[1], .sampler = &all)) < 0)
            return fprintf(stderr, "three-services: cannot record to %s\n", argv[1]), 1;
    }
    int requests = atoi(argv[2]), faults = atoi(argv[3]);
    for (int i = 0; i < requests; i++) {
        /* Spread evenly, and over the services. */
        int before = i * faults / 1000, after = (i + 1) * faults / 1000;
        handle(0, NULL, after > before ? after % SERVICES : -1);
        if (i % 50 == 49)
            usleep(1000);
    }
    for (int i = 0; i < SERVICES; i++)
        xray_recorder_free(recorders[i]);
    return 0;
}
