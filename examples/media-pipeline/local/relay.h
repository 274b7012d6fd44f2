/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_RELAY_H
#define MEDIA_LOCAL_RELAY_H

#include <stdint.h>

#include "faults.h"

/*
 * The way of one environment to AWS: passes connections on, byte by byte, so
 * that signatures stay valid and bodies of any size go through, and knows each
 * call on its way.
 */
struct relay;

struct relay_params {
    uint16_t moto_port;    /* where calls go */
    uint16_t control_port; /* where those of SNS and Lambda go */
    /* What becomes of a call; on a thread of the relay's. */
    struct fault (*plan)(void *data, const struct aws_call *call);
    /* Kills the environment, at the call. Its connections end by that. */
    void (*kill)(void *data, const struct aws_call *call, bool is_after);
    void *data;
};

/* Listens on 127.0.0.1, on a port that the kernel picks. 0 or -errno. */
int relay_start(struct relay **ret, const struct relay_params *params);

uint16_t relay_port(const struct relay *relay);

/* Ends all connections, and waits for that. NULL is allowed. */
void relay_free(struct relay *relay);

#endif /* MEDIA_LOCAL_RELAY_H */
