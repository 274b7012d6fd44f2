/* SPDX-License-Identifier: Apache-2.0 */
/* What a client is made of, and the steps of a call. */
#ifndef XR_CURL_AWS_CLIENT_H
#define XR_CURL_AWS_CLIENT_H

#include <xraytrace/aws.h>
#include <xraytrace/trace.h>

#include "aws_endpoint.h"
#include "aws_reply.h"
#include "aws_sign.h"
#include "connection.h"

enum {
    XR_AWS_CALLER_HEADERS = 64,
    XR_AWS_URI_LIMIT = 16 * 1024,    /* bytes of a path, and of a query */
    XR_AWS_HEADER_LIMIT = 16 * 1024, /* bytes of a header; session tokens are the longest */
    XR_AWS_TRACE_VALUE_SIZE = 2048,
};

struct xray_aws_client {
    struct xr_aws_service service;
    struct xr_aws_endpoint endpoint;
    char region[XR_AWS_REGION_SIZE];
    char *name; /* of the subsegments */
    int32_t max_attempts;
    int32_t connect_timeout_ms;
    int32_t timeout_ms;
    struct xr_curl_connection connection;
    struct xr_aws_answer answer; /* of the last call */
};

/* A call on its way. */
struct xr_aws_outcome {
    int error;       /* 0 for a reply, whatever it says, else -errno */
    CURLcode result; /* of libcurl */
    bool failed;     /* the reply is an error */
    bool throttled;
    int32_t status;
    int32_t retries;
    int64_t content_length; /* bytes of the reply's body, or as announced for a HEAD */
};

/* ---- aws_request.c: from what the caller gave to lines that can be sent ------------- */

struct xr_aws_message {
    const char *method;
    const char *path;
    const char *query;
    const char *body;
    size_t body_length;
    const char *const *caller_headers;
    struct xr_curl_buffer url;
    struct xr_curl_buffer signed_path; /* the endpoint's and the request's */
    struct xr_curl_buffer token_line;
    struct xr_curl_buffer authorization_line;
    char host_line[XR_AWS_HOST_SIZE + 8];
    char date_line[XR_AWS_DATE_SIZE + 16];
    char hash_line[XR_AWS_HASH_SIZE + 32];
    char trace_line[XR_AWS_TRACE_VALUE_SIZE + 32];
    const char *payload_hash;
    char payload_hash_text[XR_AWS_HASH_SIZE];
    const char *lines[XR_AWS_CALLER_HEADERS + 8]; /* ended by NULL */
};

/*
 * Checks a request, and makes all of the message that stays the same for each
 * try. Returns 0, -ENOMEM, or -EINVAL with the reason in client->answer.
 * Released with xr_aws_message_free() in each case.
 */
int xr_aws_message_make(struct xr_aws_message *ret, xray_aws_client *client,
                        const xray_aws_request *request, xray_segment *segment);
void xr_aws_message_free(struct xr_aws_message *message);

/* Dates and signs it, with the credentials of now. 0, -EACCES without any, -ENOMEM, -EINVAL. */
int xr_aws_message_sign(struct xr_aws_message *message, xray_aws_client *client, int64_t time_s);

/* ---- aws_record.c: what the trace says about a call ----------------------------------- */

/* Starts the subsegment, of the current segment. NULL without one. */
xray_segment *xr_aws_record_begin(const xray_aws_client *client, const xray_aws_request *request);

void xr_aws_record_end(xray_segment *segment, const xray_aws_client *client,
                       const struct xr_aws_outcome *outcome);

#endif /* XR_CURL_AWS_CLIENT_H */
