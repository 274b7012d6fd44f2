/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a video: read from yt-dlp's JSON, in the form the Files table has it. */
#ifndef PIPELINE_MEDIA_VIDEO_H
#define PIPELINE_MEDIA_VIDEO_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "media/problem.h"

/* Text is valid UTF-8, never NULL, and cut at these sizes. */
struct video {
    char title[512];
    char description[5120];
    char author_name[256];
    char author_user[256]; /* lower case, "_" for blanks */
    char publish_date[32]; /* ISO 8601 */
    int64_t size;          /* bytes as announced; 0 when not known */
    double duration;       /* seconds; 0 when not known */
};

/*
 * json is what "yt-dlp -J" printed; host stands in for an author who is not
 * named. Returns 0, or negative with *problem set: also for a video that
 * cannot be downloaded now, such as a livestream that has not begun.
 */
int video_parse(const char *json, size_t length, const char *host, int64_t now_ms,
                struct video *ret, struct problem *problem);

/* "video/mp4" for "mp4"; for the object, and for the app. */
const char *video_content_type(const char *extension);

#endif /* PIPELINE_MEDIA_VIDEO_H */
