/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XRAYTRACE_TESTING_H
#define XRAYTRACE_TESTING_H

#include <xraytrace/describe.h>
#include <xraytrace/recorder.h>

XRAY_BEGIN_DECLS

/*
 * libxraytrace-testing: for the unit tests of programs that are traced, with any
 * test framework (pkg-config: xraytrace-testing). Nothing is sent anywhere.
 *
 *     xray_recording *recording = NULL;
 *     xray_recorder *recorder = NULL;
 *     if (xray_recording_new(&recording) < 0 ||
 *         xray_recording_new_recorder(recording, "shop", &recorder) < 0)
 *         return 1;
 *     xray_recorder_set_default(recorder);
 *     charge_a_card();
 *     const xray_recorded *charge = xray_recording_find(recording, "charge", NULL);
 *     if (!xray_recorded_is(charge, "annotations.customer", "c8"))
 *         fprintf(stderr, "%s", xray_recording_text(recording));
 */

/*
 * What was recorded. Threads: everything here may be called while others record;
 * what is then in progress may be half of what it will be.
 */
typedef struct xray_recording xray_recording;

/*
 * One segment or subsegment, in whatever document it came. It lives as long as
 * its recording, until that is cleared. Where it is asked for, NULL stands for
 * one that was not recorded: it has nothing and is nothing.
 */
typedef struct xray_recorded xray_recorded;

/* Returns 0 or -ENOMEM. */
XRAY_CHECKED XRAY_API int xray_recording_new(xray_recording **ret);

/*
 * Not before the last look at what it has; recorders that still emit to it may
 * live on, and what they emit is left out. NULL is left alone.
 */
XRAY_API void xray_recording_free(xray_recording *recording);

/* Forgets what was recorded, for the next test. */
XRAY_API void xray_recording_clear(xray_recording *recording);

/*
 * A recorder that samples everything, whatever the environment says, and emits
 * to the recording. service as in xray_recorder_params. Free it with
 * xray_recorder_free(); before that, end all that is open. A recording may have
 * several: one for each service of a conversation. Returns 0, -EINVAL without a
 * recording, or what xray_recorder_new() returns.
 */
XRAY_CHECKED XRAY_API int xray_recording_new_recorder(xray_recording *recording,
                                                      const char *service, xray_recorder **ret);

/*
 * The emitter of such a recorder, for one with other params. As with all of them
 * (xraytrace/emitter.h) set ret->size first. Returns 0, or -EINVAL for a size
 * that is too small or without a recording.
 */
XRAY_CHECKED XRAY_API int xray_emitter_recording(xray_emitter *ret, xray_recording *recording);

/* How many segments and subsegments have this name; NULL is any. One that was sent twice is one. */
XRAY_API size_t xray_recording_count(xray_recording *recording, const char *name);

/*
 * The first one of this name that came after another one, or of all if that is
 * NULL; a NULL name is any. Documents come as their segments end, and have those
 * within them after themselves.
 */
XRAY_API const xray_recorded *xray_recording_find(xray_recording *recording, const char *name,
                                                  const xray_recorded *after);

/* The one it is a part of, or was called by; NULL if that was not recorded here. */
XRAY_API const xray_recorded *xray_recorded_parent(const xray_recorded *recorded);

/*
 * All of it for people: a line for each, below its parent, with its marks,
 * annotations and exceptions. It lives until the next call for this recording.
 */
XRAY_API const char *xray_recording_text(xray_recording *recording);

/*
 * Members of documents are named by their path: "name", "fault",
 * "http.response.status", "annotations.customer", "metadata.default.cart",
 * "cause.exceptions.0.message". docs/guide.md shows more of them.
 */

/* Whether there is such a member. */
XRAY_API bool xray_recorded_has(const xray_recorded *recorded, const char *path);

/* Whether it is this value; numbers are compared as doubles, xray_json() by its contents. */
XRAY_API bool xray_recorded_is_value(const xray_recorded *recorded, const char *path,
                                     xray_value value);
#define xray_recorded_is(recorded, path, value) \
    xray_recorded_is_value(recorded, path, XRAY_VALUE(value))

/*
 * The text of a member that is text, and NULL for anything else. It lives as
 * long as what it belongs to, which while in progress is until it ends.
 */
XRAY_API const char *xray_recorded_string(const xray_recorded *recorded, const char *path);

/* A number, such as "start_time" in seconds; 0 for anything else. */
XRAY_API double xray_recorded_number(const xray_recorded *recorded, const char *path);

XRAY_END_DECLS

#endif /* XRAYTRACE_TESTING_H */
