/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. */
#ifndef LOCAL_OPTIONS_H
#define LOCAL_OPTIONS_H

#include "local/base/ids.h"
#include "local/intake/faults.h"
#include "local/intake/tail.h"
#include "local/store/store.h"

#include <stdbool.h>
#include <stdint.h>

#define PORT_DEFAULT      2000
#define OTLP_PORT_DEFAULT 4318
#define OTLP_PORT_NONE    (-1)
#define ASSERTIONS_MAX    100

enum exit_code {
    EXIT_DONE = 0,
    EXIT_NOT_FOUND = 1, /* no such trace; of the collector: it could not start or go on */
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 3,
    EXIT_PORT_TAKEN = 4,
    EXIT_ASSERTION = 5,
    EXIT_COMMAND = 6,    /* of --exec: its command failed */
    EXIT_SIGNALLED = 128 /* and the signal that came while --exec's command ran */
};

enum command {
    COMMAND_SERVE,
    COMMAND_EXEC, /* the option --exec makes it that */
    COMMAND_SHOW,
    COMMAND_LIST,
    COMMAND_MAP,
    COMMAND_TAIL,
    COMMAND_EXPORT,
    COMMAND_IMPORT,
    COMMAND_HELP,
    COMMAND_VERSION,
};

enum colour {
    COLOUR_AUTO,
    COLOUR_ALWAYS,
    COLOUR_NEVER,
};

enum export_format {
    EXPORT_JSON_LINES,
    EXPORT_OTLP,
    EXPORT_HTML,
};

enum bound {
    BOUND_EXACTLY,
    BOUND_AT_LEAST,
    BOUND_AT_MOST,
};

/* So many traces have to match. */
struct assertion {
    const char *filter;
    enum bound bound;
    unsigned count;
};

struct options {
    enum command command;
    enum colour colour;
    struct trace_id trace_id; /* of show, and of map if it has a word */
    const char *address;      /* numeric: --bind of the collector, --host of the others */
    uint16_t port;
    bool port_given;
    int32_t otlp_port;          /* 0: a free one; OTLP_PORT_NONE */
    bool open;                  /* a browser */
    bool relaxed;               /* beyond the cloud's limits of a request */
    bool strict;                /* refuses what the cloud would reject */
    const char *sampling_rules; /* a file, or NULL */
    bool sampling_cloud;        /* Default as in the cloud, instead of everything */
    const char *forward;        /* "udp:HOST:PORT", or NULL */
    struct faults_settings faults;
    const char *page_directory; /* --page-dir, or NULL */
    struct store_limits limits; /* 0: the store's own */
    bool tail;                  /* traces wait for a verdict */
    struct tail_rules tail_rules;
    const char *database; /* a file, or NULL: memory only */
    unsigned width;       /* 0: the terminal's */
    unsigned limit;       /* of list */
    bool json;
    const char *filter;     /* NULL: all traces */
    unsigned since_seconds; /* 0: since ever */
    const char *output;     /* a file; NULL: standard output */
    enum export_format format;
    char **words; /* of export the ids, of import the files */
    int word_count;
    const char *exec; /* the user's own command line, for a shell */
    struct assertion assertions[ASSERTIONS_MAX];
    unsigned assertion_count;
    unsigned settle_seconds;
};

/* 0, or EXIT_USAGE after a message on stderr. */
int options_parse(int argc, char **argv, struct options *ret);
void options_help(void);

#endif
