/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_OPTIONS_H
#define MEDIA_LOCAL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faults.h"
#include "tracing.h"

#define OPTION_LIST_LIMIT      32
#define OPTION_CONCURRENCY_MAX 1000

struct options {
    char *bootstrap;
    char *moto;
    char *yt_dlp;
    char *ffmpeg;
    char *work_directory;
    char *ready_file; /* may be NULL */
    char *region;
    char *xray;
    char *media_hosts; /* besides our own; may be NULL */
    uint16_t port;
    uint16_t control_port;
    uint16_t moto_port;
    uint16_t media_port;
    int media_kib_per_second;
    int schedule_seconds;
    int idle_seconds;
    int event_age_seconds;
    int concurrency;
    int64_t retry_ms[2];
    bool quiet;
    struct tracing tracing;
    struct faults *faults;
    const char *concurrencies[OPTION_LIST_LIMIT + 1]; /* "Function=environments" */
    const char *timeouts[OPTION_LIST_LIMIT + 1];      /* "Function=seconds" */
    const char *variables[OPTION_LIST_LIMIT + 1];     /* "NAME=value", for the functions */
};

/*
 * Reads the command line. 0; 1 when all is said (--help, --version); or
 * -EINVAL, with the reason on stderr. Free in each case.
 */
int options_read(struct options *ret, int argc, char **argv);

void options_free(struct options *options);

#endif /* MEDIA_LOCAL_OPTIONS_H */
