/* SPDX-License-Identifier: Apache-2.0 */
/* Sends what was kept on to another daemon, which never holds anybody up: a datagram
   that can't leave at once is counted as failed. */
#ifndef LOCAL_FORWARD_H
#define LOCAL_FORWARD_H

#include <stddef.h>
#include <stdint.h>

struct forward;

struct forward_counts {
    uint64_t sent;
    uint64_t failed;
};

/* target is "udp:HOST:PORT" (IPv6 in brackets), its host looked up now; it is kept.
   own_address and own_port are where this program takes datagrams. 0, -EINVAL: no such
   target; -ELOOP: it is this program; -ENXIO: no such host; another -errno. */
int forward_new(struct forward **ret, const char *target, const char *own_address,
                uint16_t own_port);
void forward_free(struct forward *forward);

/* From any thread. */
void forward_document(struct forward *forward, const char *text, size_t length);

const char *forward_target(const struct forward *forward);
void forward_count(const struct forward *forward, struct forward_counts *ret);

#endif
