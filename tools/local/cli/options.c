/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/options_internal.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LIMIT_DEFAULT 20
#define SHORT_OUTPUT  'o'

#define FOR(command)    (1u << (command))
#define FOR_COLLECTOR   (FOR(COMMAND_SERVE) | FOR(COMMAND_EXEC))
#define FOR_LINES       (FOR(COMMAND_SHOW) | FOR(COMMAND_LIST) | FOR(COMMAND_MAP) | FOR(COMMAND_TAIL))
#define FOR_ASKING      (FOR_LINES | FOR(COMMAND_EXPORT) | FOR(COMMAND_IMPORT))
#define FOR_PAST        (FOR(COMMAND_LIST) | FOR(COMMAND_MAP) | FOR(COMMAND_EXPORT))
#define FOR_SEARCHING   (FOR_PAST | FOR(COMMAND_TAIL))
#define FOR_JSON        (FOR_LINES | FOR(COMMAND_EXEC) | FOR(COMMAND_IMPORT))
#define FOR_ALL_OF_THEM ~0u

struct option_row {
    const char *name;
    int has_value; /* as getopt_long() has it: 1, 0, or optional_argument */
    unsigned commands;
    option_reader *read; /* NULL: --help and --version, which end the reading */
};

static const struct option_row rows[] = {
    { "port", true, FOR_COLLECTOR | FOR_ASKING, read_port },
    { "otlp-port", true, FOR_COLLECTOR, read_otlp_port },
    { "bind", true, FOR_COLLECTOR, read_address },
    { "open", false, FOR(COMMAND_SERVE), read_open },
    { "relaxed", false, FOR_COLLECTOR, read_relaxed },
    { "strict", false, FOR_COLLECTOR, read_strict },
    { "sampling", true, FOR_COLLECTOR, read_sampling },
    { "sampling-rules", true, FOR_COLLECTOR, read_sampling_rules },
    { "db", true, FOR_COLLECTOR, read_db },
    { "forward", true, FOR_COLLECTOR, read_forward },
    { "fail", true, FOR_COLLECTOR, read_fail },
    { "page-dir", true, FOR_COLLECTOR, read_page_directory },
    { "tail", optional_argument, FOR_COLLECTOR, read_tail },
    { "tail-rate", true, FOR_COLLECTOR, read_tail_rate },
    { "tail-slow", true, FOR_COLLECTOR, read_tail_slow },
    { "tail-errors", false, FOR_COLLECTOR, read_tail_errors },
    { "max-traces", true, FOR_COLLECTOR, read_max_traces },
    { "max-bytes", true, FOR_COLLECTOR, read_max_bytes },
    { "max-age", true, FOR_COLLECTOR, read_max_age },
    { "host", true, FOR_ASKING, read_address },
    { "json", false, FOR_JSON, read_json },
    { "width", true, FOR_LINES, read_width },
    { "color", true, FOR_LINES, read_colour },
    { "limit", true, FOR(COMMAND_LIST), read_limit },
    { "filter", true, FOR_SEARCHING, read_filter },
    { "since", true, FOR_PAST, read_since },
    { "output", true, FOR(COMMAND_EXPORT) | FOR(COMMAND_EXEC), read_output },
    { "format", true, FOR(COMMAND_EXPORT), read_format },
    { "exec", true, FOR(COMMAND_EXEC), read_exec },
    { "assert", true, FOR(COMMAND_EXEC), read_assert },
    { "expect", true, FOR(COMMAND_EXEC), read_expect },
    { "settle", true, FOR(COMMAND_EXEC), read_settle },
    { "help", false, FOR_ALL_OF_THEM, NULL },
    { "version", false, FOR_ALL_OF_THEM, NULL },
};
#define ROWS (sizeof rows / sizeof rows[0])

/* The words behind a command: at least and at most. */
static const struct {
    const char *name;
    enum command command;
    int least;
    int most;
    const char *needs;
} commands[] = {
    { "list", COMMAND_LIST, 0, 0, "" },
    { "map", COMMAND_MAP, 0, 1, "" },
    { "show", COMMAND_SHOW, 1, 1, "a trace id" },
    { "tail", COMMAND_TAIL, 0, 0, "" },
    { "export", COMMAND_EXPORT, 0, 1000, "" },
    { "import", COMMAND_IMPORT, 1, 10000, "a file, or - for standard input" },
};

int usage(const char *format, ...)
{
    va_list arguments;
    fputs("xraytrace-local: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("; see xraytrace-local --help\n", stderr);
    return EXIT_USAGE;
}

static int read_trace_id(const char *word, struct trace_id *ret)
{
    if (trace_id_parse_any(word, ret))
        return 0;
    return usage("%s is not a trace id: 1-<8 hex digits>-<24 hex digits>, or 32 hex digits", word);
}

/* All words of export are ids, whatever may come to be behind a '?' or in a path. */
static int check_words(struct options *options)
{
    struct trace_id id;
    if (options->command == COMMAND_SHOW ||
        (options->command == COMMAND_MAP && options->word_count))
        return read_trace_id(options->words[0], &options->trace_id);
    for (int i = 0; i < options->word_count && options->command == COMMAND_EXPORT; i++) {
        int r = read_trace_id(options->words[i], &id);
        if (r != 0)
            return r;
    }
    return 0;
}

static int read_command(int count, char **words, struct options *options)
{
    size_t i = 0;
    options->command = options->exec ? COMMAND_EXEC : COMMAND_SERVE;
    if (count == 0)
        return 0;
    if (options->exec)
        return usage("%s is one word too many: --exec takes its command as one word in quotes",
                     words[0]);
    while (i < sizeof commands / sizeof commands[0] && strcmp(words[0], commands[i].name) != 0)
        i++;
    if (i == sizeof commands / sizeof commands[0])
        return usage("there is no command %s", words[0]);
    if (count - 1 < commands[i].least)
        return usage("%s needs %s", words[0], commands[i].needs);
    if (count - 1 > commands[i].most)
        return usage("%s is one word too many", words[1 + commands[i].most]);
    options->command = commands[i].command;
    options->words = words + 1;
    options->word_count = count - 1;
    return check_words(options);
}

static size_t find_row(const char *name)
{
    size_t i = 0;
    while (i < ROWS && strcmp(rows[i].name, name) != 0)
        i++;
    return i;
}

/* What each option alone can't know. */
static int check_options(struct options *options, const bool *given)
{
    for (size_t i = 0; i < ROWS; i++)
        if (given[i] && !(rows[i].commands & FOR(options->command)))
            return rows[i].commands == FOR(COMMAND_EXEC)
                       ? usage("--%s goes with --exec", rows[i].name)
                       : usage("--%s does not belong to this command", rows[i].name);
    for (size_t i = 0; i < ROWS; i++)
        if (given[i] && strncmp(rows[i].name, "tail-", 5) == 0 && !options->tail)
            return usage("--%s only has a meaning with --tail", rows[i].name);
    if (options->command == COMMAND_EXEC && !options->port_given)
        options->port = 0;
    /* Who wants any free port runs beside others, and 4318 is theirs. */
    if (!given[find_row("otlp-port")] && (options->port == 0 || options->exec))
        options->otlp_port = OTLP_PORT_NONE;
    if (options->port == 0 && options->command != COMMAND_SERVE && options->command != COMMAND_EXEC)
        return usage("this command needs the port of a running xraytrace-local, not 0");
    if (options->command == COMMAND_EXPORT && options->word_count > 0 &&
        (options->filter || options->since_seconds))
        return usage("export takes trace ids, or --filter and --since, not both");
    if (options->format == EXPORT_HTML && options->word_count != 1)
        return usage("--format html is for one trace: name its id");
    return 0;
}

static void make_long_options(struct option *ret)
{
    for (size_t i = 0; i < ROWS; i++)
        ret[i] = (struct option){ rows[i].name, rows[i].has_value, NULL, 256 + (int)i };
    ret[ROWS] = (struct option){ 0 };
}

int options_parse(int argc, char **argv, struct options *ret)
{
    struct option long_options[ROWS + 1];
    bool given[ROWS] = { false };
    int id;
    *ret = (struct options){ .address = "127.0.0.1",
                             .port = PORT_DEFAULT,
                             .otlp_port = OTLP_PORT_DEFAULT,
                             .limit = LIMIT_DEFAULT,
                             .tail_rules = { .seconds = TAIL_SECONDS, .rate = TAIL_RATE } };
    make_long_options(long_options);
    opterr = 0;
    while ((id = getopt_long(argc, argv, ":o:", long_options, NULL)) != -1) {
        if (id == ':')
            return usage("%s needs a value", argv[optind - 1]);
        if (id == '?')
            return usage("%s is not an option", argv[optind - 1]);
        size_t row = id == SHORT_OUTPUT ? find_row("output") : (size_t)id - 256;
        if (!rows[row].read) {
            ret->command = strcmp(rows[row].name, "help") == 0 ? COMMAND_HELP : COMMAND_VERSION;
            return 0;
        }
        int r = rows[row].read(optarg, ret);
        if (r != 0)
            return r;
        given[row] = true;
    }
    int r = read_command(argc - optind, argv + optind, ret);
    return r == 0 ? check_options(ret, given) : r;
}
