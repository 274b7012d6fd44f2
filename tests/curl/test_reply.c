/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of a service's reply, in each of the ways in which services speak. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws_reply.h"
#include "aws_xml.h"

static struct xr_aws_answer answer;

/* Headers as "name", "value", …, NULL. */
static const char *header_of(const void *data, const char *name)
{
    const char *const *pairs = data;

    for (size_t i = 0; pairs && pairs[i]; i += 2)
        if (strcasecmp(pairs[i], name) == 0)
            return pairs[i + 1];
    return NULL;
}

static struct xr_aws_raw_reply reply_of(int32_t status, const char *const *headers,
                                        const char *body)
{
    return (struct xr_aws_raw_reply){
        .status = status,
        .header = header_of,
        .data = headers,
        .body = body,
        .body_length = strlen(body),
    };
}

static bool read_body(int32_t status, const char *body)
{
    struct xr_aws_raw_reply reply = reply_of(status, NULL, body);

    return xr_aws_answer_read(&answer, &reply);
}

static bool read_with(int32_t status, const char *const *headers, const char *body)
{
    struct xr_aws_raw_reply reply = reply_of(status, headers, body);

    return xr_aws_answer_read(&answer, &reply);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

Test(json_error, has_its_code_after_the_hash)
{
    cr_assert(read_body(400, "{\"__type\":\"com.amazonaws.dynamodb.v20120810#"
                             "ConditionalCheckFailedException\",\"message\":\"no\"}"));
    cr_assert_str_eq(answer.error_code, "ConditionalCheckFailedException");
    cr_assert_str_eq(answer.error_message, "no");
}

Test(json_error, may_call_its_code_code_and_its_message_Message)
{
    read_body(404, " \n{\"Message\":\"not there\",\"code\":\"NotFound\"}");
    cr_assert_str_eq(answer.error_code, "NotFound");
    cr_assert_str_eq(answer.error_message, "not there");
}

Test(json_error, in_the_header_is_cut_at_the_colon)
{
    static const char *const HEADERS[] = {
        "x-amzn-ErrorType", "ResourceNotFoundException:http://internal.amazon.com/coral/", NULL
    };

    read_with(404, HEADERS, "{\"Message\":\"x\"}");
    cr_assert_str_eq(answer.error_code, "ResourceNotFoundException");
}

Test(json_error, in_the_header_has_its_code_after_the_hash)
{
    static const char *const HEADERS[] = { "X-Amzn-Errortype", "aws.protocols#Foo:http://x/",
                                           NULL };

    read_with(400, HEADERS, "{\"__type\":\"Other\"}");
    cr_assert_str_eq(answer.error_code, "Foo");
}

Test(json_error, with_other_types_than_text_has_no_words)
{
    read_body(400, "{\"__type\":7,\"message\":{\"a\":1}}");
    cr_assert_str_eq(answer.error_code, "");
    cr_assert_str_eq(answer.error_message, "");
}

Test(json_error, that_is_broken_has_no_words)
{
    cr_assert(read_body(500, "{\"__type\":\"Foo\",\"message\":"));
    cr_assert_str_eq(answer.error_code, "");
}

Test(json_error, that_is_nested_without_end_does_no_harm)
{
    size_t depth = 100000;
    char *body = malloc(6 * depth + 1);

    cr_assert_not_null(body);
    for (size_t i = 0; i < depth; i++)
        memcpy(body + 5 * i, "{\"a\":", 6);
    cr_assert(read_body(400, body));
    cr_assert_str_eq(answer.error_code, "");
    free(body);
}

Test(json_error, is_read_of_errors_only)
{
    cr_assert_not(read_body(200, "{\"__type\":\"Foo\",\"message\":\"bar\"}"));
    cr_assert_str_eq(answer.error_code, "");
}

/* ---- XML ------------------------------------------------------------------------------------- */

Test(xml_error, of_s3_has_code_message_and_ids)
{
    cr_assert(read_body(404, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey"
                             "</Code><Message>The specified key does not exist.</Message>"
                             "<Key>k</Key><RequestId>4442587FB7D0A2F9</RequestId>"
                             "<HostId>abc=</HostId></Error>"));
    cr_assert_str_eq(answer.error_code, "NoSuchKey");
    cr_assert_str_eq(answer.error_message, "The specified key does not exist.");
    cr_assert_str_eq(answer.request_id, "4442587FB7D0A2F9");
    cr_assert_str_eq(answer.id_2, "abc=");
}

Test(xml_error, of_a_query_service_is_found_further_in)
{
    read_body(400, "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\n<Error>"
                   "<Type>Sender</Type>\n<Code>EndpointDisabled</Code><Message>Endpoint is "
                   "disabled</Message></Error><RequestId>r-1</RequestId></ErrorResponse>");
    cr_assert_str_eq(answer.error_code, "EndpointDisabled");
    cr_assert_str_eq(answer.error_message, "Endpoint is disabled");
    cr_assert_str_eq(answer.request_id, "r-1");
}

Test(xml_error, has_its_entities_resolved)
{
    read_body(400, "<Error><Code>A</Code><Message>&lt;a&gt; &amp;amp; &quot;b&apos; &#65;&#xe9;"
                   "&#x1F600; &nbsp; &#0; &#xD800; &# &</Message></Error>");
    cr_assert_str_eq(answer.error_message,
                     "<a> &amp; \"b' A\xc3\xa9\xf0\x9f\x98\x80 &nbsp;   &# &");
}

Test(xml_error, ignores_what_only_looks_like_an_element)
{
    read_body(400, "<!-- <Code>comment</Code> --><?x <Code>instruction</Code> ?><Error><Other>"
                   "<![CDATA[<Code>data</Code>]]></Other><CodeX>longer</CodeX><Code/>"
                   "<Code a=\"1\">Right</Code></Error>");
    cr_assert_str_eq(answer.error_code, "Right");
}

Test(xml_error, may_have_its_text_in_a_cdata_section)
{
    read_body(400, "<Error><Message><![CDATA[a < b &amp;]]></Message></Error>");
    cr_assert_str_eq(answer.error_message, "a < b &amp;");
}

Test(xml_error, that_ends_anywhere_does_no_harm)
{
    static const char WHOLE[] =
        "<?xml version=\"1.0\"?><!-- c --><Error a=\"b\"><Code>&#x41;</Code>"
        "<Message><![CDATA[m]]></Message></Error>";

    for (size_t length = 0; length < sizeof(WHOLE); length++) {
        char *part = strndup(WHOLE, length);

        cr_assert_not_null(part);
        cr_assert(read_body(500, part));
        free(part);
    }
    cr_assert_str_eq(answer.error_code, "A");
}

Test(xml_error, with_a_byte_order_mark_is_read)
{
    read_body(400, "\xef\xbb\xbf<Error><Code>Foo</Code></Error>");
    cr_assert_str_eq(answer.error_code, "Foo");
}

Test(html_error, of_a_proxy_has_no_code)
{
    cr_assert(read_body(502, "<html><body>Bad gateway</body></html>"));
    cr_assert_str_eq(answer.error_code, "");
}

/* ---- Success with an error inside, and data that looks like one -------------------------------
 */

Test(late_error, under_a_status_of_success_is_an_error)
{
    struct xr_aws_raw_reply reply = reply_of(
        200, NULL, "<?xml version=\"1.0\"?>\n\n<Error><Code>InternalError</Code></Error>");

    reply.body_is_data = true;
    reply.body_may_be_error = true;
    cr_assert(xr_aws_answer_read(&answer, &reply));
    cr_assert_str_eq(answer.error_code, "InternalError");
}

Test(late_error, is_not_seen_in_an_object)
{
    struct xr_aws_raw_reply reply = reply_of(
        200, NULL, "<Error><Code>InternalError</Code><RequestId>of-somebody</RequestId></Error>");

    reply.body_is_data = true;
    cr_assert_not(xr_aws_answer_read(&answer, &reply));
    cr_assert_str_eq(answer.error_code, "");
    cr_assert_str_eq(answer.request_id, "");
}

/* ---- Ids ------------------------------------------------------------------------------------- */

Test(request_id, comes_from_either_header)
{
    static const char *const COMMON[] = { "X-Amzn-RequestId", "one", NULL };
    static const char *const OF_S3[] = { "x-amz-request-id", "two", "x-amz-id-2", "host", NULL };

    read_with(200, COMMON, "");
    cr_assert_str_eq(answer.request_id, "one");
    read_with(200, OF_S3, "");
    cr_assert_str_eq(answer.request_id, "two");
    cr_assert_str_eq(answer.id_2, "host");
}

Test(request_id, comes_from_the_body_of_a_success_without_headers)
{
    read_body(200, "<PublishResponse><ResponseMetadata><RequestId>three</RequestId>"
                   "</ResponseMetadata></PublishResponse>");
    cr_assert_str_eq(answer.request_id, "three");
}

Test(request_id, is_cut_when_it_is_too_long)
{
    char id[1000];
    const char *const headers[] = { "x-amzn-requestid", id, NULL };

    memset(id, 'a', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    read_with(200, headers, "");
    cr_assert_eq(strlen(answer.request_id), sizeof(answer.request_id) - 1);
}

/* ---- Secrets -----------------------------------------------------------------------------------
 */

Test(secret, that_a_service_repeats_is_not_in_the_message)
{
    struct xr_aws_raw_reply reply = reply_of(
        403, NULL,
        "{\"message\":\"expected 'host:x\\nx-elsewhere:SESSIONTOKEN\\n' SESSIONTOKEN\"}");

    reply.secret = "SESSIONTOKEN";
    xr_aws_answer_read(&answer, &reply);
    cr_assert_null(strstr(answer.error_message, "SESSIONTOKEN"));
    cr_assert_not_null(strstr(answer.error_message, "expected"));
}

Test(secret, behind_its_name_is_not_in_the_message)
{
    read_body(403, "{\"message\":\"POST\\nX-Amz-Security-Token:abc123\\nhost:h "
                   "?X-Amz-Signature=def456&a=b\"}");
    cr_assert_null(strstr(answer.error_message, "abc123"));
    cr_assert_null(strstr(answer.error_message, "def456"));
    cr_assert_not_null(strstr(answer.error_message, "host:h"));
    cr_assert_not_null(strstr(answer.error_message, "a=b"));
}

Test(secret, at_the_place_where_the_message_is_cut_is_not_there_in_part)
{
    char body[4096] = "{\"message\":\"";
    struct xr_aws_raw_reply reply;

    memset(body + 12, 'a', 2040);
    strcpy(body + 12 + 2040, "SESSIONTOKEN\"}");
    reply = reply_of(403, NULL, body);
    reply.secret = "SESSIONTOKEN";
    xr_aws_answer_read(&answer, &reply);
    cr_assert_null(strstr(answer.error_message, "SES"));
}

Test(text, is_cut_at_a_whole_character)
{
    char text[5];

    xr_aws_copy_text(text, sizeof(text), "abc\xc3\xa9");
    cr_assert_str_eq(text, "abc");
    xr_aws_copy_text(text, sizeof(text), "ab\xc3\xa9");
    cr_assert_str_eq(text, "ab\xc3\xa9");
}
