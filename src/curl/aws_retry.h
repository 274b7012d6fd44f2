/* SPDX-License-Identifier: Apache-2.0 */
/* When an AWS call is tried again, and after how long: pure. */
#ifndef XR_CURL_AWS_RETRY_H
#define XR_CURL_AWS_RETRY_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    XR_AWS_DEFAULT_ATTEMPTS = 3,
    XR_AWS_LONGEST_DELAY_MS = 20000,
};

/* What a reply says about a call. */
enum xr_aws_verdict {
    XR_AWS_FINE,
    XR_AWS_CLIENT_ERROR, /* 4xx: the same call would fail again */
    XR_AWS_TRANSIENT,    /* 5xx, and codes that ask for patience */
    XR_AWS_THROTTLED,    /* too many calls, whatever the status says */
};

/* code is the service's own error code, or "". */
enum xr_aws_verdict xr_aws_judge(int32_t status, const char *code);

/* Whether a call without a reply is worth another try: a connection that failed, broke or hung. */
bool xr_aws_is_broken_connection(CURLcode result);

/*
 * How long to wait before the next try, in ms: anything up to a delay that
 * doubles with each retry made so far, and is longer where the service asked
 * for fewer calls. random is uniform over all its values.
 */
int32_t xr_aws_retry_delay_ms(int32_t retries, bool throttled, uint32_t random);

/* Sleeps for xr_aws_retry_delay_ms() with a random number of the kernel's. */
void xr_aws_retry_wait(int32_t retries, bool throttled);

/* The number given if positive, else AWS_MAX_ATTEMPTS if it is a positive number, else 3. */
int32_t xr_aws_max_attempts(int32_t given);

#endif /* XR_CURL_AWS_RETRY_H */
