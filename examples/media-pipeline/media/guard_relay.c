/* SPDX-License-Identifier: Apache-2.0 */
#include "media/guard_relay.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/clock.h"

/* As much as a socket has at once; larger ones are not faster. */
#define BUFFER_BYTES ((size_t)128 * 1024)

bool guard_wait(int socket, short events, int stop_event, int64_t deadline_ms)
{
    for (;;) {
        int64_t left = deadline_ms - clock_now_ms();
        if (left <= 0)
            return false;
        struct pollfd ready[] = { { .fd = socket, .events = events },
                                  { .fd = stop_event, .events = POLLIN } };
        int count = poll(ready, 2, left < INT_MAX ? (int)left : INT_MAX);
        if (count > 0)
            return !ready[1].revents;
        if (count < 0 && errno != EINTR)
            return false;
    }
}

bool guard_send(int socket, const void *bytes, size_t length, int stop_event, int64_t deadline_ms)
{
    const char *at = bytes;
    while (length > 0) {
        ssize_t count = send(socket, at, length, MSG_NOSIGNAL);
        if (count > 0) {
            at += count;
            length -= (size_t)count;
        } else if (errno == EAGAIN) {
            if (!guard_wait(socket, POLLOUT, stop_event, deadline_ms))
                return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* One direction. */
struct flow {
    int from, to;
    char *buffer;
    size_t begin, end; /* what is in the buffer */
    int64_t left;      /* that may still come; -1: any number */
    bool tells_end;    /* in what comes next */
    bool is_over;
};

static bool is_blocked(ssize_t count)
{
    return count < 0 && (errno == EAGAIN || errno == EINTR);
}

static void end(struct flow *flow)
{
    flow->is_over = true;
    shutdown(flow->to, SHUT_WR);
}

static const char end_header[] = "Connection: close\r\n";
#define END_HEADER_LENGTH (sizeof(end_header) - 1)

/*
 * Behind the status line, so that it comes before what the origin may say: a
 * client that believes in more sends its next request into a closing connection.
 */
static void tell_end(struct flow *flow)
{
    const char *line_end = memmem(flow->buffer, flow->end, "\r\n", 2);
    flow->tells_end = false;
    if (!line_end || flow->end < 7 || memcmp(flow->buffer, "HTTP/1.", 7) != 0)
        return;
    size_t at = (size_t)(line_end - flow->buffer) + 2;
    memmove(flow->buffer + at + END_HEADER_LENGTH, flow->buffer + at, flow->end - at);
    memcpy(flow->buffer + at, end_header, END_HEADER_LENGTH);
    flow->end += END_HEADER_LENGTH;
}

/* False when the connection is of no more use. */
static bool receive(struct flow *flow)
{
    size_t room = BUFFER_BYTES - END_HEADER_LENGTH;
    if (flow->left >= 0 && (size_t)flow->left < room)
        room = (size_t)flow->left;
    /* More than was announced would be another request, for whoever the origin takes it. */
    if (room == 0) {
        char surplus;
        ssize_t count = recv(flow->from, &surplus, 1, 0);
        if (count == 0)
            end(flow);
        return count == 0 || is_blocked(count);
    }
    ssize_t count = recv(flow->from, flow->buffer, room, 0);
    if (is_blocked(count))
        return true;
    if (count < 0)
        return false;
    flow->begin = 0;
    flow->end = (size_t)count;
    if (flow->left > 0)
        flow->left -= count;
    if (count == 0)
        end(flow);
    else if (flow->tells_end)
        tell_end(flow);
    return true;
}

static bool pass_on(struct flow *flow)
{
    ssize_t count = send(flow->to, flow->buffer + flow->begin, flow->end - flow->begin,
                         MSG_NOSIGNAL);
    if (count < 0)
        return is_blocked(count);
    flow->begin += (size_t)count;
    return true;
}

/* Reads when there is nothing to send, else sends. */
static bool step(struct flow *flow, bool may_read, bool may_write)
{
    if (flow->begin == flow->end && may_read && !receive(flow))
        return false;
    if (flow->begin < flow->end && (may_write || may_read))
        return pass_on(flow);
    return true;
}

static void run(struct flow *flows, const struct guard_relay *relay)
{
    /* The origin's end is the end: it has answered. */
    while (!flows[1].is_over) {
        struct pollfd ready[3] = { { .fd = relay->client },
                                   { .fd = relay->origin },
                                   { .fd = relay->stop_event, .events = POLLIN } };
        for (size_t i = 0; i < 2; i++) {
            if (flows[i].begin < flows[i].end)
                ready[1 - i].events |= POLLOUT;
            else if (!flows[i].is_over)
                ready[i].events |= POLLIN;
        }
        /* One that only hung up would be ready for ever. */
        for (size_t i = 0; i < 2; i++)
            if (!ready[i].events)
                ready[i].fd = -1;
        int count = poll(ready, 3, (int)relay->idle_timeout_ms);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0 || ready[2].revents)
            return;
        for (size_t i = 0; i < 2; i++) {
            bool may_read = ready[i].revents & (POLLIN | POLLHUP | POLLERR) &&
                            ready[i].events & POLLIN;
            bool may_write = ready[1 - i].revents & (POLLOUT | POLLHUP | POLLERR);
            if (!step(&flows[i], may_read, may_write))
                return;
        }
    }
}

void guard_relay_run(const struct guard_relay *relay)
{
    char *buffers = malloc(2 * BUFFER_BYTES);
    struct flow flows[2] = {
        { .from = relay->client, .to = relay->origin, .buffer = buffers },
        { .from = relay->origin, .to = relay->client },
    };
    if (!buffers)
        return;
    flows[1].buffer = buffers + BUFFER_BYTES;
    flows[0].left = relay->request_bytes;
    flows[1].left = -1;
    flows[1].tells_end = relay->tells_end;
    run(flows, relay);
    free(buffers);
}
