/* SPDX-License-Identifier: Apache-2.0 */
/* Structs for libxraytrace-curl of programs that were compiled with older and newer headers. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xraytrace/aws.h>
#include <xraytrace/curl.h>

#include "peer.h"

static struct peer *peer;
static xray_aws_client *client;

static void start(void)
{
    static const struct peer_reply FINE[] = { { .headers = "x-amzn-RequestId: R1\r\n" } };

    unsetenv("AWS_ENDPOINT_URL");
    unsetenv("AWS_LAMBDA_FUNCTION_NAME");
    unsetenv("_X_AMZN_TRACE_ID");
    setenv("AWS_REGION", "eu-west-1", 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "SECRETKEY", 1);
    setenv("AWS_XRAY_CONTEXT_MISSING", "IGNORE_ERROR", 1);
    peer = peer_start(FINE, 1);
    cr_assert_eq(
        xray_aws_client_new(&client, "s3", xray_aws_client_params(.endpoint_url = peer_url(peer))),
        0);
}

static void stop(void)
{
    xray_aws_client_free(client);
    peer_stop(peer);
}

TestSuite(aws_client_params, .init = start, .fini = stop);
TestSuite(aws_request, .init = start, .fini = stop);
TestSuite(aws_reply, .init = start, .fini = stop);
TestSuite(exchange, .init = start, .fini = stop);

/* What the request line of the last call asked for. */
static bool asked_for(const char *what)
{
    const char *request = peer_request(peer, peer_request_count(peer) - 1);

    return strncmp(request, what, strlen(what)) == 0;
}

Test(aws_client_params, of_an_older_program_are_read_up_to_their_end)
{
    xray_aws_client_params older = { .size = offsetof(xray_aws_client_params, endpoint_url),
                                     .region = "us-east-1",
                                     .endpoint_url = "no URL, and refused if it were read" };
    xray_aws_client *made = NULL;

    cr_expect_eq(xray_aws_client_new(&made, "s3", &older), 0);
    xray_aws_client_free(made);
    older.size = sizeof(older);
    cr_expect_eq(xray_aws_client_new(&made, "s3", &older), -EINVAL);
}

Test(aws_request, of_an_older_program_is_read_up_to_its_end)
{
    xray_aws_request older = { .size = offsetof(xray_aws_request, query),
                               .operation = "GetObject",
                               .method = "GET",
                               .path = "/kept",
                               .query = "beyond" };

    cr_expect_eq(xray_aws_call(client, &older, NULL), 0);
    cr_expect(asked_for("GET /kept HTTP/1.1\r\n"));
}

Test(aws_request, of_a_newer_program_loses_what_is_not_known)
{
    struct {
        xray_aws_request known;
        uint64_t unknown;
    } newer = { { .size = sizeof(newer), .operation = "GetObject", .method = "GET", .path = "/a" },
                42 };

    cr_expect_eq(xray_aws_call(client, &newer.known, NULL), 0);
    cr_expect(asked_for("GET /a HTTP/1.1\r\n"));
}

Test(aws_request, without_a_size_is_refused)
{
    xray_aws_request none = { .operation = "GetObject" };

    cr_expect_eq(xray_aws_call(client, &none, NULL), -EINVAL);
    cr_expect_eq(peer_request_count(peer), 0);
}

Test(aws_reply, of_a_newer_program_is_filled_in_as_far_as_known)
{
    struct {
        xray_aws_reply known;
        uint64_t unknown;
    } newer = { { .size = sizeof(newer) }, 42 };

    cr_expect_eq(xray_aws_call(client, xray_aws_request(.operation = "ListBuckets"), &newer.known),
                 0);
    cr_expect_eq(newer.known.size, sizeof(newer));
    cr_expect_eq(newer.known.status, 200);
    cr_expect_eq(newer.unknown, 42);
}

Test(exchange, of_a_newer_program_is_filled_in_as_far_as_known)
{
    struct {
        xray_http_exchange known;
        uint64_t unknown;
    } newer = { { .size = sizeof(newer), .method = "GET", .url = peer_url(peer) }, 42 };
    xray_transport transport = { .size = sizeof(transport) };

    cr_assert_eq(xray_transport_curl(&transport), 0);
    cr_expect_eq(transport.exchange(transport.data, &newer.known), 0);
    cr_expect_eq(newer.known.status, 200);
    cr_expect_eq(newer.unknown, 42);
    transport.destroy(transport.data);
}

Test(transport, of_a_newer_program_has_its_size_and_no_hook_by_chance)
{
    struct {
        xray_transport known;
        uint64_t unknown;
    } newer = { { .size = sizeof(newer) }, 42 };

    cr_assert_eq(xray_transport_curl(&newer.known), 0);
    cr_expect_eq(newer.known.size, sizeof(newer));
    cr_expect_eq(newer.unknown, 0);
    newer.known.destroy(newer.known.data);
}

Test(transport, that_is_too_small_for_its_functions_is_refused)
{
    xray_transport small = { .size = offsetof(xray_transport, exchange) };

    cr_expect_eq(xray_transport_curl(&small), -EINVAL);
    cr_expect_eq(xray_transport_curl(&(xray_transport){ 0 }), -EINVAL);
}
