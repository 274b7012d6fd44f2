/* SPDX-License-Identifier: Apache-2.0 */
/* media-local knows each call of AWS by its bytes. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "local/aws_call.h"

/* The head of a request, signed for a service. */
static const char *head(const char *line, const char *service, const char *more)
{
    static char text[1024];
    snprintf(text, sizeof(text),
             "%s HTTP/1.1\r\nHost: 127.0.0.1:1\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AK/"
             "20260101/us-west-2/%s/aws4_request, SignedHeaders=host, Signature=0\r\n%s\r\n",
             line, service, more);
    return text;
}

static void expect(const char *line, const char *service, const char *more, const char *body,
                   const char *wanted)
{
    struct aws_call call = aws_call_of(head(line, service, more), body);
    char found[80];
    snprintf(found, sizeof(found), "%s.%s", call.service ? call.service : "-",
             call.operation ? call.operation : "-");
    cr_expect_str_eq(found, wanted, "%s: %s instead of %s", line, found, wanted);
}

Test(aws_call, of_s3_is_told_by_method_path_and_query)
{
    static const char *const calls[][2] = {
        { "POST /b/k.mp4?uploads", "S3.CreateMultipartUpload" },
        { "POST /b/k.mp4?uploads=", "S3.CreateMultipartUpload" },
        { "PUT /b/k.mp4?partNumber=2&uploadId=x", "S3.UploadPart" },
        { "PUT /b/k.mp4?uploadId=x&partNumber=2", "S3.UploadPart" },
        { "POST /b/k.mp4?uploadId=x", "S3.CompleteMultipartUpload" },
        { "DELETE /b/k.mp4?uploadId=x", "S3.AbortMultipartUpload" },
        { "GET /b/k.mp4?uploadId=x", "S3.ListParts" },
        { "GET /b/?max-uploads=1&prefix=k&uploads=", "S3.ListMultipartUploads" },
        { "GET /b?uploads", "S3.ListMultipartUploads" },
        { "GET /b/?list-type=2", "S3.ListObjectsV2" },
        { "PUT /b/a/k.mp4", "S3.PutObject" },
        { "GET /b/k.mp4?uploadsomething", "S3.GetObject" },
        { "HEAD /b/k.mp4", "S3.HeadObject" },
        { "DELETE /b/k.mp4", "S3.DeleteObject" },
        { "PUT /b", "S3.-" },
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        expect(calls[i][0], "s3", "", "", calls[i][1]);
}

Test(aws_call, of_dynamodb_is_told_by_its_target)
{
    expect("POST /", "dynamodb", "X-Amz-Target: DynamoDB_20120810.UpdateItem\r\n", "",
           "DynamoDB.UpdateItem");
    expect("POST /", "dynamodb", "x-amz-target:DynamoDB_20120810.Scan \r\n", "", "DynamoDB.Scan");
    expect("POST /", "dynamodb", "X-Amz-Target: DynamoDB_20120810.Other\r\n", "", "DynamoDB.-");
    expect("POST /", "dynamodb", "", "X-Amz-Target: DynamoDB_20120810.Scan", "DynamoDB.-");
}

Test(aws_call, of_sns_is_told_by_its_body)
{
    expect("POST /", "sns", "", "Action=Publish&Message=Action%3DOther", "SNS.Publish");
    expect("POST /", "sns", "", "Message=x&Action=SetEndpointAttributes",
           "SNS.SetEndpointAttributes");
    expect("POST /", "sns", "", "", "SNS.-");
    cr_expect(aws_call_needs_body(head("POST /", "sns", "")));
    cr_expect_not(aws_call_needs_body(head("POST /", "s3", "")));
}

Test(aws_call, of_lambda_is_an_invocation)
{
    expect("POST /2015-03-31/functions/F/invocations", "lambda", "", "", "Lambda.Invoke");
    expect("GET /2015-03-31/functions/F", "lambda", "", "", "Lambda.-");
}

Test(aws_call, of_somebody_else_is_none)
{
    expect("POST /", "sqs", "", "Action=Publish", "-.-");
    struct aws_call call = aws_call_of("GET / HTTP/1.1\r\n\r\n", "");
    cr_expect_null(call.service);
}

Test(aws_call, has_a_name_that_is_read_and_listed)
{
    struct aws_call call = { 0 };
    struct buffer list = { 0 };
    cr_expect(aws_call_parse(&call, "S3.UploadPart:after", strlen("S3.UploadPart")));
    cr_expect_str_eq(call.operation, "UploadPart");
    cr_expect_not(aws_call_parse(&call, "S3.UploadPar", strlen("S3.UploadPar")));
    cr_expect_not(aws_call_parse(&call, "S3", 2));
    cr_expect_not(aws_call_parse(&call, "SNS.UploadPart", strlen("SNS.UploadPart")));
    aws_call_list(&list);
    cr_expect(strstr(list.data, ", S3.UploadPart, "));
    buffer_free(&list);
}
