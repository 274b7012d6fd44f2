/* SPDX-License-Identifier: Apache-2.0 */
/* BatchGetTraces: the documents of traces, one for each segment, real or inferred. */
#include "local/api/documents.h"
#include "local/api/query.h"
#include "local/trace/inferred.h"
#include "local/trace/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    double start;
    uint64_t id;
    size_t node;
    bool is_inferred;
    struct inferred inferred;
};

/* Segments by start time: the nodes' order in the tree is another. */
static int by_start(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    /* What is inferred comes after what it is inferred from. */
    if (x->is_inferred != y->is_inferred)
        return x->is_inferred ? 1 : -1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int write_entry(const struct trace *trace, const struct trace_id *id,
                       const struct entry *entry, documents_visitor *visit, void *data)
{
    struct buffer text = { 0 };
    size_t length;
    if (entry->is_inferred)
        inferred_write_document(trace, id, entry->node, &entry->inferred, &text);
    else
        trace_write_document(trace, entry->node, &text);
    char *document = buffer_take(&text, &length);
    if (!document)
        return -ENOMEM;
    int r = visit(data, entry->id, document, length);
    free(document);
    return r;
}

/* Room for one more. */
static struct entry *add_entry(struct entry **entries, size_t *count, size_t *size)
{
    if (*count == *size) {
        size_t more = *size ? *size * 2 : 16;
        struct entry *grown = realloc(*entries, more * sizeof *grown);
        if (!grown)
            return NULL;
        *entries = grown;
        *size = more;
    }
    return &(*entries)[(*count)++];
}

int documents_visit(const struct trace *trace, const struct trace_id *id, bool with_inferred,
                    documents_visitor *visit, void *data)
{
    struct inferred inferred[INFERRED_MAX];
    struct entry *entries = NULL;
    struct entry *entry;
    size_t count = 0;
    size_t size = 0;
    int r = 0;
    for (size_t i = trace->first_root; i != TRACE_NONE && r == 0; i = trace_next(trace, i)) {
        const struct trace_node *node = &trace->nodes[i];
        if (trace_is_entry(trace, i)) {
            if ((entry = add_entry(&entries, &count, &size)))
                *entry = (struct entry){ .start = node->start, .id = node->id, .node = i };
            else
                r = -ENOMEM;
        }
        size_t calls = with_inferred ? inferred_from(trace, id, i, inferred) : 0;
        for (size_t k = 0; k < calls && count < FACTS_SEGMENTS_MAX && r == 0; k++) {
            if ((entry = add_entry(&entries, &count, &size)))
                *entry = (struct entry){ node->start, inferred[k].id, i, true, inferred[k] };
            else
                r = -ENOMEM;
        }
    }
    if (count)
        qsort(entries, count, sizeof *entries, by_start);
    for (size_t i = 0; i < count && r == 0; i++)
        r = write_entry(trace, id, &entries[i], visit, data);
    free(entries);
    return r;
}

static int add_segment(void *data, uint64_t id, const char *document, size_t length)
{
    char text[ENTITY_ID_LENGTH + 1];
    cJSON *segment = cJSON_CreateObject();
    (void)length;
    entity_id_format(id, text);
    if (!cJSON_AddStringToObject(segment, "Id", text) ||
        !cJSON_AddStringToObject(segment, "Document", document)) {
        cJSON_Delete(segment);
        return -ENOMEM;
    }
    cJSON_AddItemToArray(data, segment);
    return 0;
}

static int add_trace(const struct stored_trace *stored, cJSON *traces)
{
    struct trace trace;
    struct facts *facts;
    char id[TRACE_ID_LENGTH + 1];
    int r = trace_build(&trace, stored->documents, stored->count);
    if (r < 0)
        return r;
    r = facts_new(&facts, &trace, &stored->id);
    if (r < 0) {
        trace_free(&trace);
        return r;
    }
    cJSON *object = cJSON_CreateObject();
    trace_id_format(&stored->id, id);
    cJSON_AddStringToObject(object, "Id", id);
    cJSON_AddNumberToObject(object, "Duration", summary_round(facts->end - facts->start));
    cJSON_AddBoolToObject(object, "LimitExceeded", false);
    r = documents_visit(&trace, &stored->id, true, add_segment,
                        cJSON_AddArrayToObject(object, "Segments"));
    facts_unref(facts);
    trace_free(&trace);
    if (r < 0)
        cJSON_Delete(object);
    else
        cJSON_AddItemToArray(traces, object);
    return r;
}

static int add_traces(const struct api *api, const struct trace_id *ids, size_t count, cJSON *body)
{
    cJSON *traces = cJSON_AddArrayToObject(body, "Traces");
    cJSON *unprocessed = cJSON_AddArrayToObject(body, "UnprocessedTraceIds");
    int r = 0;
    for (size_t i = 0; i < count && r == 0; i++) {
        struct stored_trace stored;
        char text[TRACE_ID_LENGTH + 1];
        r = store_read(api->store, &ids[i], &stored);
        if (r == -ENOENT) {
            trace_id_format(&ids[i], text);
            cJSON_AddItemToArray(unprocessed, cJSON_CreateString(text));
            r = 0;
        } else if (r == 0) {
            r = add_trace(&stored, traces);
            stored_trace_free(&stored);
        }
    }
    return r;
}

void api_batch_get_traces(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    struct trace_id *ids;
    size_t count;
    const char *problem = query_trace_ids(
        request, api->relaxed ? API_TRACE_IDS_RELAXED : API_TRACE_IDS_MAX, &ids, &count);
    if (!problem && query_no_token(request)) {
        free(ids);
        problem = "NextToken is currently not supported";
    }
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    cJSON *body = cJSON_CreateObject();
    if (add_traces(api, ids, count, body) < 0) {
        cJSON_Delete(body);
        body = NULL;
    }
    free(ids);
    api_reply(reply, body);
}
