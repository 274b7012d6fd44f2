/* SPDX-License-Identifier: Apache-2.0 */
/* Replies without an end, and replies that are held back. A connection whose stream has nothing to
   say is suspended, and resumed when the server is told so, or by the ticker: it costs nothing
   between. */
#include "local/http/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define BLOCK_BYTES ((size_t)16 * 1024)

struct open_stream {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_stream stream;
    struct open_stream *next;
    bool woken; /* since it was last asked */
    bool suspended;
};

struct delayed_reply {
    struct MHD_Connection *connection;
    struct timespec due; /* monotonic */
    struct delayed_reply *next;
};

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

void http_delay(struct http_server *server, struct MHD_Connection *connection, unsigned delay_ms)
{
    struct delayed_reply *delayed = calloc(1, sizeof *delayed);
    if (!delayed)
        return; /* then it leaves at once */
    delayed->connection = connection;
    clock_gettime(CLOCK_MONOTONIC, &delayed->due);
    delayed->due.tv_sec += delay_ms / 1000;
    delayed->due.tv_nsec += (long)(delay_ms % 1000) * 1000000;
    if (delayed->due.tv_nsec >= 1000000000) {
        delayed->due.tv_sec++;
        delayed->due.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&server->lock);
    if (server->stops) {
        free(delayed);
    } else {
        MHD_suspend_connection(connection);
        delayed->next = server->delayed;
        server->delayed = delayed;
        pthread_cond_signal(&server->ticker_wakes);
    }
    pthread_mutex_unlock(&server->lock);
}

/* Lets go what is due, or all of it; the time of the next one is in *until if that is
   earlier. With the lock held. */
static void resume_delayed(struct http_server *server, bool all, struct timespec *until)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (struct delayed_reply **link = &server->delayed; *link;) {
        struct delayed_reply *delayed = *link;
        if (all || !is_before(&now, &delayed->due)) {
            *link = delayed->next;
            MHD_resume_connection(delayed->connection);
            free(delayed);
            continue;
        }
        if (is_before(&delayed->due, until))
            *until = delayed->due;
        link = &delayed->next;
    }
}

/* With the lock held. */
static void wake_all(struct http_server *server)
{
    for (struct open_stream *i = server->streams; i; i = i->next) {
        i->woken = true;
        if (i->suspended)
            MHD_resume_connection(i->connection);
        i->suspended = false;
    }
}

void http_stream_wake(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    wake_all(server);
    pthread_mutex_unlock(&server->lock);
}

/* The library does not look at a suspended connection, so nobody else would notice. */
static bool is_gone(struct MHD_Connection *connection)
{
    char byte;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info && recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static ssize_t read_stream(void *data, uint64_t position, char *buffer, size_t size)
{
    struct open_stream *open = data;
    struct http_server *server = open->server;
    (void)position;
    for (;;) {
        pthread_mutex_lock(&server->lock);
        bool ends = server->stops;
        open->woken = false;
        pthread_mutex_unlock(&server->lock);
        if (ends || is_gone(open->connection))
            return MHD_CONTENT_READER_END_OF_STREAM;
        ssize_t count = open->stream.read(open->stream.data, buffer, size);
        if (count != 0)
            return count > 0 ? count : MHD_CONTENT_READER_END_OF_STREAM;
        pthread_mutex_lock(&server->lock);
        bool waits = !open->woken && !server->stops;
        if (waits) {
            open->suspended = true;
            MHD_suspend_connection(open->connection);
        }
        pthread_mutex_unlock(&server->lock);
        if (waits)
            return 0;
    }
}

static void close_stream(void *data)
{
    struct open_stream *open = data;
    struct http_server *server = open->server;
    pthread_mutex_lock(&server->lock);
    struct open_stream **link = &server->streams;
    while (*link != open)
        link = &(*link)->next;
    *link = open->next;
    server->stream_count--;
    pthread_mutex_unlock(&server->lock);
    open->stream.close(open->stream.data);
    free(open);
}

struct MHD_Response *http_stream_response(struct http_server *server,
                                          struct MHD_Connection *connection,
                                          const struct http_stream *stream)
{
    struct open_stream *open = calloc(1, sizeof *open);
    if (!open) {
        stream->close(stream->data);
        return NULL;
    }
    *open = (struct open_stream){ .server = server, .connection = connection, .stream = *stream };
    pthread_mutex_lock(&server->lock);
    bool room = server->stream_count < STREAMS_MAX;
    if (room) {
        open->next = server->streams;
        server->streams = open;
        server->stream_count++;
        pthread_cond_signal(&server->ticker_wakes);
    }
    pthread_mutex_unlock(&server->lock);
    if (!room) {
        stream->close(stream->data);
        free(open);
        return NULL;
    }
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, open, close_stream);
    if (!response)
        close_stream(open);
    return response;
}

static void *run_ticker(void *data)
{
    struct http_server *server = data;
    struct timespec tick = { 0 }; /* when streams are woken */
    pthread_mutex_lock(&server->lock);
    while (!server->stops) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (!is_before(&now, &tick)) {
            wake_all(server);
            tick = now;
            tick.tv_sec++;
        }
        struct timespec until = tick;
        resume_delayed(server, false, &until);
        if (server->streams || server->delayed)
            pthread_cond_timedwait(&server->ticker_wakes, &server->lock, &until);
        else
            pthread_cond_wait(&server->ticker_wakes, &server->lock);
    }
    resume_delayed(server, true, &tick);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

int http_streams_start(struct http_server *server)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&server->ticker_wakes, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&server->lock, NULL);
    int r = -pthread_create(&server->ticker, NULL, run_ticker, server);
    if (r < 0)
        http_streams_free(server);
    return r;
}

void http_streams_end(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->stops = true;
    wake_all(server);
    pthread_cond_signal(&server->ticker_wakes);
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->ticker, NULL);
}

void http_streams_free(struct http_server *server)
{
    pthread_cond_destroy(&server->ticker_wakes);
    pthread_mutex_destroy(&server->lock);
}
