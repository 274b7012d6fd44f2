/* SPDX-License-Identifier: Apache-2.0 */
/* What a map shows, out of the API's answer; whatever answered, what is made of it is
   well-formed. */
#include "local/cli/map_internal.h"
#include "local/trace/trace.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX 10000
#define EDGES_MAX 50000

static double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) && item->valuedouble > 0 && item->valuedouble < 1e15
               ? item->valuedouble
               : 0;
}

/* The least value that the share of all does not exceed; values are in ascending order. */
static double percentile(const cJSON *histogram, double share)
{
    const cJSON *entry;
    double total = 0;
    double seen = 0;
    cJSON_ArrayForEach(entry, histogram)
    {
        total += number(entry, "Count");
    }
    cJSON_ArrayForEach(entry, histogram)
    {
        seen += number(entry, "Count");
        if (total > 0 && seen >= share * total)
            return number(entry, "Value");
    }
    return -1;
}

static struct map_measure read_measure(const cJSON *json, const char *histogram_name)
{
    const cJSON *statistics = trace_object(json, "SummaryStatistics");
    const cJSON *errors = trace_object(statistics, "ErrorStatistics");
    const cJSON *histogram = cJSON_GetObjectItemCaseSensitive(json, histogram_name);
    return (struct map_measure){
        .total = number(statistics, "TotalCount"),
        .errors = number(errors, "OtherCount"),
        .throttles = number(errors, "ThrottleCount"),
        .faults = number(trace_object(statistics, "FaultStatistics"), "TotalCount"),
        .p50 = percentile(histogram, 0.5),
        .p90 = percentile(histogram, 0.9),
        .p99 = percentile(histogram, 0.99),
    };
}

/* A client has no statistics of its own, and its edges stand for them. */
static void add_to_client(struct map_node *client, const struct map_measure *measure)
{
    struct map_measure *sum = &client->measure;
    sum->total += measure->total;
    sum->errors += measure->errors;
    sum->throttles += measure->throttles;
    sum->faults += measure->faults;
}

static void read_edges(struct map *map, size_t from, const cJSON *service)
{
    const cJSON *edge;
    cJSON_ArrayForEach(edge, cJSON_GetObjectItemCaseSensitive(service, "Edges"))
    {
        const cJSON *target = cJSON_GetObjectItemCaseSensitive(edge, "ReferenceId");
        const char *type = trace_string(edge, "EdgeType");
        bool link = type && strcmp(type, "link") == 0;
        double to = cJSON_IsNumber(target) ? target->valuedouble : -1;
        /* Services are numbered as they come. */
        if (!(to >= 0 && to < (double)map->node_count) || map->edge_count == EDGES_MAX)
            continue;
        struct map_edge *read = &map->edges[map->edge_count++];
        *read = (struct map_edge){ .from = from, .to = (size_t)to, .link = link };
        read->measure = read_measure(edge,
                                     link ? "ReceivedEventAgeHistogram" : "ResponseTimeHistogram");
        if (map->nodes[from].client)
            add_to_client(&map->nodes[from], &read->measure);
    }
}

static size_t count_edges(const cJSON *services)
{
    const cJSON *service;
    size_t count = 0;
    cJSON_ArrayForEach(service, services)
    {
        count += (size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(service, "Edges"));
    }
    return count < EDGES_MAX ? count : EDGES_MAX;
}

int map_read(struct map *ret, const cJSON *services)
{
    struct map map = { 0 };
    const cJSON *service;
    size_t nodes = (size_t)cJSON_GetArraySize(services);
    nodes = nodes < NODES_MAX ? nodes : NODES_MAX;
    map.nodes = calloc(nodes + 1, sizeof *map.nodes);
    map.edges = calloc(count_edges(services) + 1, sizeof *map.edges);
    if (!map.nodes || !map.edges) {
        map_free(&map);
        return -ENOMEM;
    }
    cJSON_ArrayForEach(service, services)
    {
        if (map.node_count == nodes)
            break;
        struct map_node *node = &map.nodes[map.node_count++];
        const char *name = trace_string(service, "Name");
        const char *type = trace_string(service, "Type");
        node->name = name && *name ? name : "(no name)";
        node->type = type ? type : "";
        node->client = strcmp(node->type, "client") == 0 &&
                       !trace_object(service, "SummaryStatistics");
        node->measure = read_measure(service, "ResponseTimeHistogram");
    }
    size_t from = 0;
    cJSON_ArrayForEach(service, services)
    {
        if (from == map.node_count)
            break;
        read_edges(&map, from++, service);
    }
    *ret = map;
    return 0;
}

void map_free(struct map *map)
{
    free(map->nodes);
    free(map->edges);
    *map = (struct map){ 0 };
}

enum outcome map_outcome(const struct map_measure *measure)
{
    if (measure->faults > 0)
        return OUTCOME_FAULT;
    if (measure->throttles > 0)
        return OUTCOME_THROTTLE;
    return measure->errors > 0 ? OUTCOME_ERROR : OUTCOME_OK;
}

void map_percent(double part, double whole, char *ret, size_t size)
{
    double percent = whole > 0 ? part / whole * 100 : 0;
    if (part <= 0)
        snprintf(ret, size, "%s", "");
    else if (percent < 1)
        snprintf(ret, size, "<1%%");
    else if (percent > 99 && part < whole)
        snprintf(ret, size, ">99%%");
    else
        snprintf(ret, size, "%.0f%%", fmin(percent, 100));
}
