/* SPDX-License-Identifier: Apache-2.0 */
/* A reader for the value of each option. */
#include "local/cli/options_internal.h"
#include "local/cli/quantities.h"
#include "local/cli/waterfall.h"
#include "local/http/sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_MAX  100000
#define TRACES_MAX 10000000
#define EXPECT_MAX 1000000000
#define SETTLE_MAX 600

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

/* The place of the value among the names, or -1. */
static int find_name(const char *value, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(value, names[i]) == 0)
            return i;
    return -1;
}

int read_port(const char *value, struct options *options)
{
    unsigned number;
    if (!read_number(value, 0, 65535, &number))
        return usage("--port is a number from 0 to 65535, not %s", value);
    options->port = (uint16_t)number;
    options->port_given = true;
    return 0;
}

int read_otlp_port(const char *value, struct options *options)
{
    unsigned number;
    options->otlp_port = OTLP_PORT_NONE;
    if (strcmp(value, "none") == 0)
        return 0;
    if (!read_number(value, 0, 65535, &number))
        return usage("--otlp-port is a number from 0 to 65535 or none, not %s", value);
    options->otlp_port = (int32_t)number;
    return 0;
}

int read_address(const char *value, struct options *options)
{
    struct sockaddr_storage address;
    socklen_t length;
    if (socket_address(value, 0, &address, &length) < 0)
        return usage("%s is not a numeric address such as 127.0.0.1 or ::1", value);
    options->address = value;
    return 0;
}

int read_open(const char *value, struct options *options)
{
    (void)value;
    options->open = true;
    return 0;
}

int read_sampling(const char *value, struct options *options)
{
    static const char *const names[] = { "all", "cloud" };
    int found = find_name(value, names, 2);
    if (found < 0)
        return usage("--sampling is all or cloud, not %s; rules in a file are for "
                     "--sampling-rules",
                     value);
    options->sampling_cloud = found == 1;
    return 0;
}

int read_sampling_rules(const char *value, struct options *options)
{
    options->sampling_rules = value;
    return 0;
}

int read_db(const char *value, struct options *options)
{
    options->database = value;
    return 0;
}

int read_forward(const char *value, struct options *options)
{
    options->forward = value;
    return 0;
}

int read_fail(const char *value, struct options *options)
{
    if (faults_parse(value, &options->faults))
        return 0;
    return usage("--fail is throttle:SHARE, error:SHARE, skew[:SHARE], drop:SHARE (0 to 1) or "
                 "latency:TIME such as 200ms or 2s, not %s",
                 value);
}

int read_relaxed(const char *value, struct options *options)
{
    (void)value;
    options->relaxed = true;
    return 0;
}

int read_strict(const char *value, struct options *options)
{
    (void)value;
    options->strict = true;
    return 0;
}

int read_page_directory(const char *value, struct options *options)
{
    options->page_directory = value;
    return 0;
}

int read_max_traces(const char *value, struct options *options)
{
    unsigned number;
    if (!read_number(value, 1, TRACES_MAX, &number))
        return usage("--max-traces is a number from 1 to 10000000, not %s", value);
    options->limits.traces = number;
    return 0;
}

int read_max_bytes(const char *value, struct options *options)
{
    if (!quantity_bytes(value, &options->limits.bytes))
        return usage("--max-bytes is a number such as 64M or 2G, not %s", value);
    return 0;
}

int read_max_age(const char *value, struct options *options)
{
    if (!quantity_seconds(value, &options->limits.age_seconds))
        return usage("--max-age is a time such as 90s, 15m, 24h or 7d, not %s", value);
    return 0;
}

int read_json(const char *value, struct options *options)
{
    (void)value;
    options->json = true;
    return 0;
}

int read_width(const char *value, struct options *options)
{
    if (!read_number(value, WATERFALL_WIDTH_MIN, WATERFALL_WIDTH_MAX, &options->width))
        return usage("--width is a number from 60 to 1000, not %s", value);
    return 0;
}

int read_colour(const char *value, struct options *options)
{
    static const char *const names[] = { "auto", "always", "never" };
    int found = find_name(value, names, 3);
    if (found < 0)
        return usage("--color is auto, always or never, not %s", value);
    options->colour = (enum colour)found;
    return 0;
}

int read_limit(const char *value, struct options *options)
{
    if (!read_number(value, 1, LIMIT_MAX, &options->limit))
        return usage("--limit is a number from 1 to 100000, not %s", value);
    return 0;
}

int read_filter(const char *value, struct options *options)
{
    options->filter = value;
    return 0;
}

int read_since(const char *value, struct options *options)
{
    if (!quantity_seconds(value, &options->since_seconds))
        return usage("--since is a time such as 90s, 15m, 24h or 7d, not %s", value);
    return 0;
}

int read_output(const char *value, struct options *options)
{
    options->output = value;
    return 0;
}

int read_format(const char *value, struct options *options)
{
    static const char *const names[] = { "jsonl", "otlp", "html" };
    int found = find_name(value, names, 3);
    if (found < 0)
        return usage("--format is jsonl, otlp or html, not %s", value);
    options->format = (enum export_format)found;
    return 0;
}

int read_exec(const char *value, struct options *options)
{
    options->exec = value;
    return 0;
}

int read_assert(const char *value, struct options *options)
{
    if (options->assertion_count == ASSERTIONS_MAX)
        return usage("more than %u --assert", ASSERTIONS_MAX);
    options->assertions[options->assertion_count++] =
        (struct assertion){ .filter = value, .bound = BOUND_AT_LEAST, .count = 1 };
    return 0;
}

int read_expect(const char *value, struct options *options)
{
    const char *number = value;
    if (options->assertion_count == 0)
        return usage("--expect %s says how many traces the --assert before it finds, and there "
                     "is none",
                     value);
    struct assertion *assertion = &options->assertions[options->assertion_count - 1];
    assertion->bound = BOUND_EXACTLY;
    if (strncmp(value, ">=", 2) == 0)
        assertion->bound = BOUND_AT_LEAST;
    else if (strncmp(value, "<=", 2) == 0)
        assertion->bound = BOUND_AT_MOST;
    if (assertion->bound != BOUND_EXACTLY)
        number += 2;
    if (!read_number(number, 0, EXPECT_MAX, &assertion->count))
        return usage("--expect is a number of traces such as 0, '>=1' or '<=5', not %s", value);
    return 0;
}

int read_settle(const char *value, struct options *options)
{
    if (!quantity_seconds(value, &options->settle_seconds) || options->settle_seconds > SETTLE_MAX)
        return usage("--settle is a time such as 2s, at most 10m, not %s", value);
    return 0;
}
