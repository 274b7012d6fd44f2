/* SPDX-License-Identifier: Apache-2.0 */
/* Hands the documents of files over to a running instance, as an SDK without the
   daemon would. */
#include "local/cli/import.h"

#include "local/api/api.h"
#include "local/base/buffer.h"
#include "local/cli/cells.h"
#include "local/cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH_BYTES   ((size_t)2 * 1024 * 1024)
#define COMPLAINTS    10u /* that are told one by one */
#define PROGRESS_STEP 0.1 /* seconds */
#define REASON_WIDTH  ((size_t)200)

struct import {
    const struct options *options;
    const char *name; /* of the file */
    size_t length;
    cJSON *batch;
    size_t batch_bytes;
    uint64_t kept;
    uint64_t refused;
    uint64_t requests; /* of OTLP */
    bool terminal;
    double shown;
};

static void clear_progress(const struct import *import)
{
    if (import->terminal)
        fputs("\r\033[K", stderr);
}

static void progress(void *data, size_t offset)
{
    struct import *import = data;
    double now = import->terminal ? seconds_now() : 0;
    if (now < import->shown + PROGRESS_STEP)
        return;
    import->shown = now;
    fprintf(stderr, "\r%.0f %%  %llu documents\033[K",
            import->length ? 100.0 * (double)offset / (double)import->length : 100.0,
            (unsigned long long)(import->kept + import->refused));
}

static void complain(struct import *import, const char *reason, size_t line)
{
    struct buffer out = { 0 };
    char place[32] = "";
    if (line)
        snprintf(place, sizeof place, "line %zu: ", line);
    if (import->refused++ >= COMPLAINTS)
        return;
    clear_progress(import);
    cells_put(&out, reason, REASON_WIDTH, false);
    char *text = buffer_take(&out, NULL);
    fprintf(stderr, "xraytrace-local: %s: %s%s\n", import->name, place, text ? text : "");
    free(text);
}

static int wrong(void *data, const char *reason, size_t line)
{
    complain(data, reason, line);
    return 0;
}

static int flush(struct import *import)
{
    int count = cJSON_GetArraySize(import->batch);
    cJSON *answer;
    if (count == 0)
        return 0;
    cJSON *request = cJSON_CreateObject();
    cJSON_AddItemToObject(request, "TraceSegmentDocuments", import->batch);
    char *text = cJSON_PrintUnformatted(request);
    cJSON_Delete(request);
    import->batch = cJSON_CreateArray();
    import->batch_bytes = 0;
    int r = text && import->batch ? ask(import->options, "/TraceSegments", text, &answer)
                                  : print_no_memory();
    free(text);
    if (r != 0)
        return r;
    uint64_t refused = 0;
    const cJSON *one;
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(answer, "UnprocessedTraceSegments"))
    {
        const cJSON *message = cJSON_GetObjectItemCaseSensitive(one, "Message");
        complain(import, cJSON_IsString(message) ? message->valuestring : "refused", 0);
        refused++;
    }
    import->kept += (uint64_t)count > refused ? (uint64_t)count - refused : 0;
    cJSON_Delete(answer);
    return 0;
}

static int document(void *data, const char *json, size_t length, size_t line)
{
    struct import *import = data;
    int r = 0;
    if (length > DOCUMENT_BYTES_MAX)
        return wrong(import, "a document of more than 1 MiB", line);
    if (import->batch_bytes + length > BATCH_BYTES)
        r = flush(import);
    if (r != 0)
        return r;
    char *copy = strndup(json, length);
    cJSON *string = copy ? cJSON_CreateString(copy) : NULL;
    free(copy);
    if (!string || !cJSON_AddItemToArray(import->batch, string)) {
        cJSON_Delete(string);
        return print_no_memory();
    }
    import->batch_bytes += length;
    return cJSON_GetArraySize(import->batch) == API_SEGMENTS_MAX ? flush(import) : 0;
}

static int otlp(void *data, const char *json, size_t length, size_t line)
{
    struct import *import = data;
    const struct http_question question = { "POST", "/v1/traces", "application/json", json,
                                            length };
    struct http_answer answer;
    if (length > HTTP_BODY_MAX)
        return wrong(import, "an OTLP request of more than 5 MiB: split it", line);
    int r = ask_for(import->options, &question, &answer);
    if (r != 0)
        return r;
    cJSON *said = cJSON_ParseWithLength(answer.body, answer.length);
    const cJSON *partial = cJSON_GetObjectItemCaseSensitive(said, "partialSuccess");
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(partial, "errorMessage");
    if (cJSON_IsString(message) && *message->valuestring)
        complain(import, message->valuestring, line);
    import->requests++;
    cJSON_Delete(said);
    free(answer.body);
    return 0;
}

/* All of the file; NULL after a message. */
static char *read_file(const char *name, size_t *ret_length)
{
    bool is_input = strcmp(name, "-") == 0;
    errno = 0;
    FILE *file = is_input ? stdin : fopen(name, "re");
    struct buffer text = { 0 };
    char part[65536];
    size_t length;
    while (file && !text.failed && text.length <= IMPORT_FILE_MAX &&
           (length = fread(part, 1, sizeof part, file)) > 0)
        buffer_append(&text, part, length);
    int error = text.failed                     ? ENOMEM
                : text.length > IMPORT_FILE_MAX ? EFBIG
                : !file || ferror(file)         ? errno
                                                : 0;
    if (file && !is_input)
        fclose(file);
    if (error) {
        fprintf(stderr, "xraytrace-local: cannot read %s: %s\n", name, strerror(error));
        buffer_free(&text);
        return NULL;
    }
    return buffer_take(&text, ret_length);
}

static int import_file(struct import *import, const char *name)
{
    const struct import_sink sink = { document, otlp, wrong, progress, import };
    import->name = strcmp(name, "-") == 0 ? "standard input" : name;
    char *text = read_file(name, &import->length);
    if (!text)
        return EXIT_NOT_FOUND;
    int r = import_read(text, import->length, &sink);
    free(text);
    if (r == -ENOMEM)
        r = print_no_memory();
    return r == 0 ? flush(import) : r;
}

static int report(const struct import *import)
{
    struct buffer out = { 0 };
    if (import->options->json) {
        buffer_printf(&out, "{\"kept\":%llu,\"refused\":%llu,\"otlp\":%llu}\n",
                      (unsigned long long)import->kept, (unsigned long long)import->refused,
                      (unsigned long long)import->requests);
    } else {
        buffer_printf(&out, "%llu documents kept", (unsigned long long)import->kept);
        if (import->requests)
            buffer_printf(&out, ", and %llu request%s of OTLP",
                          (unsigned long long)import->requests, import->requests == 1 ? "" : "s");
        if (import->refused)
            buffer_printf(&out, "; %llu refused", (unsigned long long)import->refused);
        buffer_puts(&out, "\n");
    }
    int r = print_buffer(&out);
    return r == 0 && import->refused ? EXIT_NOT_FOUND : r;
}

int command_import(const struct options *options)
{
    struct import import = {
        .options = options,
        .batch = cJSON_CreateArray(),
        .terminal = isatty(STDERR_FILENO),
    };
    int r = import.batch ? 0 : print_no_memory();
    for (int i = 0; i < options->word_count && r == 0; i++)
        r = import_file(&import, options->words[i]);
    clear_progress(&import);
    cJSON_Delete(import.batch);
    return r == 0 ? report(&import) : r;
}
