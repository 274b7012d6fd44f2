/* SPDX-License-Identifier: Apache-2.0 */
/* What the program can be asked to do; each returns its exit code. */
#ifndef LOCAL_COMMANDS_H
#define LOCAL_COMMANDS_H

#include "local/base/buffer.h"
#include "local/cli/options.h"

#include <cjson/cJSON.h>

int command_serve(const struct options *options);
int command_show(const struct options *options);
int command_list(const struct options *options);

/* For the commands that ask a running instance. 0 with the answer's object, to be freed
   with cJSON_Delete(), or an exit code after a message on stderr. */
int ask(const struct options *options, const char *path, const char *request, cJSON **ret);

struct output_style {
    size_t width;
    bool unicode;
    bool colour;
};

/* Of standard output. Call setlocale() before. */
struct output_style output_style(const struct options *options);

/* Writes it to standard output and frees it; the exit code, after a message if need be. */
int print_buffer(struct buffer *buffer);
int print_no_memory(void);

#endif
