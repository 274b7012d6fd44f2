/* SPDX-License-Identifier: Apache-2.0 */
/* A map as boxes and arrows, from left to right. */
#include "local/cli/cells.h"
#include "local/cli/map_canvas.h"
#include "local/cli/map_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define HEIGHT_MAX 500
#define BOX_MOST   40u

/* What is tried until it fits: how much an arrow says, and how wide a box's text may be. */
enum label_kind {
    LABEL_WHOLE, /* 12, 25% fault, 120 ms */
    LABEL_TIME,  /* 12, 120 ms */
    LABEL_COUNT, /* 12 */
    LABEL_KINDS,
};
static const size_t box_least[LABEL_KINDS] = { 16, 12, 8 };

struct drawing {
    struct map_layout layout;
    const struct map_style *style;
    size_t *columns; /* of each rank */
    size_t *widths;  /* of its boxes */
    size_t *tracks;  /* after it */
    size_t *labels;  /* the width of what arrows after it say */
    size_t width;
    enum label_kind kind;
};

static const struct map_edge *edge_of(const struct drawing *d, const struct map_line *line)
{
    return &d->layout.map->edges[line->edge];
}

/* "12, 25% fault": how many, and the worst of what happened to them. */
static void describe_counts(const struct map_measure *measure, char *ret, size_t size)
{
    static const char *const words[] = {
        [OUTCOME_ERROR] = "error", [OUTCOME_THROTTLE] = "throttle", [OUTCOME_FAULT] = "fault"
    };
    enum outcome outcome = map_outcome(measure);
    double part = outcome == OUTCOME_FAULT      ? measure->faults
                  : outcome == OUTCOME_THROTTLE ? measure->throttles
                                                : measure->errors;
    char percent[16];
    map_percent(part, measure->total, percent, sizeof percent);
    if (measure->total <= 0)
        snprintf(ret, size, "none complete");
    else if (outcome == OUTCOME_OK)
        snprintf(ret, size, "%.0f ok", measure->total);
    else
        snprintf(ret, size, "%.0f, %s %s", measure->total, percent, words[outcome]);
}

static void describe_edge(const struct map_edge *edge, enum label_kind kind, bool unicode,
                          char *ret, size_t size)
{
    char counts[48];
    char time[32] = "";
    if (kind == LABEL_WHOLE)
        describe_counts(&edge->measure, counts, sizeof counts);
    else
        snprintf(counts, sizeof counts, "%.0f", edge->measure.total);
    if (edge->measure.p50 >= 0)
        waterfall_duration(edge->measure.p50, unicode, time, sizeof time);
    snprintf(ret, size, " %s%s%s ", counts, *time && kind != LABEL_COUNT ? ", " : "",
             kind == LABEL_COUNT ? "" : time);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void measure_boxes(struct drawing *d, size_t most)
{
    const struct map_layout *layout = &d->layout;
    bool unicode = d->style->unicode;
    for (size_t r = 0; r < layout->rank_count; r++)
        d->widths[r] = 1;
    for (size_t i = 0; i < layout->item_count; i++) {
        const struct map_item *item = &layout->items[i];
        char counts[48];
        if (item->node == MAP_NONE)
            continue;
        const struct map_node *node = &layout->map->nodes[item->node];
        describe_counts(&node->measure, counts, sizeof counts);
        size_t width = larger(cells_width(node->name, unicode), cells_width(node->type, unicode));
        width = larger(width, cells_width(counts, unicode));
        width = (width < most ? width : most) + 4;
        d->widths[item->rank] = larger(d->widths[item->rank], width);
    }
}

static void measure_labels(struct drawing *d)
{
    const struct map_layout *layout = &d->layout;
    for (size_t r = 0; r < layout->rank_count; r++)
        d->labels[r] = 0;
    for (size_t i = 0; i < layout->line_count; i++) {
        const struct map_line *line = &layout->lines[i];
        size_t rank = layout->items[line->from].rank;
        char label[96];
        if (!line->last)
            continue;
        describe_edge(edge_of(d, line), d->kind, d->style->unicode, label, sizeof label);
        d->labels[rank] = larger(d->labels[rank], cells_width(label, d->style->unicode));
    }
}

/* A stub, a track and a gap for each turn, a dash, what is said, a dash, the arrow. */
static size_t space_after(const struct drawing *d, size_t rank)
{
    return rank + 1 < d->layout.rank_count ? 1 + 2 * d->tracks[rank] + 1 + d->labels[rank] + 2 : 0;
}

static bool fit(struct drawing *d)
{
    for (d->kind = LABEL_WHOLE; d->kind < LABEL_KINDS; d->kind++) {
        measure_labels(d);
        for (size_t most = BOX_MOST; most >= box_least[d->kind]; most--) {
            measure_boxes(d, most);
            d->width = 0;
            for (size_t r = 0; r < d->layout.rank_count; r++) {
                d->columns[r] = d->width;
                d->width += d->widths[r] + space_after(d, r);
            }
            if (d->width <= d->style->width)
                return true;
        }
    }
    return false;
}

static void draw_box(const struct drawing *d, struct canvas *canvas, const struct map_item *item)
{
    const struct map_node *node = &d->layout.map->nodes[item->node];
    size_t column = d->columns[item->rank];
    size_t width = d->widths[item->rank];
    size_t row = (size_t)item->row + 1 + (size_t)(item->height - 2 - MAP_BOX_LINES) / 2;
    bool counted = node->measure.total > 0;
    const char *paint = counted ? waterfall_colour(map_outcome(&node->measure)) : NULL;
    canvas_box(canvas, (size_t)item->row, column, width, (size_t)item->height, paint);
    canvas_add_text(canvas, row, column + 2, width - 4, "1")->text = node->name;
    canvas_add_text(canvas, row + 1, column + 2, width - 4, "2")->text = node->type;
    struct canvas_text *counts = canvas_add_text(canvas, row + 2, column + 2, width - 4, paint);
    describe_counts(&node->measure, counts->own, sizeof counts->own);
}

static void draw_line(const struct drawing *d, struct canvas *canvas, const struct map_line *line,
                      uint32_t number)
{
    const struct map_layout *layout = &d->layout;
    const struct map_edge *edge = edge_of(d, line);
    size_t rank = layout->items[line->from].rank;
    size_t begin = d->columns[rank] + d->widths[rank]; /* the first cell behind the box */
    size_t end = d->columns[rank + 1] - 1;             /* the last in front of the next */
    size_t out = (size_t)line->out_row;
    size_t in = (size_t)line->in_row;
    size_t into = end + (line->reversed && line->last); /* its border, where no arrow is */
    const char *paint = waterfall_colour(map_outcome(&edge->measure));
    if (out == in) {
        canvas_across(canvas, out, begin - 1, into, number, edge->link);
    } else {
        size_t turn = begin + 1 + 2 * line->track;
        canvas_across(canvas, out, begin - 1, turn, number, edge->link);
        canvas_down(canvas, turn, out < in ? out : in, out < in ? in : out, number, edge->link);
        canvas_across(canvas, in, turn, into, number, edge->link);
    }
    if (!line->last) /* on through the next rank */
        canvas_across(canvas, in, end, end + d->widths[rank + 1], number, edge->link);
    if (line->first && line->reversed)
        canvas_arrow(canvas, out, begin, ARROW_LEFT, paint);
    if (!line->last)
        return;
    if (!line->reversed)
        canvas_arrow(canvas, in, end, ARROW_RIGHT, paint);
    char label[96];
    describe_edge(edge, d->kind, d->style->unicode, label, sizeof label);
    struct canvas_text *text = canvas_add_text(
        canvas, in, end - 1 - d->labels[rank], cells_width(label, d->style->unicode),
        map_outcome(&edge->measure) == OUTCOME_OK ? NULL : paint);
    snprintf(text->own, sizeof text->own, "%s", label);
}

/* Lines of one port have one number. */
static uint32_t number_of(const struct map_layout *layout, size_t index)
{
    size_t i = 0;
    while (layout->lines[i].from != layout->lines[index].from ||
           layout->lines[i].out_row != layout->lines[index].out_row)
        i++;
    return CANVAS_BOX + 1 + (uint32_t)i;
}

static bool draw_all(struct drawing *d, struct buffer *buffer)
{
    const struct map_layout *layout = &d->layout;
    struct canvas canvas;
    if (canvas_new(&canvas, d->width, (size_t)layout->height,
                   3 * layout->item_count + layout->line_count) < 0) {
        buffer->failed = true;
        return true;
    }
    for (size_t i = 0; i < layout->item_count; i++)
        if (layout->items[i].node != MAP_NONE)
            draw_box(d, &canvas, &layout->items[i]);
    for (size_t i = 0; i < layout->line_count; i++)
        draw_line(d, &canvas, &layout->lines[i], number_of(layout, i));
    canvas_write(&canvas, buffer, d->style->unicode, d->style->colour);
    canvas_free(&canvas);
    return true;
}

bool map_draw(struct buffer *buffer, const struct map *map, const struct map_style *style)
{
    struct drawing d = { .style = style };
    int r = map_layout_new(&d.layout, map);
    if (r < 0)
        return false;
    size_t *sizes = calloc(4 * (d.layout.rank_count + 1), sizeof *sizes);
    bool drawn = sizes && d.layout.height <= HEIGHT_MAX;
    if (drawn) {
        d.columns = sizes;
        d.widths = d.columns + d.layout.rank_count + 1;
        d.tracks = d.widths + d.layout.rank_count + 1;
        d.labels = d.tracks + d.layout.rank_count + 1;
        for (size_t rank = 0; rank < d.layout.rank_count && drawn; rank++) {
            d.tracks[rank] = map_layout_route(&d.layout, rank);
            drawn = d.tracks[rank] != MAP_NONE;
        }
        drawn = drawn && fit(&d) && draw_all(&d, buffer);
    }
    free(sizes);
    map_layout_free(&d.layout);
    return drawn;
}
