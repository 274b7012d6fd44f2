/* SPDX-License-Identifier: Apache-2.0 */
/* Facts made by hand, and what the tests of graphs ask a graph's JSON. */
#ifndef LOCAL_TESTS_GRAPH_SUPPORT_H
#define LOCAL_TESTS_GRAPH_SUPPORT_H

#include "local/trace/facts.h"

#include <cjson/cJSON.h>

#define HAND_MAX 512

/* Facts, and the room for what they point to. */
struct hand {
    struct facts facts;
    struct facts_segment segments[HAND_MAX];
    struct facts_call calls[HAND_MAX];
    struct facts_link links[HAND_MAX];
};

/* An empty trace, the number in its id; to be freed with free(). */
struct hand *hand_new(unsigned number);
/* Returns its index; its id is index + 1. Type NULL: none. It lasts from start to end,
   in seconds since 1970. */
uint32_t hand_segment(struct hand *hand, const char *name, const char *type, double start,
                      double end, uint32_t marks);
/* Returns its index; its id is index + 1001. */
uint32_t hand_call(struct hand *hand, uint32_t from, uint32_t to, double start, double end,
                   uint32_t marks);
void hand_link(struct hand *hand, uint32_t segment, unsigned trace, uint64_t id);

/* "Services" of a graph of these traces; a NULL ends the list. Frees the traces. */
cJSON *services_of(struct hand *const *hands);
/* The service of this name and type (NULL: none); fails the test if it is not there. */
const cJSON *service_named(const cJSON *services, const char *name, const char *type);
/* The edge between them, or NULL. */
const cJSON *edge_between(const cJSON *from, const cJSON *to);
/* A number down a path such as "SummaryStatistics.FaultStatistics.TotalCount". */
double number_at(const cJSON *json, const char *path);
/* A histogram as "0.5x2 1x1". To be freed. */
char *histogram_text(const cJSON *object, const char *name);
double histogram_sum(const cJSON *object, const char *name);

#endif
