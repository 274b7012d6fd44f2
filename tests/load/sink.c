/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROOM       (4 << 20)
#define BATCH      64
#define DATAGRAM   65536
#define MARK       'm' /* a datagram that only asks how many were dropped */
#define STOP       's'
#define QUIET_NS   100000000
#define PATIENCE_S 20

static const char header_line[] = "{\"format\":\"json\",\"version\":1}\n";

static void keep(void *data, const struct entity *entity)
{
    struct sink *sink = data;

    if (!id_set_add(&sink->ids, entity->id))
        atomic_fetch_add(&sink->twice, 1);
    atomic_fetch_add(&sink->entities, 1);
}

static void look_at(struct sink *sink, const char *text, size_t length)
{
    size_t start = sizeof(header_line) - 1;

    atomic_fetch_add(&sink->received, 1);
    if (length < start || memcmp(text, header_line, start) != 0 ||
        !read_entities(text + start, length - start, keep, sink))
        atomic_fetch_add(&sink->not_documents, 1);
}

/* What the socket had no room for since it was made, as of when this datagram was queued. */
static void note_drops(struct sink *sink, struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            uint32_t drops;

            memcpy(&drops, CMSG_DATA(c), sizeof(drops));
            atomic_store(&sink->dropped, drops - sink->drops_before);
        }
}

static void *receive(void *data)
{
    static char texts[BATCH][DATAGRAM], controls[BATCH][CMSG_SPACE(sizeof(uint32_t))];
    struct sink *sink = data;
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];

    for (;;) {
        int count;

        for (int i = 0; i < BATCH; i++) {
            parts[i] = (struct iovec){ texts[i], DATAGRAM };
            messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i],
                                                   .msg_iovlen = 1,
                                                   .msg_control = controls[i],
                                                   .msg_controllen = sizeof(controls[i]) };
        }
        count = recvmmsg(sink->socket, messages, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < count; i++) {
            note_drops(sink, &messages[i].msg_hdr);
            if (messages[i].msg_len > 1)
                look_at(sink, texts[i], messages[i].msg_len);
            else if (texts[i][0] == STOP)
                return NULL;
            else
                atomic_store(&sink->marked, true);
        }
        if (count < 0 && errno != EINTR)
            return NULL;
    }
}

static bool start_thread(struct sink *sink, int processor)
{
    pthread_attr_t attributes;
    cpu_set_t set;
    int r;

    pthread_attr_init(&attributes);
    if (processor >= 0) {
        CPU_ZERO(&set);
        CPU_SET(processor, &set);
        pthread_attr_setaffinity_np(&attributes, sizeof(set), &set);
    }
    r = pthread_create(&sink->thread, &attributes, receive, sink);
    pthread_attr_destroy(&attributes);
    errno = r;
    if (r != 0)
        return false;
    /* Where it is allowed: what else runs here then takes no time from it. */
    (void)pthread_setschedparam(sink->thread, SCHED_RR, &(struct sched_param){ 1 });
    return true;
}

bool sink_begin(struct sink *sink, int processor)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address), option_length = sizeof(sink->room);
    int room = ROOM, on = 1;

    memset(sink, 0, sizeof(*sink));
    sink->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sink->socket < 0 || bind(sink->socket, (struct sockaddr *)&address, length) < 0 ||
        getsockname(sink->socket, (struct sockaddr *)&address, &length) < 0)
        return false;
    if (setsockopt(sink->socket, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0 &&
        setsockopt(sink->socket, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) < 0)
        return false;
    if (getsockopt(sink->socket, SOL_SOCKET, SO_RCVBUF, &sink->room, &option_length) < 0 ||
        setsockopt(sink->socket, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)) < 0)
        return false;
    snprintf(sink->address, sizeof(sink->address), "127.0.0.1:%d", ntohs(address.sin_port));
    return start_thread(sink, processor);
}

static void send_byte(const struct sink *sink, char byte)
{
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (getsockname(sink->socket, (struct sockaddr *)&address, &length) == 0)
        (void)sendto(fd, &byte, 1, 0, (struct sockaddr *)&address, length);
    close(fd);
}

bool sink_settle(struct sink *sink)
{
    unsigned long before;

    do {
        before = atomic_load(&sink->received);
        nanosleep(&(struct timespec){ .tv_nsec = QUIET_NS }, NULL);
    } while (atomic_load(&sink->received) != before);
    atomic_store(&sink->marked, false);
    for (int i = 0; i < PATIENCE_S * 10; i++) {
        /* Once is enough: there is room by now, and the count is that of before. */
        if (i == 0)
            send_byte(sink, MARK);
        if (atomic_load(&sink->marked))
            return true;
        nanosleep(&(struct timespec){ .tv_nsec = QUIET_NS }, NULL);
    }
    return false;
}

void sink_forget(struct sink *sink, size_t expected)
{
    sink->drops_before += (uint32_t)atomic_load(&sink->dropped);
    sink->received = sink->entities = sink->twice = sink->not_documents = sink->dropped = 0;
    id_set_end(&sink->ids);
    id_set_reserve(&sink->ids, expected);
}

void sink_end(struct sink *sink)
{
    send_byte(sink, STOP);
    pthread_join(sink->thread, NULL);
    close(sink->socket);
    id_set_end(&sink->ids);
}
