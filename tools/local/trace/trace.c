/* SPDX-License-Identifier: Apache-2.0 */
#include "local/trace/trace.h"

#include "local/base/json_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *trace_string(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

bool trace_flag(const struct trace_node *node, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(node->json, name));
}

const cJSON *trace_object(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsObject(item) ? item : NULL;
}

/* Only the top level of a document has been looked at before it was kept. */
static bool read_time(const cJSON *json, const char *name, double *ret)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    if (!cJSON_IsNumber(item) ||
        !(item->valuedouble >= 0 && item->valuedouble <= DOCUMENT_TIME_MAX))
        return false;
    *ret = item->valuedouble;
    return true;
}

static size_t add_node(struct trace *trace)
{
    if (trace->count == trace->size) {
        size_t size = trace->size ? trace->size * 2 : 16;
        struct trace_node *nodes = realloc(trace->nodes, size * sizeof *nodes);
        if (!nodes)
            return TRACE_NONE;
        trace->nodes = nodes;
        trace->size = size;
    }
    trace->nodes[trace->count] = (struct trace_node){
        .parent = TRACE_NONE,
        .first_child = TRACE_NONE,
        .next = TRACE_NONE,
    };
    return trace->count++;
}

static void read_node(struct trace *trace, struct trace_node *node, const cJSON *json)
{
    const char *id = trace_string(json, "id");
    const char *type = trace_string(json, "type");
    const char *parent = node->document ? trace_string(json, "parent_id") : NULL;
    node->json = json;
    node->has_id = id && entity_id_parse(id, &node->id);
    if (node->document) {
        node->subsegment = type && strcmp(type, "subsegment") == 0;
        if (parent && entity_id_parse(parent, &node->parent_id))
            node->parent_state = PARENT_MISSING; /* until it is found */
    }
    /* An embedded one without a time is where its parent is. */
    if (!read_time(json, "start_time", &node->start) && node->parent != TRACE_NONE)
        node->start = trace->nodes[node->parent].start;
    node->end = node->start;
    node->in_progress = !read_time(json, "end_time", &node->end) ||
                        cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "in_progress"));
    if (node->in_progress || node->end < node->start)
        node->end = node->start;
}

static int add_entity(struct trace *trace, const cJSON *json, const char **at, const char *end,
                      size_t parent);

/* The items of a "subsegments" array, whose text begins at *at. */
static int add_children(struct trace *trace, const cJSON *list, const char **at, const char *end,
                        size_t parent)
{
    const cJSON *item;
    (*at)++; /* [ */
    cJSON_ArrayForEach(item, list)
    {
        *at = json_skip_space(*at, end);
        if (!cJSON_IsObject(item)) {
            *at = json_skip_value(*at, end);
        } else {
            int r = add_entity(trace, item, at, end, parent);
            if (r < 0)
                return r;
        }
        *at = json_skip_space(*at, end);
        if (item->next)
            (*at)++; /* , */
    }
    *at = json_skip_space(*at, end) + 1; /* ] */
    return 0;
}

/* Walks the object's text and its parsed form side by side: both have the members in
   the same order. Leaves *at behind the object. */
static int add_entity(struct trace *trace, const cJSON *json, const char **at, const char *end,
                      size_t parent)
{
    size_t index = add_node(trace);
    if (index == TRACE_NONE)
        return -ENOMEM;
    struct trace_node *node = &trace->nodes[index];
    node->parent = parent;
    node->document = parent == TRACE_NONE;
    node->subsegment = !node->document;
    node->parent_state = node->document ? PARENT_NONE : PARENT_FOUND;
    node->text = *at;
    read_node(trace, node, json);

    (*at)++; /* { */
    bool seen = false;
    for (const cJSON *member = json->child; member; member = member->next) {
        *at = json_skip_value(json_skip_space(*at, end), end); /* the name */
        *at = json_skip_space(*at, end) + 1;                   /* : */
        *at = json_skip_space(*at, end);
        if (!seen && strcmp(member->string, "subsegments") == 0 && cJSON_IsArray(member)) {
            int r = add_children(trace, member, at, end, index);
            if (r < 0)
                return r;
            trace->nodes[index].list_end = *at;
            seen = true;
        } else {
            *at = json_skip_value(*at, end);
        }
        *at = json_skip_space(*at, end);
        if (member->next)
            (*at)++; /* , */
    }
    *at = json_skip_space(*at, end) + 1; /* } */
    trace->nodes[index].text_end = *at;
    return 0;
}

struct id_index {
    uint64_t id;
    size_t node;
};

static int by_id(const void *a, const void *b)
{
    const struct id_index *x = a;
    const struct id_index *y = b;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

/* The first in the index with this id, or NULL. */
static const struct id_index *find_id(const struct id_index *index, size_t count, uint64_t id)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && index[low].id == id ? &index[low] : NULL;
}

/* A subsegment may be known twice: embedded in its segment's document and in one of
   its own. The complete one counts; of two alike, the one sent on its own. */
static void supersede(struct trace *trace, const struct id_index *index, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct trace_node *own = &trace->nodes[index[i].node];
        if (!own->document)
            continue;
        for (const struct id_index *other = find_id(index, count, own->id);
             other && other < index + count && other->id == own->id; other++) {
            struct trace_node *embedded = &trace->nodes[other->node];
            if (embedded->document)
                continue;
            if (own->in_progress && !embedded->in_progress)
                own->superseded = true;
            else
                embedded->superseded = true;
        }
    }
    /* What is embedded in one that does not count does not count either. */
    for (size_t i = 0; i < trace->count; i++) {
        struct trace_node *node = &trace->nodes[i];
        if (!node->document && trace->nodes[node->parent].superseded)
            node->superseded = true;
    }
}

/* Takes those that do not count out of the index, and returns how many are left: or
   each who looks for its parent would go past them. */
static size_t leave_out_superseded(const struct trace *trace, struct id_index *index, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!trace->nodes[index[i].node].superseded)
            index[kept++] = index[i];
    return kept;
}

static void find_parents(struct trace *trace, const struct id_index *index, size_t count)
{
    for (size_t i = 0; i < trace->count; i++) {
        struct trace_node *node = &trace->nodes[i];
        if (node->parent_state != PARENT_MISSING || node->superseded)
            continue;
        const struct id_index *found = find_id(index, count, node->parent_id);
        if (!found)
            continue;
        node->parent = found->node;
        node->parent_state = PARENT_FOUND;
    }
}

/* Follows parents from each node, and marks the way with the number of the walk: who
   meets its own mark is in a circle, which is cut at a document. */
static void cut_circles(struct trace *trace, size_t *mark)
{
    for (size_t i = 0; i < trace->count; i++) {
        size_t at = i;
        while (at != TRACE_NONE && mark[at] == 0) {
            mark[at] = i + 1;
            at = trace->nodes[at].parent;
        }
        if (at == TRACE_NONE || mark[at] != i + 1)
            continue;
        while (!trace->nodes[at].document)
            at = trace->nodes[at].parent;
        trace->nodes[at].parent = TRACE_NONE;
        trace->nodes[at].parent_state = PARENT_CIRCULAR;
    }
}

/* qsort() hands no context over. */
struct time_index {
    double start;
    uint64_t id; /* so that the order does not follow that of arrival */
    size_t node;
};

static int by_time(const void *a, const void *b)
{
    const struct time_index *x = a;
    const struct time_index *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

/* Links from the latest to the earliest, each in front of its siblings. */
static int link_children(struct trace *trace)
{
    struct time_index *order = calloc(trace->count + 1, sizeof *order);
    if (!order)
        return -ENOMEM;
    size_t count = 0;
    for (size_t i = 0; i < trace->count; i++)
        if (!trace->nodes[i].superseded)
            order[count++] = (struct time_index){ trace->nodes[i].start, trace->nodes[i].id, i };
    qsort(order, count, sizeof *order, by_time);
    while (count--) {
        struct trace_node *node = &trace->nodes[order[count].node];
        size_t *first = node->parent == TRACE_NONE ? &trace->first_root
                                                   : &trace->nodes[node->parent].first_child;
        node->next = *first;
        *first = order[count].node;
    }
    free(order);
    return 0;
}

static void set_depths(struct trace *trace)
{
    for (size_t i = trace->first_root; i != TRACE_NONE; i = trace_next(trace, i)) {
        struct trace_node *node = &trace->nodes[i];
        if (node->parent == TRACE_NONE) {
            node->depth = node->parent_state != PARENT_NONE;
            continue;
        }
        const struct trace_node *parent = &trace->nodes[node->parent];
        node->depth = parent->depth + 1;
        if (node->subsegment)
            node->join_depth = parent->join_depth + 1;
        if (node->document && node->join_depth > TRACE_JOIN_DEPTH_MAX)
            node->join_depth = 0;
    }
}

static int connect(struct trace *trace)
{
    struct id_index *index = calloc(trace->count + 1, sizeof *index);
    size_t *mark = calloc(trace->count + 1, sizeof *mark);
    int r = -ENOMEM;
    if (index && mark) {
        size_t count = 0;
        for (size_t i = 0; i < trace->count; i++)
            if (trace->nodes[i].has_id)
                index[count++] = (struct id_index){ trace->nodes[i].id, i };
        qsort(index, count, sizeof *index, by_id);
        supersede(trace, index, count);
        count = leave_out_superseded(trace, index, count);
        find_parents(trace, index, count);
        cut_circles(trace, mark);
        r = link_children(trace);
    }
    free(mark);
    free(index);
    if (r == 0)
        set_depths(trace);
    return r;
}

/* A document, and what its place among the others depends on. */
struct ordered {
    cJSON *json;
    const struct stored_document *document;
    uint64_t id;
};

static int by_document_id(const void *a, const void *b)
{
    const struct ordered *x = a;
    const struct ordered *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Where ids are repeated, or parents go in circles, somebody has to come first: not who
   arrived first, since that is another one each time. */
static int parse_documents(struct trace *trace, struct ordered *order,
                           const struct stored_document *documents, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        order[i].document = &documents[i];
        order[i].json = cJSON_ParseWithLength(documents[i].text, documents[i].length);
        if (!order[i].json)
            return -ENOMEM;
        trace->documents[trace->document_count++] = order[i].json;
        const char *id = trace_string(order[i].json, "id");
        if (id)
            entity_id_parse(id, &order[i].id);
    }
    qsort(order, count, sizeof *order, by_document_id);
    return 0;
}

int trace_build(struct trace *ret, const struct stored_document *documents, size_t count)
{
    struct trace trace = { .first_root = TRACE_NONE };
    struct ordered *order = calloc(count + 1, sizeof *order);
    trace.documents = calloc(count + 1, sizeof(cJSON *));
    int r = order && trace.documents ? parse_documents(&trace, order, documents, count) : -ENOMEM;
    for (size_t i = 0; i < count && r == 0; i++) {
        const struct stored_document *document = order[i].document;
        const char *end = document->text + document->length;
        const char *at = json_skip_space(document->text, end);
        r = add_entity(&trace, order[i].json, &at, end, TRACE_NONE);
    }
    if (r == 0)
        r = connect(&trace);
    free(order);
    if (r < 0)
        trace_free(&trace);
    else
        *ret = trace;
    return r;
}

void trace_free(struct trace *trace)
{
    for (size_t i = 0; i < trace->document_count; i++)
        cJSON_Delete(trace->documents[i]);
    free((void *)trace->documents);
    free(trace->nodes);
    *trace = (struct trace){ .first_root = TRACE_NONE };
}

size_t trace_next(const struct trace *trace, size_t node)
{
    const struct trace_node *nodes = trace->nodes;
    if (nodes[node].first_child != TRACE_NONE)
        return nodes[node].first_child;
    while (node != TRACE_NONE && nodes[node].next == TRACE_NONE)
        node = nodes[node].parent;
    return node == TRACE_NONE ? TRACE_NONE : nodes[node].next;
}

size_t trace_root(const struct trace *trace)
{
    size_t best = TRACE_NONE;
    for (size_t i = trace->first_root; i != TRACE_NONE; i = trace->nodes[i].next) {
        const struct trace_node *node = &trace->nodes[i];
        if (node->subsegment)
            continue;
        if (node->parent_state == PARENT_NONE)
            return i;
        if (best == TRACE_NONE)
            best = i;
    }
    return best;
}
