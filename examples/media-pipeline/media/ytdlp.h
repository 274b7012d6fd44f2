/* SPDX-License-Identifier: Apache-2.0 */
/* yt-dlp, the real program, as a child process: what it is asked, and what its output means. */
#ifndef PIPELINE_MEDIA_YTDLP_H
#define PIPELINE_MEDIA_YTDLP_H

#include "media/child.h"
#include "media/guard.h"
#include "media/problem.h"

/* Text that is NULL or "" is not there. */
struct ytdlp {
    const char *program;   /* name or path */
    const char *directory; /* all it writes goes there; its HOME too */
    int64_t deadline_ms;   /* Unix time */
    struct guard *guard;   /* its way to the network; there is no other */
    const char *js_runtime;
    const char *ffmpeg_location;
    const char *cookies_file; /* copied, since yt-dlp writes to it */
    int64_t max_bytes;        /* 0: any number */
};

/* The description of the video as JSON, to be released. 0, or negative with *problem set. */
int ytdlp_describe(const struct ytdlp *ytdlp, const char *url, struct text *ret,
                   struct problem *problem);

struct ytdlp_progress {
    int64_t bytes; /* so far, of the stream that is loading */
    int64_t total; /* 0 when not known */
    double speed;  /* bytes per second; 0 when not known */
    int fragments; /* so far; 0 when it comes as a whole */
};

/* False when the line is no report of progress. */
bool ytdlp_parse_progress(const char *line, struct ytdlp_progress *ret);

/* Called for each report. */
typedef void (*ytdlp_listener)(void *data, const struct ytdlp_progress *progress);

/* Also of a download that failed, as far as it came. */
struct ytdlp_file {
    char path[1024];
    char format[64];     /* yt-dlp's id of it: "137+140" */
    int attempts;        /* more than 1 when another format had to do */
    int64_t bytes;       /* received, of all streams of the last attempt */
    int64_t duration_ms; /* of the last attempt */
    int64_t bytes_per_s; /* on average */
    int fragments;       /* of all streams of the last attempt */
    int64_t reports;     /* of progress, of all attempts */
};

/* Downloads into the directory. 0, or negative with *problem set. */
int ytdlp_download(const struct ytdlp *ytdlp, const char *url, ytdlp_listener listener, void *data,
                   struct ytdlp_file *ret, struct problem *problem);

/* What it is told of our environment: never credentials, nor anything else of AWS. */
char **ytdlp_environment(const char *directory, const char *proxy);
void ytdlp_free_environment(char **environment);

/* How a run that was no success is to be understood. */
int ytdlp_explain(const struct child_result *result, const char *program, struct problem *problem);

#endif /* PIPELINE_MEDIA_YTDLP_H */
