/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP/1.1 server for tests, with one thread for all its connections. */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 16, REQUESTS = 64, REQUEST_LIMIT = 32 * 1024 * 1024 };

struct connection {
    int fd;
    char *text;
    size_t length;
};

struct peer {
    pthread_t thread;
    pthread_mutex_t lock; /* of what the test reads */
    int listener;
    int stop[2];
    char url[64];
    const struct peer_reply *replies;
    size_t reply_count;
    struct connection connections[CONNECTIONS];
    char *requests[REQUESTS];
    size_t request_count;
    size_t connection_count;
};

static void die(const char *what)
{
    perror(what);
    abort();
}

/* ---- Connections ---------------------------------------------------------------------------- */

static void drop(struct connection *connection)
{
    close(connection->fd);
    free(connection->text);
    *connection = (struct connection){ .fd = -1 };
}

static void accept_one(struct peer *peer)
{
    int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    pthread_mutex_lock(&peer->lock);
    peer->connection_count++;
    pthread_mutex_unlock(&peer->lock);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        if (peer->connections[i].fd < 0) {
            peer->connections[i].fd = fd;
            return;
        }
    }
    close(fd);
}

static void send_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        data += sent;
        length -= (size_t)sent;
    }
}

static void send_padding(int fd, size_t length)
{
    char block[65536];

    memset(block, 'x', sizeof(block));
    for (; length > 0; length -= length < sizeof(block) ? length : sizeof(block))
        send_all(fd, block, length < sizeof(block) ? length : sizeof(block));
}

static void answer(struct connection *connection, const struct peer_reply *reply, bool bodiless)
{
    char head[256];
    const char *body = reply->body ? reply->body : "";
    int status = reply->status ? reply->status : 200;

    if (reply->silent)
        return;
    if (reply->hang_up) {
        drop(connection);
        return;
    }
    snprintf(head, sizeof(head), "HTTP/1.1 %d Status\r\n", status);
    send_all(connection->fd, head, strlen(head));
    if (!reply->no_length) {
        snprintf(head, sizeof(head), "Content-Length: %zu\r\n", strlen(body) + reply->padding);
        send_all(connection->fd, head, strlen(head));
    }
    if (reply->headers)
        send_all(connection->fd, reply->headers, strlen(reply->headers));
    send_all(connection->fd, "\r\n", 2);
    if (!bodiless) {
        send_all(connection->fd, body, strlen(body));
        send_padding(connection->fd, reply->padding);
    }
    if (reply->no_length)
        drop(connection);
}

/* ---- Requests -------------------------------------------------------------------------------- */

/* The length of a whole request at the start of text, or 0 while some of it is missing. */
static size_t request_length(const char *text, size_t length)
{
    const char *end = memmem(text, length, "\r\n\r\n", 4);
    const char *at = end ? strcasestr(text, "\r\nContent-Length:") : NULL;
    size_t whole;

    if (!end)
        return 0;
    whole = (size_t)(end - text) + 4;
    if (at && at < end)
        whole += strtoul(at + strlen("\r\nContent-Length:"), NULL, 10);
    return whole <= length ? whole : 0;
}

static void serve(struct peer *peer, struct connection *connection)
{
    size_t whole = request_length(connection->text, connection->length);
    struct peer_reply reply; /* of its own: the test may be over as soon as it has all of it */
    char *request;

    if (whole == 0)
        return;
    request = strndup(connection->text, whole);
    if (!request)
        die("strndup");
    connection->length -= whole;
    memmove(connection->text, connection->text + whole, connection->length + 1);
    pthread_mutex_lock(&peer->lock);
    reply = peer->replies[peer->request_count < peer->reply_count ? peer->request_count
                                                                  : peer->reply_count - 1];
    if (peer->request_count < REQUESTS)
        peer->requests[peer->request_count++] = request;
    else
        die("too many requests for this peer");
    pthread_mutex_unlock(&peer->lock);
    answer(connection, &reply, strncmp(request, "HEAD ", 5) == 0);
}

static void receive(struct peer *peer, struct connection *connection)
{
    char block[65536];
    ssize_t received = recv(connection->fd, block, sizeof(block), 0);
    char *longer;

    if (received <= 0 || connection->length + (size_t)received > REQUEST_LIMIT) {
        drop(connection);
        return;
    }
    longer = realloc(connection->text, connection->length + (size_t)received + 1);
    if (!longer)
        die("realloc");
    connection->text = longer;
    memcpy(longer + connection->length, block, (size_t)received);
    connection->length += (size_t)received;
    longer[connection->length] = '\0';
    serve(peer, connection);
}

static void *run(void *data)
{
    struct peer *peer = data;
    struct pollfd fds[CONNECTIONS + 2];

    for (;;) {
        fds[0] = (struct pollfd){ .fd = peer->stop[0], .events = POLLIN };
        fds[1] = (struct pollfd){ .fd = peer->listener, .events = POLLIN };
        for (size_t i = 0; i < CONNECTIONS; i++)
            fds[i + 2] = (struct pollfd){ .fd = peer->connections[i].fd, .events = POLLIN };
        if (poll(fds, CONNECTIONS + 2, -1) < 0 && errno != EINTR)
            die("poll");
        if (fds[0].revents)
            return NULL;
        for (size_t i = 0; i < CONNECTIONS; i++)
            if (fds[i + 2].fd >= 0 && fds[i + 2].revents)
                receive(peer, &peer->connections[i]);
        if (fds[1].revents)
            accept_one(peer);
    }
}

/* ---- Life --------------------------------------------------------------------------------------
 */

static int listen_somewhere(struct sockaddr_in *ret)
{
    socklen_t size = sizeof(*ret);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *ret = (struct sockaddr_in){ .sin_family = AF_INET };
    ret->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)ret, sizeof(*ret)) < 0 || listen(fd, 16) < 0 ||
        getsockname(fd, (struct sockaddr *)ret, &size) < 0)
        die("listen");
    return fd;
}

struct peer *peer_start(const struct peer_reply *replies, size_t count)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    struct sockaddr_in address;

    if (!peer)
        die("calloc");
    peer->replies = replies;
    peer->reply_count = count;
    for (size_t i = 0; i < CONNECTIONS; i++)
        peer->connections[i].fd = -1;
    peer->listener = listen_somewhere(&address);
    snprintf(peer->url, sizeof(peer->url), "http://127.0.0.1:%u", ntohs(address.sin_port));
    pthread_mutex_init(&peer->lock, NULL);
    if (pipe(peer->stop) < 0)
        die("pipe");
    if (pthread_create(&peer->thread, NULL, run, peer) != 0)
        die("pthread_create");
    return peer;
}

void peer_stop(struct peer *peer)
{
    close(peer->stop[1]);
    pthread_join(peer->thread, NULL);
    close(peer->stop[0]);
    close(peer->listener);
    for (size_t i = 0; i < CONNECTIONS; i++)
        if (peer->connections[i].fd >= 0)
            drop(&peer->connections[i]);
    for (size_t i = 0; i < peer->request_count; i++)
        free(peer->requests[i]);
    pthread_mutex_destroy(&peer->lock);
    free(peer);
}

const char *peer_url(const struct peer *peer)
{
    return peer->url;
}

size_t peer_request_count(struct peer *peer)
{
    size_t count;

    pthread_mutex_lock(&peer->lock);
    count = peer->request_count;
    pthread_mutex_unlock(&peer->lock);
    return count;
}

size_t peer_connection_count(struct peer *peer)
{
    size_t count;

    pthread_mutex_lock(&peer->lock);
    count = peer->connection_count;
    pthread_mutex_unlock(&peer->lock);
    return count;
}

const char *peer_request(struct peer *peer, size_t index)
{
    if (index >= peer_request_count(peer)) {
        fprintf(stderr, "there was no request %zu\n", index);
        abort();
    }
    return peer->requests[index];
}

/* Behind "\r\nName:" in the head of a request, from text on; NULL when there is none. */
static const char *find_header(const char *text, const char *end, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = strstr(text, "\r\n"); at && at < end; at = strstr(at + 2, "\r\n"))
        if (strncasecmp(at + 2, name, length) == 0 && at[2 + length] == ':')
            return at + 2 + length + 1;
    return NULL;
}

char *peer_request_header(struct peer *peer, size_t index, const char *name)
{
    const char *text = peer_request(peer, index);
    const char *value = find_header(text, strstr(text, "\r\n\r\n"), name);

    if (!value)
        return NULL;
    value += strspn(value, " ");
    return strndup(value, strcspn(value, "\r"));
}

size_t peer_request_header_count(struct peer *peer, size_t index, const char *name)
{
    const char *text = peer_request(peer, index);
    const char *end = strstr(text, "\r\n\r\n");
    size_t count = 0;

    while ((text = find_header(text, end, name)))
        count++;
    return count;
}

const char *peer_refusing_url(void)
{
    static char url[64];
    struct sockaddr_in address;

    /* Was given by the kernel a moment ago, and so is not given again soon. */
    close(listen_somewhere(&address));
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", ntohs(address.sin_port));
    return url;
}
