/* SPDX-License-Identifier: Apache-2.0 */
/* The way to the network for yt-dlp and what it starts: a proxy on the loopback that looks at the
 * very address it connects to, so that no name and no redirect leads into our own network. */
#ifndef PIPELINE_MEDIA_GUARD_H
#define PIPELINE_MEDIA_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "runtime/failure.h"

#define GUARD_MAX_ADDRESSES 8

struct guard_address {
    struct sockaddr_storage address;
    socklen_t length;
};

/* Fills in at most GUARD_MAX_ADDRESSES. Their number, or negative: what gai_strerror() explains. */
typedef int (*guard_resolver)(void *data, const char *host, int port, struct guard_address *ret);

struct guard_params {
    const char *media_hosts; /* may be anywhere, with any port that is meant; see source.h */
    /* What is 0 has a value for production. */
    int max_connections;
    int64_t head_timeout_ms; /* for a whole request */
    int64_t idle_timeout_ms; /* without a byte in either direction */
    guard_resolver resolver;
    void *data; /* of the resolver */
};

struct guard;

/* Listens, in threads of this process. 0 or -errno with *failure set. */
int guard_start(const struct guard_params *params, struct guard **ret, struct failure *failure);

/* "http://name:secret@127.0.0.1:port": without the secret nobody else here can use it. */
const char *guard_url(const struct guard *guard);

/* The first connection that was refused since the last call, in words for people; else false. */
bool guard_take_refusal(struct guard *guard, char *ret, size_t size);

/* Ends all connections. NULL is allowed. */
void guard_stop(struct guard *guard);

#endif /* PIPELINE_MEDIA_GUARD_H */
