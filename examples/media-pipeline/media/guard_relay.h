/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from one socket to another, both ways, with waits that end. */
#ifndef PIPELINE_MEDIA_GUARD_RELAY_H
#define PIPELINE_MEDIA_GUARD_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Waits for events of a socket (-1: for nothing). False at the deadline, or when told to stop. */
bool guard_wait(int socket, short events, int stop_event, int64_t deadline_ms);

/* All of it, to a socket that does not block. */
bool guard_send(int socket, const void *bytes, size_t length, int stop_event, int64_t deadline_ms);

struct guard_relay {
    int client;
    int origin;
    int stop_event;
    int64_t idle_timeout_ms;
    int64_t request_bytes; /* how many more the client may send; -1: any number */
    bool tells_end;        /* a HTTP answer: the client is told that no other can follow */
};

/* Until both have said all, or one is gone. Both sockets do not block. */
void guard_relay_run(const struct guard_relay *relay);

#endif /* PIPELINE_MEDIA_GUARD_RELAY_H */
