/* SPDX-License-Identifier: Apache-2.0 */
/* A service map as lines of text: boxes and arrows where they fit, and tables of the
   services and of the calls between them. */
#ifndef LOCAL_MAP_H
#define LOCAL_MAP_H

#include "local/base/buffer.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* More are a tree of lines, not a drawing. */
#define MAP_DRAWN_NODES_MAX 60u
#define MAP_DRAWN_EDGES_MAX 240u

/* Shares of what was counted, and response times in seconds; these are negative where
   nothing was. */
struct map_measure {
    double total;
    double errors;
    double throttles;
    double faults;
    double p50;
    double p90;
    double p99;
};

struct map_node {
    const char *name; /* of the JSON, as is type */
    const char *type; /* "" if there is none */
    bool client;
    struct map_measure measure; /* of a client: of what it sends */
};

struct map_edge {
    size_t from; /* of nodes */
    size_t to;
    bool link; /* another trace began, later */
    struct map_measure measure;
};

struct map {
    struct map_node *nodes;
    struct map_edge *edges;
    size_t node_count;
    size_t edge_count;
};

struct map_style {
    size_t width; /* in cells, WATERFALL_WIDTH_MIN to WATERFALL_WIDTH_MAX */
    bool unicode;
    bool colour;
    double minutes; /* for a rate; 0: none is shown */
};

/* Services are the array of GetServiceGraph, and must outlive the map. 0 or -ENOMEM. */
int map_read(struct map *ret, const cJSON *services);
void map_free(struct map *map);

/* Appends the lines. buffer->failed says whether memory ran out. */
void map_write(struct buffer *buffer, const struct map *map, const struct map_style *style);

#endif
