/* SPDX-License-Identifier: Apache-2.0 */
/* A map in lines: what could not be drawn as a tree, and in any case the figures of
   every service and of every call. */
#include "local/cli/cells.h"
#include "local/cli/map_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_WIDTH   7
#define RATE_WIDTH    7
#define PERCENT_WIDTH 6
#define TIME_WIDTH    9
#define NARROW        80u /* below it, there are no rates and no 90th percentile */
#define TREE_LEVELS   20u /* so that there is room for a name */

struct table {
    struct buffer *buffer;
    const struct map_style *style;
    size_t name;
    bool rate;
    bool p90;
};

static struct table new_table(struct buffer *buffer, const struct map_style *style)
{
    struct table table = {
        .buffer = buffer,
        .style = style,
        .rate = style->minutes > 0 && style->width >= NARROW,
        .p90 = style->width >= NARROW,
    };
    size_t figures = COUNT_WIDTH + 3 * PERCENT_WIDTH + 2 * TIME_WIDTH +
                     (table.rate ? RATE_WIDTH : 0) + (table.p90 ? TIME_WIDTH : 0);
    table.name = style->width - figures;
    return table;
}

static void paint(const struct table *table, const char *code)
{
    if (table->style->colour)
        buffer_printf(table->buffer, "\033[%sm", code);
}

static void put_right(const struct table *table, const char *text, size_t width, const char *code)
{
    bool unicode = table->style->unicode;
    size_t used = cells_width(text, unicode);
    buffer_repeat(table->buffer, " ", used < width ? width - used : 1);
    if (code && *text)
        paint(table, code);
    cells_put(table->buffer, text, width - 1, unicode);
    if (code && *text)
        paint(table, "0");
}

static void put_title(const struct table *table, const char *name)
{
    paint(table, "2");
    cells_put_column(table->buffer, name, table->name, table->style->unicode);
    put_right(table, "count", COUNT_WIDTH, NULL);
    if (table->rate)
        put_right(table, "/min", RATE_WIDTH, NULL);
    put_right(table, "error", PERCENT_WIDTH, NULL);
    put_right(table, "throt", PERCENT_WIDTH, NULL);
    put_right(table, "fault", PERCENT_WIDTH, NULL);
    put_right(table, "p50", TIME_WIDTH, NULL);
    if (table->p90)
        put_right(table, "p90", TIME_WIDTH, NULL);
    put_right(table, "p99", TIME_WIDTH, NULL);
    paint(table, "0");
    buffer_puts(table->buffer, "\n");
}

static void put_share(const struct table *table, double part, double whole, enum outcome outcome)
{
    char text[16];
    map_percent(part, whole, text, sizeof text);
    if (*text)
        put_right(table, text, PERCENT_WIDTH, waterfall_colour(outcome));
    else
        put_right(table, "-", PERCENT_WIDTH, NULL);
}

static void put_time(const struct table *table, double seconds)
{
    char text[32] = "-";
    if (seconds >= 0)
        waterfall_duration(seconds, table->style->unicode, text, sizeof text);
    put_right(table, text, TIME_WIDTH, NULL);
}

static void put_figures(const struct table *table, const struct map_measure *measure)
{
    char text[32];
    snprintf(text, sizeof text, "%.0f", measure->total);
    put_right(table, text, COUNT_WIDTH, NULL);
    if (table->rate) {
        double rate = measure->total / table->style->minutes;
        if (rate > 0 && rate < 0.05)
            snprintf(text, sizeof text, "<0.1");
        else
            snprintf(text, sizeof text, rate < 9.95 ? "%.1f" : "%.0f", rate);
        put_right(table, text, RATE_WIDTH, NULL);
    }
    put_share(table, measure->errors, measure->total, OUTCOME_ERROR);
    put_share(table, measure->throttles, measure->total, OUTCOME_THROTTLE);
    put_share(table, measure->faults, measure->total, OUTCOME_FAULT);
    put_time(table, measure->p50);
    if (table->p90)
        put_time(table, measure->p90);
    put_time(table, measure->p99);
    buffer_puts(table->buffer, "\n");
}

/* The name, and the type where there is room; returns the cells used. */
static size_t put_node(const struct table *table, const struct map_node *node, size_t width)
{
    bool unicode = table->style->unicode;
    size_t used = cells_put(table->buffer, node->name, width, unicode);
    if (*node->type && used + 4 < width) {
        buffer_puts(table->buffer, "  ");
        paint(table, "2");
        used += 2 + cells_put(table->buffer, node->type, width - used - 2, unicode);
        paint(table, "0");
    }
    return used;
}

static void put_ends(const struct table *table, const struct map *map, const struct map_edge *edge)
{
    bool unicode = table->style->unicode;
    const char *arrow = edge->link ? (unicode ? " \u2504\u25b6 " : " .> ")
                                   : (unicode ? " \u2192 " : " -> ");
    size_t arrow_width = cells_width(arrow, unicode);
    const char *from = map->nodes[edge->from].client ? "client" : map->nodes[edge->from].name;
    const char *to = map->nodes[edge->to].name;
    size_t room = table->name - arrow_width;
    size_t from_width = cells_width(from, unicode);
    size_t to_width = cells_width(to, unicode);
    if (from_width + to_width > room) {
        size_t half = room / 2;
        from_width = from_width < half        ? from_width
                     : to_width < room - half ? room - to_width
                                              : half;
    }
    size_t used = cells_put(table->buffer, from, from_width, unicode);
    buffer_puts(table->buffer, arrow);
    cells_put_column(table->buffer, to, table->name - used - arrow_width, unicode);
}

struct tree {
    const struct table *table;
    const struct map *map;
    bool *seen;
    bool more[TREE_LEVELS]; /* of each level: a further line comes */
};

static void put_branch(const struct tree *tree, size_t level)
{
    static const char *const lines[2][4] = { { "  ", "| ", "|-", "`-" },
                                             { "  ", "\u2502 ", "\u251c\u2574", "\u2570\u2574" } };
    const char *const *line = lines[tree->table->style->unicode];
    paint(tree->table, "2");
    for (size_t i = 1; i <= level; i++)
        buffer_puts(tree->table->buffer, line[(i == level ? 3 : 0) - (i == level && tree->more[i]) +
                                              (i < level && tree->more[i])]);
    paint(tree->table, "0");
}

/* Each service is told of once; where it is met again, its name must do. */
static void put_tree(struct tree *tree, size_t node, size_t level)
{
    const struct map *map = tree->map;
    size_t room = tree->table->style->width - 2 * level;
    bool again = tree->seen[node];
    size_t left = 0;
    put_branch(tree, level);
    put_node(tree->table, &map->nodes[node], again ? room - strlen("  (above)") : room);
    buffer_puts(tree->table->buffer, again ? "  (above)\n" : "\n");
    if (again || level + 1 == TREE_LEVELS)
        return;
    tree->seen[node] = true;
    for (size_t i = 0; i < map->edge_count; i++)
        left += map->edges[i].from == node;
    for (size_t i = 0; i < map->edge_count; i++) {
        if (map->edges[i].from != node)
            continue;
        tree->more[level + 1] = --left > 0;
        put_tree(tree, map->edges[i].to, level + 1);
    }
}

static void put_trees(const struct table *table, const struct map *map)
{
    struct tree tree = { .table = table, .map = map };
    tree.seen = calloc(2 * (map->node_count + 1), sizeof *tree.seen);
    if (!tree.seen) {
        table->buffer->failed = true;
        return;
    }
    bool *called = tree.seen + map->node_count + 1;
    for (size_t i = 0; i < map->edge_count; i++)
        called[map->edges[i].to] |= map->edges[i].from != map->edges[i].to;
    for (size_t i = 0; i < map->node_count; i++)
        if (!called[i])
            put_tree(&tree, i, 0);
    for (size_t i = 0; i < map->node_count; i++) /* what is only in circles */
        if (!tree.seen[i])
            put_tree(&tree, i, 0);
    free(tree.seen);
}

static void put_tables(const struct table *table, const struct map *map)
{
    put_title(table, "services");
    for (size_t i = 0; i < map->node_count; i++) {
        if (map->nodes[i].client)
            continue;
        size_t used = put_node(table, &map->nodes[i], table->name);
        buffer_repeat(table->buffer, " ", table->name - used);
        put_figures(table, &map->nodes[i].measure);
    }
    if (map->edge_count == 0)
        return;
    buffer_puts(table->buffer, "\n");
    put_title(table, "calls");
    for (size_t i = 0; i < map->edge_count; i++) {
        put_ends(table, map, &map->edges[i]);
        put_figures(table, &map->edges[i].measure);
    }
}

void map_write(struct buffer *buffer, const struct map *map, const struct map_style *style)
{
    struct table table = new_table(buffer, style);
    if (!map_draw(buffer, map, style))
        put_trees(&table, map);
    buffer_puts(buffer, "\n");
    put_tables(&table, map);
}
