/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_MEDIA_H
#define MEDIA_LOCAL_MEDIA_H

#include <stdint.h>

/*
 * A web server with videos, as there are many on the web: what the webhook's
 * URL points to.
 */
struct media;

#define MEDIA_VIDEO "test-picture.mp4"

struct media_params {
    const char *directory;     /* its files are served */
    const char *log_directory; /* for ffmpeg's output */
    const char *ffmpeg;        /* the program */
    uint16_t port;             /* wanted; 0: any */
    int64_t bytes_per_second;  /* of one download; 0: as fast as it goes */
};

/* Makes the test video when it is not there yet, and serves. 0 or -errno, with the reason. */
int media_start(struct media **ret, const struct media_params *params);

uint16_t media_port(const struct media *media);

/* NULL is allowed. */
void media_free(struct media *media);

#endif /* MEDIA_LOCAL_MEDIA_H */
