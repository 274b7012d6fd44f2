/* SPDX-License-Identifier: Apache-2.0 */
/* What the page's endpoints share. */
#ifndef LOCAL_PAGE_INTERNAL_H
#define LOCAL_PAGE_INTERNAL_H

#include "local/api/page.h"
#include "local/base/buffer.h"

struct telemetry_record {
    double time;
    char hostname[65];
    double received;
    double sent;
    double spillover;
    double rejected;
};

struct page {
    struct page_settings settings;
    struct telemetry_record telemetry[PAGE_TELEMETRY_MAX]; /* a ring */
    size_t telemetry_count;                                /* ever */
};

/* `rest` is what follows the endpoint's path, "" for most; `body` is the object that was
   posted, NULL for GET. */
struct page_call {
    const struct api *api;
    const struct http_request *request;
    const char *rest;
    const cJSON *body;
    struct http_reply *reply;
};

typedef void page_endpoint(const struct page_call *call);

page_endpoint page_status;
page_endpoint page_events;
page_endpoint page_trace;
page_endpoint page_filter;
page_endpoint page_words;
page_endpoint page_pin;
page_endpoint page_clear;
page_endpoint page_sample_trace;
page_endpoint page_sampling;
page_endpoint page_sampling_try;
page_endpoint page_sampling_boost;
page_endpoint page_import;
page_endpoint page_export;
page_endpoint page_export_html;

/* Replies with the buffer's text and empties it. */
void page_reply_text(struct http_reply *reply, const char *content_type, struct buffer *buffer);
void page_not_found(struct http_reply *reply, const char *message);
/* Appends the value as JSON and frees it. */
void page_append_json(struct buffer *buffer, cJSON *json);

double page_now(void);

/* All that is in the store. 0 or -ENOMEM. */
int page_find_all(const struct api *api, struct found_traces *ret);

/* [{"Id", "Percentile", "Count", "Name"}]: where the durations of a trace's segments and
   calls are among those of the same name in the store. NULL when out of memory. */
cJSON *page_percentiles(const struct api *api, const struct facts *facts);
/* [{"Id", "Path", "Level", "Code", "Message"}] of the documents. */
cJSON *page_findings(const struct stored_trace *stored);
/* What /api/trace/<id> replies. -ENOENT, -ENOMEM. */
int page_write_trace(const struct api *api, const struct trace_id *id, struct buffer *ret);

#endif
