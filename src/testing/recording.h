/* SPDX-License-Identifier: Apache-2.0 */
/* A recording's insides: every segment and subsegment on its own, in the order of arrival. */
#ifndef XR_TESTING_RECORDING_H
#define XR_TESTING_RECORDING_H

#include <cjson/cJSON.h>
#include <pthread.h>
#include <xraytrace/testing.h>

struct xray_recorded {
    struct xray_recorded *next;
    xray_recording *recording;
    cJSON *json; /* without subsegments */
    char trace_id[XRAY_TRACE_ID_SIZE];
    char id[17];
    char parent_id[17];                 /* "" for none */
    const struct xray_recorded *parent; /* of the text that is being written */
};

struct xray_recording {
    pthread_mutex_t lock;
    int references; /* the caller's, and one for each emitter */
    bool freed;     /* by its caller */
    struct xray_recorded *first;
    struct xray_recorded **end;
    size_t in_progress; /* of those below first */
    char *text;
};

/* The member at a path, or NULL. Under the lock. */
const cJSON *xr_testing_member(const struct xray_recorded *recorded, const char *path);

/* The one with this parent's id, in the same trace. Under the lock. */
struct xray_recorded *xr_testing_parent(const struct xray_recorded *recorded);

#endif /* XR_TESTING_RECORDING_H */
