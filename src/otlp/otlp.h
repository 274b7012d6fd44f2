/* SPDX-License-Identifier: Apache-2.0 */
/* Segment documents to OTLP trace requests and back, protobuf and JSON. Pure: text in,
   text out; no clock, no I/O. docs/otlp.md has the mapping and what it loses. */
#ifndef XR_OTLP_H
#define XR_OTLP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XR_OTLP_SPANS_MAX 10000u /* in a request, as the X-Ray endpoint has it */

enum xr_otlp_format {
    XR_OTLP_PROTOBUF,
    XR_OTLP_JSON,
};

struct xr_otlp_error {
    size_t offset; /* in the body, bytes */
    char message[160];
};

/* Takes a finished segment document (NUL-terminated JSON); a negative return ends the
   conversion with that value. */
typedef int xr_otlp_document(void *data, const char *text, size_t length);
/* Takes a span that can't be a document, with the reason. May be NULL. */
typedef void xr_otlp_rejected(void *data, const char *span_id, const char *reason);

struct xr_otlp_read_params {
    enum xr_otlp_format format;
    bool index_all; /* every scalar attribute of up to 1000 characters is an annotation, up to 50 */
    bool unsampled; /* captured though not sampled: the annotation xray_sampled is false */
    xr_otlp_document *document;
    xr_otlp_rejected *rejected;
    void *data;
};

/* An ExportTraceServiceRequest. ret_rejected counts spans that were left out. 0, -EBADMSG
   with the error (documents may have been handed out before), -E2BIG, -ENOMEM. */
int xr_otlp_read(const struct xr_otlp_read_params *params, const void *body, size_t length,
                 uint64_t *ret_rejected, struct xr_otlp_error *ret_error);

/* A request in the daemon's protocol: T1S (sampled) or T1U (captured all the same), and
   the request's protobuf in base64 behind it. */
bool xr_otlp_is_text(const char *text, size_t length);
/* The same, of such a text: what it is decides on the format and on unsampled. */
int xr_otlp_read_text(const struct xr_otlp_read_params *params, const char *text, size_t length,
                      uint64_t *ret_rejected, struct xr_otlp_error *ret_error);

/* A request is written document by document. */
struct xr_otlp_writer;

struct xr_otlp_write_params {
    enum xr_otlp_format format;
    const char *sdk_version; /* of the scope, and of documents that do not say it; NULL: left out */
    bool in_progress;        /* write what is in progress too, as a span without duration */
};

int xr_otlp_writer_new(struct xr_otlp_writer **ret, const struct xr_otlp_write_params *params);
void xr_otlp_writer_free(struct xr_otlp_writer *writer);
/* service_name is for a subsegment that was sent on its own, whose document does not have
   it; NULL: unknown_service. 0, -EINVAL if the document is none, -ENOMEM. */
int xr_otlp_write(struct xr_otlp_writer *writer, const char *document, size_t length,
                  const char *service_name);
/* The ExportTraceServiceRequest of all that was written; the writer begins anew. The
   caller frees it: *ret_length + 1 bytes of the library's allocator, which is malloc()
   where nobody replaced it. 0 or -ENOMEM. */
int xr_otlp_finish(struct xr_otlp_writer *writer, char **ret, size_t *ret_length);

/* The reply to a request: ExportTraceServiceResponse, to be freed in the same way.
   message may be NULL. 0 or -ENOMEM. */
int xr_otlp_write_response(enum xr_otlp_format format, uint64_t rejected, const char *message,
                           char **ret, size_t *ret_length);
/* The reply to what is no request: google.rpc.Status, with the code INVALID_ARGUMENT. */
int xr_otlp_write_status(enum xr_otlp_format format, const char *message, char **ret,
                         size_t *ret_length);

#endif
