/* SPDX-License-Identifier: Apache-2.0 */
/* Traces as files: lines of documents, OTLP, or a page that needs no server. */
#include "local/api/groups.h"
#include "local/api/page_internal.h"
#include "local/filter/filter.h"
#include "local/trace/trace.h"

#include <errno.h>
#include <otlp.h>
#include <stdlib.h>
#include <string.h>
#include <xraytrace/version.h>

#define IDS_MAX      1000u
#define EXPORT_BYTES ((size_t)128 * 1024 * 1024)
#define SECONDS_MAX  1e10

/* Where the documents of a trace go. */
struct export
{
    struct buffer lines;
    struct xr_otlp_writer *otlp; /* NULL: lines */
    size_t bytes;
};

/* A document may have come in several lines; within its strings there is no newline. */
static void add_line(struct export *export, const struct stored_document *document)
{
    size_t start = export->lines.length;
    buffer_append(&export->lines, document->text, document->length);
    if (export->lines.failed)
        return;
    for (char *c = export->lines.text + start; *c; c++)
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    buffer_puts(&export->lines, "\n");
}

static int add_spans(struct export *export, const struct stored_trace *stored)
{
    struct trace trace;
    int r = trace_build(&trace, stored->documents, stored->count);
    if (r < 0)
        return r;
    for (size_t i = trace.first_root; r == 0 && i != TRACE_NONE; i = trace_next(&trace, i)) {
        struct buffer text = { 0 };
        if (!trace_is_entry(&trace, i))
            continue;
        trace_write_document(&trace, i, &text);
        r = text.failed ? -ENOMEM : xr_otlp_write(export->otlp, text.text, text.length, NULL);
        buffer_free(&text);
        if (r == -EINVAL)
            r = 0; /* it was kept as it came, and is no segment in every respect */
    }
    trace_free(&trace);
    return r;
}

/* -EFBIG: it is too much for one reply. A trace that is gone is left out. */
static int add_trace(struct export *export, struct store *store, const struct trace_id *id)
{
    struct stored_trace stored;
    int r = store_read(store, id, &stored);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return r;
    for (size_t i = 0; i < stored.count; i++) {
        export->bytes += stored.documents[i].length;
        if (!export->otlp)
            add_line(export, &stored.documents[i]);
    }
    if (export->otlp)
        r = add_spans(export, &stored);
    stored_trace_free(&stored);
    return export->bytes > EXPORT_BYTES ? -EFBIG : r;
}

static int add_listed(const struct page_call *call, struct export *export, const char *const *ids,
                      size_t count)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct trace_id id;
        r = trace_id_parse_any(ids[i], &id) ? add_trace(export, call->api->store, &id) : -EINVAL;
    }
    return r;
}

static int find_recent(const struct page_call *call, struct found_traces *ret)
{
    const char *text = http_query(call->request, "seconds");
    char *end = NULL;
    double seconds = text ? strtod(text, &end) : 0;
    if (!text || !*text)
        return page_find_all(call->api, ret);
    if (*end || !(seconds > 0 && seconds < SECONDS_MAX))
        return -EINVAL;
    struct store_query query = { STORE_RANGE_EVENT, page_now() - seconds, page_now() + 86400 };
    return store_find(call->api->store, &query, ret);
}

static int add_matching(const struct page_call *call, struct export *export,
                        const struct filter *filter)
{
    struct found_traces found;
    int r = find_recent(call, &found);
    if (r < 0)
        return r;
    for (size_t i = found.count; r == 0 && i-- > 0;)
        if (filter_matches(filter, found.traces[i].facts))
            r = add_trace(export, call->api->store, &found.traces[i].facts->id);
    found_traces_free(&found);
    return r;
}

static int add_filtered(const struct page_call *call, struct export *export,
                        struct filter_error *error)
{
    const char *text = http_query(call->request, "filter");
    struct filter *filter;
    error->message[0] = '\0';
    int r = group_filter_parse(&filter, text ? text : "", text ? strlen(text) : 0, call->api->store,
                               error);
    if (r < 0)
        return r;
    error->message[0] = '\0';
    r = add_matching(call, export, filter);
    filter_free(filter);
    return r;
}

static void reply_with(struct export *export, struct http_reply *reply)
{
    *reply = (struct http_reply){ .status = 200 };
    if (export->otlp) {
        reply->disposition = "attachment; filename=\"traces.otlp.json\"";
        if (xr_otlp_finish(export->otlp, &reply->body, &reply->length) < 0)
            reply->body = NULL;
        return;
    }
    reply->content_type = "application/x-ndjson";
    reply->disposition = "attachment; filename=\"traces.jsonl\"";
    buffer_puts(&export->lines, "");
    reply->body = buffer_take(&export->lines, &reply->length);
}

void page_export(const struct page_call *call)
{
    const char *ids[IDS_MAX];
    size_t count = http_queries(call->request, "id", ids, IDS_MAX);
    const char *format = http_query(call->request, "format");
    const struct xr_otlp_write_params params = { .format = XR_OTLP_JSON, .in_progress = true };
    struct export export = { 0 };
    struct filter_error error = { 0 };
    if (format && strcmp(format, "otlp") != 0 && strcmp(format, "jsonl") != 0) {
        api_invalid(call->reply, "format is jsonl or otlp");
        return;
    }
    int r = format && strcmp(format, "otlp") == 0 ? xr_otlp_writer_new(&export.otlp, &params) : 0;
    if (r == 0)
        r = count ? add_listed(call, &export, ids, count) : add_filtered(call, &export, &error);
    if (r == 0)
        reply_with(&export, call->reply);
    else if (r == -EFBIG)
        api_invalid(call->reply, "these are more than 128 MiB: export fewer traces at a time");
    else if (r == -EINVAL)
        api_invalid(call->reply, *error.message ? error.message
                                 : count        ? "id must be a trace id, 1-<8 hex>-<24 hex>"
                                         : "seconds must be a number of seconds, back from now");
    else
        api_reply(call->reply, NULL);
    xr_otlp_writer_free(export.otlp);
    buffer_free(&export.lines);
}
