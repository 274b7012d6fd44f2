/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections of a function to AWS, a thread each. Only the requests are looked
 * at: an answer is what comes back until the function asks for more.
 */

#include "relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_LIMIT (64u << 10)
#define BODY_LIMIT (1u << 20) /* of a body that has to be read to know the call */
#define CHUNK_SIZE (64u << 10)
#define STACK_SIZE ((size_t)256 << 10)
#define BACKLOG    64

struct connection {
    struct connection *next;
    struct relay *relay;
    int client;
    int upstream; /* -1: not connected */
    uint16_t upstream_port;
    struct buffer request; /* the head, and what came with it */
    size_t head_length;
    uint64_t body_left; /* bytes of the request that did not come yet */
    struct aws_call call;
    struct fault fault;
    bool is_answered; /* the answer has begun */
    char chunk[CHUNK_SIZE];
};

struct relay {
    struct relay_params params;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* on CLOCK_MONOTONIC */
    struct connection *connections;
    bool stopping;
    int listener;
    uint16_t port;
    bool accepts;
    pthread_t acceptor;
};

/* ---- Bytes -------------------------------------------------------------------------- */

static bool send_all(int socket, const char *bytes, size_t length)
{
    while (length) {
        ssize_t sent = send(socket, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* Bytes that came, at most length; 0 at the end of the connection. */
static size_t receive(int socket, char *bytes, size_t length)
{
    ssize_t received;

    do
        received = recv(socket, bytes, length, 0);
    while (received < 0 && errno == EINTR);
    return received > 0 ? (size_t)received : 0;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        close(fd);
        return -1;
    }
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

/* ---- Requests ------------------------------------------------------------------------- */

static bool receive_more(struct connection *connection)
{
    size_t length = receive(connection->client, connection->chunk, sizeof(connection->chunk));

    buffer_append(&connection->request, connection->chunk, length);
    return length;
}

/* False at the end of the connection, and for what is no request. */
static bool receive_head(struct connection *connection)
{
    struct buffer *request = &connection->request;
    const char *end = NULL;

    while (!(end = request->length ? strstr(request->data, "\r\n\r\n") : NULL))
        if (request->length > HEAD_LIMIT || !receive_more(connection))
            return false;
    connection->head_length = (size_t)(end - request->data) + 4;
    return true;
}

/* How long the body is. False when that cannot be told: the clients here always say. */
static bool read_body_length(struct connection *connection, uint64_t *ret)
{
    size_t length;
    const char *value;
    char *end;

    *ret = 0;
    if (head_value(connection->request.data, "Transfer-Encoding", &length))
        return false;
    value = head_value(connection->request.data, "Content-Length", &length);
    if (!value)
        return true;
    errno = 0;
    *ret = strtoull(value, &end, 10);
    return !errno && end == value + length && length;
}

/* The head as a text of its own, so that nothing is looked for in the body. */
static void recognize(struct connection *connection)
{
    struct buffer *request = &connection->request;
    char *head = text_copy_length(request->data, connection->head_length);

    if (aws_call_needs_body(head))
        while (connection->body_left && request->length < BODY_LIMIT) {
            size_t before = request->length;
            if (!receive_more(connection))
                break;
            size_t came = request->length - before;
            connection->body_left -= came < connection->body_left ? came : connection->body_left;
        }
    connection->call = aws_call_of(head, request->data + connection->head_length);
    free(head);
}

static bool is_for_control(const struct aws_call *call)
{
    return call->service &&
           (strcmp(call->service, "SNS") == 0 || strcmp(call->service, "Lambda") == 0);
}

static bool connect_upstream(struct connection *connection)
{
    struct relay *relay = connection->relay;
    const struct relay_params *params = &relay->params;
    uint16_t port = is_for_control(&connection->call) ? params->control_port : params->moto_port;

    if (connection->upstream >= 0 && connection->upstream_port == port)
        return true;
    int fd = connect_to(port);
    pthread_mutex_lock(&relay->lock);
    int before = connection->upstream;
    connection->upstream = fd;
    connection->upstream_port = port;
    bool is_good = fd >= 0 && !relay->stopping;
    pthread_mutex_unlock(&relay->lock);
    if (before >= 0)
        close(before);
    return is_good;
}

/* Takes a request as far as it has come, and passes it on. False when the connection ends. */
static bool begin_request(struct connection *connection)
{
    static const char refusal[] = "HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\n"
                                  "Connection: close\r\n\r\n";
    const struct relay_params *params = &connection->relay->params;
    struct buffer *request = &connection->request;
    uint64_t body_length;

    if (!receive_head(connection))
        return false;
    if (!read_body_length(connection, &body_length)) {
        send_all(connection->client, refusal, strlen(refusal));
        return false;
    }
    size_t came = request->length - connection->head_length;
    connection->body_left = came < body_length ? body_length - came : 0;
    recognize(connection);
    connection->fault = connection->call.operation ? params->plan(params->data, &connection->call)
                                                   : (struct fault){ 0 };
    if (connection->fault.kill_before) {
        params->kill(params->data, &connection->call, false);
        return false;
    }
    connection->is_answered = false;
    return connect_upstream(connection) &&
           send_all(connection->upstream, request->data, request->length);
}

/* ---- Answers -------------------------------------------------------------------------- */

/* False when it ends before. */
static bool hold_back(struct relay *relay, int64_t delay_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += delay_ms / 1000;
    until.tv_nsec += delay_ms % 1000 * (long)NS_PER_MS;
    if (until.tv_nsec >= NS_PER_SECOND) {
        until.tv_sec++;
        until.tv_nsec -= NS_PER_SECOND;
    }
    pthread_mutex_lock(&relay->lock);
    int error = 0;
    while (!relay->stopping && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&relay->changed, &relay->lock, &until);
    bool goes_on = !relay->stopping;
    pthread_mutex_unlock(&relay->lock);
    return goes_on;
}

/* "100 Continue" comes before the answer, perhaps in one piece with it. */
static bool is_answer(const char *bytes, size_t length)
{
    static const char interim[] = "HTTP/1.1 1";

    if (length < strlen(interim) || strncmp(bytes, interim, strlen(interim)) != 0)
        return true;
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    return end && end + 4 < bytes + length;
}

/* Passes on what the service said; false when the connection ends. */
static bool pass_back(struct connection *connection)
{
    const struct relay_params *params = &connection->relay->params;
    size_t length = receive(connection->upstream, connection->chunk, sizeof(connection->chunk));

    if (!length)
        return false;
    if (!connection->is_answered && !connection->body_left &&
        is_answer(connection->chunk, length)) {
        connection->is_answered = true;
        if (connection->fault.kill_after) {
            params->kill(params->data, &connection->call, true);
            return false;
        }
        if (connection->fault.delay_ms && !hold_back(connection->relay, connection->fault.delay_ms))
            return false;
    }
    return send_all(connection->client, connection->chunk, length);
}

/* Passes on more of the body; false when the connection ends. */
static bool pass_body(struct connection *connection)
{
    uint64_t most = connection->body_left < CHUNK_SIZE ? connection->body_left : CHUNK_SIZE;
    size_t length = receive(connection->client, connection->chunk, (size_t)most);

    connection->body_left -= length;
    return length && send_all(connection->upstream, connection->chunk, length);
}

/* Until there is another request, or false when the connection ends. */
static bool pass_on(struct connection *connection)
{
    struct pollfd sockets[] = { { .fd = connection->upstream, .events = POLLIN },
                                { .fd = connection->client, .events = POLLIN } };

    for (;;) {
        if (poll(sockets, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            return false;
        }
        if (sockets[0].revents && !pass_back(connection))
            return false;
        if (sockets[1].revents) {
            if (!connection->body_left)
                return true;
            if (!pass_body(connection))
                return false;
        }
    }
}

/* ---- Connections ----------------------------------------------------------------------- */

static void free_connection(struct connection *connection)
{
    struct relay *relay = connection->relay;

    pthread_mutex_lock(&relay->lock);
    for (struct connection **link = &relay->connections; *link; link = &(*link)->next) {
        if (*link == connection) {
            *link = connection->next;
            break;
        }
    }
    close(connection->client);
    if (connection->upstream >= 0)
        close(connection->upstream);
    pthread_cond_broadcast(&relay->changed);
    pthread_mutex_unlock(&relay->lock);
    buffer_free(&connection->request);
    free(connection);
}

static void *serve(void *data)
{
    struct connection *connection = data;

    while (begin_request(connection) && pass_on(connection)) {
        buffer_free(&connection->request);
        connection->request = (struct buffer){ 0 };
    }
    free_connection(connection);
    return NULL;
}

static void take_connection(struct relay *relay, int client)
{
    struct connection *connection = memory_new(sizeof(*connection));
    pthread_attr_t attributes;
    pthread_t thread;
    int one = 1;

    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    connection->relay = relay;
    connection->client = client;
    connection->upstream = -1;
    pthread_mutex_lock(&relay->lock);
    connection->next = relay->connections;
    relay->connections = connection;
    pthread_mutex_unlock(&relay->lock);

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    if (pthread_create(&thread, &attributes, serve, connection) != 0)
        free_connection(connection);
    pthread_attr_destroy(&attributes);
}

static bool is_stopping(struct relay *relay)
{
    pthread_mutex_lock(&relay->lock);
    bool stopping = relay->stopping;
    pthread_mutex_unlock(&relay->lock);
    return stopping;
}

static void *accept_connections(void *data)
{
    struct relay *relay = data;

    while (!is_stopping(relay)) {
        int client = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0)
            take_connection(relay, client);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            nanosleep(&(struct timespec){ .tv_nsec = 50 * NS_PER_MS }, NULL);
        else if (errno != EINTR && errno != ECONNABORTED)
            break;
    }
    return NULL;
}

/* ---- Set up --------------------------------------------------------------------------- */

static int listen_anywhere(struct relay *relay)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof(address);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (relay->listener < 0 ||
        bind(relay->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(relay->listener, BACKLOG) < 0 ||
        getsockname(relay->listener, (struct sockaddr *)&address, &length) < 0)
        return -errno;
    relay->port = ntohs(address.sin_port);
    return 0;
}

int relay_start(struct relay **ret, const struct relay_params *params)
{
    struct relay *relay = memory_new(sizeof(*relay));
    pthread_condattr_t monotonic;

    relay->params = *params;
    pthread_mutex_init(&relay->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&relay->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int error = listen_anywhere(relay);
    if (!error)
        error = -pthread_create(&relay->acceptor, NULL, accept_connections, relay);
    if (error) {
        relay_free(relay);
        return error;
    }
    relay->accepts = true;
    *ret = relay;
    return 0;
}

uint16_t relay_port(const struct relay *relay)
{
    return relay->port;
}

void relay_free(struct relay *relay)
{
    if (!relay)
        return;
    pthread_mutex_lock(&relay->lock);
    relay->stopping = true;
    pthread_cond_broadcast(&relay->changed);
    pthread_mutex_unlock(&relay->lock);
    if (relay->listener >= 0)
        shutdown(relay->listener, SHUT_RDWR);
    if (relay->accepts)
        pthread_join(relay->acceptor, NULL);

    pthread_mutex_lock(&relay->lock);
    for (struct connection *connection = relay->connections; connection;
         connection = connection->next) {
        shutdown(connection->client, SHUT_RDWR);
        if (connection->upstream >= 0)
            shutdown(connection->upstream, SHUT_RDWR);
    }
    while (relay->connections)
        pthread_cond_wait(&relay->changed, &relay->lock);
    pthread_mutex_unlock(&relay->lock);
    if (relay->listener >= 0)
        close(relay->listener);
    pthread_cond_destroy(&relay->changed);
    pthread_mutex_destroy(&relay->lock);
    free(relay);
}
