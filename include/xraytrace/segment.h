/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XRAYTRACE_SEGMENT_H
#define XRAYTRACE_SEGMENT_H

#include <xraytrace/sampler.h>
#include <xraytrace/trace.h>

XRAY_BEGIN_DECLS

/*
 * A segment or subsegment being recorded.
 *
 * Every function here accepts NULL, and a segment that has ended, and does
 * nothing: a segment that could not be started needs no checks, and ending
 * twice is harmless. Strings are copied before the call returns.
 *
 * Threads: one thread at a time may use a segment, and ending a subsegment on
 * its parent's thread uses the parent: xray_detach() before handing one over.
 * Any thread may start a subsegment of a live one, take its header, or ask
 * whether it is sampled. The current segment and those outside it end when
 * their thread does or calls exit(), as faults: with an exception of the type
 * ThreadExit or ProcessExit. What is current on other threads at exit(), or
 * nowhere, is not ended; nor is anything by _exit() or a signal.
 *
 * No order of ends is wrong. A subsegment becomes part of its parent's document
 * when the parent is open and at home on the same thread of the same process,
 * and is sent as a document of its own otherwise.
 *
 * Names have at most 200 characters (X-Ray's limit): letters and digits of any
 * script, blanks and _ . : / % & # = + - @. Others become "_", longer ones are
 * cut; both are counted as truncated. Those of segments, and of subsegments with
 * a namespace, are nodes of the service map: put no ids into them.
 */
typedef struct xray_segment xray_segment;

/* Where segments go, and which: xraytrace/recorder.h. */
typedef struct xray_recorder xray_recorder;

/* ---- Begin and end on this thread ---------------------------------------- */

/*
 * Begins a segment on the default recorder and makes it current. It is a new
 * trace, whatever is current; in a Lambda invocation it is a subsegment of it.
 * NULL or an empty name means the recorder's service. AWS_XRAY_TRACING_NAME
 * stands in for a missing name only. With AWS_XRAY_SDK_DISABLED this and all
 * that follows from it is NULL.
 */
XRAY_API xray_segment *xray_begin_segment(const char *name);

/*
 * Begins a subsegment of the current segment and makes it current. Without a
 * current segment it returns NULL and does what the default recorder's
 * context_missing says: it logs, unless told otherwise.
 */
XRAY_API xray_segment *xray_begin_subsegment(const char *name);

/*
 * Ends a segment, however it was started, and gives it back: the pointer is
 * inert from then on. If it is current, the one outside it is current again;
 * if it is further out, what is inside it is no longer current either, but
 * still open. When this returns, a document that is due has been handed to the
 * emitter. Leaves errno alone.
 */
XRAY_API void xray_end(xray_segment *segment);

/*
 * The same, for work that ended earlier. Unix time in ns; 0 is now, and a time
 * before the start is the start.
 */
XRAY_API void xray_end_at(xray_segment *segment, int64_t end_ns);

/*
 * Sends a long-running segment as in progress: a process that is killed leaves
 * it visible. A second call does nothing. From then on it is a document of its
 * own, and so is each subsegment under it.
 */
XRAY_API void xray_send_in_progress(xray_segment *segment);

/* This thread's current segment, or NULL. */
XRAY_API xray_segment *xray_current(void);

/* ---- Start without touching the current segment --------------------------- */

/* What is known of a segment when it starts. */
typedef struct xray_segment_params {
    size_t size;
    const char *name;                /* else the recorder's service */
    const xray_trace_header *header; /* the caller's trace; NULL starts a new one */
    int64_t start_ns;                /* Unix time in ns; 0 is now */
    const char *host;                /* the rest describe the request to the sampler */
    const char *http_method;
    const char *url_path;
    const char *resource_arn; /* else the recorder's */
    const xray_sampling_attribute *attributes;
    size_t attribute_count;
} xray_segment_params;

/*
 * Starts a segment that is nobody's current one until attached: for servers
 * and event loops. A decision in the header is kept; without one the recorder's
 * sampler decides. NULL params mean all defaults; a NULL recorder, and one that
 * is disabled, give NULL. Ended with xray_end().
 */
XRAY_API xray_segment *xray_start_segment(xray_recorder *recorder,
                                          const xray_segment_params *params);

/*
 * Starts a subsegment of parent, from any thread. A NULL parent gives NULL; a
 * NULL or empty name, here and in every subsegment, is "unnamed".
 */
XRAY_API xray_segment *xray_start_subsegment(xray_segment *parent, const char *name);

/* What is known of a subsegment when it starts. */
typedef struct xray_subsegment_params {
    size_t size;
    const char *name;
    const char *name_space; /* "aws", "remote", or NULL: see xray_set_namespace() */
    int64_t start_ns;       /* Unix time in ns; 0 is now */
    int32_t not_sampled;    /* 1: not sent, and Sampled=0 downstream */
    int32_t traced;         /* 1: the callee sends a segment of its own */
} xray_subsegment_params;

/* The same with everything there is to say. NULL params mean all defaults. */
XRAY_API xray_segment *xray_start_subsegment_with(xray_segment *parent,
                                                  const xray_subsegment_params *params);

#ifndef __cplusplus
#define xray_segment_params(...) \
    (&(xray_segment_params){ .size = sizeof(xray_segment_params), __VA_ARGS__ })
#define xray_subsegment_params(...) \
    (&(xray_subsegment_params){ .size = sizeof(xray_subsegment_params), __VA_ARGS__ })
#endif

/*
 * Starts a subsegment of a segment that lives on another thread, in another
 * process, or is owned by Lambda: from is what xray_get_header() gave there.
 * It is a document of its own. Without a trace and a parent in from, NULL.
 */
XRAY_API xray_segment *xray_resume(xray_recorder *recorder, const xray_trace_header *from,
                                   const char *name);

/*
 * Keeps a segment that is not sampled, or the one it is part of, whatever the
 * outcome, when the recorder captures (xray_capture).
 */
XRAY_API void xray_keep(xray_segment *segment);

/*
 * What a callee answered in its X-Amzn-Trace-Id, given to the subsegment of the
 * call: a callee that keeps its own segment has this one kept as well, where both
 * sides capture with XRAY_CAPTURE_ACROSS. libxraytrace-curl does it by itself.
 */
XRAY_API void xray_note_response_header(xray_segment *segment, const xray_trace_header *response);

/*
 * Links a segment to a segment of another trace: to.parent_id in to.trace_id, as
 * xray_get_header() gave it there; one of the messages of a batch, for example.
 * At most 20 links (X-Ray's limit); more, and one without a parent_id, are left
 * out and counted as truncated. Only segments have links: on a subsegment it
 * does nothing.
 */
XRAY_API void xray_add_link(xray_segment *segment, const xray_trace_header *to);

/*
 * Makes a segment current on this thread, and this thread its home, until it is
 * detached or ended. One that is current on another thread is taken from there.
 * Attaching the current one again does nothing.
 */
XRAY_API void xray_attach(xray_segment *segment);

/*
 * Takes a segment off the thread that it is current on: what was current before
 * it is current there again, and another thread may use the segment. To be
 * called before that thread gets it.
 */
XRAY_API void xray_detach(xray_segment *segment);

/* ---- Ask --------------------------------------------------------------------- */

/* Whether this trace is sampled: what goes downstream. NULL is not. */
XRAY_API bool xray_is_sampled(const xray_segment *segment);

/* Whether anything recorded here may be sent: sampled, or captured. Guard costly work with it. */
XRAY_API bool xray_is_recording(const xray_segment *segment);

/*
 * What to send downstream, or hand to xray_resume(): trace, this segment as the
 * parent, decision. All zero for NULL. Complete also for unsampled segments,
 * whose ids are made when first asked for; with AWS_XRAY_NOOP_ID=true they have
 * only the ids that came in. ret must not be NULL.
 */
XRAY_API void xray_get_header(const xray_segment *segment, xray_trace_header *ret);

/* What to answer a caller: the trace, and the decision if it asked for one with Sampled=?. */
XRAY_API void xray_get_response_header(const xray_segment *segment, xray_trace_header *ret);

XRAY_END_DECLS

/* ---- Scopes ------------------------------------------------------------------ */

static inline void xray_endp(xray_segment **segment)
{
    xray_end(*segment);
    *segment = NULL;
}

/* Ends the segment when the variable goes out of scope. */
#define XRAY_AUTO_END __attribute__((__cleanup__(xray_endp), __unused__))

/* A subsegment that covers the rest of the enclosing block. xray_current() is its pointer. */
#define XRAY_SUBSEGMENT(name) \
    xray_segment *XRAY_SUBSEGMENT_NAME_(__COUNTER__) XRAY_AUTO_END = xray_begin_subsegment(name)
#define XRAY_SUBSEGMENT_NAME_(n)  XRAY_SUBSEGMENT_NAME__(n)
#define XRAY_SUBSEGMENT_NAME__(n) xray_subsegment_##n

#endif /* XRAYTRACE_SEGMENT_H */
