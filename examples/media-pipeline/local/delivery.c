/* SPDX-License-Identifier: Apache-2.0 */
/* GET and HEAD of objects, each read from S3 in signed requests of a few MiB. */

#include "delivery.h"

#include <stdlib.h>
#include <string.h>

#include <xraytrace/aws.h>

#include "http_range.h"
#include "http_server.h"
#include "port.h"
#include "util.h"

/* A reply of the client has at most 16 MiB. */
#define BLOCK (4 << 20)

struct delivery {
    char *region;
    char *endpoint_url;
    char *bucket;
    struct http_server *server;
};

/* An object while it is sent. */
struct object {
    xray_aws_client *client;
    char *path;
    int64_t first; /* of the range that was asked for */
    int64_t length;
    xray_aws_reply block; /* the client's, from block_first */
    int64_t block_first;
};

static void free_object(void *data)
{
    struct object *object = data;

    xray_aws_client_free(object->client);
    free(object->path);
    free(object);
}

/* The key as a path: each part encoded, the slashes kept. */
static char *object_path(const char *bucket, const char *key)
{
    struct buffer path = { 0 };

    buffer_text(&path, "/");
    buffer_text(&path, bucket);
    while (*key == '/') {
        size_t length = strcspn(key + 1, "/");
        char *part = text_copy_length(key + 1, length);
        char *encoded = form_encode(part);
        buffer_text(&path, "/");
        buffer_text(&path, encoded);
        free(part);
        free(encoded);
        key += 1 + length;
    }
    return path.data;
}

static int read_block(struct object *object, int64_t first)
{
    int64_t last = first + BLOCK - 1;

    if (last > object->first + object->length - 1)
        last = object->first + object->length - 1;
    char *range = text_format("Range: bytes=%lld-%lld", (long long)first, (long long)last);
    const char *headers[] = { range, NULL };
    object->block = (xray_aws_reply){ .size = sizeof(object->block) };
    object->block_first = first;
    int error = xray_aws_call(object->client,
                              xray_aws_request(.operation = "GetObject", .method = "GET",
                                               .path = object->path, .headers = headers),
                              &object->block);
    free(range);
    if (error)
        log_error("content delivery: S3 answered %d to %s: %s %s", (int)object->block.status,
                  object->path, object->block.error_code, object->block.error_message);
    return error;
}

static ssize_t read_object(void *data, uint64_t position, char *buf, size_t size)
{
    struct object *object = data;
    int64_t at = object->first + (int64_t)position;

    if (at >= object->block_first + (int64_t)object->block.body_length &&
        read_block(object, at) != 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t offset = (size_t)(at - object->block_first);
    if (offset >= object->block.body_length)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (size > object->block.body_length - offset)
        size = object->block.body_length - offset;
    memcpy(buf, object->block.body + offset, size);
    return (ssize_t)size;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* Asks S3 for the object's size and type; fills in the headers of the reply. */
static int64_t object_size(struct object *object, struct http_reply *reply)
{
    xray_aws_reply head = { .size = sizeof(head) };

    int error = xray_aws_call(
        object->client,
        xray_aws_request(.operation = "HeadObject", .method = "HEAD", .path = object->path), &head);
    if (error) {
        int status = head.status == 403 || head.status == 404 ? 404 : 502;
        http_reply_text(reply, status, "text/plain",
                        status == 404 ? "no such object\n" : "S3 does not answer\n");
        return -1;
    }
    http_reply_header(reply, "Content-Type",
                      or_empty(xray_aws_reply_header(object->client, "content-type")));
    http_reply_header(reply, "ETag", or_empty(xray_aws_reply_header(object->client, "etag")));
    return strtoll(or_empty(xray_aws_reply_header(object->client, "content-length")), NULL, 10);
}

static void handle(void *data, const struct http_request *request, struct http_reply *reply)
{
    struct delivery *delivery = data;
    struct object *object = memory_new(sizeof(*object));

    object->path = object_path(delivery->bucket, request->path);
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
        http_reply_text(reply, 405, "text/plain", "only GET and HEAD\n");
    } else if (xray_aws_client_new(
                   &object->client, "s3",
                   xray_aws_client_params(.region = delivery->region,
                                          .endpoint_url = delivery->endpoint_url)) != 0) {
        http_reply_text(reply, 500, "text/plain", "cannot make a client for S3\n");
    } else {
        int64_t size = object_size(object, reply);
        if (size >= 0) {
            struct http_range range = http_range_of(request, size);
            if (http_range_answer(&range, size, reply)) {
                object->first = object->block_first = range.first;
                object->length = range.length;
                reply->response = MHD_create_response_from_callback(
                    (uint64_t)range.length, 64 << 10, read_object, object, free_object);
                if (reply->response)
                    return;
            }
        }
    }
    free_object(object);
}

int delivery_start(struct delivery **ret, const struct delivery_params *params)
{
    struct delivery *delivery = memory_new(sizeof(*delivery));

    delivery->region = text_copy(params->region);
    delivery->endpoint_url = text_copy(params->endpoint_url);
    delivery->bucket = text_copy(params->bucket);
    int error = http_server_start(
        &delivery->server,
        &(struct http_server_params){ .port = port_choose(params->port, "the content delivery"),
                                      .body_limit = 64 << 10,
                                      .handle = handle,
                                      .data = delivery });
    if (error) {
        log_error("the content delivery cannot listen: %s", strerror(-error));
        delivery_free(delivery);
        return error;
    }
    *ret = delivery;
    return 0;
}

uint16_t delivery_port(const struct delivery *delivery)
{
    return http_server_port(delivery->server);
}

void delivery_free(struct delivery *delivery)
{
    if (!delivery)
        return;
    http_server_free(delivery->server);
    free(delivery->region);
    free(delivery->endpoint_url);
    free(delivery->bucket);
    free(delivery);
}
