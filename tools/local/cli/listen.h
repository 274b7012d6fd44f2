/* SPDX-License-Identifier: Apache-2.0 */
/* The ports of the collector, and what is said if one can't be had. */
#ifndef LOCAL_LISTEN_H
#define LOCAL_LISTEN_H

#include "local/cli/options.h"
#include "local/http/sockets.h"

/* 0, or an exit code after a message on stderr. */
int open_sockets(const struct options *options, struct socket_pair *ret);

/* Where OpenTelemetry's exporters send by default; the first port takes spans too, so
   that one which is taken stands in nobody's way. -1 for none, after a message unless
   none is wanted. */
int open_otlp(const struct options *options, uint16_t *ret_port);

/* Says so on stderr; the exit code. */
int cannot(const char *what, int error);

#endif
