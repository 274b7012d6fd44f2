/* SPDX-License-Identifier: Apache-2.0 */
/* An emitter of one's own, which counts documents and prints them, behind the library's queue. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <xraytrace/xraytrace.h>

static atomic_int documents;

/* May be called by many threads at once; the document is valid during the call. */
static int print(void *data, const xray_document *document)
{
    FILE *stream = data;

    atomic_fetch_add(&documents, 1);
    return fprintf(stream, "%.*s\n", (int)document->length, document->json) < 0 ? -EIO : 0;
}

int main(void)
{
    xray_emitter printer = { .size = sizeof(printer), .data = stdout, .emit = print };
    xray_emitter queue = { .size = sizeof(queue) };
    xray_sampler everything = { .size = sizeof(everything) };
    xray_recorder *recorder;

    /* So that no segment waits for the terminal; without it, the recorder takes the printer. */
    int r = xray_emitter_queue(&queue, &printer, 0);
    if (r == 0)
        r = xray_sampler_rate(&everything, 0, 1);
    if (r == 0)
        r = xray_recorder_new(
            &recorder,
            xray_recorder_params(.service = "emitter", .emitter = &queue, .sampler = &everything));
    if (r < 0) {
        fprintf(stderr, "emitter: cannot make a recorder: %s\n", strerror(-r));
        return 1;
    }

    for (int i = 0; i < 3; i++) {
        xray_segment *turn = xray_start_segment(recorder, NULL);
        xray_attach(turn);
        xray_segment *step = xray_begin_subsegment("step");
        xray_annotate(step, "turn", i);
        if (i == 2)
            xray_add_exception(step, "ERANGE", "turn %d is one too many", i);
        xray_end(step);
        xray_end(turn);
    }

    xray_recorder_free(recorder); /* prints what waits */
    fprintf(stderr, "%d documents\n", atomic_load(&documents));
    return 0;
}
