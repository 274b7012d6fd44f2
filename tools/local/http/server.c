/* SPDX-License-Identifier: Apache-2.0 */
#include "local/http/server.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

/* Its name in libmicrohttpd differs between versions. */
#define STATUS_TOO_LARGE 413u

#define CONNECTIONS_MAX      512u
#define IDLE_TIMEOUT_SECONDS 30u
/* A client that sends on after "too large" is cut off here. */
#define DISCARDED_BYTES_MAX (4 * HTTP_BODY_MAX)

struct http_server {
    struct MHD_Daemon *daemon;
    http_handler *handler;
    void *data;
    char address[64];
    bool any_address; /* bound to all: any numeric address may be its name */
};

struct connection_state {
    char *body;
    size_t length;
    size_t size;
    size_t received;
    bool too_large;
    bool no_memory;
};

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

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct http_reply *reply)
{
    static char no_memory[] = "{\"Message\":\"out of memory\"}";
    struct MHD_Response *response;
    if (reply->body) {
        response = MHD_create_response_from_buffer(reply->length, reply->body,
                                                   MHD_RESPMEM_MUST_FREE);
        if (!response)
            free(reply->body);
    } else {
        reply->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        reply->error_type = "InternalFailure";
        response = MHD_create_response_from_buffer(sizeof no_memory - 1, no_memory,
                                                   MHD_RESPMEM_PERSISTENT);
    }
    if (!response)
        return MHD_NO;

    unsigned char random[16] = { 0 };
    char id[40];
    if (getrandom(random, sizeof random, 0) < 0)
        memset(random, 0, sizeof random);
    snprintf(id, sizeof id, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             random[0], random[1], random[2], random[3], random[4], random[5],
             (random[6] & 0x0f) | 0x40, random[7], (random[8] & 0x3f) | 0x80, random[9], random[10],
             random[11], random[12], random[13], random[14], random[15]);
    MHD_add_response_header(response, "x-amzn-RequestId", id);
    MHD_add_response_header(response, "Content-Type",
                            reply->content_type ? reply->content_type : "application/json");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (reply->error_type)
        MHD_add_response_header(response, "x-amzn-ErrorType", reply->error_type);
    if (reply->allow)
        MHD_add_response_header(response, "Allow", reply->allow);
    enum MHD_Result queued = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result send_error(struct MHD_Connection *connection, unsigned status,
                                  const char *type, const char *message)
{
    struct http_reply reply;
    http_reply_error(&reply, status, type, message);
    return send_reply(connection, &reply);
}

/* The host of "host:port", without the port and the brackets of IPv6. */
static bool split_host(const char *text, char *ret, size_t size)
{
    size_t length = strcspn(text, ":");
    if (*text == '[') {
        text++;
        length = strcspn(text, "]");
        if (text[length] != ']')
            return false;
    }
    if (length == 0 || length >= size)
        return false;
    memcpy(ret, text, length);
    ret[length] = '\0';
    return true;
}

static bool is_numeric(const char *host)
{
    return strspn(host, "0123456789.") == strlen(host) || strchr(host, ':');
}

/* A web page can make its own name lead to this machine; it can't make the browser
   call that name localhost. */
static bool is_our_name(const struct http_server *server, const char *text)
{
    char host[64];
    if (!split_host(text, host, sizeof host))
        return false;
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
           strcmp(host, "::1") == 0 || strcmp(host, server->address) == 0 ||
           (server->any_address && is_numeric(host));
}

/* NULL, or why the request is not answered. */
static const char *forbidden(const struct http_server *server, struct MHD_Connection *connection)
{
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    const char *origin = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Origin");
    const char *site = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Sec-Fetch-Site");
    if (!host || !is_our_name(server, host))
        return "the Host header must be localhost or the address that xraytrace-local is bound to";
    if (origin) {
        const char *name = strstr(origin, "://");
        if (!name || !is_our_name(server, name + 3))
            return "requests from web pages of another site are refused";
    }
    if (site && strcmp(site, "cross-site") == 0)
        return "requests from web pages of another site are refused";
    return NULL;
}

/* The first call for a request, its body not yet there. */
static enum MHD_Result begin_request(const struct http_server *server,
                                     struct MHD_Connection *connection, void **state)
{
    const char *reason = forbidden(server, connection);
    if (reason)
        return send_error(connection, MHD_HTTP_FORBIDDEN, "AccessDeniedException", reason);
    const char *encoding = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                       "Content-Encoding");
    if (encoding && strcasecmp(encoding, "identity") != 0)
        return send_error(connection, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "InvalidRequestException",
                          "compressed request bodies are not understood");
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    if (length && strtoull(length, NULL, 10) > HTTP_BODY_MAX)
        return send_error(connection, STATUS_TOO_LARGE, "InvalidRequestException",
                          "the request body is larger than 5 MiB");
    *state = calloc(1, sizeof(struct connection_state));
    return *state ? MHD_YES : MHD_NO;
}

static enum MHD_Result receive_body(struct connection_state *state, const char *data, size_t length)
{
    state->received += length;
    if (state->received > DISCARDED_BYTES_MAX)
        return MHD_NO;
    if (state->received > HTTP_BODY_MAX) {
        state->too_large = true;
        return MHD_YES;
    }
    if (state->length + length >= state->size) {
        size_t size = (state->length + length + 1) * 2;
        char *body = realloc(state->body, size);
        if (!body) {
            state->no_memory = true;
            return MHD_YES;
        }
        state->body = body;
        state->size = size;
    }
    memcpy(state->body + state->length, data, length);
    state->length += length;
    state->body[state->length] = '\0';
    return MHD_YES;
}

/* The parameters are the library's. */
/* NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_length, void **state_pointer)
{
    struct http_server *server = data;
    struct connection_state *state = *state_pointer;
    (void)version;
    if (!state)
        return begin_request(server, connection, state_pointer);
    if (*upload_length) {
        enum MHD_Result result = receive_body(state, upload, *upload_length);
        *upload_length = 0;
        return result;
    }
    if (state->too_large)
        return send_error(connection, STATUS_TOO_LARGE, "InvalidRequestException",
                          "the request body is larger than 5 MiB");
    struct http_reply reply = { 0 };
    if (!state->no_memory) {
        struct http_request request = {
            .method = method,
            .path = url,
            .body = state->body ? state->body : "",
            .length = state->length,
            .content_type = "",
            .accept = "",
            .if_none_match = "",
            .connection = connection,
        };
        server->handler(server->data, &request, &reply);
    }
    return send_reply(connection, &reply);
}

static void on_completed(void *data, struct MHD_Connection *connection, void **state_pointer,
                         enum MHD_RequestTerminationCode code)
{
    struct connection_state *state = *state_pointer;
    (void)data;
    (void)connection;
    (void)code;
    if (state)
        free(state->body);
    free(state);
    *state_pointer = NULL;
}

int http_server_new(struct http_server **ret, int listening_socket, const char *address,
                    http_handler *handler, void *data)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (!server)
        return -ENOMEM;
    server->handler = handler;
    server->data = data;
    snprintf(server->address, sizeof server->address, "%s", address);
    server->any_address = strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
    server->daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, on_request,
                                      server, MHD_OPTION_LISTEN_SOCKET, listening_socket,  /* */
                                      MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,     /* */
                                      MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,        /* */
                                      MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_SECONDS, /* */
                                      MHD_OPTION_END);
    if (!server->daemon) {
        free(server);
        return errno ? -errno : -EIO;
    }
    *ret = server;
    return 0;
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    MHD_stop_daemon(server->daemon);
    free(server);
}
