/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a segment or subsegment is while it is open: a recycled block, a log of
 * its attributes, and the finished JSON of its finished children. Pure data:
 * ids and times are handed in.
 */
#ifndef XR_MODEL_SEGMENT_H
#define XR_MODEL_SEGMENT_H

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include <xraytrace/segment.h>

#include "base/buffer.h"
#include "base/pool.h"
#include "wire/ids.h"

#define XR_NAME_CHARACTERS 200
#define XR_NAME_BYTES      (4 * XR_NAME_CHARACTERS)
#define XR_NAME_ROOM       (XR_NAME_BYTES + 1)

/* What is settled when it begins, so that any thread may read it. */
enum {
    XR_SUBSEGMENT = 1u << 0,
    XR_SAMPLED = 1u << 1,      /* goes downstream as Sampled=1 */
    XR_RECORDING = 1u << 2,    /* becomes a document */
    XR_FACADE = 1u << 3,       /* Lambda's own segment: never a document */
    XR_PASS_THROUGH = 1u << 4, /* unsampled by Lambda: what came in goes downstream unchanged */
    XR_DECIDED_NO = 1u << 5,   /* and that said Sampled=0 */
    XR_REQUESTED = 1u << 6,    /* the caller asked for the decision */
    XR_TRACED = 1u << 7,
    XR_CAPTURED = 1u << 8,  /* recorded although not sampled: its outcome decides */
    XR_JUDGED = 1u << 9,    /* whether it is worth keeping is asked at its end */
    XR_REPORTED = 1u << 10, /* and the sampler hears how it ended */
};

/* What changes, and is the business of its home thread alone. */
enum {
    XR_STACKED = 1u << 0,       /* on the stack of its home thread */
    XR_OWN_DOCUMENT = 1u << 1,  /* sent in progress: never embedded, and no child is */
    XR_WORTH_KEEPING = 1u << 2, /* by the user's word, or for what is in it */
};

/* The namespaces that X-Ray knows. */
enum {
    XR_NAMESPACE_AWS = 1,
    XR_NAMESPACE_REMOTE = 2,
};

#define XR_SECTIONS_MAX 11

struct xr_segment {
    struct xr_segment *next; /* the pool's, while it is free */

    /*
     * What other threads may read while the block is used again: they look at
     * the generation before and after. The ids may be made later; the trace id
     * is in the order of its bytes, and 0 means not made yet.
     */
    _Atomic uint32_t generation;
    uint16_t trace_flags; /* W3C's */
    uint16_t kind;        /* of failure, of the first part that was worth keeping; if judged */
    _Atomic(xray_segment *) parent; /* may have ended since */
    _Atomic uint64_t home;          /* xr_thread.id, or 0 */
    _Atomic uint64_t trace[2];
    _Atomic uint64_t id;

    xray_recorder *recorder;
    uint32_t flags;     /* XR_SUBSEGMENT… */
    uint16_t state;     /* XR_STACKED… */
    uint8_t marks;      /* XRAY_ERROR… */
    uint8_t name_space; /* XR_NAMESPACE_…, or 0 */
    uint32_t fork_generation;
    uint16_t sections; /* one bit for each xr_section in the log */
    uint16_t omitted;  /* XR_OMIT_… */
    uint64_t parent_id;
    int64_t start_ns;
    int64_t clock_offset_ns; /* Unix time minus the monotonic clock's */
    struct xr_buffer attributes;
    struct xr_buffer children; /* a 32-bit length and that many bytes of JSON, again and again */
    uint64_t known;            /* one bit for each xr_known in the log */
    uint64_t keys;             /* one bit for each hash of a user's key in the log */
    uint16_t first[XR_SECTIONS_MAX]; /* where the runs of sections that the log has begin */
    uint16_t last[XR_SECTIONS_MAX];
    uint16_t tail;        /* where the last run of the log begins */
    uint8_t tail_section; /* and whose it is, for what comes next; or XR_SECTIONS_MAX */
    uint8_t links;
    uint16_t name_length;
    uint16_t extra_length;
    uint16_t service_length;

    /* The name, the header's extra fields, the service's name; each with a NUL; then the log. */
    char text[];
};

#define XR_SEGMENT_TEXT (XR_POOL_SEGMENT_BYTES - offsetof(struct xr_segment, text))
static_assert(XR_SEGMENT_TEXT >= 2 * (XR_NAME_BYTES + 1) + sizeof(((xray_trace_header *)0)->extra),
              "a segment's texts fit into its block");

/*
 * A handle is a block's address with its generation in the low bits, so that a
 * handle of a segment that has ended is known to be stale, until the block has
 * been used 2048 times again.
 */
#define XR_GENERATION_MASK (XR_POOL_SEGMENT_BYTES - 1u)

static inline xray_segment *xr_handle(const struct xr_segment *segment)
{
    return (xray_segment *)((uintptr_t)segment |
                            atomic_load_explicit(&segment->generation, memory_order_relaxed));
}

/* The open segment behind a handle, or NULL. */
static inline struct xr_segment *xr_segment_of(const xray_segment *handle)
{
    uintptr_t bits = (uintptr_t)handle;
    struct xr_segment *segment = (struct xr_segment *)(bits & ~(uintptr_t)XR_GENERATION_MASK);

    if (!segment || atomic_load_explicit(&segment->generation, memory_order_relaxed) !=
                        (bits & XR_GENERATION_MASK))
        return NULL;
    return segment;
}

/* Makes every handle of it stale. */
static inline void xr_segment_retire(struct xr_segment *segment)
{
    uint32_t generation = atomic_load_explicit(&segment->generation, memory_order_relaxed);

    atomic_store_explicit(&segment->generation, (generation + 1) & XR_GENERATION_MASK,
                          memory_order_release);
}

static inline const char *xr_segment_extra(const struct xr_segment *segment)
{
    return segment->text + segment->name_length + 1;
}

static inline const char *xr_segment_service(const struct xr_segment *segment)
{
    return xr_segment_extra(segment) + segment->extra_length + 1;
}

/* Complete when its first word is, and nothing before: that is written last and read first. */
static inline xray_trace_id xr_segment_trace_words(const struct xr_segment *segment)
{
    uint64_t words[2];
    xray_trace_id id;

    words[0] = atomic_load_explicit(&segment->trace[0], memory_order_acquire);
    words[1] = atomic_load_explicit(&segment->trace[1], memory_order_relaxed);
    memcpy(id.bytes, words, sizeof(words));
    return id;
}

static inline xray_trace_id xr_segment_trace(const struct xr_segment *segment)
{
    xray_trace_id id = xr_segment_trace_words(segment);
    uint64_t first;

    memcpy(&first, id.bytes, sizeof(first));
    return first == 0 ? (xray_trace_id){ 0 } : id;
}

static inline void xr_segment_set_trace(struct xr_segment *segment, const xray_trace_id *id)
{
    uint64_t words[2];

    memcpy(words, id->bytes, sizeof(words));
    atomic_store_explicit(&segment->trace[1], words[1], memory_order_relaxed);
    atomic_store_explicit(&segment->trace[0], words[0], memory_order_release);
}

/*
 * Writes a name that X-Ray accepts into XR_NAME_ROOM bytes, with a NUL, and
 * returns its length. Sets *changed when it is not the same. What it writes
 * needs no escapes in JSON.
 */
size_t xr_name_write(char *ret, const char *name, bool *changed);

/* A text of a segment, which may be copied with xr_copy_over(). */
struct xr_segment_text {
    const char *text;
    size_t length;
};

/* The texts of a new segment behind its name; the log is empty, and begins after them. */
static inline void xr_segment_set_texts(struct xr_segment *segment, struct xr_segment_text extra,
                                        struct xr_segment_text service)
{
    char *p = segment->text + segment->name_length + 1;
    size_t left;

    segment->extra_length = (uint16_t)extra.length;
    p = xr_copy_over(p, extra.text, extra.length);
    *p++ = '\0';
    segment->service_length = (uint16_t)service.length;
    p = xr_copy_over(p, service.text, service.length);
    *p++ = '\0';
    left = XR_SEGMENT_TEXT - (size_t)(p - segment->text);
    /* Other threads copy these texts, and read so far beyond them: the log is not there. */
    left = left > XR_SIXTEEN_OVER + XR_BUFFER_OVER ? left - XR_SIXTEEN_OVER - XR_BUFFER_OVER : 0;
    xr_buffer_begin(&segment->attributes, p + XR_SIXTEEN_OVER, left);
    xr_buffer_begin(&segment->children, NULL, 0);
    /* Many of them may be open for nothing. */
    if (__builtin_expect((segment->flags & XR_CAPTURED) != 0, 0))
        segment->attributes.limited = segment->children.limited = 1;
    segment->tail_section = XR_SECTIONS_MAX;
}

#endif /* XR_MODEL_SEGMENT_H */
