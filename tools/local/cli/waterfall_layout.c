/* SPDX-License-Identifier: Apache-2.0 */
/* Of a waterfall: the words in its columns, how wide these are, and the bars. */
#include "local/cli/cells.h"
#include "local/cli/waterfall_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAME_MIN   ((size_t)12)
#define ORIGIN_MAX ((size_t)22)
#define BAR_MIN    ((size_t)8)
#define GAP        ((size_t)2)

void waterfall_duration(double seconds, bool unicode, char *ret, size_t size)
{
    double ms = seconds * 1e3;
    if (seconds <= 0)
        snprintf(ret, size, "0 ms");
    else if (ms < 0.9995)
        snprintf(ret, size, "%.0f %s", fmax(1, seconds * 1e6), unicode ? "\u00b5s" : "us");
    else if (ms < 9.995)
        snprintf(ret, size, "%.2f ms", ms);
    else if (ms < 999.5)
        snprintf(ret, size, "%.0f ms", ms);
    else if (seconds < 9.995)
        snprintf(ret, size, "%.2f s", seconds);
    else if (seconds < 59.95)
        snprintf(ret, size, "%.1f s", seconds);
    else if (seconds < 3599.5)
        snprintf(ret, size, "%d min %d s", (int)round(seconds) / 60, (int)round(seconds) % 60);
    else
        snprintf(ret, size, "%.0f h %d min", floor(seconds / 3600),
                 (int)fmod(floor(seconds / 60), 60));
}

enum outcome waterfall_outcome(const struct trace_node *node)
{
    if (trace_flag(node, "fault"))
        return OUTCOME_FAULT;
    if (trace_flag(node, "throttle"))
        return OUTCOME_THROTTLE;
    if (trace_flag(node, "error"))
        return OUTCOME_ERROR;
    return node->in_progress ? OUTCOME_IN_PROGRESS : OUTCOME_OK;
}

const char *waterfall_outcome_text(enum outcome outcome)
{
    static const char *const texts[] = { "ok", "in progress", "error", "throttle", "fault" };
    return texts[outcome];
}

const char *waterfall_colour(enum outcome outcome)
{
    static const char *const colours[] = { "32", "36", "33", "35", "31" };
    return colours[outcome];
}

void waterfall_label(const struct trace_node *node, char ret[WATERFALL_LABEL_SIZE])
{
    const char *name = trace_string(node->json, "name");
    const cJSON *aws = node->subsegment ? trace_object(node->json, "aws") : NULL;
    const char *operation = aws ? trace_string(aws, "operation") : NULL;
    bool tells_more = operation && *operation;

    snprintf(ret, WATERFALL_LABEL_SIZE, "%s%s%s", name && *name ? name : "(no name)",
             tells_more ? " " : "", tells_more ? operation : "");
}

const char *waterfall_origin(const struct trace_node *node)
{
    const char *origin = trace_string(node->json, "origin");
    const char *namespace = trace_string(node->json, "namespace");
    return origin ? origin : namespace ? namespace : "";
}

void waterfall_status(const struct trace_node *node, char *ret, size_t size)
{
    enum outcome outcome = waterfall_outcome(node);
    const cJSON *response = trace_object(trace_object(node->json, "http"), "response");
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(response, "status");
    if (!cJSON_IsNumber(status) || status->valueint < 0 || status->valueint > 999)
        snprintf(ret, size, "%s", waterfall_outcome_text(outcome));
    else if (outcome == OUTCOME_OK && status->valueint >= 400)
        snprintf(ret, size, "%d", status->valueint); /* "500 ok" would confuse */
    else
        snprintf(ret, size, "%d %s", status->valueint, waterfall_outcome_text(outcome));
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What each column would like to have. */
static struct columns wishes(const struct waterfall *w)
{
    struct columns c = { .name = 4, .origin = 0, .start = 5, .duration = 8, .status = 6 };
    bool unicode = w->style->unicode;
    const struct trace *trace = w->trace;
    char text[64];
    for (size_t i = trace->first_root; i != TRACE_NONE; i = trace_next(trace, i)) {
        const struct trace_node *node = &trace->nodes[i];
        char label[WATERFALL_LABEL_SIZE];
        waterfall_label(node, label);
        size_t name_width = larger(cells_width(label, unicode), WATERFALL_NAME_REST);
        c.name = larger(c.name, smaller((size_t)2 * node->depth + name_width, WATERFALL_WIDTH_MAX));
        c.origin = larger(c.origin, cells_width(waterfall_origin(node), unicode));
        waterfall_duration(node->start - w->start, unicode, text, sizeof text);
        c.start = larger(c.start, cells_width(text, unicode) + 1);
        waterfall_duration(node->end - node->start, unicode, text, sizeof text);
        c.duration = larger(c.duration, cells_width(text, unicode));
        waterfall_status(node, text, sizeof text);
        c.status = larger(c.status, strlen(text));
    }
    if (c.origin)
        c.origin = smaller(larger(c.origin, strlen("origin")), ORIGIN_MAX);
    return c;
}

static size_t width_without_bar(const struct columns *c)
{
    return c->name + (c->origin ? c->origin + GAP : 0) + c->start + c->duration + c->status +
           3 * GAP;
}

static size_t missing_width(const struct columns *c, size_t width)
{
    size_t wanted = width_without_bar(c) + BAR_MIN + GAP;
    return wanted > width ? wanted - width : 0;
}

/* Gives up to `missing` of it away, but keeps `least` if it has that much. */
static size_t shrink(size_t size, size_t missing, size_t least)
{
    if (size <= least)
        return size;
    return size - least > missing ? size - missing : least;
}

/* The bar gets what is left. Where that is too little, first the name gives way, then
   the origin goes, then more of the name, then the bar. */
void waterfall_measure(struct waterfall *w)
{
    struct columns c = wishes(w);
    size_t width = w->style->width;
    c.name = smaller(c.name, larger(NAME_MIN, width * 2 / 5));
    c.name = shrink(c.name, missing_width(&c, width), 2 * NAME_MIN);
    if (missing_width(&c, width))
        c.origin = 0;
    c.name = shrink(c.name, missing_width(&c, width), NAME_MIN);
    size_t taken = width_without_bar(&c);
    c.bar = taken + BAR_MIN + GAP <= width ? width - taken - GAP : 0;
    w->columns = c;
}

void waterfall_paint(const struct waterfall *w, const char *code)
{
    if (w->style->colour)
        buffer_printf(w->buffer, "\033[%sm", code);
}

/* The left edge falls on half a cell, the right edge on an eighth: there are no blocks
   that are filled from the right by eighths. At least an eighth is always drawn. */
void waterfall_bar(const struct waterfall *w, const struct trace_node *node)
{
    static const char *const eighths[] = { "",       "\u258f", "\u258e", "\u258d", "\u258c",
                                           "\u258b", "\u258a", "\u2589", "\u2588" };
    size_t cells = w->columns.bar;
    double total = w->end - w->start;
    double scale = total > 0 ? (double)cells * 8 / total : 0;
    double node_end = node->in_progress ? w->end : node->end;
    size_t from = smaller((size_t)((node->start - w->start) * scale + 1e-3), cells * 8 - 1);
    size_t to = smaller((size_t)ceil((node_end - w->start) * scale - 1e-3), cells * 8);
    if (total <= 0)
        to = cells * 8;
    to = larger(to, from + 1);

    size_t first = from / 8;
    size_t last = (to - 1) / 8;
    buffer_repeat(w->buffer, " ", first);
    for (size_t i = first; i <= last; i++) {
        size_t filled = i == last ? to - 8 * i : 8;
        if (!w->style->unicode)
            buffer_puts(w->buffer, node->in_progress ? "~" : "#");
        else if (node->in_progress)
            buffer_puts(w->buffer, "\u2591");
        else if (i == first && from % 8 >= 4)
            buffer_puts(w->buffer, "\u2590"); /* the right half */
        else
            buffer_puts(w->buffer, eighths[filled]);
    }
    buffer_repeat(w->buffer, " ", cells - 1 - last);
}
