/* SPDX-License-Identifier: Apache-2.0 */
#include "local/http/client.h"

#include "local/base/buffer.h"
#include "local/http/sockets.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 5000
#define ANSWER_TIMEOUT_MS  60000

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_for(int fd, short events, int64_t deadline_ms)
{
    struct pollfd wait = { .fd = fd, .events = events };
    for (;;) {
        int64_t left = deadline_ms - now_ms();
        int r = poll(&wait, 1, left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left);
        if (r > 0)
            return 0;
        if (r == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
}

static int connect_to(const char *address, uint16_t port, int *ret)
{
    struct sockaddr_storage to;
    socklen_t length;
    int r = socket_address(address, port, &to, &length);
    if (r < 0)
        return r;
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    r = connect(fd, (struct sockaddr *)&to, length) < 0 ? -errno : 0;
    if (r == -EINPROGRESS) {
        r = wait_for(fd, POLLOUT, now_ms() + CONNECT_TIMEOUT_MS);
        int error = 0;
        socklen_t size = sizeof error;
        if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0)
            r = -error;
    }
    if (r < 0)
        close(fd);
    else
        *ret = fd;
    return r;
}

static int send_all(int fd, const char *data, size_t length, int64_t deadline_ms)
{
    while (length) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent > 0) {
            data += sent;
            length -= (size_t)sent;
        } else if (errno == EAGAIN) {
            int r = wait_for(fd, POLLOUT, deadline_ms);
            if (r < 0)
                return r;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

/* Until the other side closes: the request asks for that. */
static int receive_all(int fd, struct buffer *answer, int64_t deadline_ms)
{
    char part[65536];
    for (;;) {
        ssize_t count = recv(fd, part, sizeof part, 0);
        if (count == 0)
            return 0;
        if (count > 0) {
            buffer_append(answer, part, (size_t)count);
            if (answer->failed)
                return -ENOMEM;
            if (answer->length > HTTP_ANSWER_MAX)
                return -EFBIG;
        } else if (errno == EAGAIN) {
            int r = wait_for(fd, POLLIN, deadline_ms);
            if (r < 0)
                return r;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
}

/* The header's value up to the end of its line, or NULL. */
static const char *find_header(const char *head, const char *head_end, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = head; line < head_end;) {
        const char *end = strstr(line, "\r\n");
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1;
        line = end ? end + 2 : head_end;
    }
    return NULL;
}

/* Cuts the head off the answer's text, which is taken over. */
static int split_answer(char *text, size_t length, struct http_answer *ret)
{
    char *head_end = strstr(text, "\r\n\r\n");
    if (!head_end || strncmp(text, "HTTP/1.", 7) != 0 || length < 12 || text[8] != ' ' ||
        find_header(text, head_end, "Transfer-Encoding"))
        return -EPROTO;
    ret->status = (unsigned)strtoul(text + 9, NULL, 10);
    size_t head = (size_t)(head_end - text) + 4;
    const char *given = find_header(text, head_end, "Content-Length");
    ret->length = length - head;
    if (given && strtoull(given, NULL, 10) != ret->length)
        return -EPROTO; /* cut off on the way */
    memmove(text, text + head, ret->length + 1);
    ret->body = text;
    return 0;
}

static void put_request(struct buffer *request, const char *address, uint16_t port,
                        const struct http_question *question)
{
    bool brackets = strchr(address, ':') != NULL;
    buffer_printf(request, "%s %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nConnection: close\r\n",
                  question->method, question->path, brackets ? "[" : "", address,
                  brackets ? "]" : "", port);
    if (question->content_type)
        buffer_printf(request, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                      question->content_type, question->length);
    buffer_puts(request, "\r\n");
    if (question->content_type)
        buffer_append(request, question->body, question->length);
}

int http_ask(const char *address, uint16_t port, const struct http_question *question,
             struct http_answer *ret)
{
    int fd = -1;
    int r = connect_to(address, port, &fd);
    if (r < 0)
        return r;
    struct buffer request = { 0 };
    struct buffer answer = { 0 };
    put_request(&request, address, port, question);
    int64_t deadline_ms = now_ms() + ANSWER_TIMEOUT_MS;
    r = request.failed ? -ENOMEM : send_all(fd, request.text, request.length, deadline_ms);
    if (r == 0)
        r = receive_all(fd, &answer, deadline_ms);
    close(fd);
    buffer_free(&request);
    size_t length = 0;
    char *text = buffer_take(&answer, &length);
    if (r == 0)
        r = text ? split_answer(text, length, ret) : -ENOMEM;
    if (r < 0)
        free(text);
    return r;
}

int http_post(const char *address, uint16_t port, const char *path, const char *body,
              struct http_answer *ret)
{
    const struct http_question question = { "POST", path, "application/json", body, strlen(body) };
    return http_ask(address, port, &question, ret);
}
