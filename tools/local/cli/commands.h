/* SPDX-License-Identifier: Apache-2.0 */
/* What the program can be asked to do; each returns its exit code. */
#ifndef LOCAL_COMMANDS_H
#define LOCAL_COMMANDS_H

#include "local/base/buffer.h"
#include "local/cli/options.h"
#include "local/filter/filter.h"
#include "local/http/client.h"

#include <cjson/cJSON.h>

struct output_style {
    size_t width;
    bool unicode;
    bool colour;
};

int command_serve(const struct options *options);
int command_show(const struct options *options);
int command_list(const struct options *options);
int command_map(const struct options *options);
int command_tail(const struct options *options);
int command_export(const struct options *options);
int command_import(const struct options *options);
int command_exec(const struct options *options);

/* For the commands that ask a running instance. 0 with the answer's object, to be freed
   with cJSON_Delete(), or an exit code after a message on stderr. */
int ask(const struct options *options, const char *path, const char *request, cJSON **ret);

/* The same with any method and body, and the answer as it came; its body is to be freed. */
int ask_for(const struct options *options, const struct http_question *question,
            struct http_answer *ret);

/* Every TraceSummary of a trace that was active since then (seconds since 1970), the newest
   first, until the visitor returns false. 0 or an exit code. */
typedef bool summary_visitor(void *data, const cJSON *summary);
int ask_summaries(const struct options *options, double since, summary_visitor *visitor,
                  void *data);
/* A summary as a line for people, or as JSON. */
void put_summary(struct buffer *out, const cJSON *summary, const struct output_style *style);
int put_summary_json(struct buffer *out, const cJSON *summary);
double seconds_now(void);

/* Of standard output. Call setlocale() before. */
struct output_style output_style(const struct options *options);

/* Writes it to standard output and frees it; the exit code, after a message if need be. */
int print_buffer(struct buffer *buffer);
int print_no_memory(void);
int print_cannot_write(const char *path, int error);
/* The filter with a mark where it is wrong; what names the option it came with. */
int print_filter_error(const char *what, const char *filter, const struct filter_error *error);

#endif
