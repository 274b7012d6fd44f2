/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong and where: filled in by whoever fails, reported once by whoever answers. */
#ifndef PIPELINE_RUNTIME_FAILURE_H
#define PIPELINE_RUNTIME_FAILURE_H

#include <stdbool.h>

#include <xraytrace/describe.h>

struct failure {
    char type[64];     /* short name, such as "NoSuchBucket" */
    char message[512]; /* valid UTF-8, cut at a character */
    const char *file;
    const char *function;
    int line;
    bool caller; /* the caller's mistake: an error in the trace, not a fault */
};

/* Fills in *failure (NULL is allowed) and gives code back, so that it can be returned. */
#define failure_set(failure, code, type, ...) \
    failure_set_at(failure, __FILE__, __LINE__, __func__, code, type, __VA_ARGS__)
int failure_set_at(struct failure *failure, const char *file, int line, const char *function,
                   int code, const char *type, const char *format, ...) XRAY_PRINTF(7, 8);

/* Records it as an exception of the segment, with the place where it arose. */
void failure_record(const struct failure *failure, xray_segment *segment);

#endif /* PIPELINE_RUNTIME_FAILURE_H */
