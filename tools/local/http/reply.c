/* SPDX-License-Identifier: Apache-2.0 */
/* A reply as it leaves: its headers, and what becomes of its body. */
#include "local/http/gzip.h"
#include "local/http/internal.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* The page runs its own files, talks to this server, and is in nobody's frame. */
#define PAGE_POLICY                                                                   \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " \
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* Of replies that are inflated for a client without gzip. */
#define PLAIN_MAX ((size_t)64 * 1024 * 1024)

void http_reply_error(struct http_reply *reply, unsigned status, const char *error_type,
                      const char *message)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "Message", message);
    *reply = (struct http_reply){ .status = status, .error_type = error_type };
    reply->body = cJSON_PrintUnformatted(body);
    reply->length = reply->body ? strlen(reply->body) : 0;
    cJSON_Delete(body);
}

static void drop_body(struct http_reply *reply)
{
    if (!reply->constant)
        free(reply->body);
    reply->body = NULL;
    reply->length = 0;
}

/* Bodies come compressed where they are kept so. */
static void inflate_for(const struct http_request *request, struct http_reply *reply)
{
    char *plain = NULL;
    size_t length = 0;
    if (!reply->content_encoding || !reply->body || request->takes_gzip)
        return;
    gzip_inflate(reply->body, reply->length, PLAIN_MAX, &plain, &length);
    drop_body(reply);
    reply->constant = false;
    reply->content_encoding = NULL;
    reply->body = plain;
    reply->length = length;
}

static struct MHD_Response *body_response(struct http_reply *reply)
{
    static char no_memory[] = "{\"Message\":\"out of memory\"}";
    struct MHD_Response *response;
    if (!reply->body) {
        *reply = (struct http_reply){ .status = MHD_HTTP_INTERNAL_SERVER_ERROR,
                                      .error_type = "InternalFailure" };
        return MHD_create_response_from_buffer(sizeof no_memory - 1, no_memory,
                                               MHD_RESPMEM_PERSISTENT);
    }
    response = MHD_create_response_from_buffer(reply->length, reply->body,
                                               reply->constant ? MHD_RESPMEM_PERSISTENT
                                                               : MHD_RESPMEM_MUST_FREE);
    if (!response)
        drop_body(reply);
    return response;
}

static struct MHD_Response *stream_response(struct http_server *server,
                                            struct MHD_Connection *connection,
                                            struct http_reply *reply)
{
    struct MHD_Response *response = http_stream_response(server, connection, &reply->stream);
    if (response)
        return response;
    http_reply_error(reply, MHD_HTTP_SERVICE_UNAVAILABLE, "ThrottledException",
                     "too many streams are open; close a page");
    return body_response(reply);
}

static void add(struct MHD_Response *response, const char *name, const char *value)
{
    if (value)
        MHD_add_response_header(response, name, value);
}

static void add_request_id(struct MHD_Response *response)
{
    unsigned char random[16] = { 0 };
    char id[40];
    if (getrandom(random, sizeof random, 0) < 0)
        memset(random, 0, sizeof random);
    snprintf(id, sizeof id, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             random[0], random[1], random[2], random[3], random[4], random[5],
             (random[6] & 0x0f) | 0x40, random[7], (random[8] & 0x3f) | 0x80, random[9], random[10],
             random[11], random[12], random[13], random[14], random[15]);
    add(response, "x-amzn-RequestId", id);
}

static void add_headers(struct MHD_Response *response, const struct http_reply *reply)
{
    add_request_id(response);
    add(response, "Content-Type", reply->content_type ? reply->content_type : "application/json");
    add(response, "X-Content-Type-Options", "nosniff");
    add(response, "Referrer-Policy", "no-referrer");
    /* Asked again each time, which a tag makes cheap. */
    add(response, "Cache-Control", reply->etag ? "no-cache" : "no-store");
    add(response, "ETag", reply->etag);
    add(response, "Content-Encoding", reply->content_encoding);
    if (reply->page) {
        add(response, "Content-Security-Policy", PAGE_POLICY);
        add(response, "Vary", "Accept, Accept-Encoding");
    }
    add(response, "x-amzn-ErrorType", reply->error_type);
    add(response, "Allow", reply->allow);
    add(response, "Content-Disposition", reply->disposition);
}

enum MHD_Result http_send(struct http_server *server, struct MHD_Connection *connection,
                          const struct http_request *request, struct http_reply *reply)
{
    struct MHD_Response *response;
    if (reply->etag && reply->body && http_etag_matches(request->if_none_match, reply->etag)) {
        static char nothing[] = "";
        drop_body(reply);
        reply->status = MHD_HTTP_NOT_MODIFIED;
        reply->body = nothing;
        reply->constant = true;
        reply->content_encoding = NULL;
    } else {
        inflate_for(request, reply);
    }
    response = reply->stream.read ? stream_response(server, connection, reply)
                                  : body_response(reply);
    if (!response)
        return MHD_NO;
    add_headers(response, reply);
    enum MHD_Result queued = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    if (queued == MHD_YES && reply->delay_ms)
        http_delay(server, connection, reply->delay_ms);
    return queued;
}
