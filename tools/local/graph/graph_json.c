/* SPDX-License-Identifier: Apache-2.0 */
/* A graph as the API's list of services. */
#include "local/graph/graph_internal.h"

#include <stdlib.h>
#include <string.h>

/* qsort() hands no context over. */
struct place {
    const struct graph_node *node;
    uint32_t index; /* of graph.nodes */
};

static int compare_texts(const char *a, const char *b)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

static int rank(const struct graph_node *node)
{
    return node->client ? 0 : node->root ? 1 : 2;
}

static int by_place(const void *a, const void *b)
{
    const struct graph_node *x = ((const struct place *)a)->node;
    const struct graph_node *y = ((const struct place *)b)->node;
    int order = rank(x) - rank(y);
    if (order == 0)
        order = compare_texts(x->name, y->name);
    if (order == 0)
        order = compare_texts(x->type, y->type);
    return order ? order : compare_texts(x->account_id, y->account_id);
}

/* An edge as it is written: under its source, by the number of its target. */
struct written_edge {
    struct graph_edge *edge;
    uint32_t from;
    uint32_t to;
};

static int by_ends(const void *a, const void *b)
{
    const struct written_edge *x = a;
    const struct written_edge *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    return (int)x->edge->link - (int)y->edge->link;
}

static bool add_item(cJSON *object, const char *name, cJSON *item)
{
    if (item && object && cJSON_AddItemToObject(object, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static bool add_to_array(cJSON *array, cJSON *item)
{
    if (item && array && cJSON_AddItemToArray(array, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static bool add_times(cJSON *json, double start, double end)
{
    return cJSON_AddNumberToObject(json, "StartTime", start) &&
           cJSON_AddNumberToObject(json, "EndTime", end);
}

static cJSON *edge_json(const struct written_edge *written)
{
    struct graph_edge *edge = written->edge;
    cJSON *json = cJSON_CreateObject();
    bool whole = cJSON_AddNumberToObject(json, "ReferenceId", written->to) &&
                 add_times(json, edge->start, edge->end) &&
                 add_item(json, "SummaryStatistics", statistics_json(&edge->statistics)) &&
                 cJSON_AddArrayToObject(json, "Aliases");
    if (whole && edge->link)
        whole = cJSON_AddStringToObject(json, "EdgeType", "link") &&
                add_item(json, "ReceivedEventAgeHistogram", histogram_json(&edge->times));
    else if (whole)
        whole = add_item(json, "ResponseTimeHistogram", histogram_json(&edge->times));
    if (whole)
        return json;
    cJSON_Delete(json);
    return NULL;
}

/* What is not known is left out. */
static bool add_optional(cJSON *json, const char *name, const char *text)
{
    return !text || cJSON_AddStringToObject(json, name, text);
}

static cJSON *node_json(struct graph_node *node, size_t reference, const struct written_edge *edges,
                        size_t edge_count)
{
    cJSON *json = cJSON_CreateObject();
    const char *name = node->name ? node->name : "";
    bool whole = cJSON_AddNumberToObject(json, "ReferenceId", (double)reference) &&
                 cJSON_AddStringToObject(json, "Name", name) &&
                 add_item(json, "Names", cJSON_CreateStringArray(&name, 1)) &&
                 add_optional(json, "AccountId", node->account_id) &&
                 add_optional(json, "Type", node->type) &&
                 cJSON_AddStringToObject(json, "State", node->active ? "active" : "unknown") &&
                 add_times(json, node->start, node->end);
    if (whole && !node->client)
        whole = cJSON_AddBoolToObject(json, "Root", node->root) &&
                add_item(json, "SummaryStatistics", statistics_json(&node->statistics));
    cJSON *list = whole ? cJSON_AddArrayToObject(json, "Edges") : NULL;
    for (size_t i = 0; i < edge_count && whole; i++)
        whole = add_to_array(list, edge_json(&edges[i]));
    whole = whole && list &&
            add_item(json, "DurationHistogram", histogram_json(&node->durations)) &&
            add_item(json, "ResponseTimeHistogram", histogram_json(&node->response_times));
    if (whole)
        return json;
    cJSON_Delete(json);
    return NULL;
}

static cJSON *services_json(struct graph *graph, const struct place *places,
                            const struct written_edge *edges)
{
    cJSON *json = cJSON_CreateArray();
    size_t at = 0;
    for (size_t i = 0; i < graph->node_count && json; i++) {
        size_t end = at;
        while (end < graph->edge_count && edges[end].from == i)
            end++;
        cJSON *service = node_json(&graph->nodes[places[i].index], i, edges + at, end - at);
        if (!add_to_array(json, service)) {
            cJSON_Delete(json);
            return NULL;
        }
        at = end;
    }
    return json;
}

cJSON *graph_services(struct graph *graph)
{
    cJSON *json = NULL;
    struct place *places = calloc(graph->node_count + 1, sizeof *places);
    uint32_t *numbers = calloc(graph->node_count + 1, sizeof *numbers);
    struct written_edge *edges = NULL;
    if (places && numbers && graph_resolve_links(graph) == 0)
        edges = calloc(graph->edge_count + 1, sizeof *edges);
    if (edges) {
        for (size_t i = 0; i < graph->node_count; i++)
            places[i] = (struct place){ &graph->nodes[i], (uint32_t)i };
        qsort(places, graph->node_count, sizeof *places, by_place);
        for (size_t i = 0; i < graph->node_count; i++)
            numbers[places[i].index] = (uint32_t)i;
        for (size_t i = 0; i < graph->edge_count; i++) {
            struct graph_edge *edge = &graph->edges[i];
            edges[i] = (struct written_edge){ edge, numbers[edge->from], numbers[edge->to] };
        }
        qsort(edges, graph->edge_count, sizeof *edges, by_ends);
        json = services_json(graph, places, edges);
    }
    free(edges);
    free(numbers);
    free(places);
    return json;
}
