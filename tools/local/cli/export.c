/* SPDX-License-Identifier: Apache-2.0 */
/* Traces of a running instance as a file: documents in lines, OTLP, or a page. */
#include "local/cli/commands.h"
#include "local/cli/jsonl.h"
#include "local/trace/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS_PER_CALL 5

struct ids {
    struct trace_id *list;
    size_t count;
    size_t size;
    bool failed;
};

static bool add_id(struct ids *ids, const struct trace_id *id)
{
    if (ids->count == ids->size) {
        size_t size = ids->size ? ids->size * 2 : 256;
        struct trace_id *list = realloc(ids->list, size * sizeof *list);
        ids->failed = !list;
        if (!list)
            return false;
        ids->list = list;
        ids->size = size;
    }
    ids->list[ids->count++] = *id;
    return true;
}

static bool add_summary(void *data, const cJSON *summary)
{
    const char *text = trace_string(summary, "Id");
    struct trace_id id;
    return !text || !trace_id_parse(text, &id) || add_id(data, &id);
}

/* Those that were named, or that match. */
static int find_ids(const struct options *options, struct ids *ids)
{
    struct trace_id id;
    for (int i = 0; i < options->word_count; i++)
        if (trace_id_parse_any(options->words[i], &id))
            add_id(ids, &id);
    double since = options->since_seconds ? seconds_now() - options->since_seconds : 0;
    int r = options->word_count ? 0 : ask_summaries(options, since, add_summary, ids);
    return ids->failed ? print_no_memory() : r;
}

static void put_documents(struct buffer *out, const cJSON *answer)
{
    const cJSON *trace;
    const cJSON *segment;
    cJSON_ArrayForEach(trace, cJSON_GetObjectItemCaseSensitive(answer, "Traces"))
    {
        cJSON_ArrayForEach(segment, cJSON_GetObjectItemCaseSensitive(trace, "Segments"))
        {
            const char *document = trace_string(segment, "Document");
            if (document)
                jsonl_put(out, document, strlen(document));
        }
    }
}

static int say_unknown(const cJSON *answer, const struct options *options)
{
    const cJSON *id = cJSON_GetArrayItem(
        cJSON_GetObjectItemCaseSensitive(answer, "UnprocessedTraceIds"), 0);
    struct trace_id known;
    /* One that was there a moment ago made room; one that was named is a mistake. */
    if (!options->word_count || !cJSON_IsString(id) || !trace_id_parse(id->valuestring, &known))
        return 0;
    fprintf(stderr,
            "xraytrace-local: nothing of trace %s has been received at %s port %u; "
            "`xraytrace-local list --port %u` shows what has\n",
            id->valuestring, options->address, options->port, options->port);
    return EXIT_NOT_FOUND;
}

static int get_documents(const struct options *options, const struct trace_id *ids, size_t count,
                         struct buffer *out)
{
    struct buffer request = { 0 };
    char id[TRACE_ID_LENGTH + 1];
    cJSON *answer;
    buffer_puts(&request, "{\"TraceIds\":[");
    for (size_t i = 0; i < count; i++) {
        trace_id_format(&ids[i], id);
        buffer_printf(&request, "%s\"%s\"", i ? "," : "", id);
    }
    buffer_puts(&request, "]}");
    char *text = buffer_take(&request, NULL);
    int r = text ? ask(options, "/Traces", text, &answer) : print_no_memory();
    free(text);
    if (r != 0)
        return r;
    r = say_unknown(answer, options);
    put_documents(out, answer);
    cJSON_Delete(answer);
    return r;
}

static int write_out(FILE *file, const char *path, struct buffer *out)
{
    size_t length;
    char *text = buffer_take(out, &length);
    if (!text)
        return print_no_memory();
    size_t written = fwrite(text, 1, length, file);
    free(text);
    return written == length ? 0 : print_cannot_write(path, errno);
}

static int write_lines(const struct options *options, const struct ids *ids, FILE *file,
                       const char *path)
{
    int r = 0;
    for (size_t i = 0; i < ids->count && r == 0; i += IDS_PER_CALL) {
        struct buffer out = { 0 };
        size_t left = ids->count - i;
        r = get_documents(options, ids->list + i, left < IDS_PER_CALL ? left : IDS_PER_CALL, &out);
        if (r == 0)
            r = write_out(file, path, &out);
        buffer_free(&out);
    }
    return r;
}

/* For a URL. */
static void put_escaped(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        char c = *text;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
            buffer_append(out, text, 1);
        else
            buffer_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static void put_search(struct buffer *where, const struct options *options, const struct ids *ids)
{
    char id[TRACE_ID_LENGTH + 1];
    buffer_puts(where, "/api/export?format=otlp");
    for (size_t i = 0; i < ids->count && options->word_count; i++) {
        trace_id_format(&ids->list[i], id);
        buffer_printf(where, "&id=%s", id);
    }
    if (options->word_count)
        return;
    buffer_puts(where, "&filter=");
    put_escaped(where, options->filter ? options->filter : "");
    if (options->since_seconds)
        buffer_printf(where, "&seconds=%u", options->since_seconds);
}

/* What the instance itself makes of its traces. */
static int write_made(const struct options *options, const struct ids *ids, FILE *file,
                      const char *path)
{
    struct buffer where = { 0 };
    struct buffer out = { 0 };
    char id[TRACE_ID_LENGTH + 1];
    if (options->format == EXPORT_HTML) {
        trace_id_format(&ids->list[0], id);
        buffer_printf(&where, "/api/export/%s.html", id);
    } else {
        put_search(&where, options, ids);
    }
    char *request = buffer_take(&where, NULL);
    const struct http_question question = { .method = "GET", .path = request };
    struct http_answer answer;
    int r = request ? ask_for(options, &question, &answer) : print_no_memory();
    free(request);
    if (r != 0)
        return r;
    buffer_append(&out, answer.body, answer.length);
    free(answer.body);
    return write_out(file, path, &out);
}

static int write_ids(const struct options *options, const struct ids *ids)
{
    const char *path = options->output ? options->output : "standard output";
    FILE *file = options->output ? fopen(options->output, "we") : stdout;
    if (!file)
        return print_cannot_write(path, errno);
    int r = (options->format == EXPORT_JSON_LINES ? write_lines : write_made)(options, ids, file,
                                                                              path);
    int failed = options->output ? fclose(file) : fflush(file);
    return failed && r == 0 ? print_cannot_write(path, errno) : r;
}

int command_export(const struct options *options)
{
    struct ids ids = { 0 };
    int r = find_ids(options, &ids);
    if (r == 0 && ids.count == 0) {
        fprintf(stderr, "xraytrace-local: no such traces at %s port %u\n", options->address,
                options->port);
        r = EXIT_NOT_FOUND;
    }
    if (r == 0)
        r = write_ids(options, &ids);
    free(ids.list);
    return r;
}
