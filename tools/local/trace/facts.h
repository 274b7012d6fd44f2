/* SPDX-License-Identifier: Apache-2.0 */
/* What searches, maps and summaries need to know of one trace, without its JSON:
   its segments, real and inferred, the calls between them, annotations, exceptions
   and root causes. Made once from the documents, never changed after, and shared
   between threads by counting references. */
#ifndef LOCAL_FACTS_H
#define LOCAL_FACTS_H

#include "local/base/ids.h"
#include "local/trace/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FACTS_NONE UINT32_MAX

/* Of each trace; what is beyond is left out, and facts.truncated says so. */
#define FACTS_SEGMENTS_MAX    20000u
#define FACTS_ANNOTATIONS_MAX 10000u
#define FACTS_EXCEPTIONS_MAX  10000u
#define FACTS_LINKS_MAX       100u
#define FACTS_CAUSES_MAX      10u  /* roots whose causes are looked for */
#define FACTS_CAUSE_PATH_MAX  100u /* entities on the way to one */

enum facts_mark {
    MARK_FAULT = 1,
    MARK_ERROR = 2,
    MARK_THROTTLE = 4,
    MARK_IN_PROGRESS = 8,
    MARK_INFERRED = 16, /* of a segment: made from the call to it */
    MARK_ROOT = 32,     /* of a segment: it names no parent */
    MARK_REMOTE = 64,   /* of a call or an entity: namespace "aws" or "remote" */
};

struct facts_http {
    const char *url; /* NULL where the document has none, as all texts here */
    const char *method;
    const char *user_agent;
    const char *client_ip;
    int32_t status; /* 0: none */
};

struct facts_exception {
    const char *type;
    const char *message;
    bool remote;
};

/* What a segment and a call have in common. */
struct facts_item {
    uint64_t id;
    const char *name;              /* of a node on the map: of an inferred segment the resource */
    const char *type;              /* the node's, such as AWS::EC2::Instance; NULL: none */
    const char *account_id;        /* NULL: none */
    const struct facts_http *http; /* NULL: none */
    const char *user;              /* NULL: none */
    const char *operation;         /* aws.operation; NULL: none */
    double start;                  /* seconds since 1970 */
    double end;                    /* the start while in progress */
    uint32_t marks;                /* enum facts_mark */
    uint32_t first_exception;
    uint32_t exceptions;
};

struct facts_segment {
    struct facts_item item; /* exceptions: of all that was embedded in it or sent for it */
    double last_end;        /* with what goes on in it after its own end */
    const char *availability_zone;
    const char *instance_id;
    const char *resource_arn;
};

/* One segment calls another. What is said of the call is of the caller's subsegment;
   where a segment was called without one, of the segment that was called. */
struct facts_call {
    struct facts_item item;
    uint32_t from; /* of facts.segments */
    uint32_t to;
};

enum facts_value_type {
    VALUE_STRING,
    VALUE_NUMBER,
    VALUE_BOOLEAN,
};

struct facts_value {
    enum facts_value_type type;
    const char *string;
    double number;
    bool boolean;
};

struct facts_annotation {
    const char *key;
    struct facts_value value;
    uint32_t segment; /* FACTS_NONE: of a subsegment whose segment is not there */
};

struct facts_link {
    struct trace_id trace_id;
    uint64_t id;
    uint32_t segment; /* that has the link */
};

enum facts_cause_kind {
    CAUSE_FAULT,
    CAUSE_ERROR,
    CAUSE_RESPONSE_TIME,
};

/* The way from a root to what went wrong, or took the time: services, and in each of
   them entities, the segment first. */
struct facts_cause {
    enum facts_cause_kind kind;
    uint32_t first_service;
    uint32_t services;
};

struct facts_cause_service {
    uint32_t segment;
    uint32_t first_entity;
    uint32_t entities;
};

struct facts_cause_entity {
    const char *name;
    double coverage; /* 0 to 1; of CAUSE_RESPONSE_TIME */
    uint32_t first_exception;
    uint32_t exceptions;
    bool remote;
};

struct facts {
    struct trace_id id;
    double start;         /* of the earliest segment */
    double end;           /* of the latest that is complete, or of what goes on after it */
    double response_time; /* of the root, seconds */
    uint32_t marks;       /* fault, error of the root; throttle of any segment */
    /* Of segments: the earliest that names no parent, else whose parent is not there;
       FACTS_NONE if there is no segment. */
    uint32_t root;
    bool partial;  /* something is in progress, or misses what it names */
    bool captured; /* the annotation xray_sampled is false */
    bool truncated;
    uint32_t documents;
    uint32_t subsegments;
    uint64_t bytes; /* of the documents */
    size_t size;    /* of this, in bytes */

    const struct facts_segment *segments; /* by start time */
    const struct facts_call *calls;
    const struct facts_annotation *annotations;
    const struct facts_exception *exceptions;
    const struct facts_link *links;
    const struct facts_cause *causes;
    const struct facts_cause_service *cause_services;
    const struct facts_cause_entity *cause_entities;
    uint32_t segment_count;
    uint32_t call_count;
    uint32_t annotation_count;
    uint32_t exception_count;
    uint32_t link_count;
    uint32_t cause_count;
};

/* The same documents in any order, and any of them repeated, give the same facts. One
   reference is the caller's. 0 or -ENOMEM. */
int facts_new(struct facts **ret, const struct trace *trace, const struct trace_id *id);
struct facts *facts_ref(struct facts *facts);
void facts_unref(struct facts *facts); /* NULL: nothing */

#endif
