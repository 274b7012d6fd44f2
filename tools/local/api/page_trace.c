/* SPDX-License-Identifier: Apache-2.0 */
/* All that is known of one trace: its summary, its documents with the inferred ones,
   what is wrong with them, and how slow each part was among its like. */
#include "local/api/page_internal.h"
#include "local/trace/inferred.h"
#include "local/trace/summary.h"
#include "local/trace/trace.h"

#include <errno.h>
#include <stdlib.h>

struct writer {
    struct buffer *buffer;
    const struct trace *trace;
    const struct trace_id *id;
    size_t segments; /* so far */
};

static void begin_segment(struct writer *writer, uint64_t id, bool inferred)
{
    char text[ENTITY_ID_LENGTH + 1];
    entity_id_format(id, text);
    buffer_printf(writer->buffer,
                  "%s{\"Id\":\"%s\",\"Inferred\":%s,\"Document\":", writer->segments ? "," : "",
                  text, inferred ? "true" : "false");
    writer->segments++;
}

static void write_inferred(struct writer *writer, size_t node)
{
    struct inferred inferred[INFERRED_MAX];
    size_t count = inferred_from(writer->trace, writer->id, node, inferred);
    for (size_t i = 0; i < count && writer->segments < FACTS_SEGMENTS_MAX; i++) {
        begin_segment(writer, inferred[i].id, true);
        inferred_write_document(writer->trace, writer->id, node, &inferred[i], writer->buffer);
        buffer_puts(writer->buffer, "}");
    }
}

/* As text, so that numbers keep all their digits. */
static void write_segments(struct writer *writer)
{
    const struct trace *trace = writer->trace;
    for (size_t i = trace->first_root; i != TRACE_NONE; i = trace_next(trace, i)) {
        if (!trace_is_entry(trace, i))
            continue;
        begin_segment(writer, trace->nodes[i].id, false);
        trace_write_document(trace, i, writer->buffer);
        buffer_puts(writer->buffer, "}");
    }
    for (size_t i = trace->first_root; i != TRACE_NONE; i = trace_next(trace, i))
        write_inferred(writer, i);
}

int page_write_trace(const struct api *api, const struct trace_id *id, struct buffer *ret)
{
    struct found_trace found;
    struct stored_trace stored;
    struct trace trace;
    char text[TRACE_ID_LENGTH + 1];
    int r = store_facts(api->store, id, &found);
    if (r < 0)
        return r;
    r = store_read(api->store, id, &stored);
    if (r == 0) {
        r = trace_build(&trace, stored.documents, stored.count);
        if (r < 0)
            stored_trace_free(&stored);
    }
    if (r < 0) {
        facts_unref(found.facts);
        return r;
    }
    trace_id_format(id, text);
    buffer_printf(ret, "{\"Id\":\"%s\",\"Pinned\":%s,\"Summary\":", text,
                  found.pinned ? "true" : "false");
    page_append_json(ret, summary_new(found.facts, found.revision));
    buffer_puts(ret, ",\"Segments\":[");
    write_segments(&(struct writer){ ret, &trace, id, 0 });
    buffer_puts(ret, "],\"Findings\":");
    page_append_json(ret, page_findings(&stored));
    buffer_puts(ret, ",\"Percentiles\":");
    page_append_json(ret, page_percentiles(api, found.facts));
    buffer_puts(ret, "}");
    trace_free(&trace);
    stored_trace_free(&stored);
    facts_unref(found.facts);
    return ret->failed ? -ENOMEM : 0;
}

void page_trace(const struct page_call *call)
{
    struct trace_id id;
    struct buffer text = { 0 };
    if (!trace_id_parse_any(call->rest, &id)) {
        api_invalid(call->reply, "the path must end in a trace id, 1-<8 hex>-<24 hex>");
        return;
    }
    if (page_write_trace(call->api, &id, &text) == -ENOENT) {
        buffer_free(&text);
        page_not_found(call->reply, "there is no such trace here, or not any more");
        return;
    }
    page_reply_text(call->reply, NULL, &text);
}
