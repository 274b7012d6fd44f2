/* SPDX-License-Identifier: Apache-2.0 */
/* A program run as a child: no shell, in a process group of its own that is killed at the
 * deadline, on our own stop, and when we die; what it writes is read as it comes. */
#ifndef PIPELINE_MEDIA_CHILD_H
#define PIPELINE_MEDIA_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/text.h"

/* Called for what the child writes to stdout; false kills it. */
typedef bool (*child_output)(void *data, const char *bytes, size_t length);

struct child_params {
    const char *const *arguments;   /* ended by NULL; the first is the program, found in PATH */
    const char *const *environment; /* "NAME=value", ended by NULL: all there is */
    const char *directory;          /* to run in, or NULL for ours */
    int64_t deadline_ms;            /* Unix time */
    int stop_descriptor;            /* readable: stop; -1 for none */
    child_output output;
    void *data;
};

enum child_outcome {
    CHILD_EXITED,    /* number is its exit status */
    CHILD_KILLED,    /* by somebody else; number is the signal */
    CHILD_DEADLINE,  /* by us */
    CHILD_STOPPED,   /* by us, because we were told to stop */
    CHILD_REFUSED,   /* by us, because output() did not want more */
    CHILD_NOT_BEGUN, /* number is the errno */
};

/* Of what it wrote to stderr, the end is kept. */
#define CHILD_ERROR_BYTES ((size_t)16 * 1024)

struct child_result {
    enum child_outcome outcome;
    int number;
    struct text errors; /* text_release() it */
};

void child_run(const struct child_params *params, struct child_result *ret);

#endif /* PIPELINE_MEDIA_CHILD_H */
