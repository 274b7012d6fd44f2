/* SPDX-License-Identifier: Apache-2.0 */
#include "local/intake/receiver.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH          64
#define DATAGRAM_BYTES 65536
/* The default receive buffer holds some 166 small documents: a burst would not fit. */
#define SOCKET_BYTES (8 * 1024 * 1024)
/* A flood must not keep a reader waiting: this is more than the socket can hold. */
#define SETTLE_BATCHES 4096

struct receiver {
    int socket;
    int stop;
    struct ingest *ingest;
    pthread_t thread;
    pthread_mutex_t lock; /* whoever holds it reads the socket, and keeps what it read */
    struct mmsghdr messages[BATCH];
    struct iovec vectors[BATCH];
    struct sockaddr_storage senders[BATCH];
    char control[BATCH][CMSG_SPACE(sizeof(uint32_t))];
    char datagrams[BATCH][DATAGRAM_BYTES];
    uint32_t lost_seen; /* the kernel's counter, which wraps */
    uint64_t lost;
};

static void prepare(struct receiver *receiver)
{
    for (size_t i = 0; i < BATCH; i++) {
        receiver->vectors[i] = (struct iovec){ receiver->datagrams[i], DATAGRAM_BYTES };
        receiver->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &receiver->senders[i],
            .msg_namelen = sizeof receiver->senders[i],
            .msg_iov = &receiver->vectors[i],
            .msg_iovlen = 1,
            .msg_control = receiver->control[i],
            .msg_controllen = sizeof receiver->control[i],
        };
    }
}

static void note_lost(struct receiver *receiver, struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        uint32_t lost;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
            continue;
        memcpy(&lost, CMSG_DATA(c), sizeof lost);
        if (lost == receiver->lost_seen)
            continue;
        receiver->lost += (uint32_t)(lost - receiver->lost_seen);
        receiver->lost_seen = lost;
        ingest_lost(receiver->ingest, receiver->lost);
    }
}

/* Reads one batch, with the lock held. False if nothing was there. */
static bool read_batch(struct receiver *receiver)
{
    prepare(receiver);
    int count = recvmmsg(receiver->socket, receiver->messages, BATCH, MSG_DONTWAIT, NULL);
    /* An error is an ICMP message about some reply, of which there are none. */
    if (count <= 0)
        return false;
    struct datagram datagrams[BATCH];
    size_t whole = 0;
    for (int i = 0; i < count; i++) {
        struct msghdr *message = &receiver->messages[i].msg_hdr;
        if (message->msg_flags & MSG_TRUNC)
            ingest_truncated(receiver->ingest);
        else
            datagrams[whole++] = (struct datagram){ receiver->datagrams[i],
                                                    receiver->messages[i].msg_len,
                                                    sender_of_socket(&receiver->senders[i]) };
        note_lost(receiver, message);
    }
    ingest_datagrams(receiver->ingest, datagrams, whole);
    return true;
}

void receiver_settle(void *data)
{
    struct receiver *receiver = data;
    bool more = true;
    for (int i = 0; more && i < SETTLE_BATCHES; i++) {
        pthread_mutex_lock(&receiver->lock);
        more = read_batch(receiver);
        pthread_mutex_unlock(&receiver->lock);
    }
}

static void *receive(void *data)
{
    struct receiver *receiver = data;
    struct pollfd wait[2] = {
        { .fd = receiver->socket, .events = POLLIN },
        { .fd = receiver->stop, .events = POLLIN },
    };
    while (!wait[1].revents) {
        if (poll(wait, 2, -1) > 0 && wait[0].revents)
            receiver_settle(receiver);
    }
    return NULL;
}

int receiver_new(struct receiver **ret, int udp_socket, struct ingest *ingest)
{
    struct receiver *receiver = calloc(1, sizeof *receiver);
    if (!receiver)
        return -ENOMEM;
    receiver->socket = udp_socket;
    receiver->ingest = ingest;
    receiver->stop = eventfd(0, EFD_CLOEXEC);
    if (receiver->stop < 0) {
        int r = -errno;
        free(receiver);
        return r;
    }
    /* Beyond the system's limit only root may go: then as far as it lets us. */
    int bytes = SOCKET_BYTES;
    int on = 1;
    if (setsockopt(udp_socket, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0)
        setsockopt(udp_socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(udp_socket, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
    pthread_mutex_init(&receiver->lock, NULL);
    int r = -pthread_create(&receiver->thread, NULL, receive, receiver);
    if (r < 0) {
        pthread_mutex_destroy(&receiver->lock);
        close(receiver->stop);
        free(receiver);
        return r;
    }
    *ret = receiver;
    return 0;
}

void receiver_free(struct receiver *receiver)
{
    if (!receiver)
        return;
    uint64_t one = 1;
    while (write(receiver->stop, &one, sizeof one) < 0 && errno == EINTR)
        continue;
    pthread_join(receiver->thread, NULL);
    pthread_mutex_destroy(&receiver->lock);
    close(receiver->socket);
    close(receiver->stop);
    free(receiver);
}
