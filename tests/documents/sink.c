/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_BYTES (8 * 1024 * 1024)

static bool refuse(struct sink *sink, const char *why)
{
    if (!*sink->wrong)
        snprintf(sink->wrong, sizeof(sink->wrong), "%s", why);
    return false;
}

static bool is_header(const char *line, size_t length)
{
    cJSON *json = cJSON_ParseWithLength(line, length);
    const char *format = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "format"));
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(json, "version");
    bool good = format && strcasecmp(format, "json") == 0 && cJSON_IsNumber(version) &&
                version->valuedouble == 1;

    cJSON_Delete(json);
    return good;
}

bool sink_read(struct sink *sink, const char *datagram, size_t length)
{
    const char *newline = memchr(datagram, '\n', length);
    struct violation violation;
    size_t line;

    sink->datagrams++;
    if (length > sink->largest)
        sink->largest = length;
    if (!newline)
        return refuse(sink, "there is no newline");
    line = (size_t)(newline - datagram);
    if (!is_header(datagram, line))
        return refuse(sink, "the first line is no header of format json and version 1");
    if (line + 1 == length)
        return refuse(sink, "there is no document behind the header");
    if (length > 63 * 1024)
        return refuse(sink, "the datagram is larger than 63 KiB");
    if (!document_check(newline + 1, length - line - 1, DOCUMENT_PADDED, &sink->documents,
                        &violation))
        return refuse(sink, violation.text);
    return true;
}

/* The last datagram, which sink_close() sends itself: it tells what was lost before it. */
static const char end_mark[] = "end";

static void count_lost(struct sink *sink, struct msghdr *message)
{
    uint32_t lost;

    for (struct cmsghdr *one = CMSG_FIRSTHDR(message); one; one = CMSG_NXTHDR(message, one))
        if (one->cmsg_level == SOL_SOCKET && one->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&lost, CMSG_DATA(one), sizeof(lost));
            sink->lost = lost;
        }
}

static void *listen_on(void *data)
{
    struct sink *sink = data;
    static char datagram[65536];
    union {
        char bytes[CMSG_SPACE(sizeof(uint32_t))];
        struct cmsghdr aligned;
    } control;

    for (;;) {
        struct iovec part = { datagram, sizeof(datagram) };
        struct msghdr message = { .msg_iov = &part,
                                  .msg_iovlen = 1,
                                  .msg_control = &control,
                                  .msg_controllen = sizeof(control) };
        ssize_t length = recvmsg(sink->fd, &message, 0);

        if (length < 0)
            continue;
        count_lost(sink, &message);
        if ((size_t)length == sizeof(end_mark) && memcmp(datagram, end_mark, sizeof(end_mark)) == 0)
            return NULL;
        sink_read(sink, datagram, (size_t)length);
    }
}

int sink_open(struct sink *sink)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int bytes = BUFFER_BYTES, on = 1;

    memset(sink, 0, sizeof(*sink));
    sink->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sink->fd < 0)
        return -errno;
    if (setsockopt(sink->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        setsockopt(sink->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    setsockopt(sink->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
    if (bind(sink->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        getsockname(sink->fd, (struct sockaddr *)&address, &length) < 0)
        return -errno;
    snprintf(sink->address, sizeof(sink->address), "127.0.0.1:%u", ntohs(address.sin_port));
    return -pthread_create(&sink->thread, NULL, listen_on, sink);
}

void sink_close(struct sink *sink)
{
    struct violation violation;
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    int waiting, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    getsockname(sink->fd, (struct sockaddr *)&address, &length);
    /* Where nothing waits there is room. */
    while (ioctl(sink->fd, FIONREAD, &waiting) == 0 && waiting > 0)
        usleep(1000);
    sendto(fd, end_mark, sizeof(end_mark), 0, (struct sockaddr *)&address, length);
    pthread_join(sink->thread, NULL);
    close(fd);
    close(sink->fd);
    if (!documents_end(&sink->documents, &violation))
        refuse(sink, violation.text);
}
