/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that draw a service map. */
#ifndef LOCAL_MAP_INTERNAL_H
#define LOCAL_MAP_INTERNAL_H

#include "local/cli/map.h"
#include "local/cli/waterfall_internal.h"

#define MAP_NONE      SIZE_MAX
#define MAP_BOX_LINES 3 /* name, type, counts */

/* What stands in a rank: a box, or a line that only passes. */
struct map_item {
    size_t node; /* MAP_NONE: a line passes */
    size_t rank;
    size_t place; /* in its rank */
    double wish;  /* where it would like to be */
    int row;
    int height;
};

/* From one rank to the next. */
struct map_line {
    size_t from; /* of items */
    size_t to;
    size_t edge;
    bool reversed; /* the arrow is at the left: it would go back */
    bool first;    /* it begins at a box, not at a line that passes */
    bool last;
    bool own; /* it leaves its box alone, not with the others */
    int out_row;
    int in_row;
    size_t track; /* where it turns, from the left */
};

struct map_layout {
    const struct map *map;
    struct map_item *items;
    struct map_line *lines;
    size_t item_count;
    size_t line_count;
    size_t rank_count;
    int height;
};

/* -ENOMEM, or -E2BIG if there is too much to draw. */
int map_layout_new(struct map_layout *ret, const struct map *map);
void map_layout_free(struct map_layout *layout);
/* Where lines turn; returns the number of tracks between the rank and the next. */
size_t map_layout_route(struct map_layout *layout, size_t rank);

/* False if it does not fit the width, or is too much: nothing was appended then. */
bool map_draw(struct buffer *buffer, const struct map *map, const struct map_style *style);

enum outcome map_outcome(const struct map_measure *measure);
/* 25%, <1%, or "" for nothing. */
void map_percent(double part, double whole, char *ret, size_t size);

#endif
