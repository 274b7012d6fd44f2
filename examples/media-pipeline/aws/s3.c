/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/s3.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/xml.h"
#include "runtime/cleanup.h"
#include "runtime/text.h"

/* Path style, which AWS and every emulator understand. */
static int call(struct aws *aws, const struct s3_object *object, xray_aws_request *request,
                xray_aws_reply *ret, struct failure *failure)
{
    AUTO_TEXT struct text path = { 0 };
    text_add(&path, "/");
    text_add_encoded(&path, object->bucket, false);
    text_add(&path, "/");
    text_add_encoded(&path, object->key, true);
    if (path.failed)
        return failure_set(failure, -ENOMEM, "OutOfMemory", "out of memory for %s",
                           request->operation);
    const xray_aws_resource resources[] = { { "bucket_name", object->bucket },
                                            { "key", object->key },
                                            { NULL, NULL } };
    request->path = path.data;
    if (!request->resources)
        request->resources = resources;
    return aws_call(aws, AWS_S3, request, ret, failure);
}

int s3_create_multipart_upload(struct aws *aws, const struct s3_object *object,
                               const char *content_type, char **ret_upload_id,
                               struct failure *failure)
{
    char type[160];
    snprintf(type, sizeof(type), "Content-Type: %s", content_type);
    const char *headers[] = { type, NULL };
    xray_aws_reply reply = { .body = "" };
    int result = call(aws, object,
                      xray_aws_request(.operation = "CreateMultipartUpload", .query = "uploads",
                                       .headers = headers),
                      &reply, failure);
    if (result < 0)
        return result;
    char *upload_id = xml_element(reply.body, "UploadId");
    if (!upload_id || !*upload_id) {
        free(upload_id);
        return failure_set(failure, -EPROTO, "BadReply",
                           "S3 CreateMultipartUpload: no UploadId in the reply");
    }
    *ret_upload_id = upload_id;
    return 0;
}

static void add_upload_id(struct text *query, const char *upload_id)
{
    text_add(query, "uploadId=");
    text_add_encoded(query, upload_id, false);
}

int s3_upload_part(struct aws *aws, const struct s3_object *object, const char *upload_id,
                   int number, const void *bytes, size_t length, struct s3_part *ret,
                   struct failure *failure)
{
    AUTO_TEXT struct text query = { 0 };
    char part_number[16];
    snprintf(part_number, sizeof(part_number), "%d", number);
    text_addf(&query, "partNumber=%d&", number);
    add_upload_id(&query, upload_id);
    if (query.failed)
        return failure_set(failure, -ENOMEM, "OutOfMemory", "out of memory for UploadPart");
    const char *headers[] = { "Content-Type: application/octet-stream", NULL };
    const xray_aws_resource resources[] = { { "bucket_name", object->bucket },
                                            { "key", object->key },
                                            { "part_number", part_number },
                                            { NULL, NULL } };
    int result = call(aws, object,
                      xray_aws_request(.operation = "UploadPart", .method = "PUT",
                                       .query = query.data, .headers = headers, .body = bytes,
                                       .body_length = length, .resources = resources),
                      NULL, failure);
    if (result < 0)
        return result;
    const char *etag = aws_reply_header(aws, AWS_S3, "etag");
    if (!etag || !*etag || strlen(etag) >= sizeof(ret->etag))
        return failure_set(failure, -EPROTO, "BadReply", "S3 UploadPart %d: no usable ETag",
                           number);
    snprintf(ret->etag, sizeof(ret->etag), "%s", etag);
    return 0;
}

static void add_part(struct text *body, int number, const char *etag)
{
    text_addf(body, "<Part><PartNumber>%d</PartNumber><ETag>", number);
    for (; *etag; etag++) {
        if (*etag == '"')
            text_add(body, "&quot;");
        else if (*etag == '<' || *etag == '&')
            text_addf(body, "&#%d;", *etag);
        else
            text_add_bytes(body, etag, 1);
    }
    text_add(body, "</ETag></Part>");
}

int s3_complete_multipart_upload(struct aws *aws, const struct s3_object *object,
                                 const char *upload_id, const struct s3_part *parts, int count,
                                 struct failure *failure)
{
    AUTO_TEXT struct text query = { 0 };
    AUTO_TEXT struct text body = { 0 };
    add_upload_id(&query, upload_id);
    text_add(&body, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (int i = 0; i < count; i++)
        add_part(&body, i + 1, parts[i].etag);
    text_add(&body, "</CompleteMultipartUpload>");
    if (query.failed || body.failed)
        return failure_set(failure, -ENOMEM, "OutOfMemory",
                           "out of memory for CompleteMultipartUpload");
    const char *headers[] = { "Content-Type: application/xml", NULL };
    /* S3 may fail after it said 200: xray_aws_call() looks for that. */
    return call(aws, object,
                xray_aws_request(.operation = "CompleteMultipartUpload", .query = query.data,
                                 .headers = headers, .body = body.data, .body_length = body.length),
                NULL, failure);
}

int s3_abort_multipart_upload(struct aws *aws, const struct s3_object *object,
                              const char *upload_id, struct failure *failure)
{
    AUTO_TEXT struct text query = { 0 };
    add_upload_id(&query, upload_id);
    if (query.failed)
        return failure_set(failure, -ENOMEM, "OutOfMemory",
                           "out of memory for AbortMultipartUpload");
    return call(aws, object,
                xray_aws_request(.operation = "AbortMultipartUpload", .method = "DELETE",
                                 .query = query.data),
                NULL, failure);
}

int s3_find_upload(struct aws *aws, const char *bucket, const char *prefix, char **ret_key,
                   char **ret_upload_id, struct failure *failure)
{
    AUTO_TEXT struct text query = { 0 };
    const struct s3_object object = { bucket, "" };
    const xray_aws_resource resources[] = { { "bucket_name", bucket }, { NULL, NULL } };
    xray_aws_reply reply = { .body = "" };
    text_add(&query, "max-uploads=1&prefix=");
    text_add_encoded(&query, prefix, false);
    text_add(&query, "&uploads=");
    if (query.failed)
        return failure_set(failure, -ENOMEM, "OutOfMemory",
                           "out of memory for ListMultipartUploads");
    int result = call(aws, &object,
                      xray_aws_request(.operation = "ListMultipartUploads", .method = "GET",
                                       .query = query.data, .resources = resources),
                      &reply, failure);
    if (result < 0)
        return result;
    AUTO_FREE char *key = xml_element(reply.body, "Key");
    AUTO_FREE char *upload_id = xml_element(reply.body, "UploadId");
    *ret_key = *ret_upload_id = NULL;
    /* A service that knows no prefixes must not make us touch what is another file's. */
    if (key && upload_id && strncmp(key, prefix, strlen(prefix)) == 0) {
        *ret_key = key;
        *ret_upload_id = upload_id;
        key = upload_id = NULL;
    }
    return 0;
}

int s3_head_object(struct aws *aws, const struct s3_object *object, int64_t *ret_size,
                   struct failure *failure)
{
    int result = call(aws, object, xray_aws_request(.operation = "HeadObject", .method = "HEAD"),
                      NULL, failure);
    if (result < 0)
        return result;
    const char *length = aws_reply_header(aws, AWS_S3, "content-length");
    char *end = NULL;
    long long size = length ? strtoll(length, &end, 10) : -1;
    if (size < 0 || end == length)
        return failure_set(failure, -EPROTO, "BadReply", "S3 HeadObject: no Content-Length");
    *ret_size = size;
    return 0;
}

int s3_delete_object(struct aws *aws, const struct s3_object *object, struct failure *failure)
{
    return call(aws, object, xray_aws_request(.operation = "DeleteObject", .method = "DELETE"),
                NULL, failure);
}
