/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an AWS call is tried again. Waiting is spread over the whole of the delay
 * ("full jitter"), so that callers which failed together do not come back together.
 */
#include "aws_retry.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum {
    FIRST_DELAY_MS = 100,
    FIRST_THROTTLED_DELAY_MS = 500,
};

static bool is_one_of(const char *code, const char *const *codes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

enum xr_aws_verdict xr_aws_judge(int32_t status, const char *code)
{
    static const char *const THROTTLING[] = {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    };
    /* The connection was too slow, says the service: not what the request was. */
    static const char *const PATIENCE[] = { "RequestTimeout", "RequestTimeoutException" };

    if (status == 429 || is_one_of(code, THROTTLING, sizeof(THROTTLING) / sizeof(*THROTTLING)))
        return XR_AWS_THROTTLED;
    if (status >= 500 || is_one_of(code, PATIENCE, sizeof(PATIENCE) / sizeof(*PATIENCE)))
        return XR_AWS_TRANSIENT;
    return status >= 400 ? XR_AWS_CLIENT_ERROR : XR_AWS_FINE;
}

bool xr_aws_is_broken_connection(CURLcode result)
{
    switch (result) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return true;
    default:
        return false;
    }
}

int32_t xr_aws_retry_delay_ms(int32_t retries, bool throttled, uint32_t random)
{
    int64_t longest = throttled ? FIRST_THROTTLED_DELAY_MS : FIRST_DELAY_MS;

    for (int32_t i = 0; i < retries && longest < XR_AWS_LONGEST_DELAY_MS; i++)
        longest *= 2;
    if (longest > XR_AWS_LONGEST_DELAY_MS)
        longest = XR_AWS_LONGEST_DELAY_MS;
    return (int32_t)((uint64_t)(longest + 1) * random >> 32);
}

void xr_aws_retry_wait(int32_t retries, bool throttled)
{
    uint32_t random = UINT32_MAX / 2; /* where the kernel has none, half the delay */
    struct timespec left;
    int32_t delay_ms;

    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
        random = UINT32_MAX / 2;
    delay_ms = xr_aws_retry_delay_ms(retries, throttled, random);
    left = (struct timespec){ delay_ms / 1000, delay_ms % 1000 * 1000000L };
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

int32_t xr_aws_max_attempts(int32_t given)
{
    const char *text = getenv("AWS_MAX_ATTEMPTS");
    char *end = NULL;
    long number;

    if (given > 0)
        return given;
    number = text ? strtol(text, &end, 10) : 0;
    if (!text || end == text || *end || number < 1 || number > INT32_MAX)
        return XR_AWS_DEFAULT_ATTEMPTS;
    return (int32_t)number;
}
