/* SPDX-License-Identifier: Apache-2.0 */
/* Where a service is, by parameter, by variable and by default; and what hosts of URLs are. */
#include <criterion/criterion.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>

#include "aws_endpoint.h"
#include "url.h"

static struct xr_aws_endpoint found;
static char source[XR_AWS_SOURCE_SIZE];

static void forget_environment(void)
{
    unsetenv("AWS_ENDPOINT_URL");
    unsetenv("AWS_ENDPOINT_URL_S3");
    unsetenv("AWS_ENDPOINT_URL_DYNAMODB");
    unsetenv("AWS_ENDPOINT_URL_SECRETS_MANAGER");
}

static int find(const char *service_name, const char *url)
{
    struct xr_aws_service service;

    cr_assert_eq(xr_aws_service_find(&service, service_name), 0);
    return xr_aws_endpoint_find(&found, &service, "eu-west-1", url, source);
}

TestSuite(endpoint, .init = forget_environment);

Test(endpoint, is_the_services_own_by_default)
{
    cr_assert_eq(find("dynamodb", NULL), 0);
    cr_assert_str_eq(found.base, "https://dynamodb.eu-west-1.amazonaws.com");
    cr_assert_str_eq(found.host, "dynamodb.eu-west-1.amazonaws.com");
    cr_assert_str_eq(found.path, "");
}

Test(endpoint, in_china_has_its_own_domain)
{
    struct xr_aws_service service;

    cr_assert_eq(xr_aws_service_find(&service, "s3"), 0);
    cr_assert_eq(xr_aws_endpoint_find(&found, &service, "cn-north-1", NULL, source), 0);
    cr_assert_str_eq(found.host, "s3.cn-north-1.amazonaws.com.cn");
}

Test(endpoint, of_the_parameter_beats_the_variables)
{
    setenv("AWS_ENDPOINT_URL_S3", "http://variable", 1);
    cr_assert_eq(find("s3", "http://localhost:5000"), 0);
    cr_assert_str_eq(found.base, "http://localhost:5000");
    cr_assert_str_eq(found.host, "localhost:5000");
}

Test(endpoint, of_the_services_variable_beats_the_common_one)
{
    setenv("AWS_ENDPOINT_URL", "http://common", 1);
    setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://own", 1);
    cr_assert_eq(find("dynamodb", NULL), 0);
    cr_assert_str_eq(found.base, "http://own");
}

Test(endpoint, of_the_common_variable_serves_the_others)
{
    setenv("AWS_ENDPOINT_URL", "http://common", 1);
    setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://own", 1);
    cr_assert_eq(find("s3", NULL), 0);
    cr_assert_str_eq(found.base, "http://common");
}

Test(endpoint, of_a_service_with_two_words_has_an_underscore_in_its_variable)
{
    setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://own", 1);
    cr_assert_eq(find("secretsmanager", NULL), 0);
    cr_assert_str_eq(found.base, "http://own");
}

Test(endpoint, in_an_empty_variable_counts_as_none)
{
    setenv("AWS_ENDPOINT_URL", "", 1);
    cr_assert_eq(find("s3", NULL), 0);
    cr_assert_str_eq(found.base, "https://s3.eu-west-1.amazonaws.com");
}

Test(endpoint, leaves_the_schemes_own_port_out_of_the_host)
{
    cr_assert_eq(find("s3", "http://localhost:80/"), 0);
    cr_assert_str_eq(found.host, "localhost");
}

Test(endpoint, may_be_an_ipv6_address)
{
    cr_assert_eq(find("s3", "http://[::1]:5000"), 0);
    cr_assert_str_eq(found.base, "http://[::1]:5000");
    cr_assert_str_eq(found.host, "[::1]:5000");
}

Test(endpoint, may_have_a_path_of_its_own)
{
    cr_assert_eq(find("s3", "https://gateway.example/aws/"), 0);
    cr_assert_str_eq(found.path, "/aws");
}

Test(endpoint, that_is_not_a_plain_http_url_is_refused)
{
    static const char *const BAD[] = {
        "localhost:5000",       "ftp://localhost", "http://",           "http://user:pw@host",
        "http://host/?query=1", "http://host/#x",  "http://host:99999", "http://a b",
    };

    for (size_t i = 0; i < sizeof(BAD) / sizeof(*BAD); i++)
        cr_expect_eq(find("s3", BAD[i]), -EINVAL, "%s", BAD[i]);
}

Test(endpoint, that_is_refused_is_named_by_its_setting)
{
    setenv("AWS_ENDPOINT_URL_S3", "nonsense:1", 1);
    cr_assert_eq(find("s3", NULL), -EINVAL);
    cr_assert_str_eq(source, "AWS_ENDPOINT_URL_S3");
}

Test(endpoint, that_is_too_long_is_refused)
{
    char url[4096] = "http://localhost/";

    memset(url + 17, 'a', sizeof(url) - 18);
    cr_assert_eq(find("s3", url), -EINVAL);
}

/* ---- Names ------------------------------------------------------------------------------- */

Test(service, in_the_table_has_the_name_of_the_service_map)
{
    static const char *const NAMES[][2] = { { "dynamodb", "DynamoDB" },
                                            { "s3", "S3" },
                                            { "sns", "SNS" },
                                            { "sqs", "SQS" },
                                            { "lambda", "Lambda" } };
    struct xr_aws_service service;

    for (size_t i = 0; i < sizeof(NAMES) / sizeof(*NAMES); i++) {
        cr_assert_eq(xr_aws_service_find(&service, NAMES[i][0]), 0);
        cr_expect_str_eq(service.id, NAMES[i][1]);
    }
}

Test(service, in_no_table_is_called_as_in_its_host)
{
    struct xr_aws_service service;

    cr_assert_eq(xr_aws_service_find(&service, "textract"), 0);
    cr_assert_str_eq(service.id, "textract");
    cr_assert_str_eq(service.signing, "textract");
}

Test(service, signs_with_the_name_that_it_knows_itself_by)
{
    struct xr_aws_service service;

    cr_assert_eq(xr_aws_service_find(&service, "email"), 0);
    cr_assert_str_eq(service.signing, "ses");
}

Test(service, that_cannot_be_in_a_host_is_refused)
{
    static const char *const BAD[] = { "", "s3/../evil", "s3@evil.example", "s 3", "s3\r\n" };
    struct xr_aws_service service;

    cr_assert_eq(xr_aws_service_find(&service, NULL), -EINVAL);
    for (size_t i = 0; i < sizeof(BAD) / sizeof(*BAD); i++)
        cr_expect_eq(xr_aws_service_find(&service, BAD[i]), -EINVAL, "%s", BAD[i]);
}

Test(region, is_letters_digits_and_hyphens)
{
    cr_assert(xr_aws_region_is_valid("us-east-1"));
    cr_assert_not(xr_aws_region_is_valid("us-east-1.evil.example"));
    cr_assert_not(xr_aws_region_is_valid(""));
    cr_assert_not(xr_aws_region_is_valid(NULL));
}

/* ---- URLs ---------------------------------------------------------------------------------- */

Test(host_of_url, has_no_port_and_no_brackets)
{
    static const char *const URLS[][2] = {
        { "http://example.com/", "example.com" },
        { "https://u:p@example.com:8443/x?y", "example.com" },
        { "http://[::1]:5000/", "::1" },
        { "example.com/path", "example.com" },
        { "ftp://files.example/x", "files.example" },
        { "not a url", "" },
    };
    char host[XR_CURL_HOST_SIZE];

    for (size_t i = 0; i < sizeof(URLS) / sizeof(*URLS); i++) {
        cr_expect_eq(xr_curl_url_host(URLS[i][0], host, sizeof(host)), URLS[i][1][0] != '\0');
        cr_expect_str_eq(host, URLS[i][1]);
    }
}

Test(host_of_url, is_cut_where_it_does_not_fit)
{
    char host[5];

    cr_assert(xr_curl_url_host("http://example.com/", host, sizeof(host)));
    cr_assert_str_eq(host, "exam");
}

Test(public_url, has_neither_user_nor_query_nor_fragment)
{
    char *url = xr_curl_url_public("https://user:secret@example.com:8443/a/b?token=secret#secret");

    cr_assert_str_eq(url, "https://example.com:8443/a/b");
    curl_free(url);
}

Test(public_url, of_what_is_no_url_is_none)
{
    cr_assert_null(xr_curl_url_public("http://a b/secret"));
    cr_assert_null(xr_curl_url_public(NULL));
}

Test(loopback, is_this_machine_by_definition)
{
    cr_expect(xr_curl_host_is_loopback("localhost"));
    cr_expect(xr_curl_host_is_loopback("LOCALHOST"));
    cr_expect(xr_curl_host_is_loopback("127.0.0.1"));
    cr_expect(xr_curl_host_is_loopback("127.9.9.9"));
    cr_expect(xr_curl_host_is_loopback("::1"));
    cr_expect_not(xr_curl_host_is_loopback("128.0.0.1"));
    cr_expect_not(xr_curl_host_is_loopback("localhost.example"));
    cr_expect_not(xr_curl_host_is_loopback("::2"));
}
