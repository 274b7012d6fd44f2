/* SPDX-License-Identifier: Apache-2.0 */
/* Every pointer of libxraytrace-curl's functions may be NULL, and replies may lack anything. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <xraytrace/aws.h>
#include <xraytrace/curl.h>

#include "capture.h"
#include "peer.h"

static struct capture capture;

static void set_credentials(void)
{
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    setenv("AWS_REGION", "us-east-1", 1);
    setenv("AWS_MAX_ATTEMPTS", "1", 1);
    setenv("AWS_XRAY_LOG_LEVEL", "silent", 1);
    capture_begin(&capture, true);
}

static void finish(void)
{
    capture_end(&capture);
    capture_free(&capture);
}

TestSuite(null, .init = set_credentials, .fini = finish);

static CURL *easy_of(const char *url)
{
    CURL *easy = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, 60L);
    return easy;
}

Test(null, handle_of_curl_is_refused_as_curl_does)
{
    xray_curl_transfer transfer = { .easy = NULL };

    cr_expect_eq(xray_curl_perform(NULL, NULL), CURLE_BAD_FUNCTION_ARGUMENT);
    cr_expect_eq(xray_curl_perform(NULL, XRAY_CURL_NO_HEADERS), CURLE_BAD_FUNCTION_ARGUMENT);
    xray_curl_begin(&transfer, xray_current(), NULL, NULL);
    xray_curl_end(&transfer, CURLE_OK);
    xray_curl_begin(&transfer, NULL, NULL, XRAY_CURL_NO_HEADERS);
    xray_curl_end(&transfer, CURLE_FAILED_INIT);
}

Test(null, transfer_does_nothing)
{
    CURL *easy = easy_of("http://127.0.0.1:9/");

    xray_curl_begin(NULL, xray_current(), easy, NULL);
    xray_curl_end(NULL, CURLE_OK);
    curl_easy_cleanup(easy);
}

Test(null, parent_records_nothing_of_a_transfer)
{
    xray_curl_transfer transfer;
    CURL *easy = easy_of("http://127.0.0.1:9/");

    xray_curl_begin(&transfer, NULL, easy, XRAY_CURL_NO_HEADERS);
    cr_expect_null(transfer.segment);
    xray_curl_end(&transfer, CURLE_COULDNT_CONNECT);
    curl_easy_cleanup(easy);
}

Test(null, url_is_an_error_of_curls_that_is_recorded)
{
    CURL *easy = curl_easy_init();

    cr_expect_neq(xray_curl_perform(easy, XRAY_CURL_NO_HEADERS), CURLE_OK);
    curl_easy_cleanup(easy);
}

Test(null, transport_is_refused)
{
    xray_transport transport = { .size = sizeof(transport) };
    xray_http_exchange exchange = { .size = sizeof(exchange) };

    cr_expect_eq(xray_transport_curl(NULL), -EINVAL);
    cr_assert_eq(xray_transport_curl(&transport), 0);
    cr_expect_lt(transport.exchange(transport.data, NULL), 0);
    cr_expect_lt(transport.exchange(transport.data, &exchange), 0);
    transport.destroy(transport.data);
}

/* ---- Calls of AWS -------------------------------------------------------------------- */

static xray_aws_client *client_of(const struct peer *peer)
{
    xray_aws_client *client = NULL;

    cr_assert_eq(
        xray_aws_client_new(&client, "sns", xray_aws_client_params(.endpoint_url = peer_url(peer))),
        0);
    return client;
}

Test(null, service_or_place_for_a_client_is_refused)
{
    xray_aws_client *client = NULL;

    cr_expect_eq(xray_aws_client_new(NULL, "sns", NULL), -EINVAL);
    cr_expect_eq(xray_aws_client_new(&client, NULL, NULL), -EINVAL);
    cr_expect_null(client);
    cr_assert_eq(xray_aws_client_new(&client, "sns", NULL), 0);
    xray_aws_client_free(client);
    xray_aws_client_free(NULL);
}

Test(null, client_or_request_is_refused)
{
    static const struct peer_reply reply = { .body = "{}" };
    struct peer *peer = peer_start(&reply, 1);
    xray_aws_client *client = client_of(peer);
    xray_aws_reply told = { .size = sizeof(told) };

    cr_expect_eq(xray_aws_call(NULL, xray_aws_request(.operation = "Publish"), &told), -EINVAL);
    cr_expect_eq(xray_aws_call(NULL, NULL, NULL), -EINVAL);
    cr_expect_eq(xray_aws_call(client, NULL, &told), -EINVAL);
    cr_expect_eq(xray_aws_call(client, xray_aws_request(.method = NULL), &told), -EINVAL);
    cr_expect_null(xray_aws_reply_header(NULL, "etag"));
    cr_expect_null(xray_aws_reply_header(client, NULL));
    cr_expect_null(xray_aws_reply_header(client, "etag"));
    cr_expect_eq(peer_request_count(peer), 0);
    xray_aws_client_free(client);
    peer_stop(peer);
}

Test(null, is_each_member_of_a_request_but_the_operation)
{
    static const struct peer_reply reply = { .body = "{}" };
    struct peer *peer = peer_start(&reply, 1);
    xray_aws_client *client = client_of(peer);
    xray_aws_resource resources[] = { { "topic_arn", NULL }, { NULL, NULL } };
    const char *headers[] = { NULL };

    cr_expect_eq(xray_aws_call(client, xray_aws_request(.operation = "Publish"), NULL), 0);
    cr_expect_eq(xray_aws_call(client,
                               xray_aws_request(.operation = "Publish", .resources = resources,
                                                .headers = headers),
                               NULL),
                 0);
    xray_aws_client_free(client);
    peer_stop(peer);
}

Test(null, is_whatever_a_reply_has_not)
{
    static const struct peer_reply replies[] = { { .no_length = 1 },
                                                 { .status = 400, .no_length = 1 },
                                                 { .status = 503, .no_length = 1 },
                                                 { .hang_up = 1 } };
    struct peer *peer = peer_start(replies, 4);
    xray_aws_client *client = client_of(peer);
    xray_aws_reply told = { .size = sizeof(told) };

    for (int i = 0; i < 4; i++) {
        int r = xray_aws_call(client, xray_aws_request(.operation = "Publish"), &told);

        cr_expect_eq(r == 0, i == 0, "reply %d: %d", i, r);
        cr_assert(told.body && told.request_id && told.error_code && told.error_message);
        cr_expect_str_eq(told.request_id, "");
        cr_expect_null(xray_aws_reply_header(client, "x-amzn-requestid"));
    }
    xray_aws_client_free(client);
    peer_stop(peer);
}
