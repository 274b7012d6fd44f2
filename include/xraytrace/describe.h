/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XRAYTRACE_DESCRIBE_H
#define XRAYTRACE_DESCRIBE_H

#include <string.h>

#include <xraytrace/segment.h>

XRAY_BEGIN_DECLS

/*
 * Everything here writes into a segment that is being recorded, and does
 * nothing to any other. A key that is set twice has its last value.
 */

/* ---- Annotations and metadata ------------------------------------------------- */

/* What a value is. */
typedef enum xray_value_type {
    XRAY_VALUE_STRING = 1,
    XRAY_VALUE_INT = 2,
    XRAY_VALUE_DOUBLE = 3,
    XRAY_VALUE_BOOL = 4,
    XRAY_VALUE_JSON = 5, /* metadata and aws fields only: text that is already JSON */
    XRAY_VALUE_UINT = 6, /* an unsigned number above INT64_MAX */
} xray_value_type;

/* A value to record, made by one of the xray_string() family below. */
typedef struct xray_value {
    int32_t type;    /* xray_value_type */
    uint32_t length; /* bytes of string or JSON text */
    union {
        const char *text;
        int64_t integer; /* and truth, as 0 or 1 */
        uint64_t natural;
        double number;
    } as;
} xray_value;

/*
 * An annotation: indexed, and searchable with annotation.key = value. Keys have
 * letters, digits and _ (others become "_") and at most 500 bytes; strings at
 * most 1000 characters; X-Ray indexes 50 annotations of a trace. JSON values,
 * NULL text, NaN and infinity are left out and counted as truncated.
 */
XRAY_API void xray_annotate_value(xray_segment *segment, const char *key, xray_value value);

/*
 * Metadata: stored, not indexed. name_space groups keys; NULL is "default",
 * and those that begin with "AWS." are X-Ray's own and are left out. Text has at
 * most 32 KiB, names and keys 500 bytes; NULL text is recorded as null. JSON text
 * is checked and stripped of blanks; text that is not JSON, or is nested more
 * than 100 deep, is left out. What is cut or left out is counted as truncated.
 */
XRAY_API void xray_add_metadata_value(xray_segment *segment, const char *name_space,
                                      const char *key, xray_value value);

/*
 * The same with any plain value: text, a number, a bool, or one of the
 * xray_string() family below. Other pointers do not compile.
 */
#define xray_annotate(segment, key, value) xray_annotate_value(segment, key, XRAY_VALUE(value))
#define xray_add_metadata(segment, name_space, key, value) \
    xray_add_metadata_value(segment, name_space, key, XRAY_VALUE(value))

/* ---- What went wrong ------------------------------------------------------------ */

#define XRAY_ERROR    (1u << 0) /* the caller's mistake: HTTP 4xx */
#define XRAY_THROTTLE (1u << 1) /* HTTP 429; an error too */
#define XRAY_FAULT    (1u << 2) /* ours: HTTP 5xx */

/* Marks a segment; THROTTLE marks it an error too. Marks never travel to the parent. */
XRAY_API void xray_mark(xray_segment *segment, unsigned flags);

/* Takes marks away again: a 304 or 412 that is no error. Without ERROR there is no THROTTLE. */
XRAY_API void xray_unmark(xray_segment *segment, unsigned flags);

/*
 * Records what went wrong and where, and marks the segment a fault. type is a
 * short name, such as "EINVAL" or "NotFound", of at most 250 characters; NULL is
 * "". The rest is as for printf(). Messages of more than 1000 bytes are cut.
 */
#define xray_add_exception(segment, type, ...) \
    xray_add_exception_at(segment, __FILE__, __LINE__, __func__, type, __VA_ARGS__)
XRAY_API void xray_add_exception_at(xray_segment *segment, const char *file, int line,
                                    const char *function, const char *type, const char *format, ...)
    XRAY_PRINTF(6, 7);

/* A place in the program: one call of a stack. */
typedef struct xray_frame {
    const char *path;  /* source file */
    const char *label; /* function */
    int32_t line;
    int32_t reserved;
} xray_frame;

/* What went wrong, with all there is to say. NULL type and message are "". */
typedef struct xray_exception {
    size_t size;
    const char *type;
    const char *message;
    const xray_frame *frames; /* innermost first */
    size_t frame_count;
    xray_segment_id cause; /* id of the exception behind it, or 0 */
    int32_t remote;        /* 1: reported by what was called */
    int32_t flags;         /* XRAY_ERROR, XRAY_FAULT…; 0 is a fault */
    int32_t skipped;       /* exceptions left out between this one and its cause */
    int32_t unwind;        /* 1: without frames, those of the calls that led here */
} xray_exception;

/*
 * The full form. Returns the exception's id, for another one's cause; 0 when
 * not recording, or for NULL. At most 32 frames are kept; the number of the
 * others is recorded. A message has at most 1000 characters, a path 500, a type
 * or label 250.
 *
 * unwind costs tens of microseconds, and milliseconds the first time, when the
 * unwinder is loaded. It gives object files, and functions where these export
 * their names (link with -rdynamic), with the offset that addr2line takes, as
 * "function [0x1169]". It needs glibc 2.34; elsewhere there are no frames.
 */
XRAY_API xray_segment_id xray_add_exception_with(xray_segment *segment,
                                                 const xray_exception *exception);

/*
 * Says that what went wrong is an exception of a segment inside this one: its
 * id instead of a copy. Marks the segment a fault. A segment with exceptions of
 * its own keeps those.
 */
XRAY_API void xray_set_cause(xray_segment *segment, xray_segment_id exception);

/*
 * What a gRPC status code (0 to 16) says, for xray_mark(): 8 is throttled; 2, 4
 * and 12 to 15 are faults; the others but 0 are errors, and anything else a fault.
 */
XRAY_API unsigned xray_grpc_marks(int code);

/* ---- What it talked to ------------------------------------------------------------ */

/*
 * In each of these, fields left zero keep the value they had. Strings have at
 * most 250 characters (X-Ray's limit), SQL text excepted; longer ones are cut.
 */

/* An HTTP request and its response. */
typedef struct xray_http {
    size_t size;
    const char *method;
    const char *url; /* sent without user info and query */
    const char *user_agent;
    const char *client_ip;
    int64_t content_length;  /* bytes of the response */
    int32_t status;          /* also marks: 4xx an error, 429 throttled, 5xx a fault */
    int32_t x_forwarded_for; /* 1: client_ip came from that header, and may be forged */
} xray_http;

/* A call to an AWS service; xray_set_aws_field() has what is not here. */
typedef struct xray_aws {
    size_t size;
    const char *operation;
    const char *region;
    const char *account_id;
    const char *request_id;
    const char *queue_url;
    const char *table_name;
    int32_t retries; /* tries after the first one */
    int32_t reserved;
    const char *id_2; /* S3's x-amz-id-2 */
} xray_aws;

/* A query and the database that it goes to. */
typedef struct xray_sql {
    size_t size;
    const char *url;           /* sent without user info and query */
    const char *database_type; /* such as "PostgreSQL" */
    const char *database_version;
    const char *user;
    const char *sanitized_query;   /* recorded as it is */
    const char *query;             /* the same field, with each literal replaced by "?" */
    const char *connection_string; /* sent without passwords */
    const char *driver_version;
    const char *preparation; /* "statement" or "call" */
} xray_sql;

/* The HTTP request that a segment serves, or a subsegment makes. */
XRAY_API void xray_set_http(xray_segment *segment, const xray_http *http);

/* The AWS call that a subsegment makes, or the resource a segment runs on. */
XRAY_API void xray_set_aws(xray_segment *segment, const xray_aws *aws);

/*
 * The query that a subsegment sends: at most 16384 characters of it, and none
 * with AWS_XRAY_COLLECT_SQL_QUERIES=false. Segments have no SQL: on one it does
 * nothing.
 *
 * database_type, in the same call, says how query is read: databases disagree
 * about where a literal ends. Without it, from the first place that two of them
 * would read differently the rest is one "?"; text in double quotes is a literal
 * for some, and then is one for all. What may be a password in url and
 * connection_string is left out, in doubt all of it.
 */
XRAY_API void xray_set_sql(xray_segment *segment, const xray_sql *sql);

/*
 * Any other field of the aws block, such as "bucket_name"; keys are snake_case,
 * and "xray" is the library's own. Lists, such as resource_names, are xray_json().
 * Those that xray_aws has too are left out when they have another type there.
 */
XRAY_API void xray_set_aws_field(xray_segment *segment, const char *key, xray_value value);

/* A sibling that had to end before this one began. Only subsegments have them. */
XRAY_API void xray_add_precursor(xray_segment *segment, xray_segment_id sibling);

/* Who the request is for: at most 250 characters. Only segments have users. */
XRAY_API void xray_set_user(xray_segment *segment, const char *user);

/*
 * What a subsegment's callee is: "aws" for an AWS service, "remote" for any
 * other; both make it a node of the service map. NULL takes it away; other text
 * is left out and counted as truncated. On a segment it does nothing.
 */
XRAY_API void xray_set_namespace(xray_segment *segment, const char *name_space);

#ifndef __cplusplus
#define xray_http(...) (&(xray_http){ .size = sizeof(xray_http), __VA_ARGS__ })
#define xray_aws(...)  (&(xray_aws){ .size = sizeof(xray_aws), __VA_ARGS__ })
#define xray_sql(...)  (&(xray_sql){ .size = sizeof(xray_sql), __VA_ARGS__ })
#endif

/* ---- Values ----------------------------------------------------------------- */

/* Text of a given length; it may hold NULs. */
static inline xray_value xray_stringn(const char *text, size_t length)
{
    xray_value value = { XRAY_VALUE_STRING,
                         length < UINT32_MAX ? (uint32_t)length : UINT32_MAX,
                         { text } };
    return value;
}

/* Text that ends with a NUL. NULL is no text. */
static inline xray_value xray_string(const char *text)
{
    return xray_stringn(text, text ? strlen(text) : 0);
}

/* Text that is already JSON, for metadata and fields of the aws block. */
static inline xray_value xray_json(const char *text)
{
    xray_value value = xray_string(text);
    value.type = XRAY_VALUE_JSON;
    return value;
}

/* A whole number. */
static inline xray_value xray_int(int64_t integer)
{
    xray_value value = { XRAY_VALUE_INT, 0, { NULL } };
    value.as.integer = integer;
    return value;
}

/* A whole number that may be above INT64_MAX. */
static inline xray_value xray_uint(uint64_t natural)
{
    xray_value value = { XRAY_VALUE_UINT, 0, { NULL } };
    value.as.natural = natural;
    return value;
}

/* Recorded with as many digits as reading it back takes. */
static inline xray_value xray_double(double number)
{
    xray_value value = { XRAY_VALUE_DOUBLE, 0, { NULL } };
    value.as.number = number;
    return value;
}

/* true or false, also where a comparison is an int. */
static inline xray_value xray_bool(bool truth)
{
    xray_value value = { XRAY_VALUE_BOOL, 0, { NULL } };
    value.as.integer = truth;
    return value;
}

/* What is a value already. */
static inline xray_value xray_same(xray_value value)
{
    return value;
}

XRAY_END_DECLS

/* A literal true is an int before C23, and is recorded as 1: write xray_bool(true). */
#ifndef __cplusplus
#define XRAY_VALUE(value) \
    _Generic((value),                                                                        \
        char *: xray_string, const char *: xray_string,                                      \
        bool: xray_bool, float: xray_double, double: xray_double,                            \
        char: xray_int, signed char: xray_int, unsigned char: xray_int,                      \
        short: xray_int, unsigned short: xray_int, int: xray_int, unsigned: xray_int,        \
        long: xray_int, long long: xray_int,                                                 \
        unsigned long: xray_uint, unsigned long long: xray_uint,                             \
        xray_value: xray_same)(value)
#else
template <typename T> xray_value xray_value_of(T *) = delete;
inline xray_value xray_value_of(const char *value)
{
    return xray_string(value);
}
inline xray_value xray_value_of(char *value)
{
    return xray_string(value);
}
inline xray_value xray_value_of(bool value)
{
    return xray_bool(value);
}
inline xray_value xray_value_of(float value)
{
    return xray_double(value);
}
inline xray_value xray_value_of(double value)
{
    return xray_double(value);
}
inline xray_value xray_value_of(int value)
{
    return xray_int(value);
}
inline xray_value xray_value_of(unsigned value)
{
    return xray_int(value);
}
inline xray_value xray_value_of(long value)
{
    return xray_int(value);
}
inline xray_value xray_value_of(long long value)
{
    return xray_int(value);
}
inline xray_value xray_value_of(unsigned long value)
{
    return xray_uint(value);
}
inline xray_value xray_value_of(unsigned long long value)
{
    return xray_uint(value);
}
inline xray_value xray_value_of(xray_value value)
{
    return xray_same(value);
}
#define XRAY_VALUE(value) xray_value_of(value)
#endif

#endif /* XRAYTRACE_DESCRIBE_H */
