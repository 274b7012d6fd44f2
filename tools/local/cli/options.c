/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/options.h"

#include "local/cli/quantities.h"
#include "local/cli/waterfall.h"
#include "local/http/sockets.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_DEFAULT      2000
#define OTLP_PORT_DEFAULT 4318
#define LIMIT_DEFAULT     20
#define LIMIT_MAX         100000
#define TRACES_MAX        10000000

enum option_id {
    OPTION_PORT = 1,
    OPTION_OTLP_PORT,
    OPTION_BIND,
    OPTION_SAMPLING,
    OPTION_SAMPLING_RULES,
    OPTION_DB,
    OPTION_PAGE_DIR,
    OPTION_MAX_TRACES,
    OPTION_MAX_BYTES,
    OPTION_MAX_AGE,
    OPTION_HOST,
    OPTION_JSON,
    OPTION_WIDTH,
    OPTION_COLOUR,
    OPTION_LIMIT,
    OPTION_HELP,
    OPTION_VERSION,
};

#define FOR(command) (1u << (command))
#define FOR_READERS  (FOR(COMMAND_SHOW) | FOR(COMMAND_LIST))

static const struct option long_options[] = {
    { "port", required_argument, NULL, OPTION_PORT },
    { "otlp-port", required_argument, NULL, OPTION_OTLP_PORT },
    { "bind", required_argument, NULL, OPTION_BIND },
    { "sampling", required_argument, NULL, OPTION_SAMPLING },
    { "sampling-rules", required_argument, NULL, OPTION_SAMPLING_RULES },
    { "db", required_argument, NULL, OPTION_DB },
    { "page-dir", required_argument, NULL, OPTION_PAGE_DIR },
    { "max-traces", required_argument, NULL, OPTION_MAX_TRACES },
    { "max-bytes", required_argument, NULL, OPTION_MAX_BYTES },
    { "max-age", required_argument, NULL, OPTION_MAX_AGE },
    { "host", required_argument, NULL, OPTION_HOST },
    { "json", no_argument, NULL, OPTION_JSON },
    { "width", required_argument, NULL, OPTION_WIDTH },
    { "color", required_argument, NULL, OPTION_COLOUR },
    { "limit", required_argument, NULL, OPTION_LIMIT },
    { "help", no_argument, NULL, OPTION_HELP },
    { "version", no_argument, NULL, OPTION_VERSION },
    { 0 },
};

static const unsigned option_commands[] = {
    [OPTION_PORT] = FOR(COMMAND_SERVE) | FOR_READERS,
    [OPTION_OTLP_PORT] = FOR(COMMAND_SERVE),
    [OPTION_BIND] = FOR(COMMAND_SERVE),
    [OPTION_SAMPLING] = FOR(COMMAND_SERVE),
    [OPTION_SAMPLING_RULES] = FOR(COMMAND_SERVE),
    [OPTION_DB] = FOR(COMMAND_SERVE),
    [OPTION_PAGE_DIR] = FOR(COMMAND_SERVE),
    [OPTION_MAX_TRACES] = FOR(COMMAND_SERVE),
    [OPTION_MAX_BYTES] = FOR(COMMAND_SERVE),
    [OPTION_MAX_AGE] = FOR(COMMAND_SERVE),
    [OPTION_HOST] = FOR_READERS,
    [OPTION_JSON] = FOR(COMMAND_SHOW),
    [OPTION_WIDTH] = FOR_READERS,
    [OPTION_COLOUR] = FOR_READERS,
    [OPTION_LIMIT] = FOR(COMMAND_LIST),
    [OPTION_HELP] = ~0u,
    [OPTION_VERSION] = ~0u,
};

void options_help(void)
{
    puts("usage: xraytrace-local [--port N] [--bind ADDRESS] [--sampling all|cloud]\n"
         "                       [--sampling-rules FILE]\n"
         "       xraytrace-local list [--limit N] [--port N]\n"
         "       xraytrace-local show TRACE-ID [--json] [--port N]\n"
         "\n"
         "A local X-Ray: takes the segment documents that X-Ray SDKs send (UDP, or\n"
         "PutTraceSegments), keeps them (in memory, unless told), answers the X-Ray API,\n"
         "central sampling with it, and prints traces.\n"
         "\n"
         "Without a command it listens until SIGINT or SIGTERM:\n"
         "  --port N         UDP and TCP port, default 2000; 0 takes a free one and says which\n"
         "  --otlp-port N|none       a second port, for spans of OpenTelemetry (/v1/traces, which\n"
         "                   the first one takes too); default 4318, with --port 0 none\n"
         "  --bind ADDRESS   numeric address, default 127.0.0.1: this machine only\n"
         "  --sampling all|cloud     what the rule Default samples: all (default), or one a\n"
         "                   second and 5 %, as in the cloud\n"
         "  --sampling-rules FILE    more rules: what GetSamplingRules returns, or the local\n"
         "                   rules of SDKs\n"
         "  --db FILE        keeps traces, groups and edited rules in this file too, and begins\n"
         "                   with what it has\n"
         "  --page-dir DIR   the web page's files from a directory, for who works on them\n"
         "  --max-traces N   keeps so many traces, default 10000\n"
         "  --max-bytes N    of documents and what is known of them, default 256M; K, M, G\n"
         "  --max-age TIME   since a trace's last document, default 24h; s, m, h, d\n"
         "\n"
         "  list             the latest traces: id, start, duration, entry point, status\n"
         "    --limit N      at most so many, default 20\n"
         "  show TRACE-ID    one trace as a waterfall; 1-<8 hex>-<24 hex> or 32 hex digits\n"
         "    --json         the trace as JSON, its documents as objects\n"
         "  both ask a running xraytrace-local:\n"
         "    --port N, --host ADDRESS    where, default 127.0.0.1 port 2000\n"
         "    --width N                   60 to 1000 columns, default the terminal's or 100\n"
         "    --color auto|always|never   auto: in a terminal unless NO_COLOR is set\n"
         "\n"
         "  --help, --version\n"
         "\n"
         "Examples:\n"
         "  xraytrace-local                                    # then run a traced program\n"
         "  xraytrace-local list\n"
         "  xraytrace-local show 1-5759e988-bd862e3fe1be46a994272793\n"
         "  xraytrace-local --db traces.db --max-age 7d        # a week, across restarts\n"
         "  xraytrace-local --port 2100                        # beside a daemon; tell the "
         "programs:\n"
         "  AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2100 ./program\n"
         "  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 ./program-of-opentelemetry\n"
         "  aws xray batch-get-traces --endpoint-url http://127.0.0.1:2000 --trace-ids ...\n"
         "\n"
         "Exit codes: 0 done, 1 no such trace (or the collector could not start), 2 wrong\n"
         "usage, 3 no xraytrace-local can be reached, 4 the port is taken.");
}

static int usage(const char *format, const char *what)
{
    fputs("xraytrace-local: ", stderr);
    /* The formats are this file's own. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    fprintf(stderr, format, what);
#pragma GCC diagnostic pop
    fputs("; see xraytrace-local --help\n", stderr);
    return EXIT_USAGE;
}

static bool read_number(const char *text, unsigned least, unsigned most, unsigned *ret)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value < least || value > most)
        return false;
    *ret = (unsigned)value;
    return true;
}

static int read_colour(const char *text, enum colour *ret)
{
    static const char *const names[] = { "auto", "always", "never" };
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret = (enum colour)i;
            return 0;
        }
    }
    return usage("--color is auto, always or never, not %s", text);
}

static int read_sampling(const char *text, bool *ret_cloud)
{
    *ret_cloud = strcmp(text, "cloud") == 0;
    if (*ret_cloud || strcmp(text, "all") == 0)
        return 0;
    return usage("--sampling is all or cloud, not %s; rules in a file are for --sampling-rules",
                 text);
}

static int read_address(const char *text, const char **ret)
{
    struct sockaddr_storage address;
    socklen_t length;
    if (socket_address(text, 0, &address, &length) < 0)
        return usage("%s is not a numeric address such as 127.0.0.1 or ::1", text);
    *ret = text;
    return 0;
}

static int read_otlp_port(const char *text, int32_t *ret)
{
    unsigned number = 0;
    *ret = OTLP_PORT_NONE;
    if (strcmp(text, "none") == 0)
        return 0;
    if (!read_number(text, 0, 65535, &number))
        return usage("--otlp-port is a number from 0 to 65535 or none, not %s", text);
    *ret = (int32_t)number;
    return 0;
}

static int read_option(int id, struct options *options)
{
    unsigned number = 0;
    switch ((enum option_id)id) {
    case OPTION_PORT:
        if (!read_number(optarg, 0, 65535, &number))
            return usage("--port is a number from 0 to 65535, not %s", optarg);
        options->port = (uint16_t)number;
        return 0;
    case OPTION_OTLP_PORT:
        return read_otlp_port(optarg, &options->otlp_port);
    case OPTION_BIND:
    case OPTION_HOST:
        return read_address(optarg, &options->address);
    case OPTION_SAMPLING:
        return read_sampling(optarg, &options->sampling_cloud);
    case OPTION_SAMPLING_RULES:
        options->sampling_rules = optarg;
        return 0;
    case OPTION_DB:
        options->database = optarg;
        return 0;
    case OPTION_PAGE_DIR:
        options->page_directory = optarg;
        return 0;
    case OPTION_MAX_TRACES:
        if (!read_number(optarg, 1, TRACES_MAX, &number))
            return usage("--max-traces is a number from 1 to 10000000, not %s", optarg);
        options->limits.traces = number;
        return 0;
    case OPTION_MAX_BYTES:
        if (!quantity_bytes(optarg, &options->limits.bytes))
            return usage("--max-bytes is a number such as 64M or 2G, not %s", optarg);
        return 0;
    case OPTION_MAX_AGE:
        if (!quantity_seconds(optarg, &options->limits.age_seconds))
            return usage("--max-age is a time such as 90s, 15m, 24h or 7d, not %s", optarg);
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_WIDTH:
        if (!read_number(optarg, WATERFALL_WIDTH_MIN, WATERFALL_WIDTH_MAX, &options->width))
            return usage("--width is a number from 60 to 1000, not %s", optarg);
        return 0;
    case OPTION_COLOUR:
        return read_colour(optarg, &options->colour);
    case OPTION_LIMIT:
        if (!read_number(optarg, 1, LIMIT_MAX, &options->limit))
            return usage("--limit is a number from 1 to 100000, not %s", optarg);
        return 0;
    case OPTION_HELP:
        options->command = COMMAND_HELP;
        return 0;
    case OPTION_VERSION:
        options->command = COMMAND_VERSION;
        return 0;
    }
    return EXIT_USAGE;
}

static int read_command(int count, char **words, struct options *options)
{
    int used = 1;
    if (count == 0) {
        options->command = COMMAND_SERVE;
        return 0;
    }
    if (strcmp(words[0], "list") == 0) {
        options->command = COMMAND_LIST;
    } else if (strcmp(words[0], "show") == 0) {
        options->command = COMMAND_SHOW;
        if (count < 2)
            return usage("%s needs a trace id", words[0]);
        if (!trace_id_parse_any(words[1], &options->trace_id))
            return usage("%s is not a trace id: 1-<8 hex digits>-<24 hex digits>, or 32 hex digits",
                         words[1]);
        used = 2;
    } else {
        return usage("there is no command %s", words[0]);
    }
    if (count > used)
        return usage("%s is one word too many", words[used]);
    return 0;
}

int options_parse(int argc, char **argv, struct options *ret)
{
    struct options options = { .address = "127.0.0.1",
                               .port = PORT_DEFAULT,
                               .otlp_port = OTLP_PORT_DEFAULT,
                               .limit = LIMIT_DEFAULT };
    bool given[OPTION_VERSION + 1] = { false };
    int id;
    opterr = 0;
    while ((id = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (id == ':')
            return usage("%s needs a value", argv[optind - 1]);
        if (id == '?')
            return usage("%s is not an option", argv[optind - 1]);
        int r = read_option(id, &options);
        if (r != 0)
            return r;
        given[id] = true;
        if (id == OPTION_HELP || id == OPTION_VERSION) {
            *ret = options;
            return 0;
        }
    }
    int r = read_command(argc - optind, argv + optind, &options);
    if (r != 0)
        return r;
    for (size_t i = 0; long_options[i].name; i++) {
        id = long_options[i].val;
        if (given[id] && !(option_commands[id] & FOR(options.command)))
            return usage("--%s does not belong to this command", long_options[i].name);
    }
    /* Who wants any free port runs beside others, and 4318 is theirs. */
    if (options.port == 0 && !given[OPTION_OTLP_PORT])
        options.otlp_port = OTLP_PORT_NONE;
    if (options.port == 0 && options.command != COMMAND_SERVE)
        return usage("%s needs the port of a running xraytrace-local, not 0", argv[optind]);
    *ret = options;
    return 0;
}
