/* SPDX-License-Identifier: Apache-2.0 */
/* The options of --tail. */
#include "local/cli/options_internal.h"
#include "local/cli/quantities.h"

int read_tail(const char *value, struct options *options)
{
    options->tail = true;
    if (value && !quantity_number(value, 0.1, 3600, &options->tail_rules.seconds))
        return usage("--tail=SECONDS is a number from 0.1 to 3600, not %s", value);
    return 0;
}

int read_tail_rate(const char *value, struct options *options)
{
    if (!quantity_number(value, 0, 1, &options->tail_rules.rate))
        return usage("--tail-rate is a number from 0 to 1, not %s", value);
    return 0;
}

int read_tail_slow(const char *value, struct options *options)
{
    if (!quantity_number(value, 0.001, 3600, &options->tail_rules.slow_seconds))
        return usage("--tail-slow is a number of seconds from 0.001 to 3600, not %s", value);
    return 0;
}

int read_tail_errors(const char *value, struct options *options)
{
    (void)value;
    options->tail_rules.errors = true;
    return 0;
}
