/* SPDX-License-Identifier: Apache-2.0 */
/* The service map of any number of traces, as GetServiceGraph and GetTraceGraph
   return it: nodes, edges, statistics, histograms. */
#ifndef LOCAL_GRAPH_H
#define LOCAL_GRAPH_H

#include "local/trace/facts.h"

#include <cjson/cJSON.h>

/* The service's own limit for nodes. What is beyond them is left out. */
#define GRAPH_NODES_MAX 10000u
#define GRAPH_EDGES_MAX 50000u

struct graph;

/* 0 or -ENOMEM. */
int graph_new(struct graph **ret);
void graph_free(struct graph *graph);

/* Copies what it needs. Links between traces are found whatever the order in which
   they are added. 0 or -ENOMEM, after which the graph can only be freed. */
int graph_add(struct graph *graph, const struct facts *facts);

/* The array "Services"; NULL when out of memory. More traces may be added after. */
cJSON *graph_services(struct graph *graph);

#endif
