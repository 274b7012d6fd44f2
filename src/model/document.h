/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segment documents. A child inside its parent's document begins with its id;
 * one on its own says next where it belongs, so the one becomes the other by
 * writing those members in between.
 */
#ifndef XR_MODEL_DOCUMENT_H
#define XR_MODEL_DOCUMENT_H

#include "model/segment.h"

/* 63 KiB, of which the daemon's header line takes 30 bytes. */
#define XR_DOCUMENT_MAX (63 * 1024 - 30)

enum {
    XR_DOCUMENT_EMBEDDED = 1u << 0,
    XR_DOCUMENT_UNFINISHED = 1u << 1,
};

/* What can be left out of a document that is too large, in this order. */
enum {
    XR_OMIT_METADATA = 1u << 0,
    XR_OMIT_SQL = 1u << 1,
    XR_OMIT_FRAMES = 1u << 2,
    XR_OMIT_ANNOTATIONS = 1u << 3,
    XR_OMIT_BLOCKS = 1u << 4, /* http, aws, sql, cause, links: all that is left */
};

/*
 * Members that every segment of a recorder has, as text that begins with a comma;
 * and aws.xray's. Both can be copied with xr_copy_over().
 */
struct xr_document_constants {
    const char *segment; /* origin, service */
    size_t segment_length;
    const char *xray;
    size_t xray_length;
    const char *logs; /* aws.cloudwatch_logs, for segments without their own */
    size_t logs_length;
};

struct xr_document_request {
    const struct xr_document_constants *constants;
    int64_t end_ns;
    uint32_t form; /* XR_DOCUMENT_EMBEDDED… */
};

/* No document of this segment is longer. */
size_t xr_document_bound(const struct xr_segment *segment,
                         const struct xr_document_request *request);

/* Takes one of XR_OMIT_… out of a segment whose document would be too large; false if there is
 * none. */
bool xr_document_omit(struct xr_segment *segment, uint32_t what);

/* Writes it, and returns where it ends. */
char *xr_document_write(char *p, const struct xr_segment *segment,
                        const struct xr_document_request *request);

/* ---- Finished children ------------------------------------------------------ */

/*
 * Where a finished child of at most room bytes goes, or NULL; it is one of them
 * with xr_children_commit(), given where it ends.
 */
char *xr_children_begin(struct xr_segment *parent, size_t room);
void xr_children_commit(struct xr_segment *parent, const char *end);

/* The largest child, out of its parent, as a document on its own in ret. Its length, or 0. */
size_t xr_children_take_largest(struct xr_segment *parent, char ret[XR_BUFFER_MAX]);

#endif /* XR_MODEL_DOCUMENT_H */
