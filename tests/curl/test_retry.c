/* SPDX-License-Identifier: Apache-2.0 */
/* Which replies are tried again, and after how long. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "aws_retry.h"

Test(verdict, of_success_and_redirection_is_fine)
{
    static const int32_t STATUS[] = { 200, 202, 204, 301, 304, 399 };

    for (size_t i = 0; i < sizeof(STATUS) / sizeof(*STATUS); i++)
        cr_expect_eq(xr_aws_judge(STATUS[i], ""), XR_AWS_FINE, "%d", STATUS[i]);
}

Test(verdict, of_every_4xx_but_429_is_the_callers_error)
{
    for (int32_t status = 400; status < 500; status++)
        cr_expect_eq(xr_aws_judge(status, ""),
                     status == 429 ? XR_AWS_THROTTLED : XR_AWS_CLIENT_ERROR, "%d", status);
}

Test(verdict, of_every_5xx_is_transient)
{
    for (int32_t status = 500; status < 600; status++)
        cr_expect_eq(xr_aws_judge(status, "InternalError"), XR_AWS_TRANSIENT, "%d", status);
}

Test(verdict, of_a_throttling_code_does_not_ask_the_status)
{
    static const char *const CODES[] = {
        "ThrottlingException",
        "Throttling",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
        "PriorRequestNotComplete",
        "TransactionInProgressException",
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "RequestThrottled",
        "RequestThrottledException",
        "EC2ThrottledException",
    };

    for (size_t i = 0; i < sizeof(CODES) / sizeof(*CODES); i++) {
        cr_expect_eq(xr_aws_judge(400, CODES[i]), XR_AWS_THROTTLED, "%s", CODES[i]);
        cr_expect_eq(xr_aws_judge(503, CODES[i]), XR_AWS_THROTTLED, "%s", CODES[i]);
    }
}

Test(verdict, of_a_failed_condition_is_the_callers_error)
{
    cr_assert_eq(xr_aws_judge(400, "ConditionalCheckFailedException"), XR_AWS_CLIENT_ERROR);
}

Test(verdict, of_a_request_that_came_too_slowly_is_transient)
{
    cr_assert_eq(xr_aws_judge(400, "RequestTimeout"), XR_AWS_TRANSIENT);
}

Test(broken_connection, is_what_a_new_one_may_mend)
{
    cr_expect(xr_aws_is_broken_connection(CURLE_COULDNT_CONNECT));
    cr_expect(xr_aws_is_broken_connection(CURLE_GOT_NOTHING));
    cr_expect(xr_aws_is_broken_connection(CURLE_RECV_ERROR));
    cr_expect(xr_aws_is_broken_connection(CURLE_OPERATION_TIMEDOUT));
    cr_expect_not(xr_aws_is_broken_connection(CURLE_OK));
    cr_expect_not(xr_aws_is_broken_connection(CURLE_PEER_FAILED_VERIFICATION));
    cr_expect_not(xr_aws_is_broken_connection(CURLE_WRITE_ERROR));
}

Test(delay, is_anything_from_nothing_to_its_longest)
{
    cr_assert_eq(xr_aws_retry_delay_ms(0, false, 0), 0);
    cr_assert_eq(xr_aws_retry_delay_ms(0, false, UINT32_MAX), 100);
    cr_assert_eq(xr_aws_retry_delay_ms(0, false, UINT32_MAX / 2), 50);
}

Test(delay, doubles_with_each_retry)
{
    for (int32_t retries = 0; retries < 7; retries++)
        cr_expect_eq(xr_aws_retry_delay_ms(retries, false, UINT32_MAX), 100 << retries);
}

Test(delay, is_longer_after_throttling)
{
    cr_assert_eq(xr_aws_retry_delay_ms(0, true, UINT32_MAX), 500);
}

Test(delay, is_never_over_twenty_seconds)
{
    cr_assert_eq(xr_aws_retry_delay_ms(8, false, UINT32_MAX), 20000);
    cr_assert_eq(xr_aws_retry_delay_ms(INT32_MAX, true, UINT32_MAX), 20000);
}

Test(attempts, are_the_number_given)
{
    setenv("AWS_MAX_ATTEMPTS", "7", 1);
    cr_assert_eq(xr_aws_max_attempts(2), 2);
}

Test(attempts, are_else_what_the_environment_says)
{
    setenv("AWS_MAX_ATTEMPTS", "7", 1);
    cr_assert_eq(xr_aws_max_attempts(0), 7);
}

Test(attempts, are_three_where_nobody_says_something_sensible)
{
    static const char *const BAD[] = { "", "many", "0", "-1", "3x", "99999999999" };

    unsetenv("AWS_MAX_ATTEMPTS");
    cr_assert_eq(xr_aws_max_attempts(-1), 3);
    for (size_t i = 0; i < sizeof(BAD) / sizeof(*BAD); i++) {
        setenv("AWS_MAX_ATTEMPTS", BAD[i], 1);
        cr_expect_eq(xr_aws_max_attempts(0), 3, "%s", BAD[i]);
    }
}
