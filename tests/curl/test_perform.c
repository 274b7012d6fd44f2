/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers of the caller's own: what is sent, what is recorded, and what is left alone. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <xraytrace/curl.h>

#include "capture.h"
#include "peer.h"

static struct peer *peer;
static struct capture capture;
static CURL *easy;

static size_t discard(char *data, size_t one, size_t length, void *user)
{
    (void)data;
    (void)user;
    return one * length;
}

static void start(const struct peer_reply *replies, size_t count)
{
    static const struct peer_reply PLAIN[] = { { .body = "hello" } };

    peer = replies ? peer_start(replies, count) : peer_start(PLAIN, 1);
    easy = curl_easy_init();
    cr_assert_not_null(easy);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, 60L);
}

static void set_path(const char *path)
{
    char url[512];

    snprintf(url, sizeof(url), "%s%s", peer_url(peer), path);
    curl_easy_setopt(easy, CURLOPT_URL, url);
}

static void finish(void)
{
    capture_free(&capture);
    curl_easy_cleanup(easy);
    peer_stop(peer);
}

static CURLcode perform_and_capture(struct curl_slist *headers)
{
    CURLcode result;

    capture_begin(&capture, true);
    result = xray_curl_perform(easy, headers);
    capture_end(&capture);
    return result;
}

/* ---- What is recorded -------------------------------------------------------------------------
 */

Test(perform, records_the_exchange_as_a_remote_subsegment)
{
    const cJSON *call;

    start(NULL, 0);
    set_path("/a/b");
    cr_assert_eq(perform_and_capture(XRAY_CURL_NO_HEADERS), CURLE_OK);
    call = capture_subsegment(&capture);
    cr_assert_str_eq(json_text_at(call, "name"), "127.0.0.1");
    cr_assert_str_eq(json_text_at(call, "namespace"), "remote");
    cr_assert_str_eq(json_text_at(call, "http.request.method"), "GET");
    cr_assert_not_null(strstr(json_text_at(call, "http.request.url"), "/a/b"));
    cr_assert_eq(json_number_at(call, "http.response.status"), 200);
    cr_assert_eq(json_number_at(call, "http.response.content_length"), 5);
    cr_assert_null(json_at(call, "cause"));
    finish();
}

Test(perform, records_the_method_that_was_used)
{
    start(NULL, 0);
    set_path("/");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "a=b");
    perform_and_capture(XRAY_CURL_NO_HEADERS);
    cr_assert_str_eq(json_text_at(capture_subsegment(&capture), "http.request.method"), "POST");
    finish();
}

Test(perform, leaves_out_a_length_that_was_not_announced)
{
    static const struct peer_reply REPLY[] = { { .body = "hello", .no_length = 1 } };
    const cJSON *call;

    start(REPLY, 1);
    set_path("/");
    cr_assert_eq(perform_and_capture(XRAY_CURL_NO_HEADERS), CURLE_OK);
    call = capture_subsegment(&capture);
    cr_assert_eq(json_number_at(call, "http.response.status"), 200);
    cr_assert_null(json_at(call, "http.response.content_length"));
    finish();
}

Test(perform, marks_by_the_status)
{
    static const struct {
        int status;
        const char *marks; /* those set, of error, throttle and fault */
    } CASES[] = { { 200, "" },      { 302, "" },     { 404, "error" }, { 429, "error throttle" },
                  { 500, "fault" }, { 503, "fault" } };
    static const char *const MARKS[] = { "error", "throttle", "fault" };

    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        struct peer_reply reply = { .status = CASES[i].status };

        start(&reply, 1);
        set_path("/");
        perform_and_capture(XRAY_CURL_NO_HEADERS);
        for (size_t m = 0; m < sizeof(MARKS) / sizeof(*MARKS); m++)
            cr_expect_eq(cJSON_IsTrue(json_at(capture_subsegment(&capture), MARKS[m])),
                         strstr(CASES[i].marks, MARKS[m]) != NULL, "%d %s", CASES[i].status,
                         MARKS[m]);
        finish();
    }
}

Test(perform, records_a_failed_transfer_as_a_remote_exception)
{
    const cJSON *call;

    start(NULL, 0);
    curl_easy_setopt(easy, CURLOPT_URL, peer_refusing_url());
    cr_assert_eq(perform_and_capture(XRAY_CURL_NO_HEADERS), CURLE_COULDNT_CONNECT);
    call = capture_subsegment(&capture);
    cr_assert(cJSON_IsTrue(json_at(call, "fault")));
    cr_assert_str_eq(json_text_at(call, "cause.exceptions.0.type"), "CURLcode 7");
    cr_assert_str_eq(json_text_at(call, "cause.exceptions.0.message"),
                     curl_easy_strerror(CURLE_COULDNT_CONNECT));
    cr_assert(cJSON_IsTrue(json_at(call, "cause.exceptions.0.remote")));
    cr_assert_null(json_at(call, "http.response.status"));
    finish();
}

Test(perform, keeps_a_4xx_an_error_when_libcurl_was_told_to_fail_on_it)
{
    static const struct peer_reply REPLY[] = { { .status = 404 } };
    const cJSON *call;

    start(REPLY, 1);
    set_path("/");
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    cr_assert_eq(perform_and_capture(XRAY_CURL_NO_HEADERS), CURLE_HTTP_RETURNED_ERROR);
    call = capture_subsegment(&capture);
    cr_assert(cJSON_IsTrue(json_at(call, "error")));
    cr_assert_not(cJSON_IsTrue(json_at(call, "fault")));
    finish();
}

Test(perform, records_where_a_redirection_led)
{
    static const struct peer_reply REPLIES[] = {
        { .status = 302, .headers = "Location: /there?X-Amz-Signature=SECRET1\r\n" },
        { .body = "x" },
    };
    const cJSON *call;

    start(REPLIES, 2);
    set_path("/here");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    perform_and_capture(XRAY_CURL_NO_HEADERS);
    call = capture_subsegment(&capture);
    cr_assert_not_null(strstr(json_text_at(call, "http.request.url"), "/there"));
    cr_assert_null(strstr(capture.text, "SECRET1"));
    finish();
}

Test(perform, lets_no_secret_of_a_url_out)
{
    char url[512];

    start(NULL, 0);
    snprintf(url, sizeof(url),
             "http://USER1:SECRET1@%s/x?X-Amz-Security-Token=SECRET2&X-Amz-Signature=SECRET3"
             "&X-Amz-Credential=SECRET4#SECRET5",
             peer_url(peer) + strlen("http://"));
    curl_easy_setopt(easy, CURLOPT_URL, url);
    cr_assert_eq(perform_and_capture(XRAY_CURL_NO_HEADERS), CURLE_OK);
    capture_subsegment(&capture);
    cr_assert_null(strstr(capture.text, "SECRET"));
    cr_assert_null(strstr(capture.text, "USER1"));
    finish();
}

/* ---- What is sent -----------------------------------------------------------------------------
 */

Test(trace_header, names_the_subsegment_as_the_parent)
{
    char *sent;
    xray_trace_header header;
    char parent[17];

    start(NULL, 0);
    set_path("/");
    perform_and_capture(XRAY_CURL_NO_HEADERS);
    sent = peer_request_header(peer, 0, "X-Amzn-Trace-Id");
    cr_assert_not_null(sent);
    cr_assert_eq(xray_trace_header_parse(&header, sent), 0);
    snprintf(parent, sizeof(parent), "%016llx", (unsigned long long)header.parent_id);
    cr_assert_str_eq(parent, json_text_at(capture_subsegment(&capture), "id"));
    cr_assert_eq(header.sampled, XRAY_SAMPLED_YES);
    free(sent);
    finish();
}

Test(trace_header, says_unsampled_when_nothing_is_recorded)
{
    char *sent;

    start(NULL, 0);
    set_path("/");
    capture_begin(&capture, false);
    cr_assert_eq(xray_curl_perform(easy, XRAY_CURL_NO_HEADERS), CURLE_OK);
    capture_end(&capture);
    sent = peer_request_header(peer, 0, "X-Amzn-Trace-Id");
    cr_assert_not_null(sent);
    cr_assert_not_null(strstr(sent, "Sampled=0"));
    cr_assert_eq(capture.length, 0);
    free(sent);
    finish();
}

Test(trace_header, comes_before_the_callers_headers)
{
    struct curl_slist *headers = curl_slist_append(NULL, "X-Mine: 1");
    char *mine;

    start(NULL, 0);
    set_path("/");
    perform_and_capture(headers);
    mine = peer_request_header(peer, 0, "X-Mine");
    cr_assert_str_eq(mine, "1");
    cr_assert_eq(peer_request_header_count(peer, 0, "X-Amzn-Trace-Id"), 1);
    free(mine);
    curl_slist_free_all(headers);
    finish();
}

Test(trace_header, of_the_caller_in_any_case_is_the_only_one)
{
    static const char *const LINES[] = { "X-Amzn-Trace-Id: Root=mine", "x-amzn-trace-id: Root=mine",
                                         "X-AMZN-TRACE-ID: Root=mine" };

    for (size_t i = 0; i < sizeof(LINES) / sizeof(*LINES); i++) {
        struct curl_slist *headers = curl_slist_append(NULL, LINES[i]);
        char *sent;

        start(NULL, 0);
        set_path("/");
        perform_and_capture(headers);
        cr_assert_eq(peer_request_header_count(peer, 0, "X-Amzn-Trace-Id"), 1);
        sent = peer_request_header(peer, 0, "X-Amzn-Trace-Id");
        cr_expect_str_eq(sent, "Root=mine");
        free(sent);
        curl_slist_free_all(headers);
        finish();
    }
}

Test(trace_header, that_the_caller_suppressed_is_not_sent)
{
    struct curl_slist *headers = curl_slist_append(NULL, "x-amzn-trace-id:");

    start(NULL, 0);
    set_path("/");
    perform_and_capture(headers);
    cr_assert_eq(peer_request_header_count(peer, 0, "X-Amzn-Trace-Id"), 0);
    curl_slist_free_all(headers);
    finish();
}

Test(trace_header, is_not_confused_by_a_header_with_a_longer_name)
{
    struct curl_slist *headers = curl_slist_append(NULL, "X-Amzn-Trace-Id-Other: 1");

    start(NULL, 0);
    set_path("/");
    perform_and_capture(headers);
    cr_assert_eq(peer_request_header_count(peer, 0, "X-Amzn-Trace-Id"), 1);
    curl_slist_free_all(headers);
    finish();
}

Test(trace_header, is_gone_from_the_handle_after_the_call)
{
    struct curl_slist *headers = curl_slist_append(NULL, "X-Mine: 1");

    start(NULL, 0);
    set_path("/");
    perform_and_capture(headers);
    curl_easy_perform(easy);
    cr_assert_eq(peer_request_header_count(peer, 1, "X-Amzn-Trace-Id"), 0);
    cr_assert_eq(peer_request_header_count(peer, 1, "X-Mine"), 1);
    curl_slist_free_all(headers);
    finish();
}

Test(trace_header, is_not_sent_when_the_headers_are_left_alone)
{
    struct curl_slist *headers = curl_slist_append(NULL, "X-Mine: 1");

    start(NULL, 0);
    set_path("/");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    perform_and_capture(NULL);
    cr_assert_eq(peer_request_header_count(peer, 0, "X-Amzn-Trace-Id"), 0);
    cr_assert_eq(peer_request_header_count(peer, 0, "X-Mine"), 1);
    cr_assert_str_eq(json_text_at(capture_subsegment(&capture), "namespace"), "remote");
    curl_slist_free_all(headers);
    finish();
}

/* ---- Without a segment -------------------------------------------------------------------------
 */

Test(no_segment, means_the_plain_transfer_with_the_callers_headers)
{
    struct curl_slist *headers = curl_slist_append(NULL, "X-Mine: 1");

    start(NULL, 0);
    set_path("/");
    cr_assert_null(xray_current());
    cr_assert_eq(xray_curl_perform(easy, headers), CURLE_OK);
    cr_assert_eq(peer_request_header_count(peer, 0, "X-Amzn-Trace-Id"), 0);
    cr_assert_eq(peer_request_header_count(peer, 0, "X-Mine"), 1);
    curl_slist_free_all(headers);
    finish();
}

Test(no_handle, is_what_libcurl_says_it_is)
{
    cr_assert_eq(xray_curl_perform(NULL, XRAY_CURL_NO_HEADERS), CURLE_BAD_FUNCTION_ARGUMENT);
}

/* ---- In two halves
 * ------------------------------------------------------------------------------- */

static void run_multi(CURL *transfer_handle)
{
    CURLM *multi = curl_multi_init();
    int running = 1;

    cr_assert_not_null(multi);
    curl_multi_add_handle(multi, transfer_handle);
    while (running && curl_multi_perform(multi, &running) == CURLM_OK && running)
        curl_multi_poll(multi, NULL, 0, 1000, NULL);
    curl_multi_remove_handle(multi, transfer_handle);
    curl_multi_cleanup(multi);
}

Test(two_halves, record_a_transfer_of_the_multi_interface)
{
    xray_curl_transfer transfer;
    const cJSON *call;

    start(NULL, 0);
    set_path("/multi");
    capture_begin(&capture, true);
    xray_curl_begin(&transfer, capture.segment, easy, XRAY_CURL_NO_HEADERS);
    run_multi(easy);
    xray_curl_end(&transfer, CURLE_OK);
    capture_end(&capture);
    call = capture_subsegment(&capture);
    cr_assert_eq(json_number_at(call, "http.response.status"), 200);
    cr_assert_eq(peer_request_header_count(peer, 0, "X-Amzn-Trace-Id"), 1);
    finish();
}

Test(two_halves, end_once)
{
    xray_curl_transfer transfer;

    start(NULL, 0);
    set_path("/");
    capture_begin(&capture, true);
    xray_curl_begin(&transfer, capture.segment, easy, XRAY_CURL_NO_HEADERS);
    xray_curl_end(&transfer, curl_easy_perform(easy));
    xray_curl_end(&transfer, CURLE_OK);
    capture_end(&capture);
    capture_subsegment(&capture);
    finish();
}

Test(two_halves, work_for_a_url_in_parts)
{
    CURLU *url = curl_url();
    const cJSON *call;

    start(NULL, 0);
    cr_assert_eq(curl_url_set(url, CURLUPART_URL, peer_url(peer), 0), CURLUE_OK);
    curl_easy_setopt(easy, CURLOPT_CURLU, url);
    cr_assert_eq(perform_and_capture(XRAY_CURL_NO_HEADERS), CURLE_OK);
    call = capture_subsegment(&capture);
    cr_assert_not_null(strstr(json_text_at(call, "http.request.url"), "127.0.0.1"));
    curl_url_cleanup(url);
    finish();
}

/* ---- Capture ----------------------------------------------------------------------------------
 */

/* Of a segment that handles what went wrong with its call. */
static size_t captured_bytes(uint32_t flags)
{
    static const struct peer_reply kept[] = { {
        .status = 404,
        .headers = "x-amzn-trace-id: Root=1-5759e988-bd862e3fe1be46a994272793;Kept=1\r\n",
    } };

    start(kept, 1);
    set_path("/");
    capture_begin_unsampled(&capture, flags);
    cr_assert_eq(xray_curl_perform(easy, XRAY_CURL_NO_HEADERS), CURLE_OK);
    capture_end(&capture);
    return capture.length;
}

Test(capture, keeps_a_segment_whose_callee_keeps_its_own)
{
    cr_expect_gt(captured_bytes(XRAY_CAPTURE_ACROSS), 0);
    cr_expect_eq(json_number_at(capture_subsegment(&capture), "http.response.status"), 404);
    finish();
}

Test(capture, does_not_listen_to_callees_unless_asked_to)
{
    cr_expect_eq(captured_bytes(0), 0);
    finish();
}
