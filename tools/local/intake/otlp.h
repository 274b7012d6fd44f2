/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of OpenTelemetry's protocol: what their spans become goes the way of all
   documents. Every scalar attribute becomes an annotation, so that it can be searched. */
#ifndef LOCAL_OTLP_H
#define LOCAL_OTLP_H

#include "local/intake/ingest.h"

#include <otlp.h>

struct otlp_result {
    uint64_t rejected; /* spans that were not kept */
    char message[256]; /* why: of the first of them, or of the whole request */
};

/* 0, with what was rejected, or with the message -EBADMSG (it is no request), -E2BIG (too
   many spans) or -ENOMEM. From any thread. */
int ingest_otlp(struct ingest *ingest, enum xr_otlp_format format, const char *body, size_t length,
                struct otlp_result *ret);

/* What ingest_document() may be given in the place of a document. */
bool otlp_is_text(const char *text, size_t length);
void ingest_otlp_text(struct ingest *ingest, const char *text, size_t length,
                      ingest_refused *refused, void *data);

#endif
