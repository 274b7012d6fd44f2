/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that read the command line. To add an option: a row in the table
   of options.c, a reader in option_values.c, and its line in options_help.c. */
#ifndef LOCAL_OPTIONS_INTERNAL_H
#define LOCAL_OPTIONS_INTERNAL_H

#include "local/cli/options.h"

/* Says on stderr what is wrong and where help is; always EXIT_USAGE. */
__attribute__((format(printf, 1, 2))) int usage(const char *format, ...);

/* Takes the option's value (NULL if it has none) over into the options. 0 or
   EXIT_USAGE. */
typedef int option_reader(const char *value, struct options *options);

option_reader read_port;
option_reader read_otlp_port;
option_reader read_address;
option_reader read_open;
option_reader read_relaxed;
option_reader read_strict;
option_reader read_sampling;
option_reader read_sampling_rules;
option_reader read_db;
option_reader read_forward;
option_reader read_fail;
option_reader read_page_directory;
option_reader read_tail;
option_reader read_tail_rate;
option_reader read_tail_slow;
option_reader read_tail_errors;
option_reader read_max_traces;
option_reader read_max_bytes;
option_reader read_max_age;
option_reader read_json;
option_reader read_width;
option_reader read_colour;
option_reader read_limit;
option_reader read_filter;
option_reader read_since;
option_reader read_output;
option_reader read_format;
option_reader read_exec;
option_reader read_assert;
option_reader read_expect;
option_reader read_settle;

#endif
