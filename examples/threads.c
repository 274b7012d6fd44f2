/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request, three threads. A thread starts a subsegment of a segment that is
 * still open, or resumes a trace from its header when it may be gone by then.
 */
#include <pthread.h>
#include <stdio.h>
#include <xraytrace/xraytrace.h>

struct job {
    const char *name;
    xray_segment *parent;    /* open until the thread has been joined, or NULL */
    xray_trace_header trace; /* a plain value, which outlives its segment */
};

static void *encode(void *argument)
{
    const struct job *job = argument;
    xray_segment *work = job->parent ? xray_start_subsegment(job->parent, job->name)
                                     : xray_resume(xray_recorder_default(), &job->trace, job->name);

    xray_attach(work); /* so that what begins here is part of it */
    xray_segment *pass = xray_begin_subsegment("first pass");
    xray_annotate(pass, "frames", 250);
    xray_end(pass);
    xray_end(work);
    return NULL;
}

int main(void)
{
    pthread_t threads[3];
    struct job jobs[3] = { { .name = "audio" }, { .name = "video" }, { .name = "thumbnail" } };
    int started = 0;

    xray_segment *request = xray_begin_segment("threads");
    jobs[0].parent = jobs[1].parent = request;
    xray_get_header(request, &jobs[2].trace);

    while (started < 2 && pthread_create(&threads[started], NULL, encode, &jobs[started]) == 0)
        started++;
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    xray_end(request);

    if (started < 2 || pthread_create(&threads[2], NULL, encode, &jobs[2]) != 0) {
        fprintf(stderr, "threads: cannot start a thread\n");
        return 1;
    }
    pthread_join(threads[2], NULL);
    return 0;
}
