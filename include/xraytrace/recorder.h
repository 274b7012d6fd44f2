/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XRAYTRACE_RECORDER_H
#define XRAYTRACE_RECORDER_H

#include <xraytrace/emitter.h>
#include <xraytrace/sampler.h>
#include <xraytrace/segment.h>

XRAY_BEGIN_DECLS

/* ---- Hooks -------------------------------------------------------------------- */

/* How much a message matters: more, the higher. */
typedef enum xray_log_level {
    XRAY_LOG_DEBUG = 10,
    XRAY_LOG_INFO = 20,
    XRAY_LOG_WARNING = 30,
    XRAY_LOG_ERROR = 40,
} xray_log_level;

/*
 * Where messages go. They never hold what was recorded: no names, keys or
 * values. Called by any thread; what it logs or begins itself is ignored. A
 * message ends with a NUL, has no newline, and is valid during the call.
 */
typedef struct xray_logger {
    size_t size;
    void *data;    /* given to log */
    int32_t level; /* lower levels are not formatted at all; 0 is XRAY_LOG_WARNING */
    int32_t reserved;
    void (*log)(void *data, int level, const char *message);
} xray_logger;

/* What time it is, for tests and replays. Called by any thread. */
typedef struct xray_clock {
    size_t size;
    void *data;                    /* given to now_ns */
    int64_t (*now_ns)(void *data); /* Unix time in ns; must not go back */
} xray_clock;

/* Where memory comes from. Called by any thread. */
typedef struct xray_allocator {
    size_t size;
    void *data; /* given to each function */

    /* Aligned as malloc() does; NULL when out of memory. */
    void *(*allocate)(void *data, size_t bytes);

    /* What allocate gave, with the bytes it was asked for; never NULL. */
    void (*release)(void *data, void *memory, size_t bytes);
} xray_allocator;

/*
 * For the whole process, before anything else here is called. Returns 0,
 * -EINVAL without both functions, -E2BIG, or -EBUSY when memory has been taken
 * before.
 */
XRAY_CHECKED XRAY_API int xray_set_allocator(const xray_allocator *allocator);

/* ---- Capture ------------------------------------------------------------------- */

#define XRAY_CAPTURE_ACROSS (1u << 8) /* tell the caller, and heed callees: see below */
#define XRAY_CAPTURE_IN_LAMBDA \
    (1u << 9) /* there too, where the function's own segment is missing */

/*
 * Unsampled segments are recorded in memory all the same, and sent if they end
 * badly: marked as one of flags, slower than slower_than_ns, kept by
 * xray_keep(), or with a subsegment that did. They carry the annotation
 * xray_sampled = false, so that they can be left out of rates. What goes
 * downstream stays Sampled=0; docs/sampling.md says what that means.
 *
 * What leaves is bounded by a budget. A kind of failure (the segment's name, its
 * marks, the type and place of its first exception) that is alone may use all of
 * it; one that comes often leaves room for those that are rare. Nothing is sent
 * early or in progress. A subsegment that ends elsewhere than in its parent, on
 * another thread or later, is judged by itself. A segment keeps at most 63 KiB of
 * attributes and as much of children; all together have 16 MiB beyond the first
 * 10 KiB of each.
 *
 * With XRAY_CAPTURE_ACROSS xray_get_response_header() says of a segment that is
 * worth keeping so far that it is (Kept=1), and xray_note_response_header() has
 * the caller's segment kept too, even if it handled the failure.
 */
typedef struct xray_capture {
    size_t size;
    uint32_t flags; /* XRAY_FAULT, XRAY_ERROR, XRAY_THROTTLE: what to keep, 0 is faults;
                       XRAY_CAPTURE_… */
    uint32_t reserved;
    int64_t slower_than_ns;   /* keep what took as long; 0: never for that reason */
    double traces_per_second; /* the budget, with a burst of ten times it; 0 is 1 */
    double bytes_per_second;  /* the same in bytes of documents; 0: any number */
} xray_capture;

/* ---- Recorder ------------------------------------------------------------------ */

/* What xray_begin_subsegment() does without a current segment. */
typedef enum xray_context_missing {
    XRAY_CONTEXT_MISSING_DEFAULT = 0, /* log */
    XRAY_CONTEXT_MISSING_LOG = 1,     /* at most once a minute, as an error */
    XRAY_CONTEXT_MISSING_IGNORE = 2,
    XRAY_CONTEXT_MISSING_ABORT = 3, /* only from code; RUNTIME_ERROR in the environment logs */
} xray_context_missing;

#define XRAY_RECORDER_NO_ENVIRONMENT (1u << 0) /* take everything from the params */

/*
 * Tell callees, in the trace header, by which central rule a trace was decided
 * (xrsr=…), and count anomalies for a caller's rule: for adaptive sampling across
 * services. Off, since others may not expect the field.
 */
#define XRAY_RECORDER_PROPAGATE_RULE (1u << 1)

/*
 * All zero is a working default. As in every X-Ray SDK the environment, where
 * it says something valid, beats the plain values here; hooks given here stay.
 * docs/environment.md lists the variables.
 */
typedef struct xray_recorder_params {
    size_t size;
    uint32_t flags;          /* XRAY_RECORDER_… */
    int32_t context_missing; /* xray_context_missing */
    const char *service;     /* names segments that have no name; else the program's name */
    const char *service_version;
    const char *origin;          /* such as "AWS::EC2::Instance" */
    const char *daemon_address;  /* else 127.0.0.1:2000; see xray_emitter_udp() */
    const xray_emitter *emitter; /* else xray_emitter_udp; taken over on success */
    const xray_sampler *sampler; /* else one a second and 5 %; taken over on success */
    const xray_logger *logger;   /* else warnings and errors to stderr */
    const xray_clock *clock;     /* else the system's */
    size_t stream_bytes; /* send subsegments early beyond this; else 32 KiB; -EINVAL over 60 KiB */
    const char *resource_arn;           /* of the AWS resource that runs the program */
    const struct xray_capture *capture; /* else unsampled segments are not kept */

    /*
     * Rules kept in X-Ray are fetched with it, as xray_sampler_central() does, and
     * what would decide without it decides until they are there. Taken over on
     * success. In Lambda, which decides itself, it is not used.
     */
    const xray_transport *central;
} xray_recorder_params;

#ifndef __cplusplus
#define xray_recorder_params(...) \
    (&(xray_recorder_params){ .size = sizeof(xray_recorder_params), __VA_ARGS__ })
#endif

/*
 * Sampling, emission and configuration for a group of segments. Starts no
 * thread; later, only a queue, a daemon that is known by a host name
 * (xraytrace/emitter.h), and central sampling do. NULL params mean all defaults.
 * Returns 0, -ENOMEM, -E2BIG, -EINVAL for a hook without its function, a value
 * out of range or a daemon address that cannot be read, or what the emitter's
 * constructor returned. An address in the environment that is not usable keeps
 * the one given here, and is logged.
 *
 * Threads: safe to share. Recorders are independent of each other, and must
 * outlive the segments started on them.
 */
XRAY_CHECKED XRAY_API int xray_recorder_new(xray_recorder **ret,
                                            const xray_recorder_params *params);

/*
 * Destroys its hooks too; a queue first sends what it holds. Not while a segment
 * is open on it. NULL, and the library's own default recorder, are left alone.
 */
XRAY_API void xray_recorder_free(xray_recorder *recorder);

/*
 * The one xray_begin_segment() uses on every thread: made from the environment
 * on first use, and then never freed. NULL only when out of memory. Setting one,
 * which any thread may do, lends it: set another, or NULL for the library's own,
 * before freeing it.
 */
XRAY_API xray_recorder *xray_recorder_default(void);
XRAY_API void xray_recorder_set_default(xray_recorder *recorder);

/*
 * Makes it the library's own default recorder, which is never freed, instead of
 * one made from the environment on first use. 0; -EBUSY, and it is still yours,
 * when the default has been used, or another one is set; or -EINVAL for NULL.
 */
XRAY_CHECKED XRAY_API int xray_recorder_give_default(xray_recorder *recorder);

/*
 * Waits until every segment that has ended is out; those that are open are left
 * alone. 0, also for NULL, or -ETIMEDOUT after timeout_ms; 0 ms only asks. What
 * an emitter sends before emit returns, as over UDP, is out already.
 */
XRAY_API int xray_recorder_flush(xray_recorder *recorder, int timeout_ms);

/*
 * Counts since the recorder was made. When nothing is open,
 * sampled = embedded + emitted + failed + dropped. Lambda's own invocation,
 * in-progress documents and captured segments are in none of these. A forked child counts on from
 * where its parent was.
 */
typedef struct xray_stats {
    size_t size;
    uint64_t begun;              /* segments and subsegments, sampled or not */
    uint64_t sampled;            /* of these, recorded because sampled */
    uint64_t embedded;           /* ended into their parent's document */
    uint64_t emitted;            /* documents the emitter took, without those it lost afterwards */
    uint64_t failed;             /* documents it refused or lost: the sum of failed_… */
    uint64_t dropped;            /* recorded segments lost: the sum of dropped_… */
    uint64_t truncated;          /* attributes cut, repaired or left out */
    uint64_t failed_refused;     /* ECONNREFUSED: nobody listens at the daemon's address */
    uint64_t failed_busy;        /* EAGAIN: the socket's buffer is full */
    uint64_t failed_no_buffers;  /* ENOBUFS, ENOMEM: the system's memory is */
    uint64_t failed_too_large;   /* EMSGSIZE */
    uint64_t failed_other;       /* any other -errno */
    uint64_t dropped_memory;     /* no memory to write the document in */
    uint64_t dropped_fork;       /* begun before a fork, and ended in the child */
    uint64_t in_progress;        /* documents sent in progress */
    uint64_t in_progress_failed; /* of these, refused or lost by the emitter */

    /* With capture, all that follows: of segments; anomalies = captured + refused + capture_failed.
     */
    uint64_t requests;          /* segments that ended in their own process, sampled or not */
    uint64_t sampled_anomalies; /* sampled ones that ended in a way to be kept */
    uint64_t anomalies;         /* unsampled ones that did */
    uint64_t captured;          /* of these, sent */
    uint64_t refused;           /* of these, over the budget */
    uint64_t capture_failed;    /* of these, lost: by the emitter, or a lack of memory */
    uint64_t captured_parts;    /* subsegments of unsampled traces that were sent by themselves */
    uint64_t capture_dropped;   /* subsegments left out of what was recorded: too many, too large,
                                   late; and all that began before a fork and ended in the child */
} xray_stats;

/* Set size first: at most that much is filled in. With size 0, or a NULL recorder, nothing. */
XRAY_API void xray_recorder_get_stats(xray_recorder *recorder, xray_stats *ret);

XRAY_END_DECLS

#endif /* XRAYTRACE_RECORDER_H */
