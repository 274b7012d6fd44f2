/* SPDX-License-Identifier: Apache-2.0 */
/* Who has sent documents, and the last datagrams that were none. From any thread. */
#ifndef LOCAL_SENDERS_H
#define LOCAL_SENDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define SENDERS_MAX    100u /* who was silent longest makes room */
#define BAD_MAX        100u
#define BAD_BYTES_MAX  256u /* of each; the rest is counted only */
#define SENDER_TEXT    64u
#define BAD_REASON_MAX 192u

struct sender {
    uint8_t address[16];
    uint16_t port;  /* 0: requests, each of which may come from another port */
    uint8_t family; /* 4, 6, or 0: unknown */
};

struct sender sender_of_socket(const struct sockaddr_storage *address);
/* Of who sends requests: a numeric address. */
struct sender sender_of_text(const char *address);
/* "127.0.0.1:4000", or "127.0.0.1 (HTTP)". */
void sender_format(const struct sender *sender, char ret[SENDER_TEXT]);

struct sender_counts {
    struct sender sender;
    uint64_t documents; /* kept */
    uint64_t refused;
    double last; /* seconds since 1970 */
};

struct bad_datagram {
    struct sender sender;
    double time;
    char reason[BAD_REASON_MAX];
    size_t bytes; /* as it came */
    size_t length;
    unsigned char data[BAD_BYTES_MAX];
};

struct senders;

/* 0 or -ENOMEM. */
int senders_new(struct senders **ret);
void senders_free(struct senders *senders);

void senders_note(struct senders *senders, const struct sender *sender, bool kept);
void senders_note_bad(struct senders *senders, const struct sender *sender, const char *reason,
                      const char *data, size_t length);

/* Copies, the latest first; returns how many. */
size_t senders_list(struct senders *senders, struct sender_counts ret[SENDERS_MAX]);
size_t senders_bad(struct senders *senders, struct bad_datagram ret[BAD_MAX]);

#endif
