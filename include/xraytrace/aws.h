/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XRAYTRACE_AWS_H
#define XRAYTRACE_AWS_H

/* Part of libxraytrace-curl: calls to AWS services, signed and traced. */

#include <xraytrace/segment.h>

XRAY_BEGIN_DECLS

/*
 * A service in a region, with one connection that is kept open.
 *
 * Threads: one at a time may use a client; make one for each thread.
 */
typedef struct xray_aws_client xray_aws_client;

/* How a client is made. Zero means what is said behind "else". */
typedef struct xray_aws_client_params {
    size_t size;
    const char *name;           /* of the subsegments; else the service's, such as "DynamoDB" */
    const char *region;         /* else AWS_REGION, else AWS_DEFAULT_REGION */
    const char *endpoint_url;   /* else AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, else AWS's */
    int32_t max_attempts;       /* else AWS_MAX_ATTEMPTS, else 3 */
    int32_t connect_timeout_ms; /* else 3,000 */
    int32_t timeout_ms;         /* of one attempt; else 30,000 */
    int32_t reserved;
} xray_aws_client_params;

#ifndef __cplusplus
#define xray_aws_client_params(...) \
    (&(xray_aws_client_params){ .size = sizeof(xray_aws_client_params), __VA_ARGS__ })
#endif

/*
 * service is the name in the service's host, as in dynamodb.us-east-1.amazonaws.com:
 * "dynamodb", "s3", "sns", "sqs", "lambda". NULL params mean all defaults. Returns 0,
 * -ENOMEM, -E2BIG, or -EINVAL without a service or a region or with a bad endpoint.
 */
XRAY_CHECKED XRAY_API int xray_aws_client_new(xray_aws_client **ret, const char *service,
                                              const xray_aws_client_params *params);

/* NULL is allowed. */
XRAY_API void xray_aws_client_free(xray_aws_client *client);

/* What a call touches, for the subsegment: "table_name", "bucket_name", "key", "topic_arn"… */
typedef struct xray_aws_resource {
    const char *key; /* snake_case */
    const char *value;
} xray_aws_resource;

/* One call. Used while it is made, and not copied. */
typedef struct xray_aws_request {
    size_t size;
    const char *operation;              /* such as "UpdateItem"; recorded. Must be given */
    const char *method;                 /* else "POST" */
    const char *path;                   /* percent-encoded; else "/" */
    const char *query;                  /* percent-encoded, without "?", such as "uploads" */
    const char *const *headers;         /* "Name: value", ended by NULL; signed. May be NULL */
    const char *body;                   /* may be NULL */
    size_t body_length;                 /* bytes */
    const xray_aws_resource *resources; /* ended by a NULL key; may be NULL */
} xray_aws_request;

#ifndef __cplusplus
#define xray_aws_request(...) (&(xray_aws_request){ .size = sizeof(xray_aws_request), __VA_ARGS__ })
#endif

/* All pointers belong to the client, until its next call. Text is never NULL, but may be "". */
typedef struct xray_aws_reply {
    size_t size;
    int32_t status;     /* HTTP's; 0 when there was no reply */
    int32_t retries;    /* tries after the first one */
    const char *body;   /* NUL-terminated */
    size_t body_length; /* bytes, without the NUL; at most 16 MiB */
    const char *request_id;
    const char *error_code;    /* the service's own, such as "ConditionalCheckFailedException" */
    const char *error_message; /* the service's own, or the transport's */
} xray_aws_reply;

/*
 * Makes one call, as a subsegment of the current segment: namespace aws,
 * operation, region, request id, retries, resources, status and length; 4xx an
 * error, throttling a throttle, 5xx a fault, with the service's code and
 * message as the cause.
 *
 * Credentials come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
 * AWS_SESSION_TOKEN, read at each call. The call is signed with Signature
 * Version 4; the trace header, sent with every call also when nothing is
 * recorded but a trace was received, is not. Throttling, 5xx and broken
 * connections are tried again after a random delay that doubles, up to 20 s.
 *
 * ret may be NULL; set ret->size first. Returns 0 for a reply below 400,
 * -EREMOTEIO for any other reply, and for an error that S3 reports under status
 * 200, as CompleteMultipartUpload can; -ETIMEDOUT, -ECONNREFUSED, -EIO or
 * -EMSGSIZE when there was none that could be read, -EACCES without credentials,
 * -EINVAL without an operation, for a path or query that is not encoded, or for a
 * header that this call makes itself, such as Host; or -ENOMEM. error_message
 * says which.
 */
XRAY_API int xray_aws_call(xray_aws_client *client, const xray_aws_request *request,
                           xray_aws_reply *ret);

/* A header of the last reply, in any case ("etag"), or NULL. Belongs to the client, as it does. */
XRAY_API const char *xray_aws_reply_header(const xray_aws_client *client, const char *name);

XRAY_END_DECLS

#endif /* XRAYTRACE_AWS_H */
