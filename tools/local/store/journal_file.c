/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, and the statements that write them. Opening and reading: journal_open.c. */
#include "local/store/journal_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Level 1 with small tables: a document has some hundred bytes, and the tables are
   cleared for each. */
#define DEFLATE_WINDOW_BITS (-12)
#define DEFLATE_MEMORY      5
/* Pages of 4 KiB: given back when so many are free, so many at a time. */
#define SHRINK_FROM_PAGES 1024
#define SHRINK_PAGES      "256"

static const char *const statements[STATEMENTS] = {
    [STATEMENT_PUT] = "REPLACE INTO document(trace, id, received, size, body) VALUES (?,?,?,?,?)",
    [STATEMENT_REMOVE] = "DELETE FROM document WHERE trace = ?",
    [STATEMENT_PIN] = "REPLACE INTO pin(trace) VALUES (?)",
    [STATEMENT_UNPIN] = "DELETE FROM pin WHERE trace = ?",
    [STATEMENT_CLEAR] = "DELETE FROM document",
    [STATEMENT_CLEAR_PINS] = "DELETE FROM pin",
    [STATEMENT_KEEP] = "REPLACE INTO item(kind, name, json) VALUES (?, ?, ?)",
    [STATEMENT_FORGET] = "DELETE FROM item WHERE kind = ? AND name = ?",
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
};

int journal_file_prepare(struct journal_file *file)
{
    for (int i = 0; i < STATEMENTS; i++) {
        int r = sqlite3_prepare_v3(file->database, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                                   &file->statements[i], NULL);
        if (r != SQLITE_OK)
            return r;
    }
    return deflateInit2(&file->deflate, 1, Z_DEFLATED, DEFLATE_WINDOW_BITS, DEFLATE_MEMORY,
                        Z_DEFAULT_STRATEGY) == Z_OK
               ? SQLITE_OK
               : SQLITE_NOMEM;
}

static void note(struct journal_file *file, int result)
{
    if (result == SQLITE_OK || result == SQLITE_DONE || result == SQLITE_ROW || file->failed)
        return;
    file->failed = true;
    snprintf(file->error, sizeof file->error, "%s", sqlite3_errmsg(file->database));
}

static void step(struct journal_file *file, enum statement which)
{
    sqlite3_stmt *statement = file->statements[which];
    /* SQLite may have ended the transaction: what follows would be one of its own. */
    if (!file->failed)
        note(file, sqlite3_step(statement));
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

static void bind_trace(struct journal_file *file, enum statement which, const struct trace_id *id)
{
    note(file, sqlite3_bind_blob(file->statements[which], 1, id->bytes, sizeof id->bytes,
                                 SQLITE_TRANSIENT));
}

void journal_file_begin(struct journal_file *file)
{
    file->failed = false;
    step(file, STATEMENT_BEGIN);
}

/* The deflated text in file->buffer, or the text itself if that is shorter. */
static const void *pack(struct journal_file *file, const char *text, size_t length, size_t *ret)
{
    *ret = length;
    if (length > file->buffer_size) {
        unsigned char *buffer = realloc(file->buffer, length);
        if (!buffer)
            return text;
        file->buffer = buffer;
        file->buffer_size = length;
    }
    z_stream *stream = &file->deflate;
    deflateReset(stream);
    /* zlib only reads from it; it just does not say so. */
    stream->next_in = (Bytef *)(uintptr_t)text;
    stream->avail_in = (uInt)length;
    stream->next_out = file->buffer;
    stream->avail_out = (uInt)length;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END || stream->avail_out == 0)
        return text;
    *ret = length - stream->avail_out;
    return file->buffer;
}

void journal_file_put(struct journal_file *file, const struct trace_id *trace, uint64_t id,
                      double received, const char *text, size_t length)
{
    sqlite3_stmt *put = file->statements[STATEMENT_PUT];
    size_t packed;
    const void *body = pack(file, text, length, &packed);
    bind_trace(file, STATEMENT_PUT, trace);
    note(file, sqlite3_bind_int64(put, 2, (sqlite3_int64)id));
    note(file, sqlite3_bind_double(put, 3, received));
    note(file, sqlite3_bind_int64(put, 4, (sqlite3_int64)length));
    note(file, sqlite3_bind_blob64(put, 5, body, packed, SQLITE_STATIC));
    step(file, STATEMENT_PUT);
}

void journal_file_remove(struct journal_file *file, const struct trace_id *trace)
{
    bind_trace(file, STATEMENT_REMOVE, trace);
    step(file, STATEMENT_REMOVE);
    bind_trace(file, STATEMENT_UNPIN, trace);
    step(file, STATEMENT_UNPIN);
}

void journal_file_pin(struct journal_file *file, const struct trace_id *trace, bool pinned)
{
    enum statement which = pinned ? STATEMENT_PIN : STATEMENT_UNPIN;
    bind_trace(file, which, trace);
    step(file, which);
}

void journal_file_clear(struct journal_file *file)
{
    step(file, STATEMENT_CLEAR);
    step(file, STATEMENT_CLEAR_PINS);
}

void journal_file_keep(struct journal_file *file, const char *kind, const char *name,
                       const char *json)
{
    enum statement which = json ? STATEMENT_KEEP : STATEMENT_FORGET;
    sqlite3_stmt *statement = file->statements[which];
    note(file, sqlite3_bind_text(statement, 1, kind, -1, SQLITE_STATIC));
    note(file, sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC));
    if (json)
        note(file, sqlite3_bind_text(statement, 3, json, -1, SQLITE_STATIC));
    step(file, which);
}

int journal_file_end(struct journal_file *file)
{
    if (!file->failed)
        step(file, STATEMENT_COMMIT);
    if (!file->failed)
        return 0;
    if (!sqlite3_get_autocommit(file->database))
        sqlite3_exec(file->database, "ROLLBACK", NULL, NULL, NULL);
    return -EIO;
}

static int read_number(void *data, int columns, char **values, char **names)
{
    (void)columns;
    (void)names;
    *(long *)data = values[0] ? atol(values[0]) : 0;
    return 0;
}

void journal_file_shrink(struct journal_file *file)
{
    long pages = 0;
    sqlite3_exec(file->database, "PRAGMA freelist_count", read_number, &pages, NULL);
    if (pages >= SHRINK_FROM_PAGES)
        sqlite3_exec(file->database, "PRAGMA incremental_vacuum(" SHRINK_PAGES ")", NULL, NULL,
                     NULL);
}

const char *journal_file_error(const struct journal_file *file)
{
    return file->error;
}

const char *journal_file_path(const struct journal_file *file)
{
    return file->path;
}

void journal_file_close(struct journal_file *file)
{
    if (!file)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(file->statements[i]);
    deflateEnd(&file->deflate);
    sqlite3_close(file->database);
    free(file->buffer);
    free(file->path);
    free(file);
}
