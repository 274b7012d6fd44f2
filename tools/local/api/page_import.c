/* SPDX-License-Identifier: Apache-2.0 */
/* Takes a file: lines of segment documents, a request of OTLP as JSON, or one document
   over several lines. */
#include "local/api/page_internal.h"
#include "local/base/json_text.h"
#include "local/intake/otlp.h"

#include <errno.h>
#include <string.h>

#define REFUSED_MAX 1000

/* What an import is told of. */
struct import {
    const struct api *api;
    size_t line;
    size_t documents;
    size_t refused_count;
    cJSON *refused;
};

static void add_refused(struct import *import, const char *message)
{
    import->refused_count++;
    if (import->refused_count > REFUSED_MAX)
        return;
    cJSON *item = cJSON_CreateObject();
    cJSON_AddNumberToObject(item, "line", (double)import->line);
    cJSON_AddStringToObject(item, "message", message);
    cJSON_AddItemToArray(import->refused, item);
}

static void on_refused(void *data, const struct refusal *refusal)
{
    add_refused(data, refusal->message);
}

/* Of an array the items, of anything else one. The text is JSON. */
static size_t count_documents(const char *text, const char *end)
{
    const char *at = json_skip_space(text, end);
    size_t count = 0;
    if (*at != '[')
        return 1;
    for (at = json_skip_space(at + 1, end); *at != ']'; count++) {
        at = json_skip_space(json_skip_value(at, end), end);
        if (*at == ',')
            at = json_skip_space(at + 1, end);
    }
    return count;
}

static void find_spans(void *data, const struct json_member *member)
{
    bool *found = data;
    if (member->name_length == 13 && memcmp(member->name, "resourceSpans", 13) == 0)
        *found = true;
}

static bool is_otlp(const char *text, size_t length)
{
    struct json_error error;
    bool found = false;
    return *text == '{' && json_text_members(text, length, find_spans, &found, &error) && found;
}

/* What its spans become is counted where documents are. */
static void take_otlp(struct import *import, const char *text, size_t length)
{
    struct ingest_counts before;
    struct ingest_counts after;
    struct otlp_result result;
    ingest_count(import->api->ingest, &before);
    int r = ingest_otlp(import->api->ingest, XR_OTLP_JSON, text, length, &result);
    ingest_count(import->api->ingest, &after);
    import->documents += after.kept - before.kept + result.rejected;
    for (uint64_t i = 0; i < result.rejected; i++)
        add_refused(import, result.message);
    if (r < 0) {
        import->documents++;
        add_refused(import, r == -ENOMEM ? "out of memory" : result.message);
    }
}

static void take(struct import *import, const char *text, size_t length)
{
    struct json_error error;
    const char *start = json_skip_space(text, text + length);
    length -= (size_t)(start - text);
    if (!length)
        return;
    if (is_otlp(start, length)) {
        take_otlp(import, start, length);
        return;
    }
    import->documents += json_text_check(start, length, &error)
                             ? count_documents(start, start + length)
                             : 1;
    ingest_document(import->api->ingest, start, length, on_refused, import);
}

static void take_lines(struct import *import, const char *text, const char *end)
{
    while (text < end) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        if (!line_end)
            line_end = end;
        import->line++;
        take(import, text, (size_t)(line_end - text));
        text = line_end + 1;
    }
}

void page_import(const struct page_call *call)
{
    const struct http_request *request = call->request;
    struct import import = { .api = call->api, .refused = cJSON_CreateArray() };
    struct json_error error;
    if (json_text_check(request->body, request->length, &error)) {
        import.line = 1;
        take(&import, request->body, request->length);
    } else {
        take_lines(&import, request->body, request->body + request->length);
    }
    cJSON *body = cJSON_CreateObject();
    size_t kept = import.documents > import.refused_count ? import.documents - import.refused_count
                                                          : 0;
    cJSON_AddNumberToObject(body, "kept", (double)kept);
    cJSON_AddItemToObject(body, "refused", import.refused);
    api_reply(call->reply, body);
}
