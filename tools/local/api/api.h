/* SPDX-License-Identifier: Apache-2.0 */
/* The X-Ray API, and what is said at "/": a request in, a reply out, whatever
   carries them. */
#ifndef LOCAL_API_H
#define LOCAL_API_H

#include "local/http/server.h"
#include "local/intake/ingest.h"
#include "local/sampling/service.h"
#include "local/store/store.h"

#include <cjson/cJSON.h>

#define API_SEGMENTS_MAX      50  /* documents in a PutTraceSegments */
#define API_TRACE_IDS_MAX     5   /* ids in a BatchGetTraces */
#define API_TRACE_IDS_RELAXED 100 /* the same with --relaxed, and in a GetTraceGraph */
#define API_PAGE              100 /* summaries in a page of GetTraceSummaries */

struct page;

struct api {
    struct ingest *ingest;
    struct store *store;
    struct sampling_service *sampling;  /* used by the thread that calls api_handle() only */
    struct page *page;                  /* the web page; NULL: none */
    struct forward *forward;            /* NULL: none */
    struct faults *faults;              /* NULL: none */
    const struct http_request *request; /* the one in hand */
    /* Called before the store is read, so that what was sent before is seen. May be NULL. */
    void (*settle)(void *data);
    void *settle_data;
    bool relaxed;       /* beyond the cloud's limits of a request, as far as that does no harm */
    unsigned otlp_port; /* the second port, of OpenTelemetry's spans; 0: none */
};

/* An http_handler; data is the struct api. */
void api_handle(void *data, const struct http_request *request, struct http_reply *reply);

/* OpenTelemetry's spans come on a port of their own too, where nothing else is; that has
   a thread of its own. data is the struct api. */
#define API_OTLP_PATH "/v1/traces"
void api_otlp_handle(void *data, const struct http_request *request, struct http_reply *reply);

/* True if the request fails on purpose, with the reply. Else the reply may have a delay,
   which is to be kept. */
bool api_fail(const struct api *api, const struct http_request *request, struct http_reply *reply);

/* Under which the store keeps the sampling rules, once they have been changed. */
#define API_SAMPLING_KIND "sampling-rules"

/* An operation of the X-Ray API. */
typedef void api_operation(const struct api *api, const cJSON *request, struct http_reply *reply);
api_operation api_get_trace_summaries;
api_operation api_batch_get_traces;
api_operation api_get_service_graph;
api_operation api_get_trace_graph;
api_operation api_get_time_series;
api_operation api_create_group;
api_operation api_update_group;
api_operation api_delete_group;
api_operation api_get_group;
api_operation api_get_groups;
api_operation api_start_retrieval;
api_operation api_list_retrieved;
api_operation api_retrieved_graph;
api_operation api_cancel_retrieval;
api_operation api_tag_resource;
api_operation api_untag_resource;
api_operation api_list_tags;
api_operation api_get_encryption;
api_operation api_put_encryption;
api_operation api_get_destination;
api_operation api_update_destination;
api_operation api_get_indexing;
api_operation api_update_indexing;
api_operation api_get_insights;
api_operation api_get_insight;
api_operation api_list_policies;
api_operation api_change_policies;

/* The body, to be deleted. Operations without input come with an empty one, which is an
   object without members. NULL if it is none. */
cJSON *api_parse_object(const struct http_request *request);

/* For the files of the API. The reply takes `body` over; a NULL body or one that can't
   be printed for lack of memory becomes status 500. */
void api_reply(struct http_reply *reply, cJSON *body);
void api_invalid(struct http_reply *reply, const char *message);

void api_sampling(const struct api *api, sampling_operation *run, const cJSON *request,
                  struct http_reply *reply);
void api_otlp(const struct api *api, const struct http_request *request, struct http_reply *reply);

#endif
