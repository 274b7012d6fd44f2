/* SPDX-License-Identifier: Apache-2.0 */
/* Spans in memory, between what is written on the wire and segment documents. All of
   it is in an arena, or points into what was read. */
#ifndef XR_OTLP_SPAN_H
#define XR_OTLP_SPAN_H

#include "otlp/memory.h"

#define XR_VALUE_DEPTH_MAX 64

enum xr_value_type {
    XR_VALUE_NONE,
    XR_VALUE_STRING,
    XR_VALUE_TRUTH,
    XR_VALUE_INTEGER,
    XR_VALUE_DOUBLE,
    XR_VALUE_ARRAY,
    XR_VALUE_MAP,
    XR_VALUE_BYTES,
};

struct xr_attributes {
    struct xr_attribute *first;
    struct xr_attribute *last;
};

struct xr_value {
    enum xr_value_type type;
    union {
        struct xr_slice text; /* strings and bytes */
        bool truth;
        int64_t integer;
        double number;
        struct xr_attributes items; /* arrays, without keys, and maps */
    };
};

struct xr_attribute {
    struct xr_slice key;
    struct xr_value value;
    bool used; /* it has a place in the document */
    struct xr_attribute *next;
};

struct xr_event {
    uint64_t time_ns;
    struct xr_slice name;
    struct xr_attributes attributes;
    struct xr_event *next;
};

struct xr_link {
    bool valid; /* both ids are as they must be */
    uint8_t trace_id[16];
    uint64_t id;
    struct xr_attributes attributes;
    struct xr_link *next;
};

/* As the wire has them. */
enum xr_span_kind {
    XR_KIND_NONE,
    XR_KIND_INTERNAL,
    XR_KIND_SERVER,
    XR_KIND_CLIENT,
    XR_KIND_PRODUCER,
    XR_KIND_CONSUMER,
};

enum xr_span_status {
    XR_STATUS_UNSET,
    XR_STATUS_OK,
    XR_STATUS_ERROR,
};

#define XR_FLAG_SAMPLED      0x001u
#define XR_FLAG_REMOTE_KNOWN 0x100u
#define XR_FLAG_REMOTE       0x200u

struct xr_span {
    bool has_trace_id; /* of 16 bytes, not all zero */
    uint8_t trace_id[16];
    uint64_t id;        /* 0: none that is valid */
    uint64_t parent_id; /* 0: none */
    struct xr_slice name;
    uint64_t kind;
    uint64_t start_ns;
    uint64_t end_ns;
    struct xr_attributes attributes;
    struct xr_event *events;
    struct xr_event *last_event;
    struct xr_link *links;
    struct xr_link *last_link;
    uint64_t status;
    struct xr_slice status_message;
    uint32_t flags;
};

/* The ids as the wire has them: false if it is not one, of 16 and of 8 bytes. */
bool xr_trace_id_take(uint8_t ret[16], const uint8_t *bytes, size_t length);
uint64_t xr_span_id_take(const uint8_t *bytes, size_t length); /* 0: it is none */

struct xr_attribute *xr_attribute_add(struct xr_arena *arena, struct xr_attributes *attributes);
struct xr_event *xr_event_add(struct xr_arena *arena, struct xr_span *span);
struct xr_link *xr_link_add(struct xr_arena *arena, struct xr_span *span);

/* For writers: nothing happens if the value is none, or the key is there. */
void xr_set_value(struct xr_arena *arena, struct xr_attributes *attributes, struct xr_slice key,
                  struct xr_value value);
void xr_set_text(struct xr_arena *arena, struct xr_attributes *attributes, const char *key,
                 struct xr_slice value);
void xr_set_truth(struct xr_arena *arena, struct xr_attributes *attributes, const char *key,
                  bool value);
void xr_set_integer(struct xr_arena *arena, struct xr_attributes *attributes, const char *key,
                    int64_t value);
/* Adds a string to the array of that key, which is made when it is not there. */
void xr_set_item(struct xr_arena *arena, struct xr_attributes *attributes, const char *key,
                 struct xr_slice value);

struct xr_attribute *xr_attribute_find(const struct xr_attributes *attributes, const char *key);
/* The same, and marks them as used. NULL if there is none. */
const struct xr_value *xr_take(const struct xr_attributes *attributes, const char *key);
/* A string that is not empty, or none. */
struct xr_slice xr_take_text(const struct xr_attributes *attributes, const char *key);
struct xr_slice xr_find_text(const struct xr_attributes *attributes, const char *key);
/* The first of them that is there; all are marked. The list ends with NULL. */
struct xr_slice xr_take_first(const struct xr_attributes *attributes, const char *const *keys);
bool xr_take_integer(const struct xr_attributes *attributes, const char *key, int64_t *ret);
/* Not marked. */
bool xr_value_integer(const struct xr_value *value, int64_t *ret);

/* As JSON that people read: plain values, numbers as numbers. */
void xr_value_write(struct xr_text *text, const struct xr_value *value);
void xr_attributes_write(struct xr_text *text, const char *key,
                         const struct xr_attributes *attributes, bool unused_only);

/* ---- Requests ---------------------------------------------------------------------- */

struct xr_reader;

/* What finds the spans in a body calls it for each; 0, or what ends the reading. */
int xr_reader_span(struct xr_reader *reader, const struct xr_attributes *resource,
                   struct xr_span *span);

/* 0, -EBADMSG with the error, -E2BIG, -ENOMEM, or what xr_reader_span() returned. */
int xr_protobuf_read(struct xr_reader *reader, struct xr_slice body);
int xr_json_read(struct xr_reader *reader, struct xr_slice body);

/* The spans of one resource, as they are encoded. */
struct xr_group {
    struct xr_text resource; /* its attributes */
    struct xr_text spans;
    uint64_t hash; /* of the resource */
    struct xr_group *next;
};

void xr_protobuf_write_attributes(struct xr_text *text, unsigned number,
                                  const struct xr_attributes *attributes);
void xr_protobuf_write_span(struct xr_text *text, const struct xr_span *span);
void xr_protobuf_write(struct xr_text *text, const struct xr_group *groups,
                       struct xr_slice version);
/* "attributes":[…] */
void xr_json_write_attributes(struct xr_text *text, const struct xr_attributes *attributes);
void xr_json_write_span(struct xr_text *text, const struct xr_span *span);
void xr_json_write(struct xr_text *text, const struct xr_group *groups, struct xr_slice version);
void xr_protobuf_write_response(struct xr_text *text, uint64_t rejected, struct xr_slice message);
void xr_json_write_response(struct xr_text *text, uint64_t rejected, struct xr_slice message);
void xr_protobuf_write_status(struct xr_text *text, struct xr_slice message);
void xr_json_write_status(struct xr_text *text, struct xr_slice message);

#define XR_CODE_INVALID_ARGUMENT 3
#define XR_SCOPE_NAME            "libxraytrace"

#endif
