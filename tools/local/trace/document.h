/* SPDX-License-Identifier: Apache-2.0 */
/* One segment document: what a segment, or a subsegment sent on its own, says of
   itself at its top level, and the reasons for which a document is refused. Only
   what can't be kept is refused: no id, no trace, no time, no JSON. */
#ifndef LOCAL_DOCUMENT_H
#define LOCAL_DOCUMENT_H

#include "local/base/ids.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The service takes 64 kB; what is larger is kept here, so that it can be seen. */
#define DOCUMENT_BYTES_MAX       ((size_t)1024 * 1024)
#define DOCUMENT_SUBSEGMENTS_MAX 10000u
/* The year 9999: later times are a mistake, and would make any scale useless. */
#define DOCUMENT_TIME_MAX 253402300799.0

enum refusal_reason {
    /* of a datagram */
    REFUSED_NO_NEWLINE,
    REFUSED_HEADER,
    REFUSED_FORMAT,
    REFUSED_VERSION,
    REFUSED_EMPTY_BODY,
    REFUSED_TRUNCATED,
    /* of a document */
    REFUSED_NOT_JSON,
    REFUSED_TOO_DEEP,
    REFUSED_NO_OBJECT,
    REFUSED_TOO_LARGE,
    REFUSED_SUBSEGMENTS,
    REFUSED_ID,
    REFUSED_TRACE_ID,
    REFUSED_PARENT_ID,
    REFUSED_START_TIME,
    REFUSED_END_TIME,
    REFUSED_SPAN,   /* of OpenTelemetry, and no document can be made of it */
    REFUSED_OTLP,   /* a whole request of OpenTelemetry's */
    REFUSED_STRICT, /* what X-Ray would reject */
    REFUSED_TRACE_FULL,
    REFUSED_MEMORY,
    REFUSED_REASONS,
};

struct refusal {
    enum refusal_reason reason;
    char id[ENTITY_ID_LENGTH + 1]; /* "" if the document has none that is valid */
    char code[32];                 /* as in UnprocessedTraceSegments */
    char message[192];
};

struct document {
    struct trace_id trace_id;
    uint64_t id;
    uint64_t parent_id; /* if has_parent */
    bool has_parent;
    bool subsegment; /* type is "subsegment" */
    bool in_progress;
    double start;
    double end; /* the start while in progress */
    const char *text;
    size_t length;
};

/* A document as it is kept. */
struct stored_document {
    char *text; /* NUL-terminated */
    size_t length;
};

/* Words for a counter: "no newline after the header". */
const char *refusal_text(enum refusal_reason reason);
__attribute__((format(printf, 3, 4))) void
refusal_set(struct refusal *ret, enum refusal_reason reason, const char *format, ...);

/* ret->text is the caller's text. 0, or -EINVAL with the refusal. */
int document_parse(const char *text, size_t length, struct document *ret,
                   struct refusal *ret_refusal);

/* Whether the mark ("fault", "error", "throttle") is true of the document, which has
   been parsed, or of a subsegment embedded in it. */
bool document_has_mark(const struct document *document, const char *mark);

/* The body of a daemon datagram, {"format":"json","version":1}\n<body>; it points
   into the datagram. 0, or -EINVAL with the refusal. */
int datagram_body(const char *datagram, size_t length, const char **ret_body, size_t *ret_length,
                  struct refusal *ret_refusal);

#endif
