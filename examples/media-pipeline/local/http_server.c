/* SPDX-License-Identifier: Apache-2.0 */
/* libmicrohttpd behind the one handler which the parts of media-local have. */

#include "http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define CONNECTION_LIMIT 512
/* Runtimes send error causes of up to 64 KiB in a header. */
#define HEADER_LIMIT (160u << 10)

struct http_header {
    struct http_header *next;
    char *name;
    char *value;
};

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_server_params params;
    uint16_t port;
};

/* A request while it is read. */
struct exchange {
    char *query;
    struct buffer body;
    bool begun;
    bool too_large;
};

static void free_headers(struct http_header *header)
{
    while (header) {
        struct http_header *next = header->next;
        free(header->name);
        free(header->value);
        free(header);
        header = next;
    }
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

void http_reply_header(struct http_reply *reply, const char *name, const char *value)
{
    if (!name || !value || !*name || strpbrk(name, "\r\n: ") || strpbrk(value, "\r\n"))
        return;

    struct http_header *header = memory_new(sizeof(*header));
    header->name = text_copy(name);
    header->value = text_copy(value);
    struct http_header **link = &reply->headers;
    while (*link)
        link = &(*link)->next;
    *link = header;
}

void http_reply_text(struct http_reply *reply, int status, const char *content_type,
                     const char *text)
{
    reply->status = status;
    free(reply->body);
    reply->body = text_copy(text);
    reply->body_length = strlen(text);
    http_reply_header(reply, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
}

void http_reply_clear(struct http_reply *reply)
{
    free_headers(reply->headers);
    free(reply->body);
    *reply = (struct http_reply){ 0 };
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct http_reply *reply)
{
    struct MHD_Response *response = reply->response;
    enum MHD_Result result = MHD_NO;

    if (response)
        free(reply->body);
    else
        response = MHD_create_response_from_buffer(
            reply->body_length, reply->body ? reply->body : (char *)"",
            reply->body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (response && reply->status) {
        for (struct http_header *header = reply->headers; header; header = header->next)
            MHD_add_response_header(response, header->name, header->value);
        result = MHD_queue_response(connection, (unsigned)reply->status, response);
    }
    if (response)
        MHD_destroy_response(response);
    free_headers(reply->headers);
    return result;
}

/* The raw URI comes first of all, and what it returns is the request's context. */
static void *on_uri(void *data, const char *uri, struct MHD_Connection *connection)
{
    struct exchange *exchange = memory_new(sizeof(*exchange));
    const char *query = strchr(uri, '?');

    (void)data;
    (void)connection;
    exchange->query = text_copy(query ? query + 1 : "");
    return exchange;
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *context;

    (void)data;
    (void)connection;
    (void)code;
    if (exchange) {
        free(exchange->query);
        buffer_free(&exchange->body);
        free(exchange);
        *context = NULL;
    }
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **context)
{
    struct http_server *server = data;
    struct exchange *exchange = *context;
    struct http_reply reply = { 0 };

    (void)version;
    if (!exchange->begun) {
        exchange->begun = true;
        return MHD_YES;
    }
    if (*upload_size) {
        /* What is too large is read to its end: else the client may not see the answer. */
        if (*upload_size > server->params.body_limit - exchange->body.length)
            exchange->too_large = true;
        else
            buffer_append(&exchange->body, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    if (exchange->too_large && !server->params.refuse) {
        http_reply_text(&reply, 413, "application/json", "{\"message\":\"Request Too Long\"}");
        return send_reply(connection, &reply);
    }

    struct http_request request = {
        .method = method,
        .path = url,
        .query = exchange->query,
        .body = exchange->body.data ? exchange->body.data : "",
        .body_length = exchange->body.length,
        .connection = connection,
    };
    (exchange->too_large ? server->params.refuse : server->params.handle)(server->params.data,
                                                                          &request, &reply);
    return send_reply(connection, &reply);
}

int http_server_start(struct http_server **ret, const struct http_server_params *params)
{
    struct http_server *server = memory_new(sizeof(*server));
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(params->port) };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->params = *params;
    errno = 0;
    server->daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
            MHD_USE_ITC,
        params->port, NULL, NULL, on_request, server, MHD_OPTION_SOCK_ADDR,
        (struct sockaddr *)&address, MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTION_LIMIT, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_LIMIT, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)512 * 1024, MHD_OPTION_END);
    if (!server->daemon) {
        int error = errno ? -errno : -EIO;
        free(server);
        return error;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon,
                                                           MHD_DAEMON_INFO_BIND_PORT);
    server->port = info ? info->port : params->port;
    *ret = server;
    return 0;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    MHD_stop_daemon(server->daemon);
    free(server);
}
