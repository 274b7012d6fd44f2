/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a segment document that are made from a span, and what both directions
   have to agree on. docs/otlp.md has the tables. */
#ifndef XR_OTLP_MAPPING_H
#define XR_OTLP_MAPPING_H

#include "otlp/reader.h"
#include "otlp/tree.h"

#define XR_ANNOTATIONS_MAX       50
#define XR_ANNOTATION_CHARACTERS 1000
/* Of each: what is looked for in a list must not cost its square. */
#define XR_LISTED_MAX 1000

/* Our own keys: what has no place in OpenTelemetry's conventions. */
#define XR_KEY_ANNOTATIONS      "aws.xray.annotations"
#define XR_KEY_METADATA         "aws.xray.metadata."
#define XR_KEY_FAULT            "aws.xray.fault"
#define XR_KEY_ERROR            "aws.xray.error"
#define XR_KEY_THROTTLE         "aws.xray.throttle"
#define XR_KEY_IN_PROGRESS      "aws.xray.inprogress"
#define XR_KEY_ORIGIN           "aws.xray.origin"
#define XR_KEY_RESOURCE_ARN     "aws.xray.resource_arn"
#define XR_KEY_SDK              "aws.xray.sdk"
#define XR_KEY_TRACED           "aws.xray.traced"
#define XR_KEY_HTTP_TRACED      "aws.xray.http.traced"
#define XR_KEY_FORWARDED        "aws.xray.x_forwarded_for"
#define XR_KEY_RETRIES          "aws.xray.retries"
#define XR_KEY_AWS              "aws.xray.aws"
#define XR_KEY_SAMPLING_RULE    "aws.xray.sampling_rule"
#define XR_KEY_LINK_TYPE        "aws.xray.link.type"
#define XR_KEY_EXCEPTION        "aws.xray.exception."
#define XR_KEY_SPAN_KIND        "aws.span.kind"
#define XR_KEY_SAMPLED          "aws.trace.flag.sampled"
#define XR_NAMESPACE_SQL        "sql"
#define XR_NAMESPACE_EXCEPTIONS "exceptions"

/* What becomes of a span. */
enum xr_role {
    XR_ROLE_ONLY,       /* its one document */
    XR_ROLE_SERVICE,    /* of two, the segment of the service that made the call */
    XR_ROLE_DEPENDENCY, /* of two, the call */
};

struct xr_flags {
    bool fault, error, throttle;
};

struct xr_document_builder {
    const struct xr_otlp_read_params *params;
    struct xr_arena *arena;
    struct xr_text *text;
    const struct xr_attributes *resource;
    const struct xr_span *span;
    enum xr_role role;
    bool segment;           /* and not a subsegment */
    bool aws;               /* a call of the AWS SDK */
    struct xr_slice name;   /* of the document */
    struct xr_tree *sql;    /* the metadata of that namespace, if it belongs to the sql block */
    struct xr_tree *stacks; /* frames by the ids of exceptions */
};

/* Finds what the metadata has for other blocks; the first to be called. */
void xr_build_prepare(struct xr_document_builder *builder);
/* Each writes its blocks, if there is anything to write. */
void xr_build_http(struct xr_document_builder *builder);
void xr_build_sql(struct xr_document_builder *builder);
void xr_build_aws(struct xr_document_builder *builder);
void xr_build_resource(struct xr_document_builder *builder); /* origin, service, … */
void xr_build_cause(struct xr_document_builder *builder);
void xr_build_links(struct xr_document_builder *builder);
/* All attributes that nothing has used yet: the last to be called. */
void xr_build_annotations(struct xr_document_builder *builder);
void xr_build_metadata(struct xr_document_builder *builder);

/* The frames of a stack trace as runtimes print it; nothing if it has none. */
void xr_build_stack(struct xr_text *text, struct xr_slice stack);

bool xr_is_server(const struct xr_span *span);
/* What the status and the HTTP code say, where no attribute of ours says more. */
struct xr_flags xr_derived_flags(const struct xr_span *span);
struct xr_slice xr_derived_origin(const struct xr_attributes *resource);
struct xr_slice xr_derived_sdk(struct xr_arena *arena, const struct xr_attributes *resource);
/* The URL of the pieces url.scheme and so on; none without a host or a path. */
struct xr_slice xr_derived_url(struct xr_arena *arena, const struct xr_attributes *attributes);
/* scheme://host[:port]/name of db.connection_string and db.name; none if it can't be. */
struct xr_slice xr_derived_sql_url(struct xr_arena *arena, const struct xr_attributes *attributes);
/* PostgreSQL: postgresql; what is none of the eleven: none. */
struct xr_slice xr_database_system(struct xr_arena *arena, struct xr_slice type);

/* Of the text of a string that is an id, 0 if it is none. */
uint64_t xr_entity_id_read(struct xr_slice text);
void xr_entity_id_write(struct xr_text *text, const char *key, uint64_t id);
/* An id that is always the same for the same. */
uint64_t xr_id_from(uint64_t id, uint64_t number);
void xr_trace_id_text(struct xr_text *text, const char *key, const uint8_t id[16]);
struct xr_slice xr_joined(struct xr_arena *arena, const struct xr_slice *parts, size_t count);

/* ---- The other way ------------------------------------------------------------------ */

struct xr_span_builder {
    struct xr_arena *arena;
    const struct xr_tree *entity;
    bool segment;
    struct xr_attributes *resource; /* of a segment; else NULL */
    struct xr_span *span;
};

void xr_span_http(struct xr_span_builder *builder);
void xr_span_sql(struct xr_span_builder *builder);
void xr_span_aws(struct xr_span_builder *builder);
void xr_span_resource(struct xr_span_builder *builder, struct xr_slice default_version);
void xr_span_flags(struct xr_span_builder *builder);
void xr_span_cause(struct xr_span_builder *builder);
void xr_span_links(struct xr_span_builder *builder);
void xr_span_annotations(struct xr_span_builder *builder);
void xr_span_metadata(struct xr_span_builder *builder);

/* Sets a string of the document, under another name. */
void xr_span_set(struct xr_span_builder *builder, const char *key, const struct xr_tree *object,
                 const char *member);
/* The value of a string, a number or a truth; none for anything else. */
struct xr_value xr_scalar(const struct xr_tree *value);
/* What was written, moved to the arena; none if it failed or is empty. */
struct xr_slice xr_text_moved(struct xr_arena *arena, struct xr_text *text);
bool xr_is_address(struct xr_slice text);
/* host[:port] of a URL; the port is 0 if there is none. False if it is not that simple. */
bool xr_split_authority(struct xr_slice authority, struct xr_slice *ret_host, int64_t *ret_port);

#endif
