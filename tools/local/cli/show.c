/* SPDX-License-Identifier: Apache-2.0 */
#include "local/base/json_text.h"
#include "local/cli/cells.h"
#include "local/cli/commands.h"
#include "local/cli/waterfall.h"
#include "local/trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The documents become part of the JSON, text for text. */
static int print_json(cJSON *trace)
{
    cJSON *segment;
    cJSON_ArrayForEach(segment, cJSON_GetObjectItemCaseSensitive(trace, "Segments"))
    {
        const char *document = trace_string(segment, "Document");
        if (document)
            cJSON_ReplaceItemInObjectCaseSensitive(segment, "Document", cJSON_CreateRaw(document));
    }
    struct buffer out = { 0 };
    char *text = cJSON_PrintUnformatted(trace);
    if (!text)
        return print_no_memory();
    cells_put_json(&out, text);
    buffer_puts(&out, "\n");
    free(text);
    return print_buffer(&out);
}

/* A waterfall shows the call itself, not what is inferred from it. */
static bool is_inferred(const char *text, size_t length)
{
    cJSON *json = cJSON_ParseWithLength(text, length);
    bool inferred = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "inferred"));
    cJSON_Delete(json);
    return inferred;
}

/* The documents of the answer are checked again: whatever answered, what is printed was
   put together from well-formed ones. */
static size_t collect(const cJSON *segments, struct stored_document *documents)
{
    const cJSON *segment;
    size_t count = 0;
    cJSON_ArrayForEach(segment, segments)
    {
        cJSON *document = cJSON_GetObjectItemCaseSensitive(segment, "Document");
        struct json_error error;
        if (!cJSON_IsString(document))
            continue;
        size_t length = strlen(document->valuestring);
        size_t blanks = strspn(document->valuestring, " \t\r\n");
        if (document->valuestring[blanks] == '{' &&
            json_text_check(document->valuestring, length, &error) &&
            !is_inferred(document->valuestring, length))
            documents[count++] = (struct stored_document){ document->valuestring, length };
    }
    return count;
}

static int print_waterfall(const cJSON *segments, const struct options *options)
{
    struct output_style look = output_style(options);
    struct waterfall_style style = { look.width, look.unicode, look.colour };
    struct stored_document *documents = calloc((size_t)cJSON_GetArraySize(segments) + 1,
                                               sizeof *documents);
    struct trace trace;
    if (!documents)
        return print_no_memory();
    size_t count = collect(segments, documents);
    int r = trace_build(&trace, documents, count);
    if (r == 0) {
        struct buffer out = { 0 };
        waterfall_write(&out, &trace, &options->trace_id, &style);
        r = print_buffer(&out);
        trace_free(&trace);
    } else {
        r = print_no_memory();
    }
    free(documents);
    return r;
}

int command_show(const struct options *options)
{
    char id[TRACE_ID_LENGTH + 1];
    char request[128];
    cJSON *answer;
    trace_id_format(&options->trace_id, id);
    snprintf(request, sizeof request, "{\"TraceIds\":[\"%s\"]}", id);
    int r = ask(options, "/Traces", request, &answer);
    if (r != 0)
        return r;
    cJSON *trace = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(answer, "Traces"), 0);
    if (!trace) {
        fprintf(stderr,
                "xraytrace-local: nothing of trace %s has been received at %s port %u; "
                "`xraytrace-local list --port %u` shows what has\n",
                id, options->address, options->port, options->port);
        r = EXIT_NOT_FOUND;
    } else if (options->json) {
        r = print_json(trace);
    } else {
        r = print_waterfall(cJSON_GetObjectItemCaseSensitive(trace, "Segments"), options);
    }
    cJSON_Delete(answer);
    return r;
}
