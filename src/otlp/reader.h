/* SPDX-License-Identifier: Apache-2.0 */
/* What the two readers of requests share. */
#ifndef XR_OTLP_READER_H
#define XR_OTLP_READER_H

#include "otlp/otlp.h"
#include "otlp/span.h"

/* Of a span, and of a resource, as they are encoded: it bounds what they take here. */
#define XR_OTLP_PART_MAX ((size_t)1024 * 1024)

struct xr_reader {
    const struct xr_otlp_read_params *params;
    struct xr_arena resource_arena; /* lives as long as a resource */
    struct xr_arena span_arena;     /* lives as long as a span */
    struct xr_text text;            /* the document */
    size_t spans;
    uint64_t rejected;
    struct xr_otlp_error *error;
};

/* Counts the span, and tells of it; always 0. id may be 0. */
int xr_reader_reject(struct xr_reader *reader, uint64_t id, const char *reason);
int xr_reader_refuse(struct xr_reader *reader, size_t offset, const char *message);

/* The span's documents, one or two, handed to the params' function. */
int xr_span_documents(struct xr_reader *reader, const struct xr_attributes *resource,
                      const struct xr_span *span);

#endif
