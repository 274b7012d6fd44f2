/* SPDX-License-Identifier: Apache-2.0 */
#include "local/api/page.h"

#include "local/api/page_internal.h"
#include "local/base/json_text.h"
#include "local/page/assets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int page_new(struct page **ret, const struct page_settings *settings)
{
    struct page *page = calloc(1, sizeof *page);
    if (!page)
        return -ENOMEM;
    page->settings = *settings;
    *ret = page;
    return 0;
}

void page_free(struct page *page)
{
    free(page);
}

double page_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void page_reply_text(struct http_reply *reply, const char *content_type, struct buffer *buffer)
{
    *reply = (struct http_reply){ .status = 200, .content_type = content_type };
    reply->body = buffer_take(buffer, &reply->length);
}

void page_not_found(struct http_reply *reply, const char *message)
{
    http_reply_error(reply, 404, "ResourceNotFoundException", message);
}

void page_append_json(struct buffer *buffer, cJSON *json)
{
    char *text = json ? cJSON_PrintUnformatted(json) : NULL;
    cJSON_Delete(json);
    if (text)
        buffer_puts(buffer, text);
    else
        buffer->failed = true;
    free(text);
}

int page_find_all(const struct api *api, struct found_traces *ret)
{
    struct store_query query = { STORE_RANGE_EVENT, -DOCUMENT_TIME_MAX, DOCUMENT_TIME_MAX + 1 };
    return store_find(api->store, &query, ret);
}

enum body_kind {
    BODY_NONE, /* GET */
    BODY_OBJECT,
    BODY_ANY,
};

static const struct {
    const char *path; /* with a "/" at the end, for what follows it too */
    enum body_kind body;
    page_endpoint *run;
} endpoints[] = {
    { "/api/status", BODY_NONE, page_status },
    { "/api/events", BODY_NONE, page_events },
    { "/api/trace/", BODY_NONE, page_trace },
    { "/api/filter", BODY_NONE, page_filter },
    { "/api/words", BODY_NONE, page_words },
    { "/api/pin", BODY_OBJECT, page_pin },
    { "/api/clear", BODY_OBJECT, page_clear },
    { "/api/sample-trace", BODY_OBJECT, page_sample_trace },
    { "/api/sampling", BODY_NONE, page_sampling },
    { "/api/sampling/try", BODY_OBJECT, page_sampling_try },
    { "/api/sampling/boost", BODY_OBJECT, page_sampling_boost },
    { "/api/import", BODY_ANY, page_import },
    { "/api/export", BODY_NONE, page_export },
    { "/api/export/", BODY_NONE, page_export_html },
};

/* What follows the endpoint's path, or NULL if it is not this one. */
static const char *match(const char *path, const char *endpoint)
{
    size_t length = strlen(endpoint);
    if (strncmp(path, endpoint, length) != 0)
        return NULL;
    return endpoint[length - 1] == '/' || !path[length] ? path + length : NULL;
}

static bool is_get(const struct http_request *request)
{
    return strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
}

static void wrong_method(struct http_reply *reply, bool post)
{
    http_reply_error(reply, 405, "InvalidRequestException", post ? "use POST" : "use GET");
    reply->allow = post ? "POST" : "GET, HEAD";
}

static void run_endpoint(const struct page_call *call, page_endpoint *run, bool has_object)
{
    struct page_call own = *call;
    cJSON *body = has_object ? api_parse_object(call->request) : NULL;
    if (has_object && !body) {
        http_reply_error(call->reply, 400, "SerializationException",
                         "the body is not a JSON object");
        return;
    }
    own.body = body;
    run(&own);
    cJSON_Delete(body);
}

static void handle_api(const struct api *api, const struct http_request *request,
                       struct http_reply *reply)
{
    struct page_call call = { .api = api, .request = request, .reply = reply };
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        call.rest = match(request->path, endpoints[i].path);
        if (!call.rest)
            continue;
        bool post = endpoints[i].body != BODY_NONE;
        if (post ? strcmp(request->method, "POST") != 0 : !is_get(request))
            wrong_method(reply, post);
        else
            run_endpoint(&call, endpoints[i].run, endpoints[i].body == BODY_OBJECT);
        return;
    }
    page_not_found(reply, "there is nothing at this path; see docs/local.md");
}

bool page_handle(const struct api *api, const struct http_request *request,
                 struct http_reply *reply)
{
    const char *file = match(request->path, "/page/");
    bool first = strcmp(request->path, "/") == 0 && strstr(request->accept, "text/html");
    if (!api->page)
        return false;
    if (strncmp(request->path, "/api/", 5) == 0) {
        handle_api(api, request, reply);
        return true;
    }
    if (!file && !first)
        return false;
    if (is_get(request))
        asset_reply(api->page->settings.directory, first ? "index.html" : file, reply);
    else
        wrong_method(reply, false);
    return true;
}
