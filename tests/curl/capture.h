/* SPDX-License-Identifier: Apache-2.0 */
/* A recorder that samples everything and keeps what it emits, with one open segment on it. */
#ifndef XR_TESTS_CURL_CAPTURE_H
#define XR_TESTS_CURL_CAPTURE_H

#include <cjson/cJSON.h>
#include <xraytrace/xraytrace.h>

struct capture {
    xray_recorder *recorder;
    xray_segment *segment; /* "test", current on this thread */
    FILE *stream;
    char *text; /* everything emitted, after capture_end() */
    size_t length;
    cJSON *document; /* of the segment, after capture_end() */
};

/* sampled: what the header of the segment's caller says. */
void capture_begin(struct capture *capture, bool sampled);

/* Unsampled, on a recorder that captures as the flags say. */
void capture_begin_unsampled(struct capture *capture, uint32_t flags);

/* Ends the segment and reads what was emitted. */
void capture_end(struct capture *capture);
void capture_free(struct capture *capture);

/* The only subsegment; fails the test if there is none or another one. */
const cJSON *capture_subsegment(const struct capture *capture);

/* A member of objects in each other, "http.response.status"; NULL when it is missing. */
const cJSON *json_at(const cJSON *object, const char *path);
const char *json_text_at(const cJSON *object, const char *path); /* "" when it is missing */
double json_number_at(const cJSON *object, const char *path);    /* -1 when it is missing */

#endif /* XR_TESTS_CURL_CAPTURE_H */
