/* SPDX-License-Identifier: Apache-2.0 */
/* Traces that are asked for first and fetched later. Here they are there at once, so a
   token is only a name for the ids. */
#include "local/api/documents.h"
#include "local/api/query.h"
#include "local/trace/summary.h"
#include "local/trace/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <otlp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <xraytrace/version.h>

#define TOKEN_LENGTH  32
#define TOKENS_MAX    100    /* the oldest goes */
#define TOKEN_SECONDS 3600   /* as in the service */
#define PAGE_TRACES   5      /* in a page, as in the service */
#define TRACE_SPANS   100    /* of a trace in a page, as in the service */
#define PAGE_SERVICES 1000   /* of a map, as in the service */
#define SPAN_BYTES    204800 /* as in the service; larger ones are left out */

struct retrieval {
    char token[TOKEN_LENGTH + 1]; /* "": none */
    time_t started;               /* monotonic */
    struct trace_id ids[API_TRACE_IDS_RELAXED];
    size_t count;
};

/* The API has one thread. */
static struct retrieval retrievals[TOKENS_MAX];

static time_t monotonic_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static struct retrieval *place_for_one(void)
{
    struct retrieval *oldest = &retrievals[0];
    for (size_t i = 0; i < TOKENS_MAX; i++) {
        if (!*retrievals[i].token)
            return &retrievals[i];
        if (retrievals[i].started < oldest->started)
            oldest = &retrievals[i];
    }
    return oldest;
}

void api_start_retrieval(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    struct store_query query;
    struct trace_id *ids = NULL;
    uint64_t random[2];
    size_t count = 0;
    const char *problem = query_times(request, &query);
    (void)api;
    if (!problem)
        problem = query_trace_ids(request, API_TRACE_IDS_RELAXED, &ids, &count);
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    struct retrieval *retrieval = place_for_one();
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        free(ids);
        api_reply(reply, NULL);
        return;
    }
    snprintf(retrieval->token, sizeof retrieval->token, "%016" PRIx64 "%016" PRIx64, random[0],
             random[1]);
    retrieval->started = monotonic_seconds();
    retrieval->count = count;
    memcpy(retrieval->ids, ids, count * sizeof *ids);
    free(ids);
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "RetrievalToken", retrieval->token);
    api_reply(reply, body);
}

/* NULL after a reply. */
static struct retrieval *find_retrieval(const cJSON *request, struct http_reply *reply)
{
    const char *token = trace_string(request, "RetrievalToken");
    time_t now = monotonic_seconds();
    if (!token || !*token) {
        api_invalid(reply, "RetrievalToken is missing");
        return NULL;
    }
    for (size_t i = 0; i < TOKENS_MAX; i++)
        if (strcmp(retrievals[i].token, token) == 0 && now - retrievals[i].started < TOKEN_SECONDS)
            return &retrievals[i];
    http_reply_error(reply, 404, "ResourceNotFoundException",
                     "there is no such retrieval, or not any more: start one again");
    return NULL;
}

/* ---- The page of a list ---- */

struct listing {
    cJSON *traces;
    size_t first; /* entries to be passed over, which were on earlier pages */
    size_t seen;
    bool more;
    bool as_otel;
    char id[TRACE_ID_LENGTH + 1]; /* of the trace that is listed */
    double duration;
    cJSON *spans; /* of its entry; NULL: none begun */
    int span_count;
};

/* Where the next span goes; NULL if that is on another page. */
static cJSON *spans_of(struct listing *listing)
{
    if (listing->span_count % TRACE_SPANS == 0) {
        size_t entry = listing->seen++;
        listing->spans = NULL;
        if (entry >= listing->first + PAGE_TRACES) {
            listing->more = true;
        } else if (entry >= listing->first) {
            cJSON *trace = cJSON_CreateObject();
            cJSON_AddStringToObject(trace, "Id", listing->id);
            cJSON_AddNumberToObject(trace, "Duration", listing->duration);
            listing->spans = cJSON_AddArrayToObject(trace, "Spans");
            cJSON_AddItemToArray(listing->traces, trace);
        }
    }
    listing->span_count++;
    return listing->spans;
}

static int add_span(struct listing *listing, const char *id, const char *document)
{
    if (strlen(document) > SPAN_BYTES)
        return 0;
    cJSON *spans = spans_of(listing);
    if (!spans)
        return 0;
    cJSON *span = cJSON_CreateObject();
    cJSON_AddStringToObject(span, "Id", id);
    if (!cJSON_AddStringToObject(span, "Document", document)) {
        cJSON_Delete(span);
        return -ENOMEM;
    }
    cJSON_AddItemToArray(spans, span);
    return 0;
}

/* A span with its resource and scope in it, as the service has them. */
static int add_otel_span(struct listing *listing, const cJSON *resource, const cJSON *scope,
                         const cJSON *span)
{
    const char *id = trace_string(span, "spanId");
    cJSON *document = cJSON_Duplicate(span, true);
    if (resource)
        cJSON_AddItemToObject(document, "resource", cJSON_Duplicate(resource, true));
    if (scope)
        cJSON_AddItemToObject(document, "scope", cJSON_Duplicate(scope, true));
    char *text = cJSON_PrintUnformatted(document);
    int r = text ? add_span(listing, id ? id : "", text) : -ENOMEM;
    cJSON_free(text);
    cJSON_Delete(document);
    return r;
}

static int add_otel_spans(struct listing *listing, const cJSON *otlp)
{
    const cJSON *resource_spans;
    const cJSON *scope_spans;
    const cJSON *span;
    int r = 0;
    cJSON_ArrayForEach(resource_spans, cJSON_GetObjectItemCaseSensitive(otlp, "resourceSpans"))
    {
        const cJSON *resource = trace_object(resource_spans, "resource");
        cJSON_ArrayForEach(scope_spans,
                           cJSON_GetObjectItemCaseSensitive(resource_spans, "scopeSpans"))
        {
            const cJSON *scope = trace_object(scope_spans, "scope");
            cJSON_ArrayForEach(span, cJSON_GetObjectItemCaseSensitive(scope_spans, "spans"))
            {
                if (r == 0)
                    r = add_otel_span(listing, resource, scope, span);
            }
        }
    }
    return r;
}

static int add_as_otel(struct listing *listing, const char *document, size_t length)
{
    char version[32];
    struct xr_otlp_write_params params = {
        .format = XR_OTLP_JSON,
        .sdk_version = version,
        .in_progress = true,
    };
    struct xr_otlp_writer *writer;
    char *text = NULL;
    size_t text_length;
    snprintf(version, sizeof version, "%d.%d.%d", XRAY_VERSION_MAJOR, XRAY_VERSION_MINOR,
             XRAY_VERSION_PATCH);
    int r = xr_otlp_writer_new(&writer, &params);
    if (r < 0)
        return r;
    r = xr_otlp_write(writer, document, length, NULL);
    if (r == 0)
        r = xr_otlp_finish(writer, &text, &text_length);
    xr_otlp_writer_free(writer);
    if (r < 0)
        return r == -EINVAL ? 0 : r;
    cJSON *otlp = cJSON_ParseWithLength(text, text_length);
    r = otlp ? add_otel_spans(listing, otlp) : -ENOMEM;
    cJSON_Delete(otlp);
    free(text);
    return r;
}

static int add_document(void *data, uint64_t id, const char *document, size_t length)
{
    struct listing *listing = data;
    char text[ENTITY_ID_LENGTH + 1];
    entity_id_format(id, text);
    return listing->as_otel ? add_as_otel(listing, document, length)
                            : add_span(listing, text, document);
}

static int add_trace(const struct api *api, const struct trace_id *id, struct listing *listing)
{
    struct stored_trace stored;
    struct found_trace found;
    struct trace trace;
    int r = store_facts(api->store, id, &found);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    listing->duration = summary_round(found.facts->end - found.facts->start);
    facts_unref(found.facts);
    r = store_read(api->store, id, &stored);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = trace_build(&trace, stored.documents, stored.count);
    if (r == 0) {
        trace_id_format(id, listing->id);
        listing->span_count = 0;
        r = documents_visit(&trace, id, false, add_document, listing);
        trace_free(&trace);
    }
    stored_trace_free(&stored);
    return r;
}

/* "<the request's other arguments>-<entries before>". */
#define ARGUMENTS_DIGITS 16

static void format_arguments(const cJSON *request, char ret[ARGUMENTS_DIGITS + 2])
{
    snprintf(ret, ARGUMENTS_DIGITS + 2, "%016" PRIx64 "-", query_arguments(request));
}

static void add_next_token(const cJSON *request, size_t first, cJSON *body)
{
    char arguments[ARGUMENTS_DIGITS + 2];
    char token[64];
    format_arguments(request, arguments);
    snprintf(token, sizeof token, "%s%zu", arguments, first);
    cJSON_AddStringToObject(body, "NextToken", token);
}

static const char *read_page(const cJSON *request, size_t page_size, size_t *ret)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, "NextToken");
    char arguments[ARGUMENTS_DIGITS + 2];
    char *end;
    *ret = 0;
    if (!item || cJSON_IsNull(item))
        return NULL;
    format_arguments(request, arguments);
    if (strncmp(item->valuestring, arguments, strlen(arguments)) != 0)
        return "NextToken is not one that was returned here for this request";
    const char *digits = item->valuestring + strlen(arguments);
    unsigned long long first = strtoull(digits, &end, 10);
    /* Pages begin where pages end. */
    if (*digits < '1' || *digits > '9' || *end || first > UINT32_MAX || first % page_size != 0)
        return "NextToken is not one that was returned here";
    *ret = (size_t)first;
    return NULL;
}

static const char *read_format(const cJSON *request, bool *ret_otel)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, "TraceFormat");
    const char *name = cJSON_GetStringValue(item);
    *ret_otel = name && strcmp(name, "OTEL") == 0;
    if (!item || cJSON_IsNull(item) || *ret_otel || (name && strcmp(name, "XRAY") == 0))
        return NULL;
    return "TraceFormat must be XRAY or OTEL";
}

void api_list_retrieved(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    struct listing listing = { 0 };
    const char *problem = read_format(request, &listing.as_otel);
    if (!problem)
        problem = read_page(request, PAGE_TRACES, &listing.first);
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    const struct retrieval *retrieval = find_retrieval(request, reply);
    if (!retrieval)
        return;
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "RetrievalStatus", "COMPLETE");
    cJSON_AddStringToObject(body, "TraceFormat", listing.as_otel ? "OTEL" : "XRAY");
    listing.traces = cJSON_AddArrayToObject(body, "Traces");
    int r = 0;
    for (size_t i = 0; i < retrieval->count && r == 0 && !listing.more; i++)
        r = add_trace(api, &retrieval->ids[i], &listing);
    if (listing.more) {
        add_next_token(request, listing.first + PAGE_TRACES, body);
    }
    if (r < 0) {
        cJSON_Delete(body);
        body = NULL;
    }
    api_reply(reply, body);
}

void api_retrieved_graph(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    size_t first;
    const char *problem = read_page(request, PAGE_SERVICES, &first);
    if (problem) {
        api_invalid(reply, problem);
        return;
    }
    const struct retrieval *retrieval = find_retrieval(request, reply);
    if (!retrieval)
        return;
    cJSON *services = api_services_of_traces(api, retrieval->ids, retrieval->count);
    if (!services) {
        api_reply(reply, NULL);
        return;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "RetrievalStatus", "COMPLETE");
    cJSON *list = cJSON_AddArrayToObject(body, "Services");
    for (size_t i = 0; services->child && i < first + PAGE_SERVICES; i++) {
        cJSON *one = cJSON_DetachItemFromArray(services, 0);
        if (i < first) {
            cJSON_Delete(one);
            continue;
        }
        cJSON *service = cJSON_CreateObject();
        cJSON_AddItemToObject(service, "Service", one);
        cJSON_AddArrayToObject(service, "Links");
        cJSON_AddItemToArray(list, service);
    }
    if (services->child)
        add_next_token(request, first + PAGE_SERVICES, body);
    cJSON_Delete(services);
    api_reply(reply, body);
}

void api_cancel_retrieval(const struct api *api, const cJSON *request, struct http_reply *reply)
{
    struct retrieval *retrieval = find_retrieval(request, reply);
    (void)api;
    if (!retrieval)
        return;
    retrieval->token[0] = '\0';
    api_reply(reply, cJSON_CreateObject());
}
