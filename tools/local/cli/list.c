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

static void put_summary(struct buffer *out, const cJSON *summary, const struct output_style *style)
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

/* One page; *token is the one to ask with, and becomes the next, NULL at the end. */
static int put_page(const struct options *options, const struct output_style *style, char **token,
                    unsigned *left, struct buffer *out)
{
    char request[512];
    cJSON *answer;
    snprintf(request, sizeof request,
             "{\"StartTime\":0,\"EndTime\":%.0f,\"TimeRangeType\":\"Event\"%s%s%s}",
             DOCUMENT_TIME_MAX, *token ? ",\"NextToken\":\"" : "", *token ? *token : "",
             *token ? "\"" : "");
    int r = ask(options, "/TraceSummaries", request, &answer);
    free(*token);
    *token = NULL;
    if (r != 0)
        return r;
    const cJSON *summary;
    cJSON_ArrayForEach(summary, cJSON_GetObjectItemCaseSensitive(answer, "TraceSummaries"))
    {
        if (*left == 0)
            break;
        put_summary(out, summary, style);
        (*left)--;
    }
    const char *next = trace_string(answer, "NextToken");
    if (next && strlen(next) < 200 && *left)
        *token = strdup(next);
    cJSON_Delete(answer);
    return 0;
}

int command_list(const struct options *options)
{
    struct output_style style = output_style(options);
    struct buffer out = { 0 };
    unsigned left = options->limit;
    char *token = NULL;
    int r;
    do {
        r = put_page(options, &style, &token, &left, &out);
    } while (r == 0 && token);
    free(token);
    if (r == 0 && left == options->limit)
        buffer_printf(&out, "no traces yet at %s port %u\n", options->address, options->port);
    if (r == 0)
        return print_buffer(&out);
    buffer_free(&out);
    return r;
}
