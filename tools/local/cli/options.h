/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. */
#ifndef LOCAL_OPTIONS_H
#define LOCAL_OPTIONS_H

#include "local/base/ids.h"
#include "local/store/store.h"

#include <stdbool.h>
#include <stdint.h>

enum exit_code {
    EXIT_DONE = 0,
    EXIT_NOT_FOUND = 1, /* no such trace; of the collector: it could not start or go on */
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 3,
    EXIT_PORT_TAKEN = 4,
};

enum command {
    COMMAND_SERVE,
    COMMAND_SHOW,
    COMMAND_LIST,
    COMMAND_HELP,
    COMMAND_VERSION,
};

enum colour {
    COLOUR_AUTO,
    COLOUR_ALWAYS,
    COLOUR_NEVER,
};

#define OTLP_PORT_NONE (-1)

struct options {
    enum command command;
    enum colour colour;
    struct trace_id trace_id; /* of show */
    const char *address;      /* numeric: --bind of the collector, --host of the others */
    uint16_t port;
    int32_t otlp_port;          /* 0: a free one; OTLP_PORT_NONE */
    const char *sampling_rules; /* a file, or NULL */
    bool sampling_cloud;        /* Default as in the cloud, instead of everything */
    const char *page_directory; /* --page-dir, or NULL */
    struct store_limits limits; /* 0: the store's own */
    const char *database;       /* a file, or NULL: memory only */
    unsigned width;             /* 0: the terminal's */
    unsigned limit;             /* of list */
    bool json;
};

/* 0, or EXIT_USAGE after a message on stderr. */
int options_parse(int argc, char **argv, struct options *ret);
void options_help(void);

#endif
