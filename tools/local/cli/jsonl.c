/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/jsonl.h"

#include "local/cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In JSON a line break can only stand between the words. */
void jsonl_put(struct buffer *buffer, const char *json, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t line = at;
        while (line < length && json[line] != '\n' && json[line] != '\r')
            line++;
        buffer_append(buffer, json + at, line - at);
        if (line < length)
            buffer_puts(buffer, " ");
        at = line + 1;
    }
    buffer_puts(buffer, "\n");
}

static int write_trace(FILE *file, const struct stored_trace *trace)
{
    struct buffer lines = { 0 };
    size_t length;
    for (size_t i = 0; i < trace->count; i++)
        jsonl_put(&lines, trace->documents[i].text, trace->documents[i].length);
    char *text = buffer_take(&lines, &length);
    if (!text)
        return -ENOMEM;
    int r = fwrite(text, 1, length, file) == length ? 0 : -errno;
    free(text);
    return r;
}

static int write_all(FILE *file, struct store *store, const struct found_traces *traces)
{
    int r = 0;
    for (size_t i = 0; i < traces->count && r == 0; i++) {
        struct stored_trace trace;
        r = store_read(store, &traces->traces[i].facts->id, &trace);
        if (r == -ENOENT) { /* it had to make room meanwhile */
            r = 0;
        } else if (r == 0) {
            r = write_trace(file, &trace);
            stored_trace_free(&trace);
        }
    }
    return r;
}

int jsonl_save(const char *path, struct store *store, const struct found_traces *traces)
{
    FILE *file = fopen(path, "we");
    int r = file ? write_all(file, store, traces) : -errno;
    if (file && fclose(file) != 0 && r == 0)
        r = -errno;
    return r < 0 ? print_cannot_write(path, -r) : 0;
}
