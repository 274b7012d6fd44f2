/* SPDX-License-Identifier: Apache-2.0 */
/* Signature Version 4: pure, with the time and the credentials handed in. */
#ifndef XR_CURL_AWS_SIGN_H
#define XR_CURL_AWS_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

#define XR_AWS_DATE_SIZE 17 /* "20150830T123600Z", with its NUL */
#define XR_AWS_HASH_SIZE 65 /* SHA-256 in hexadecimal digits, with its NUL */

enum {
    XR_AWS_SIGNED_HEADERS = 128,
};

struct xr_aws_credentials {
    const char *access_key_id;
    const char *secret_access_key;
    const char *session_token; /* NULL: none */
};

/* What is signed. */
struct xr_aws_signing {
    const char *method;
    const char *path;           /* percent-encoded, as sent */
    const char *query;          /* percent-encoded, as sent; NULL: none */
    const char *const *headers; /* "Name: value", ended by NULL: all that are sent, with Host and
                                   X-Amz-Date; those a proxy may change are left out here */
    const char *payload_hash;   /* of the body, or UNSIGNED-PAYLOAD */
    const char *region;
    const char *service;
    bool path_is_encoded_once; /* S3; the others sign the path encoded twice */
    int64_t time_s;            /* Unix time */
};

/* "20150830T123600Z". */
void xr_aws_date(int64_t time_s, char ret[static XR_AWS_DATE_SIZE]);

/* SHA-256 in lower-case hexadecimal digits. 0 or -ENOMEM. */
int xr_aws_hash(const void *data, size_t length, char ret[static XR_AWS_HASH_SIZE]);

/* The text whose hash is signed, added to ret: for tests, and for people who compare. */
int xr_aws_canonical_request(struct xr_curl_buffer *ret, const struct xr_aws_signing *signing);

/*
 * The value of the Authorization header, added to ret. Returns 0, -ENOMEM,
 * -EMSGSIZE beyond the buffer's limit, or -EINVAL for too many headers or one
 * without a colon. Derived keys are wiped.
 */
int xr_aws_sign(struct xr_curl_buffer *ret, const struct xr_aws_signing *signing,
                const struct xr_aws_credentials *credentials);

#endif /* XR_CURL_AWS_SIGN_H */
