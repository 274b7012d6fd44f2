/* SPDX-License-Identifier: Apache-2.0 */
#include "local/intake/senders.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct senders {
    pthread_mutex_t lock;
    struct sender_counts rows[SENDERS_MAX];
    size_t count;
    size_t latest; /* the row that was found last: most often the one that is next */
    struct bad_datagram bad[BAD_MAX]; /* a ring */
    uint64_t bad_count;               /* ever */
};

struct sender sender_of_socket(const struct sockaddr_storage *address)
{
    struct sender sender = { 0 };
    if (address->ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        memcpy(sender.address, &v4.sin_addr, sizeof v4.sin_addr);
        sender.port = ntohs(v4.sin_port);
        sender.family = 4;
    } else if (address->ss_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        memcpy(sender.address, &v6.sin6_addr, sizeof v6.sin6_addr);
        sender.port = ntohs(v6.sin6_port);
        sender.family = 6;
    }
    return sender;
}

struct sender sender_of_text(const char *address)
{
    struct sender sender = { 0 };
    if (inet_pton(AF_INET, address, sender.address) == 1)
        sender.family = 4;
    else if (inet_pton(AF_INET6, address, sender.address) == 1)
        sender.family = 6;
    return sender;
}

void sender_format(const struct sender *sender, char ret[SENDER_TEXT])
{
    char address[INET6_ADDRSTRLEN] = "unknown";
    if (sender->family)
        inet_ntop(sender->family == 4 ? AF_INET : AF_INET6, sender->address, address,
                  sizeof address);
    if (!sender->port)
        snprintf(ret, SENDER_TEXT, "%s (HTTP)", address);
    else
        snprintf(ret, SENDER_TEXT, sender->family == 6 ? "[%s]:%u" : "%s:%u", address,
                 sender->port);
}

int senders_new(struct senders **ret)
{
    struct senders *senders = calloc(1, sizeof *senders);
    if (!senders)
        return -ENOMEM;
    pthread_mutex_init(&senders->lock, NULL);
    *ret = senders;
    return 0;
}

void senders_free(struct senders *senders)
{
    if (!senders)
        return;
    pthread_mutex_destroy(&senders->lock);
    free(senders);
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool is_row(const struct sender_counts *row, const struct sender *sender)
{
    return row->sender.port == sender->port && row->sender.family == sender->family &&
           memcmp(row->sender.address, sender->address, sizeof sender->address) == 0;
}

/* The sender's row; a new one takes the place of who was silent longest. */
static size_t find_row(struct senders *senders, const struct sender *sender)
{
    size_t oldest = 0;
    if (senders->count && is_row(&senders->rows[senders->latest], sender))
        return senders->latest;
    for (size_t i = 0; i < senders->count; i++) {
        if (is_row(&senders->rows[i], sender))
            return i;
        if (senders->rows[i].last < senders->rows[oldest].last)
            oldest = i;
    }
    size_t row = senders->count < SENDERS_MAX ? senders->count++ : oldest;
    senders->rows[row] = (struct sender_counts){ .sender = *sender };
    return row;
}

void senders_note(struct senders *senders, const struct sender *sender, bool kept)
{
    double now = now_seconds();
    pthread_mutex_lock(&senders->lock);
    size_t row = find_row(senders, sender);
    senders->latest = row;
    if (kept)
        senders->rows[row].documents++;
    else
        senders->rows[row].refused++;
    senders->rows[row].last = now;
    pthread_mutex_unlock(&senders->lock);
}

void senders_note_bad(struct senders *senders, const struct sender *sender, const char *reason,
                      const char *data, size_t length)
{
    double now = now_seconds();
    pthread_mutex_lock(&senders->lock);
    struct bad_datagram *bad = &senders->bad[senders->bad_count++ % BAD_MAX];
    bad->sender = *sender;
    bad->time = now;
    bad->bytes = length;
    bad->length = length < BAD_BYTES_MAX ? length : BAD_BYTES_MAX;
    memcpy(bad->data, data, bad->length);
    snprintf(bad->reason, sizeof bad->reason, "%s", reason);
    pthread_mutex_unlock(&senders->lock);
}

static int by_last(const void *a, const void *b)
{
    double x = ((const struct sender_counts *)a)->last;
    double y = ((const struct sender_counts *)b)->last;
    return (x < y) - (x > y);
}

size_t senders_list(struct senders *senders, struct sender_counts ret[SENDERS_MAX])
{
    pthread_mutex_lock(&senders->lock);
    size_t count = senders->count;
    memcpy(ret, senders->rows, count * sizeof *ret);
    pthread_mutex_unlock(&senders->lock);
    qsort(ret, count, sizeof *ret, by_last);
    return count;
}

size_t senders_bad(struct senders *senders, struct bad_datagram ret[BAD_MAX])
{
    pthread_mutex_lock(&senders->lock);
    uint64_t ever = senders->bad_count;
    size_t count = ever < BAD_MAX ? (size_t)ever : BAD_MAX;
    for (size_t i = 0; i < count; i++)
        ret[i] = senders->bad[(ever - 1 - i) % BAD_MAX];
    pthread_mutex_unlock(&senders->lock);
    return count;
}
