/* SPDX-License-Identifier: Apache-2.0 */
/* A trace as one HTML file: the page's own parts, with the trace in them. */
#include "local/api/page_internal.h"
#include "local/graph/graph.h"
#include "local/page/assets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MODULES_MAX 200u
#define FIRST       "standalone.js"

/* Within a script nothing may look like its end, whatever a document holds. */
static void append_escaped(struct buffer *buffer, const char *json)
{
    for (const char *at = json; at && *at;) {
        size_t plain = strcspn(at, "<");
        buffer_append(buffer, at, plain);
        at += plain;
        if (*at) {
            buffer_puts(buffer, "\\u003c");
            at++;
        }
    }
}

/* {"Trace": …, "Services": …} */
static int append_trace(const struct api *api, const struct trace_id *id, struct buffer *ret)
{
    struct buffer text = { 0 };
    struct found_trace found;
    struct graph *graph;
    int r = store_facts(api->store, id, &found);
    if (r < 0)
        return r;
    r = graph_new(&graph);
    if (r == 0) {
        buffer_puts(&text, "{\"Trace\":");
        r = page_write_trace(api, id, &text);
        if (r == 0)
            r = graph_add(graph, found.facts);
        if (r == 0) {
            buffer_puts(&text, ",\"Services\":");
            page_append_json(&text, graph_services(graph));
            buffer_puts(&text, "}");
        }
        graph_free(graph);
    }
    facts_unref(found.facts);
    if (text.failed)
        r = -ENOMEM;
    if (r == 0)
        append_escaped(ret, text.text);
    buffer_free(&text);
    return r;
}

/* Names of files as they stand in quotes behind `before`, up to `quote`; each is added
   once. */
static void find_names(const char *text, const char *before, char quote, cJSON *names)
{
    size_t skip = strlen(before);
    while ((text = strstr(text, before))) {
        text += skip;
        const char *end = strchr(text, quote);
        char name[64];
        size_t length = end ? (size_t)(end - text) : 0;
        if (!length || length >= sizeof name)
            continue;
        memcpy(name, text, length);
        name[length] = '\0';
        if (asset_find(name) && !cJSON_GetObjectItemCaseSensitive(names, name))
            cJSON_AddNullToObject(names, name);
    }
}

static int read_asset(const struct api *api, const char *name, char **ret)
{
    size_t length;
    return asset_read(api->page->settings.directory, name, ret, &length);
}

/* The modules that the first one needs: {"name": "text"}. */
static int append_modules(const struct api *api, struct buffer *ret)
{
    cJSON *modules = cJSON_CreateObject();
    cJSON_AddNullToObject(modules, FIRST);
    int r = 0;
    size_t count = 0;
    /* Those that are found on the way are added at the end. */
    for (cJSON *item = modules ? modules->child : NULL; r == 0 && item && count < MODULES_MAX;
         item = item->next, count++) {
        char *text;
        r = read_asset(api, item->string, &text);
        if (r < 0)
            break;
        find_names(text, "'./", '\'', modules);
        item->type = cJSON_String;
        item->valuestring = text; /* malloc() is cJSON's too */
    }
    char *json = r == 0 ? cJSON_PrintUnformatted(modules) : NULL;
    cJSON_Delete(modules);
    if (r == 0 && json)
        append_escaped(ret, json);
    free(json);
    return r < 0 ? r : json ? 0 : -ENOMEM;
}

/* All style sheets, in the order of the page's. */
static int append_styles(const struct api *api, struct buffer *ret)
{
    cJSON *names = cJSON_CreateObject();
    const cJSON *name;
    char *text;
    int r = read_asset(api, "index.html", &text);
    if (r == 0) {
        find_names(text, "rel=\"stylesheet\" href=\"/page/", '"', names);
        free(text);
    }
    cJSON_ArrayForEach(name, names)
    {
        if (r == 0)
            r = read_asset(api, name->string, &text);
        if (r < 0)
            break;
        buffer_puts(ret, text);
        free(text);
    }
    cJSON_Delete(names);
    return r;
}

static int append_part(const struct api *api, const struct trace_id *id, size_t part,
                       struct buffer *ret)
{
    switch (part) {
    case 0:
        return append_styles(api, ret);
    case 1:
        return append_trace(api, id, ret);
    default:
        return append_modules(api, ret);
    }
}

/* With the marks in this order. -EPROTO: one is not there. */
static int fill_in(const struct api *api, const struct trace_id *id, const char *form,
                   struct buffer *ret)
{
    static const char *const marks[] = { "\n{{styles}}\n", ">{{trace}}<", ">{{modules}}<" };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *mark = strstr(form, marks[i]);
        if (!mark)
            return -EPROTO;
        buffer_append(ret, form, (size_t)(mark + 1 - form));
        int r = append_part(api, id, i, ret);
        if (r < 0)
            return r;
        form = mark + strlen(marks[i]) - 1;
    }
    buffer_puts(ret, form);
    return ret->failed ? -ENOMEM : 0;
}

void page_export_html(const struct page_call *call)
{
    static const char end[] = ".html";
    char text[TRACE_ID_LENGTH + 1] = "";
    size_t length = strlen(call->rest);
    struct buffer page = { 0 };
    struct trace_id id;
    char *form;
    if (length > sizeof end - 1 && length - (sizeof end - 1) < sizeof text &&
        strcmp(call->rest + length - (sizeof end - 1), end) == 0)
        memcpy(text, call->rest, length - (sizeof end - 1));
    if (!trace_id_parse_any(text, &id)) {
        page_not_found(call->reply, "the path must end in a trace id and .html");
        return;
    }
    int r = read_asset(call->api, "export.html", &form);
    if (r == 0) {
        r = fill_in(call->api, &id, form, &page);
        free(form);
    }
    if (r == 0) {
        page_reply_text(call->reply, "text/html; charset=utf-8", &page);
        call->reply->disposition = "attachment; filename=\"trace.html\"";
        return;
    }
    buffer_free(&page);
    if (r == -ENOENT)
        page_not_found(call->reply, "there is no such trace here, or not any more");
    else
        api_reply(call->reply, NULL);
}
