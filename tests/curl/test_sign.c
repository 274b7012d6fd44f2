/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures, against the values that AWS publishes: its Signature Version 4 test
 * suite, and the examples in the manuals of IAM and S3.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "aws_sign.h"

#define LIMIT 65536

static const char EMPTY_HASH[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/* 2015-08-30 12:36:00 UTC, and 2013-05-24 00:00:00 UTC. */
enum { SUITE_TIME = 1440938160, S3_TIME = 1369353600 };

static const struct xr_aws_credentials SUITE_CREDENTIALS = {
    .access_key_id = "AKIDEXAMPLE",
    .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};

static const struct xr_aws_credentials S3_CREDENTIALS = {
    .access_key_id = "AKIAIOSFODNN7EXAMPLE",
    .secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};

/* A request of the suite, whose service is called "service". */
static struct xr_aws_signing of_suite(const char *method, const char *path, const char *query,
                                      const char *const *headers)
{
    return (struct xr_aws_signing){
        .method = method,
        .path = path,
        .query = query,
        .headers = headers,
        .payload_hash = EMPTY_HASH,
        .region = "us-east-1",
        .service = "service",
        .time_s = SUITE_TIME,
    };
}

static struct xr_aws_signing of_s3(const char *method, const char *path, const char *query,
                                   const char *const *headers)
{
    return (struct xr_aws_signing){
        .method = method,
        .path = path,
        .query = query,
        .headers = headers,
        .payload_hash = EMPTY_HASH,
        .region = "us-east-1",
        .service = "s3",
        .path_is_encoded_once = true,
        .time_s = S3_TIME,
    };
}

static void assert_authorization(const struct xr_aws_signing *signing,
                                 const struct xr_aws_credentials *credentials, const char *expected)
{
    struct xr_curl_buffer text = { .limit = LIMIT };

    cr_assert_eq(xr_aws_sign(&text, signing, credentials), 0);
    cr_assert_str_eq(xr_curl_buffer_text(&text), expected);
    xr_curl_buffer_free(&text);
}

/* Only the end: the rest is the same for each request with these headers. */
static void assert_signature(const struct xr_aws_signing *signing,
                             const struct xr_aws_credentials *credentials, const char *expected)
{
    struct xr_curl_buffer text = { .limit = LIMIT };
    const char *found;

    cr_assert_eq(xr_aws_sign(&text, signing, credentials), 0);
    found = strstr(xr_curl_buffer_text(&text), "Signature=");
    cr_assert_not_null(found);
    cr_assert_str_eq(found + strlen("Signature="), expected);
    xr_curl_buffer_free(&text);
}

static void assert_line(const struct xr_aws_signing *signing, size_t number, const char *expected)
{
    struct xr_curl_buffer text = { .limit = LIMIT };
    const char *at;

    cr_assert_eq(xr_aws_canonical_request(&text, signing), 0);
    at = xr_curl_buffer_text(&text);
    for (size_t i = 0; i < number; i++) {
        at = strchr(at, '\n');
        cr_assert_not_null(at);
        at++;
    }
    cr_assert_eq(strcspn(at, "\n"), strlen(expected), "is: %s", at);
    cr_assert_arr_eq(at, expected, strlen(expected));
    xr_curl_buffer_free(&text);
}

static const char *const SUITE_HEADERS[] = { "Host:example.amazonaws.com",
                                             "X-Amz-Date:20150830T123600Z", NULL };

/* ---- Published values ------------------------------------------------------------------ */

Test(signature, of_a_plain_get_is_the_published_one)
{
    struct xr_aws_signing signing = of_suite("GET", "/", NULL, SUITE_HEADERS);

    assert_authorization(
        &signing, &SUITE_CREDENTIALS,
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, "
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

Test(signature, of_a_plain_post_is_the_published_one)
{
    struct xr_aws_signing signing = of_suite("POST", "/", NULL, SUITE_HEADERS);

    assert_signature(&signing, &SUITE_CREDENTIALS,
                     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

Test(signature, of_a_query_to_be_sorted_is_the_published_one)
{
    struct xr_aws_signing signing = of_suite("GET", "/", "Param2=value2&Param1=value1",
                                             SUITE_HEADERS);

    assert_signature(&signing, &SUITE_CREDENTIALS,
                     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

Test(signature, of_a_form_is_the_published_one)
{
    static const char *const HEADERS[] = { "Content-Type:application/x-www-form-urlencoded",
                                           "Host:example.amazonaws.com",
                                           "X-Amz-Date:20150830T123600Z", NULL };
    char hash[XR_AWS_HASH_SIZE];
    struct xr_aws_signing signing = of_suite("POST", "/", NULL, HEADERS);

    cr_assert_eq(xr_aws_hash("Param1=value1", 13, hash), 0);
    signing.payload_hash = hash;
    assert_signature(&signing, &SUITE_CREDENTIALS,
                     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
}

Test(signature, of_the_example_in_the_iam_manual_is_the_published_one)
{
    static const char *const HEADERS[] = {
        "Content-Type: application/x-www-form-urlencoded; charset=utf-8", "Host: iam.amazonaws.com",
        "X-Amz-Date: 20150830T123600Z", NULL
    };
    struct xr_aws_signing signing = of_suite("GET", "/", "Action=ListUsers&Version=2010-05-08",
                                             HEADERS);

    signing.service = "iam";
    assert_signature(&signing, &SUITE_CREDENTIALS,
                     "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

Test(signature, of_the_s3_manual_for_reading_a_range_is_the_published_one)
{
    static const char *const HEADERS[] = {
        "Host: examplebucket.s3.amazonaws.com", "Range: bytes=0-9",
        "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "x-amz-date: 20130524T000000Z", NULL
    };
    struct xr_aws_signing signing = of_s3("GET", "/test.txt", NULL, HEADERS);

    assert_authorization(
        &signing, &S3_CREDENTIALS,
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

Test(signature, of_the_s3_manual_for_a_key_with_a_dollar_sign_is_the_published_one)
{
    static const char *const HEADERS[] = {
        "Date: Fri, 24 May 2013 00:00:00 GMT",
        "Host: examplebucket.s3.amazonaws.com",
        "x-amz-content-sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        "x-amz-date: 20130524T000000Z",
        "x-amz-storage-class: REDUCED_REDUNDANCY",
        NULL
    };
    static const char BODY[] = "Welcome to Amazon S3.";
    char hash[XR_AWS_HASH_SIZE];
    struct xr_aws_signing signing = of_s3("PUT", "/test$file.text", NULL, HEADERS);

    cr_assert_eq(xr_aws_hash(BODY, strlen(BODY), hash), 0);
    signing.payload_hash = hash;
    assert_signature(&signing, &S3_CREDENTIALS,
                     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static const char *const S3_HEADERS[] = {
    "Host: examplebucket.s3.amazonaws.com",
    "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "x-amz-date: 20130524T000000Z", NULL
};

Test(signature, of_the_s3_manual_for_a_parameter_without_value_is_the_published_one)
{
    struct xr_aws_signing signing = of_s3("GET", "/", "lifecycle", S3_HEADERS);

    assert_signature(&signing, &S3_CREDENTIALS,
                     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

Test(signature, of_the_s3_manual_for_a_listing_is_the_published_one)
{
    struct xr_aws_signing signing = of_s3("GET", "/", "max-keys=2&prefix=J", S3_HEADERS);

    assert_signature(&signing, &S3_CREDENTIALS,
                     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

/* ---- Headers ------------------------------------------------------------------------------ */

Test(signed_headers, leave_out_what_changes_on_the_way)
{
    static const char *const HEADERS[] = { "Connection: keep-alive",
                                           "Expect: 100-continue",
                                           "Host: example.amazonaws.com",
                                           "Transfer-Encoding: chunked",
                                           "USER-AGENT: someone",
                                           "X-Amz-Date: 20150830T123600Z",
                                           "X-AMZN-Trace-Id: Root=1-5759e988-bd862e3fe1be46a9942",
                                           "Authorization: of an earlier try",
                                           NULL };
    struct xr_aws_signing signing = of_suite("GET", "/", NULL, HEADERS);

    assert_signature(&signing, &SUITE_CREDENTIALS,
                     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

Test(signed_headers, are_sorted_by_name_in_lower_case)
{
    static const char *const HEADERS[] = { "b: 1", "A: 2", "Ab: 3", "a-b: 4", "a_b: 5", NULL };
    struct xr_aws_signing signing = of_suite("GET", "/", NULL, HEADERS);

    assert_line(&signing, 9, "a;a-b;a_b;ab;b");
}

Test(signed_headers, have_values_trimmed_and_blanks_folded)
{
    static const char *const HEADERS[] = { "My-Header: \t a   b  c \t", NULL };
    struct xr_aws_signing signing = of_suite("GET", "/", NULL, HEADERS);

    assert_line(&signing, 3, "my-header:a b c");
}

Test(signed_headers, join_the_values_of_one_name_in_the_order_sent)
{
    static const char *const HEADERS[] = { "My-Header1: value2", "my-header1: value2",
                                           "MY-HEADER1: value1", NULL };
    struct xr_aws_signing signing = of_suite("GET", "/", NULL, HEADERS);

    assert_line(&signing, 3, "my-header1:value2,value2,value1");
}

Test(signed_headers, without_a_colon_are_refused)
{
    static const char *const HEADERS[] = { "Host", NULL };
    struct xr_aws_signing signing = of_suite("GET", "/", NULL, HEADERS);
    struct xr_curl_buffer text = { .limit = LIMIT };

    cr_assert_eq(xr_aws_sign(&text, &signing, &SUITE_CREDENTIALS), -22);
    xr_curl_buffer_free(&text);
}

/* ---- Paths and queries ---------------------------------------------------------------------- */

Test(signed_path, is_encoded_twice_for_most_services)
{
    struct xr_aws_signing signing = of_suite("POST", "/functions/a%3Ab/invocations", NULL,
                                             SUITE_HEADERS);

    assert_line(&signing, 1, "/functions/a%253Ab/invocations");
}

Test(signed_path, is_encoded_once_for_s3)
{
    struct xr_aws_signing signing = of_s3("GET", "/bucket/a%20b%c3%a9~%7e$", NULL, S3_HEADERS);

    assert_line(&signing, 1, "/bucket/a%20b%C3%A9~~%24");
}

Test(signed_path, keeps_the_dots_in_an_s3_key)
{
    struct xr_aws_signing signing = of_s3("GET", "/bucket//a/../b/./c", NULL, S3_HEADERS);

    assert_line(&signing, 1, "/bucket//a/../b/./c");
}

Test(signed_path, loses_relative_segments_elsewhere)
{
    static const char *const PATHS[][2] = {
        { "/example/..", "/" },
        { "/example1/example2/../..", "/" },
        { "/./", "/" },
        { "/./example", "/example" },
        { "//", "/" },
        { "//example//", "/example/" },
        { "/a/b/../c/", "/a/c/" },
        { "/../../a", "/a" },
        { "", "/" },
    };

    for (size_t i = 0; i < sizeof(PATHS) / sizeof(*PATHS); i++) {
        struct xr_aws_signing signing = of_suite("GET", PATHS[i][0], NULL, SUITE_HEADERS);

        assert_line(&signing, 1, PATHS[i][1]);
    }
}

Test(signed_query, is_sorted_by_name_before_value)
{
    struct xr_aws_signing signing = of_suite("GET", "/", "a-=1&a=2&a=1&&A=3&b", SUITE_HEADERS);

    assert_line(&signing, 2, "A=3&a=1&a=2&a-=1&b=");
}

Test(signed_query, has_one_form_of_each_escape)
{
    struct xr_aws_signing signing = of_suite("GET", "/", "%7ea=%2f/&b=c%3dd=e&p=100%",
                                             SUITE_HEADERS);

    assert_line(&signing, 2, "b=c%3Dd%3De&p=100%25&~a=%2F%2F");
}

Test(signed_query, with_too_many_parameters_is_refused)
{
    char query[4096] = "";
    struct xr_aws_signing signing = of_suite("GET", "/", query, SUITE_HEADERS);
    struct xr_curl_buffer text = { .limit = LIMIT };

    for (size_t i = 0; i < 300; i++)
        memcpy(query + 3 * i, "a=&", 4);
    cr_assert_eq(xr_aws_canonical_request(&text, &signing), -22);
    xr_curl_buffer_free(&text);
}

Test(signed_query, of_escapes_at_the_very_end_is_read_as_it_stands)
{
    struct xr_aws_signing signing = of_suite("GET", "/", "a=%4", SUITE_HEADERS);

    assert_line(&signing, 2, "a=%254");
}
