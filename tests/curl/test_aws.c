/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to AWS services, against a peer that plays the service: what is sent, retried, returned. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xraytrace/aws.h>

#include "capture.h"
#include "peer.h"

static struct peer *peer;
static xray_aws_client *client;
static xray_aws_reply reply;

static void set_environment(void)
{
    unsetenv("AWS_ENDPOINT_URL");
    unsetenv("AWS_SESSION_TOKEN");
    unsetenv("AWS_MAX_ATTEMPTS");
    unsetenv("AWS_LAMBDA_FUNCTION_NAME");
    unsetenv("_X_AMZN_TRACE_ID");
    unsetenv("AWS_DEFAULT_REGION");
    setenv("AWS_REGION", "eu-west-1", 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "SECRETKEY", 1);
}

static void start_with(const char *service, const struct peer_reply *replies, size_t count,
                       int32_t attempts)
{
    set_environment();
    peer = peer_start(replies, count);
    cr_assert_eq(xray_aws_client_new(&client, service,
                                     xray_aws_client_params(.endpoint_url = peer_url(peer),
                                                            .max_attempts = attempts)),
                 0);
    reply = (xray_aws_reply){ .size = sizeof(reply) };
}

static void start(const char *service, const struct peer_reply *replies, size_t count)
{
    start_with(service, replies, count, 3);
}

static void finish(void)
{
    xray_aws_client_free(client);
    peer_stop(peer);
}

static int call(const char *operation)
{
    return xray_aws_call(
        client, xray_aws_request(.operation = operation, .body = "{}", .body_length = 2), &reply);
}

static const struct peer_reply FINE[] = { { .headers = "x-amzn-RequestId: R1\r\n", .body = "{}" } };

TestSuite(aws_call, .init = set_environment);
TestSuite(aws_client, .init = set_environment);

/* ---- Requests
 * -------------------------------------------------------------------------------------- */

Test(aws_call, signs_what_it_sends)
{
    static const char EXPECTED[] = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/";
    char *authorization;

    start("dynamodb", FINE, 1);
    cr_assert_eq(call("GetItem"), 0);
    authorization = peer_request_header(peer, 0, "Authorization");
    cr_assert_not_null(authorization);
    cr_assert_eq(strncmp(authorization, EXPECTED, strlen(EXPECTED)), 0);
    cr_assert_not_null(strstr(authorization, "/eu-west-1/dynamodb/aws4_request"));
    cr_assert_not_null(strstr(authorization, "SignedHeaders=host;x-amz-date,"));
    free(authorization);
    finish();
}

Test(aws_call, sends_the_callers_headers_signed)
{
    static const char *const HEADERS[] = { "Content-Type: application/x-amz-json-1.0",
                                           "X-Amz-Target: DynamoDB_20120810.GetItem", NULL };
    char *authorization;

    start("dynamodb", FINE, 1);
    cr_assert_eq(
        xray_aws_call(client, xray_aws_request(.operation = "GetItem", .headers = HEADERS), &reply),
        0);
    authorization = peer_request_header(peer, 0, "Authorization");
    cr_assert_not_null(
        strstr(authorization, "SignedHeaders=content-type;host;x-amz-date;x-amz-target,"));
    cr_assert_eq(peer_request_header_count(peer, 0, "X-Amz-Target"), 1);
    cr_assert_eq(peer_request_header_count(peer, 0, "Content-Type"), 1);
    cr_assert_eq(peer_request_header_count(peer, 0, "Host"), 1);
    free(authorization);
    finish();
}

Test(aws_call, sends_method_path_query_and_body)
{
    start("s3", FINE, 1);
    cr_assert_eq(xray_aws_call(client,
                               xray_aws_request(.operation = "UploadPart", .method = "PUT",
                                                .path = "/bucket/a%20b/../c",
                                                .query = "partNumber=1&uploadId=u", .body = "a\0b",
                                                .body_length = 3),
                               &reply),
                 0);
    cr_assert_eq(strncmp(peer_request(peer, 0),
                         "PUT /bucket/a%20b/../c?partNumber=1&uploadId=u HTTP/1.1\r\n", 57),
                 0);
    cr_assert_arr_eq(strstr(peer_request(peer, 0), "\r\n\r\n") + 4, "a", 2);
    finish();
}

Test(aws_call, sends_and_signs_the_hash_of_the_body_to_s3)
{
    char *hash, *authorization;

    start("s3", FINE, 1);
    xray_aws_call(client,
                  xray_aws_request(.operation = "GetObject", .method = "GET", .path = "/b/k"),
                  &reply);
    hash = peer_request_header(peer, 0, "X-Amz-Content-Sha256");
    authorization = peer_request_header(peer, 0, "Authorization");
    cr_assert_str_eq(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    cr_assert_not_null(strstr(authorization, "x-amz-content-sha256"));
    free(hash);
    free(authorization);
    finish();
}

Test(aws_call, leaves_the_hash_that_the_caller_gives)
{
    static const char *const HEADERS[] = { "x-amz-content-sha256: UNSIGNED-PAYLOAD", NULL };

    start("s3", FINE, 1);
    xray_aws_call(client,
                  xray_aws_request(.operation = "PutObject", .method = "PUT", .path = "/b/k",
                                   .headers = HEADERS),
                  &reply);
    cr_assert_eq(peer_request_header_count(peer, 0, "X-Amz-Content-Sha256"), 1);
    finish();
}

Test(aws_call, sends_and_signs_the_session_token)
{
    char *token, *authorization;

    start("sns", FINE, 1);
    setenv("AWS_SESSION_TOKEN", "TOKEN", 1);
    cr_assert_eq(call("Publish"), 0);
    token = peer_request_header(peer, 0, "X-Amz-Security-Token");
    authorization = peer_request_header(peer, 0, "Authorization");
    cr_assert_str_eq(token, "TOKEN");
    cr_assert_not_null(strstr(authorization, "x-amz-security-token"));
    free(token);
    free(authorization);
    finish();
}

Test(aws_call, reads_credentials_anew_each_time)
{
    char *authorization;

    start("sns", FINE, 1);
    cr_assert_eq(call("Publish"), 0);
    setenv("AWS_ACCESS_KEY_ID", "OTHERKEY", 1);
    cr_assert_eq(call("Publish"), 0);
    authorization = peer_request_header(peer, 1, "Authorization");
    cr_assert_not_null(strstr(authorization, "Credential=OTHERKEY/"));
    free(authorization);
    finish();
}

Test(aws_call, keeps_its_connection)
{
    start("sns", FINE, 1);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(call("Publish"), 0);
    cr_assert_eq(peer_connection_count(peer), 1);
    finish();
}

Test(aws_call, in_a_child_process_opens_its_own_connection)
{
    int status = -1;
    pid_t child;

    start("sns", FINE, 1);
    cr_assert_eq(call("Publish"), 0);
    child = fork();
    if (child == 0)
        _exit(call("Publish") == 0 ? 0 : 1);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_assert_eq(call("Publish"), 0);
    cr_assert_eq(peer_connection_count(peer), 2);
    finish();
}

Test(aws_call, is_put_behind_the_endpoints_own_path)
{
    char url[128];
    xray_aws_client *behind;

    start("s3", FINE, 1);
    snprintf(url, sizeof(url), "%s/gateway/", peer_url(peer));
    cr_assert_eq(xray_aws_client_new(&behind, "s3", xray_aws_client_params(.endpoint_url = url)),
                 0);
    cr_assert_eq(
        xray_aws_call(behind,
                      xray_aws_request(.operation = "GetObject", .method = "GET", .path = "/b/k"),
                      NULL),
        0);
    cr_assert_eq(strncmp(peer_request(peer, 0), "GET /gateway/b/k ", 17), 0);
    xray_aws_client_free(behind);
    finish();
}

/* ---- Replies
 * ----------------------------------------------------------------------------------------- */

Test(aws_call, hands_back_the_reply)
{
    static const struct peer_reply REPLY[] = {
        { .headers = "x-amzn-RequestId: R1\r\nETag: \"e\"\r\n", .body = "{\"a\":1}" }
    };

    start("dynamodb", REPLY, 1);
    cr_assert_eq(call("GetItem"), 0);
    cr_assert_eq(reply.status, 200);
    cr_assert_eq(reply.retries, 0);
    cr_assert_str_eq(reply.body, "{\"a\":1}");
    cr_assert_eq(reply.body_length, 7);
    cr_assert_str_eq(reply.request_id, "R1");
    cr_assert_str_eq(reply.error_code, "");
    cr_assert_str_eq(reply.error_message, "");
    cr_assert_str_eq(xray_aws_reply_header(client, "eTaG"), "\"e\"");
    cr_assert_null(xray_aws_reply_header(client, "missing"));
    finish();
}

Test(aws_call, hands_back_the_services_own_error)
{
    static const struct peer_reply REPLY[] = {
        { .status = 400,
          .body = "{\"__type\":\"a#ConditionalCheckFailedException\",\"message\":"
                  "\"The conditional request failed\"}" }
    };

    start("dynamodb", REPLY, 1);
    cr_assert_eq(call("PutItem"), -EREMOTEIO);
    cr_assert_eq(reply.status, 400);
    cr_assert_eq(reply.retries, 0);
    cr_assert_str_eq(reply.error_code, "ConditionalCheckFailedException");
    cr_assert_str_eq(reply.error_message, "The conditional request failed");
    finish();
}

Test(aws_call, works_without_a_reply_struct)
{
    start("sns", FINE, 1);
    cr_assert_eq(xray_aws_call(client, xray_aws_request(.operation = "Publish"), NULL), 0);
    finish();
}

Test(aws_call, fills_no_more_than_the_callers_struct_has)
{
    xray_aws_reply small;

    start("sns", FINE, 1);
    memset(&small, 0x7f, sizeof(small));
    small.size = offsetof(xray_aws_reply, body);
    cr_assert_eq(xray_aws_call(client, xray_aws_request(.operation = "Publish"), &small), 0);
    cr_assert_eq(small.status, 200);
    cr_assert_eq((unsigned char)*(char *)&small.body, 0x7f);
    finish();
}

/* ---- Retries
 * ------------------------------------------------------------------------------------------- */

Test(aws_call, tries_again_after_a_fault_of_the_service)
{
    static const struct peer_reply REPLIES[] = { { .status = 500 }, { .status = 503 }, { 0 } };

    start("dynamodb", REPLIES, 3);
    cr_assert_eq(call("GetItem"), 0);
    cr_assert_eq(reply.retries, 2);
    cr_assert_eq(peer_request_count(peer), 3);
    finish();
}

Test(aws_call, tries_again_after_throttling_with_status_400)
{
    static const struct peer_reply REPLIES[] = {
        { .status = 400, .body = "{\"__type\":\"x#ProvisionedThroughputExceededException\"}" },
        { 0 },
    };

    start("dynamodb", REPLIES, 2);
    cr_assert_eq(call("GetItem"), 0);
    cr_assert_eq(reply.retries, 1);
    finish();
}

Test(aws_call, tries_again_on_a_new_connection_when_one_breaks)
{
    static const struct peer_reply REPLIES[] = { { .hang_up = 1 }, { 0 } };

    start("dynamodb", REPLIES, 2);
    cr_assert_eq(call("GetItem"), 0);
    cr_assert_eq(reply.retries, 1);
    cr_assert_eq(peer_connection_count(peer), 2);
    finish();
}

Test(aws_call, gives_up_after_the_attempts_it_has)
{
    static const struct peer_reply REPLIES[] = { { .status = 500 } };

    start_with("dynamodb", REPLIES, 1, 2);
    cr_assert_eq(call("GetItem"), -EREMOTEIO);
    cr_assert_eq(reply.status, 500);
    cr_assert_eq(reply.retries, 1);
    cr_assert_eq(peer_request_count(peer), 2);
    finish();
}

Test(aws_call, takes_the_number_of_attempts_from_the_environment)
{
    static const struct peer_reply REPLIES[] = { { .status = 500 } };

    setenv("AWS_MAX_ATTEMPTS", "1", 1);
    peer = peer_start(REPLIES, 1);
    cr_assert_eq(
        xray_aws_client_new(&client, "sns", xray_aws_client_params(.endpoint_url = peer_url(peer))),
        0);
    cr_assert_eq(xray_aws_call(client, xray_aws_request(.operation = "Publish"), NULL), -EREMOTEIO);
    cr_assert_eq(peer_request_count(peer), 1);
    finish();
}

Test(aws_call, does_not_repeat_the_callers_own_error)
{
    static const struct peer_reply REPLIES[] = { { .status = 404 } };

    start("dynamodb", REPLIES, 1);
    cr_assert_eq(call("GetItem"), -EREMOTEIO);
    cr_assert_eq(peer_request_count(peer), 1);
    finish();
}

Test(aws_call, tries_again_when_a_copy_fails_under_a_status_of_success)
{
    static const struct peer_reply REPLIES[] = {
        { .body = "<?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>" },
        { .body = "<CompleteMultipartUploadResult/>" },
    };

    start("s3", REPLIES, 2);
    cr_assert_eq(call("CompleteMultipartUpload"), 0);
    cr_assert_eq(reply.retries, 1);
    finish();
}

Test(aws_call, reports_a_copy_that_failed_under_a_status_of_success)
{
    static const struct peer_reply REPLIES[] = {
        { .body = "<Error><Code>InternalError</Code></Error>" },
    };

    start_with("s3", REPLIES, 1, 1);
    cr_assert_eq(call("CompleteMultipartUpload"), -EREMOTEIO);
    cr_assert_eq(reply.status, 200);
    cr_assert_str_eq(reply.error_code, "InternalError");
    finish();
}

/* ---- No reply
 * -------------------------------------------------------------------------------------------- */

Test(aws_call, without_a_service_is_refused)
{
    const char *url = peer_refusing_url();

    start_with("dynamodb", FINE, 1, 1);
    xray_aws_client_free(client);
    cr_assert_eq(
        xray_aws_client_new(&client, "dynamodb",
                            xray_aws_client_params(.endpoint_url = url, .max_attempts = 1)),
        0);
    cr_assert_eq(call("GetItem"), -ECONNREFUSED);
    cr_assert_eq(reply.status, 0);
    cr_assert_str_eq(reply.body, "");
    cr_assert_not_null(strstr(reply.error_message, url));
    finish();
}

Test(aws_call, that_is_not_answered_times_out)
{
    static const struct peer_reply REPLIES[] = { { .silent = 1 } };

    start("dynamodb", REPLIES, 1);
    xray_aws_client_free(client);
    cr_assert_eq(xray_aws_client_new(&client, "dynamodb",
                                     xray_aws_client_params(.endpoint_url = peer_url(peer),
                                                            .max_attempts = 1, .timeout_ms = 200)),
                 0);
    cr_assert_eq(call("GetItem"), -ETIMEDOUT);
    finish();
}

Test(aws_call, whose_reply_is_too_large_is_not_repeated)
{
    static const struct peer_reply REPLIES[] = { { .padding = 16 * 1024 * 1024 + 1 } };

    start("s3", REPLIES, 1);
    cr_assert_eq(call("GetObject"), -EMSGSIZE);
    cr_assert_eq(peer_request_count(peer), 1);
    cr_assert_not_null(strstr(reply.error_message, "16 MiB"));
    cr_assert_eq(reply.status, 0);
    finish();
}

Test(aws_call, without_credentials_says_which_to_set)
{
    start("dynamodb", FINE, 1);
    unsetenv("AWS_SECRET_ACCESS_KEY");
    cr_assert_eq(call("GetItem"), -EACCES);
    cr_assert_not_null(strstr(reply.error_message, "AWS_SECRET_ACCESS_KEY"));
    cr_assert_eq(peer_request_count(peer), 0);
    finish();
}

Test(aws_call, with_credentials_that_would_smuggle_a_header_is_not_made)
{
    start("dynamodb", FINE, 1);
    setenv("AWS_SESSION_TOKEN", "a\r\nX-Evil: 1", 1);
    cr_assert_eq(call("GetItem"), -EACCES);
    cr_assert_eq(peer_request_count(peer), 0);
    finish();
}

static int call_with(const xray_aws_request *request)
{
    return xray_aws_call(client, request, &reply);
}

Test(aws_call, that_cannot_be_made_says_why)
{
    static const char *const OURS[] = { "authorization: x", NULL };
    static const char *const SMUGGLED[] = { "X-A: b\r\nX-C: d", NULL };
    static const char *const NAMELESS[] = { "no colon", NULL };
    const xray_aws_request *const bad[] = {
        xray_aws_request(.operation = NULL),
        xray_aws_request(.operation = ""),
        xray_aws_request(.operation = "X", .path = "no-slash"),
        xray_aws_request(.operation = "X", .path = "/a b"),
        xray_aws_request(.operation = "X", .path = "/a?b"),
        xray_aws_request(.operation = "X", .query = "a#b"),
        xray_aws_request(.operation = "X", .query = "a\r\nb"),
        xray_aws_request(.operation = "X", .method = "GET /evil"),
        xray_aws_request(.operation = "X", .headers = OURS),
        xray_aws_request(.operation = "X", .headers = SMUGGLED),
        xray_aws_request(.operation = "X", .headers = NAMELESS),
        xray_aws_request(.operation = "X", .body_length = 1),
    };

    start("dynamodb", FINE, 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        cr_expect_eq(call_with(bad[i]), -EINVAL, "%zu", i);
        cr_expect_str_neq(reply.error_message, "", "%zu", i);
    }
    cr_assert_eq(peer_request_count(peer), 0);
    finish();
}

/* ---- Clients
 * ------------------------------------------------------------------------------------------------
 */

Test(aws_client, needs_a_service_and_a_region)
{
    client = NULL;
    cr_expect_eq(xray_aws_client_new(&client, NULL, NULL), -EINVAL);
    cr_expect_eq(xray_aws_client_new(&client, "a/b", NULL), -EINVAL);
    cr_expect_eq(xray_aws_client_new(NULL, "s3", NULL), -EINVAL);
    unsetenv("AWS_REGION");
    cr_expect_eq(xray_aws_client_new(&client, "s3", NULL), -EINVAL);
    cr_expect_eq(xray_aws_client_new(&client, "s3", xray_aws_client_params(.region = "x/y")),
                 -EINVAL);
    cr_assert_null(client);
}

Test(aws_client, takes_the_default_region_where_there_is_no_other)
{
    unsetenv("AWS_REGION");
    setenv("AWS_DEFAULT_REGION", "us-east-2", 1);
    cr_assert_eq(xray_aws_client_new(&client, "s3", NULL), 0);
    xray_aws_client_free(client);
}

Test(aws_client, refuses_an_endpoint_that_is_no_url)
{
    cr_assert_eq(xray_aws_client_new(&client, "s3",
                                     xray_aws_client_params(.endpoint_url = "localhost:5000")),
                 -EINVAL);
}

Test(aws_client, names_a_bad_setting_and_not_what_is_in_it)
{
    setenv("AWS_ENDPOINT_URL_S3", "http://user:password@localhost", 1);
    cr_redirect_stderr();
    cr_assert_eq(xray_aws_client_new(&client, "s3", NULL), -EINVAL);
    fflush(stderr);
    cr_assert_stderr_eq_str("xraytrace: error: AWS_ENDPOINT_URL_S3 is not a URL like "
                            "\"http://localhost:5000\": it needs http or https and a host, and has "
                            "no user, query or fragment\n");
}

Test(aws_client, says_nothing_where_the_log_is_silent)
{
    setenv("AWS_XRAY_LOG_LEVEL", "silent", 1);
    cr_redirect_stderr();
    cr_assert_eq(xray_aws_client_new(&client, "s3/x", NULL), -EINVAL);
    fflush(stderr);
    cr_assert_stderr_eq_str("");
}

Test(aws_client, refuses_params_it_does_not_know)
{
    struct {
        xray_aws_client_params known;
        char unknown[8];
    } params = { .known.size = sizeof(params), .known.region = "us-east-1" };

    cr_assert_eq(xray_aws_client_new(&client, "s3", &params.known), 0);
    xray_aws_client_free(client);
    params.unknown[0] = 1;
    cr_assert_eq(xray_aws_client_new(&client, "s3", &params.known), -E2BIG);
}

Test(aws_client, that_is_none_can_be_freed)
{
    xray_aws_client_free(NULL);
    cr_assert_null(xray_aws_reply_header(NULL, "x"));
    cr_assert_eq(xray_aws_call(NULL, xray_aws_request(.operation = "X"), NULL), -EINVAL);
}
