/* SPDX-License-Identifier: Apache-2.0 */
#include "local/http/server.h"

#include "local/http/gzip.h"
#include "local/http/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Its name in libmicrohttpd differs between versions. */
#define STATUS_TOO_LARGE 413u

#define CONNECTIONS_MAX      512u
#define IDLE_TIMEOUT_SECONDS 30u
/* Of a request's head: a long filter fits in a query. */
#define HEAD_BYTES ((size_t)64 * 1024)
/* A client that sends on after "too large" is cut off here. */
#define DISCARDED_BYTES_MAX (4 * HTTP_BODY_MAX)

struct connection_state {
    char *body;
    size_t length;
    size_t size;
    size_t received;
    bool gzip;
    bool too_large;
    bool no_memory;
};

static const char *header(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value ? value : "";
}

static enum MHD_Result send_error(struct http_server *server, struct MHD_Connection *connection,
                                  unsigned status, const char *type, const char *message)
{
    struct http_reply reply;
    struct http_request request = { .if_none_match = "" };
    http_reply_error(&reply, status, type, message);
    return http_send(server, connection, &request, &reply);
}

static enum MHD_Result send_too_large(struct http_server *server, struct MHD_Connection *connection)
{
    return send_error(server, connection, STATUS_TOO_LARGE, "InvalidRequestException",
                      "the request body is larger than 5 MiB");
}

/* The first call for a request, its body not yet there. */
static enum MHD_Result begin_request(struct http_server *server, struct MHD_Connection *connection,
                                     void **state)
{
    const char *reason = http_forbidden(server, connection);
    if (reason)
        return send_error(server, connection, MHD_HTTP_FORBIDDEN, "AccessDeniedException", reason);
    const char *encoding = header(connection, "Content-Encoding");
    bool gzip = strcasecmp(encoding, "gzip") == 0;
    if (*encoding && !gzip && strcasecmp(encoding, "identity") != 0)
        return send_error(server, connection, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                          "InvalidRequestException",
                          "of compressed request bodies only gzip is understood");
    if (strtoull(header(connection, "Content-Length"), NULL, 10) > HTTP_BODY_MAX)
        return send_too_large(server, connection);
    struct connection_state *begun = calloc(1, sizeof *begun);
    if (!begun)
        return MHD_NO;
    begun->gzip = gzip;
    *state = begun;
    return MHD_YES;
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

/* 0, -EFBIG or -EBADMSG. */
static int inflate_body(struct connection_state *state)
{
    char *plain = NULL;
    size_t length = 0;
    int r = gzip_inflate(state->body, state->length, HTTP_BODY_MAX, &plain, &length);
    if (r == -ENOMEM)
        state->no_memory = true;
    else if (r < 0)
        return r;
    free(state->body);
    state->body = plain;
    state->length = length;
    return 0;
}

static enum MHD_Result answer(struct http_server *server, struct MHD_Connection *connection,
                              struct connection_state *state, struct http_request *request)
{
    int r = state->gzip && state->body && !state->too_large ? inflate_body(state) : 0;
    if (state->too_large || r == -EFBIG)
        return send_too_large(server, connection);
    if (r < 0)
        return send_error(server, connection, MHD_HTTP_BAD_REQUEST, "SerializationException",
                          "the body is not the gzip that Content-Encoding says it is");
    struct http_reply reply = { 0 };
    request->body = state->body ? state->body : "";
    request->length = state->length;
    request->content_type = header(connection, "Content-Type");
    request->accept = header(connection, "Accept");
    request->if_none_match = header(connection, "If-None-Match");
    request->takes_gzip = http_takes_gzip(header(connection, "Accept-Encoding"));
    request->from_page = strcmp(header(connection, "Sec-Fetch-Site"), "same-origin") == 0;
    request->connection = connection;
    if (!state->no_memory)
        server->handler(server->data, request, &reply);
    return http_send(server, connection, request, &reply);
}

/* The parameters are the library's. */
/* NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_length, void **state_pointer)
{
    struct http_server *server = data;
    struct connection_state *state = *state_pointer;
    struct http_request request = { .method = method, .path = url };
    (void)version;
    if (!state)
        return begin_request(server, connection, state_pointer);
    if (*upload_length) {
        enum MHD_Result result = receive_body(state, upload, *upload_length);
        *upload_length = 0;
        return result;
    }
    return answer(server, connection, state, &request);
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
    int r = http_streams_start(server);
    if (r < 0) {
        free(server);
        return r;
    }
    server->daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0,
                                      NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET,
                                      listening_socket,                                    /* */
                                      MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,     /* */
                                      MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,        /* */
                                      MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_BYTES,      /* */
                                      MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_SECONDS, /* */
                                      MHD_OPTION_END);
    if (!server->daemon) {
        r = errno ? -errno : -EIO;
        http_streams_end(server);
        http_streams_free(server);
        free(server);
        return r;
    }
    *ret = server;
    return 0;
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    http_streams_end(server);
    MHD_stop_daemon(server->daemon);
    http_streams_free(server);
    free(server);
}

/* The library is not told that it could change what it points to. */
static struct MHD_Connection *connection_of(const struct http_request *request)
{
    union {
        const void *given;
        struct MHD_Connection *connection;
    } pointer = { .given = request->connection };
    return pointer.connection;
}

const char *http_query(const struct http_request *request, const char *name)
{
    const char *value = NULL;
    if (!request->connection)
        return NULL;
    if (MHD_lookup_connection_value_n(connection_of(request), MHD_GET_ARGUMENT_KIND, name,
                                      strlen(name), &value, NULL) != MHD_YES)
        return NULL;
    return value ? value : "";
}

struct queries {
    const char *name;
    const char **values;
    size_t max;
    size_t count;
};

static enum MHD_Result collect(void *data, enum MHD_ValueKind kind, const char *key,
                               const char *value)
{
    struct queries *queries = data;
    (void)kind;
    if (value && strcmp(key, queries->name) == 0 && queries->count < queries->max)
        queries->values[queries->count++] = value;
    return MHD_YES;
}

size_t http_queries(const struct http_request *request, const char *name, const char **ret,
                    size_t max)
{
    struct queries queries = { .name = name, .values = ret, .max = max };
    if (request->connection)
        MHD_get_connection_values(connection_of(request), MHD_GET_ARGUMENT_KIND, collect, &queries);
    return queries.count;
}

void http_peer(const struct http_request *request, char ret[HTTP_PEER_LENGTH + 1])
{
    const union MHD_ConnectionInfo *info =
        request->connection
            ? MHD_get_connection_info(connection_of(request), MHD_CONNECTION_INFO_CLIENT_ADDRESS)
            : NULL;
    *ret = '\0';
    if (!info)
        return;
    if (info->client_addr->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, info->client_addr, sizeof v4);
        inet_ntop(AF_INET, &v4.sin_addr, ret, HTTP_PEER_LENGTH + 1);
    } else if (info->client_addr->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, info->client_addr, sizeof v6);
        inet_ntop(AF_INET6, &v6.sin6_addr, ret, HTTP_PEER_LENGTH + 1);
    }
}
