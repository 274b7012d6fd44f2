/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/cells.h"
#include "local/cli/commands.h"
#include "local/cli/waterfall_internal.h"
#include "local/trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ENTRY_MAX 40u

static double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static bool is_true(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static enum outcome outcome_of(const cJSON *summary)
{
    if (is_true(summary, "HasFault"))
        return OUTCOME_FAULT;
    if (is_true(summary, "HasThrottle"))
        return OUTCOME_THROTTLE;
    return is_true(summary, "HasError") ? OUTCOME_ERROR : OUTCOME_OK;
}

void put_summary(struct buffer *out, const cJSON *summary, const struct output_style *style)
{
    const char *id = trace_string(summary, "Id");
    const char *entry = trace_string(trace_object(summary, "EntryPoint"), "Name");
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(trace_object(summary, "Http"),
                                                           "HttpStatus");
    enum outcome outcome = outcome_of(summary);
    time_t start = (time_t)number(summary, "StartTime");
    struct tm local;
    char text[64] = "?";
    if (localtime_r(&start, &local))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    cells_put_column(out, id ? id : "?", TRACE_ID_LENGTH, style->unicode);
    buffer_puts(out, "  ");
    cells_put_column(out, text, 19, style->unicode);
    waterfall_duration(number(summary, "Duration"), style->unicode, text, sizeof text);
    size_t width = cells_width(text, style->unicode);
    buffer_repeat(out, " ", width < 13 ? 13 - width : 1);
    buffer_puts(out, text);
    buffer_puts(out, "  ");
    cells_put_column(out, entry ? entry : "(no segment received)",
                     style->width > 100 ? ENTRY_MAX : ENTRY_MAX / 2 + 1, style->unicode);
    buffer_puts(out, "  ");
    if (style->colour)
        buffer_printf(out, "\033[%sm", waterfall_colour(outcome));
    if (cJSON_IsNumber(status))
        buffer_printf(out, "%d ", status->valueint);
    buffer_puts(out, waterfall_outcome_text(outcome));
    if (style->colour)
        buffer_puts(out, "\033[0m");
    buffer_puts(out, is_true(summary, "IsPartial") ? ", partial\n" : "\n");
}

int put_summary_json(struct buffer *out, const cJSON *summary)
{
    char *text = cJSON_PrintUnformatted(summary);
    if (!text)
        return print_no_memory();
    cells_put_json(out, text);
    buffer_puts(out, "\n");
    free(text);
    return 0;
}

struct listing {
    struct buffer out;
    struct output_style style;
    unsigned left;
    bool json;
};

static bool add(void *data, const cJSON *summary)
{
    struct listing *listing = data;
    if (!listing->json)
        put_summary(&listing->out, summary, &listing->style);
    else if (put_summary_json(&listing->out, summary) != 0)
        listing->out.failed = true;
    return --listing->left > 0;
}

static void say_nothing_found(const struct options *options, struct buffer *out)
{
    if (options->filter || options->since_seconds)
        buffer_printf(out, "no such traces at %s port %u\n", options->address, options->port);
    else
        buffer_printf(out, "no traces yet at %s port %u\n", options->address, options->port);
}

int command_list(const struct options *options)
{
    struct listing listing = {
        .style = output_style(options),
        .left = options->limit,
        .json = options->json,
    };
    double since = options->since_seconds ? seconds_now() - options->since_seconds : 0;
    int r = ask_summaries(options, since, add, &listing);
    if (r == 0 && listing.left == options->limit && !options->json)
        say_nothing_found(options, &listing.out);
    if (r == 0)
        return print_buffer(&listing.out);
    buffer_free(&listing.out);
    return r;
}
