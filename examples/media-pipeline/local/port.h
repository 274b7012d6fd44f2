/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_PORT_H
#define MEDIA_LOCAL_PORT_H

#include <stdbool.h>
#include <stdint.h>

/* Whether 127.0.0.1:port can be listened on now. */
bool port_is_free(uint16_t port);

/* A port of 127.0.0.1 that was free a moment ago, or 0. */
uint16_t port_pick(void);

/* Who listens there, for people: "python3 (process 4711)"; malloc()ed, never NULL. */
char *port_holder(uint16_t port);

/*
 * The wanted port, or when it is taken another one, and a line on stderr that
 * names what for, the holder, and the port taken instead. wanted 0 picks.
 */
uint16_t port_choose(uint16_t wanted, const char *purpose);

#endif /* MEDIA_LOCAL_PORT_H */
