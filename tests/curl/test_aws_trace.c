/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to AWS services in a trace: the subsegment, the marks, the header, and no secret. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xraytrace/aws.h>

#include "capture.h"
#include "peer.h"

static struct peer *peer;
static struct capture capture;
static xray_aws_client *client;

static const struct peer_reply FINE[] = { { .headers = "x-amzn-RequestId: R1\r\n", .body = "{}" } };

static void set_environment(void)
{
    unsetenv("AWS_ENDPOINT_URL");
    unsetenv("AWS_SESSION_TOKEN");
    unsetenv("AWS_LAMBDA_FUNCTION_NAME");
    unsetenv("_X_AMZN_TRACE_ID");
    setenv("AWS_REGION", "eu-west-1", 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "SECRETKEY", 1);
}

static void start(const char *service, const struct peer_reply *replies, size_t count)
{
    set_environment();
    peer = peer_start(replies, count);
    cr_assert_eq(xray_aws_client_new(
                     &client, service,
                     xray_aws_client_params(.endpoint_url = peer_url(peer), .max_attempts = 3)),
                 0);
}

static void start_at(const char *service, const char *url)
{
    set_environment();
    peer = peer_start(FINE, 1);
    cr_assert_eq(
        xray_aws_client_new(&client, service,
                            xray_aws_client_params(.endpoint_url = url, .max_attempts = 1)),
        0);
}

static void finish(void)
{
    capture_free(&capture);
    xray_aws_client_free(client);
    peer_stop(peer);
}

/* The subsegment of one call. */
static const cJSON *trace(const xray_aws_request *request)
{
    capture_begin(&capture, true);
    xray_aws_call(client, request, NULL);
    capture_end(&capture);
    return capture_subsegment(&capture);
}

static bool is_marked(const cJSON *segment, const char *mark)
{
    return cJSON_IsTrue(json_at(segment, mark));
}

/* ---- The subsegment
 * ---------------------------------------------------------------------------------- */

Test(aws_subsegment, says_what_was_called)
{
    static const xray_aws_resource RESOURCES[] = { { "table_name", "Files" },
                                                   { "index_name", "byUser" },
                                                   { NULL, NULL } };
    const cJSON *call;

    start("dynamodb", FINE, 1);
    call = trace(xray_aws_request(.operation = "Query", .resources = RESOURCES));
    cr_assert_str_eq(json_text_at(call, "name"), "DynamoDB");
    cr_assert_str_eq(json_text_at(call, "namespace"), "aws");
    cr_assert_str_eq(json_text_at(call, "aws.operation"), "Query");
    cr_assert_str_eq(json_text_at(call, "aws.region"), "eu-west-1");
    cr_assert_str_eq(json_text_at(call, "aws.request_id"), "R1");
    cr_assert_str_eq(json_text_at(call, "aws.table_name"), "Files");
    cr_assert_str_eq(json_text_at(call, "aws.index_name"), "byUser");
    cr_assert_eq(json_number_at(call, "aws.retries"), 0);
    cr_assert_eq(json_number_at(call, "http.response.status"), 200);
    cr_assert_eq(json_number_at(call, "http.response.content_length"), 2);
    cr_assert_null(json_at(call, "cause"));
    finish();
}

Test(aws_subsegment, has_the_name_that_the_client_was_given)
{
    start_at("dynamodb", "http://127.0.0.1:1");
    xray_aws_client_free(client);
    cr_assert_eq(xray_aws_client_new(
                     &client, "dynamodb",
                     xray_aws_client_params(.name = "files", .endpoint_url = peer_url(peer))),
                 0);
    cr_assert_str_eq(json_text_at(trace(xray_aws_request(.operation = "GetItem")), "name"),
                     "files");
    finish();
}

Test(aws_subsegment, has_the_second_id_of_s3)
{
    static const struct peer_reply REPLY[] = {
        { .headers = "x-amz-request-id: R2\r\nx-amz-id-2: H2\r\n" }
    };
    const cJSON *call;

    start("s3", REPLY, 1);
    call = trace(xray_aws_request(.operation = "GetObject", .method = "GET", .path = "/b/k"));
    cr_assert_str_eq(json_text_at(call, "aws.request_id"), "R2");
    cr_assert_str_eq(json_text_at(call, "aws.id_2"), "H2");
    finish();
}

Test(aws_subsegment, is_one_for_all_tries)
{
    static const struct peer_reply REPLIES[] = { { .status = 500 }, { .status = 500 }, { 0 } };
    const cJSON *call;

    start("dynamodb", REPLIES, 3);
    call = trace(xray_aws_request(.operation = "GetItem"));
    cr_assert_eq(json_number_at(call, "aws.retries"), 2);
    cr_assert_eq(json_number_at(call, "http.response.status"), 200);
    cr_assert_not(is_marked(call, "fault"));
    finish();
}

Test(aws_subsegment, has_the_length_that_a_head_request_announced)
{
    static const struct peer_reply REPLY[] = { { .body = "hello" } };

    start("s3", REPLY, 1);
    cr_assert_eq(json_number_at(trace(xray_aws_request(.operation = "HeadObject", .method = "HEAD",
                                                       .path = "/b/k")),
                                "http.response.content_length"),
                 5);
    finish();
}

/* ---- What went wrong
 * ----------------------------------------------------------------------------------- */

Test(aws_error, has_the_services_own_words_as_its_cause)
{
    static const struct peer_reply REPLY[] = {
        { .status = 400, .body = "{\"__type\":\"a#ValidationException\",\"message\":\"bad key\"}" }
    };
    const cJSON *call;

    start("dynamodb", REPLY, 1);
    call = trace(xray_aws_request(.operation = "GetItem"));
    cr_assert(is_marked(call, "error"));
    cr_assert_not(is_marked(call, "fault"));
    cr_assert_not(is_marked(call, "throttle"));
    cr_assert_str_eq(json_text_at(call, "cause.exceptions.0.type"), "ValidationException");
    cr_assert_str_eq(json_text_at(call, "cause.exceptions.0.message"), "bad key");
    cr_assert(cJSON_IsTrue(json_at(call, "cause.exceptions.0.remote")));
    finish();
}

Test(aws_error, of_5xx_is_a_fault)
{
    static const struct peer_reply REPLY[] = { { .status = 500 } };
    const cJSON *call;

    start("dynamodb", REPLY, 1);
    call = trace(xray_aws_request(.operation = "GetItem"));
    cr_assert(is_marked(call, "fault"));
    cr_assert_not(is_marked(call, "error"));
    cr_assert_str_eq(json_text_at(call, "cause.exceptions.0.type"), "HTTP 500");
    finish();
}

Test(aws_error, of_throttling_is_never_a_fault)
{
    static const struct peer_reply REPLIES[] = {
        { .status = 400, .body = "{\"__type\":\"ThrottlingException\"}" },
        { .status = 429 },
        { .status = 503, .body = "<Error><Code>SlowDown</Code></Error>" },
    };

    for (size_t i = 0; i < sizeof(REPLIES) / sizeof(*REPLIES); i++) {
        const cJSON *call;

        set_environment();
        peer = peer_start(&REPLIES[i], 1);
        cr_assert_eq(xray_aws_client_new(
                         &client, "s3",
                         xray_aws_client_params(.endpoint_url = peer_url(peer), .max_attempts = 1)),
                     0);
        call = trace(xray_aws_request(.operation = "PutObject", .method = "PUT", .path = "/b/k"));
        cr_expect(is_marked(call, "throttle"), "%d", REPLIES[i].status);
        cr_expect(is_marked(call, "error"), "%d", REPLIES[i].status);
        cr_expect_not(is_marked(call, "fault"), "%d", REPLIES[i].status);
        finish();
    }
}

Test(aws_error, is_not_what_s3_says_to_an_unmet_condition)
{
    static const int STATUS[] = { 304, 412 };

    for (size_t i = 0; i < 2; i++) {
        struct peer_reply reply = { .status = STATUS[i] };
        const cJSON *call;

        start("s3", &reply, 1);
        call = trace(xray_aws_request(.operation = "GetObject", .method = "GET", .path = "/b/k"));
        cr_expect_not(is_marked(call, "error"), "%d", STATUS[i]);
        cr_expect_not(is_marked(call, "fault"), "%d", STATUS[i]);
        cr_expect_null(json_at(call, "cause"), "%d", STATUS[i]);
        cr_expect_eq(json_number_at(call, "http.response.status"), STATUS[i]);
        finish();
    }
}

Test(aws_error, is_what_others_say_with_412)
{
    static const struct peer_reply REPLY[] = { { .status = 412 } };

    start("lambda", REPLY, 1);
    cr_assert(is_marked(trace(xray_aws_request(.operation = "Invoke")), "error"));
    finish();
}

Test(aws_error, of_the_connection_is_a_fault_with_its_reason)
{
    const cJSON *call;

    start_at("dynamodb", peer_refusing_url());
    call = trace(xray_aws_request(.operation = "GetItem"));
    cr_assert(is_marked(call, "fault"));
    cr_assert_str_eq(json_text_at(call, "cause.exceptions.0.type"), "CURLcode 7");
    cr_assert_null(json_at(call, "http"));
    cr_assert_eq(json_number_at(call, "aws.retries"), 0);
    finish();
}

Test(aws_error, of_missing_credentials_is_a_fault_of_this_side)
{
    const cJSON *call;

    start("dynamodb", FINE, 1);
    unsetenv("AWS_ACCESS_KEY_ID");
    call = trace(xray_aws_request(.operation = "GetItem"));
    cr_assert(is_marked(call, "fault"));
    cr_assert_str_eq(json_text_at(call, "cause.exceptions.0.type"), "EACCES");
    cr_assert_not(cJSON_IsTrue(json_at(call, "cause.exceptions.0.remote")));
    finish();
}

/* ---- The trace header
 * ------------------------------------------------------------------------------------ */

static char *sent_header(size_t index)
{
    cr_assert_eq(peer_request_header_count(peer, index, "X-Amzn-Trace-Id"), 1);
    return peer_request_header(peer, index, "X-Amzn-Trace-Id");
}

Test(aws_trace_header, names_the_calls_own_subsegment_on_every_try)
{
    static const struct peer_reply REPLIES[] = { { .status = 500 }, { 0 } };
    const cJSON *call;

    start("dynamodb", REPLIES, 2);
    call = trace(xray_aws_request(.operation = "GetItem"));
    for (size_t i = 0; i < 2; i++) {
        char *sent = sent_header(i);

        cr_expect_not_null(strstr(sent, json_text_at(call, "id")));
        cr_expect_not_null(strstr(sent, json_text_at(capture.document, "trace_id")));
        cr_expect_not_null(strstr(sent, "Sampled=1"));
        free(sent);
    }
    finish();
}

Test(aws_trace_header, is_not_signed)
{
    char *authorization;

    start("dynamodb", FINE, 1);
    trace(xray_aws_request(.operation = "GetItem"));
    authorization = peer_request_header(peer, 0, "Authorization");
    cr_assert_null(strstr(authorization, "trace"));
    free(authorization);
    finish();
}

Test(aws_trace_header, of_the_caller_in_any_case_is_the_only_one)
{
    static const char *const HEADERS[] = { "x-AMZN-trace-id: Root=mine", NULL };
    char *sent;

    start("dynamodb", FINE, 1);
    trace(xray_aws_request(.operation = "GetItem", .headers = HEADERS));
    sent = sent_header(0);
    cr_assert_str_eq(sent, "Root=mine");
    free(sent);
    finish();
}

Test(aws_trace_header, says_unsampled_when_nothing_is_recorded)
{
    char *sent;

    start("dynamodb", FINE, 1);
    capture_begin(&capture, false);
    cr_assert_eq(xray_aws_call(client, xray_aws_request(.operation = "GetItem"), NULL), 0);
    capture_end(&capture);
    sent = sent_header(0);
    cr_assert_not_null(strstr(sent, "Sampled=0"));
    cr_assert_eq(capture.length, 0);
    free(sent);
    finish();
}

static void call_without_segment(void)
{
    cr_assert_null(xray_current());
    cr_assert_eq(xray_aws_call(client, xray_aws_request(.operation = "GetItem"), NULL), 0);
}

Test(aws_trace_header, without_a_segment_is_what_lambda_received)
{
    char *sent;

    start("dynamodb", FINE, 1);
    setenv("AWS_LAMBDA_FUNCTION_NAME", "f", 1);
    setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=a:1|b c\r\n\xc3",
           1);
    call_without_segment();
    sent = sent_header(0);
    cr_assert_str_eq(sent, "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=a:1%7Cb%20c%0D%0A%C3");
    free(sent);
    finish();
}

Test(aws_trace_header, without_a_segment_and_outside_lambda_is_none)
{
    start("dynamodb", FINE, 1);
    setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793", 1);
    call_without_segment();
    cr_assert_eq(peer_request_header_count(peer, 0, "X-Amzn-Trace-Id"), 0);
    finish();
}

Test(aws_trace_header, that_was_received_too_long_is_left_out)
{
    char value[4096];

    start("dynamodb", FINE, 1);
    memset(value, 'a', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    setenv("AWS_LAMBDA_FUNCTION_NAME", "f", 1);
    setenv("_X_AMZN_TRACE_ID", value, 1);
    call_without_segment();
    cr_assert_eq(peer_request_header_count(peer, 0, "X-Amzn-Trace-Id"), 0);
    finish();
}

Test(aws_trace_header, in_a_lambda_that_is_passed_through_is_the_root_alone)
{
    char *sent;
    xray_segment *invocation;

    start("dynamodb", FINE, 1);
    capture_begin(&capture, true);
    xray_detach(capture.segment);
    invocation = xray_lambda_begin(capture.recorder, "Root=1-5759e988-bd862e3fe1be46a994272793");
    cr_assert_eq(xray_aws_call(client, xray_aws_request(.operation = "GetItem"), NULL), 0);
    xray_lambda_end(invocation, 1000);
    capture_end(&capture);
    sent = sent_header(0);
    cr_assert_str_eq(sent, "Root=1-5759e988-bd862e3fe1be46a994272793");
    free(sent);
    finish();
}

/* ---- Secrets
 * ---------------------------------------------------------------------------------------------- */

Test(aws_secrets, are_in_no_emitted_byte)
{
    static const struct peer_reply REPLY[] = {
        { .status = 403,
          .body =
              "{\"__type\":\"InvalidSignatureException\",\"message\":\"The request signature we "
              "calculated does not match. The Canonical String should have been 'POST\\n/\\n\\n"
              "host:x\\nx-amz-security-token:SECRETTOKEN\\n\\nhost;x-amz-security-token' "
              "SECRETTOKEN\"}" }
    };

    start("dynamodb", REPLY, 1);
    setenv("AWS_SESSION_TOKEN", "SECRETTOKEN", 1);
    trace(xray_aws_request(.operation = "GetItem", .query = "X-Amz-Signature=SECRETQUERY",
                           .body = "SECRETBODY", .body_length = 10));
    cr_assert_not_null(strstr(capture.text, "InvalidSignatureException"));
    cr_assert_null(strstr(capture.text, "SECRET"), "%s", capture.text);
    cr_assert_null(strstr(capture.text, "AKIDEXAMPLE"));
    finish();
}

/* ---- Without tracing
 * ----------------------------------------------------------------------------------------- */

Test(aws_untraced, works_as_well_with_tracing_disabled)
{
    xray_segment *segment;

    setenv("AWS_XRAY_SDK_DISABLED", "true", 1);
    start("dynamodb", FINE, 1);
    segment = xray_begin_segment("disabled");
    cr_assert_eq(xray_aws_call(client, xray_aws_request(.operation = "GetItem"), NULL), 0);
    xray_end(segment);
    cr_assert_eq(peer_request_count(peer), 1);
    xray_aws_client_free(client);
    peer_stop(peer);
}
