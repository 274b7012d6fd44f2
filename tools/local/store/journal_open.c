/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the file of the journal, which may be anything that somebody named, and reads
   back what it has. */
#include "local/store/journal_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "XRay", where file(1) looks for it. */
#define APPLICATION_ID 1481793913
#define FORMAT         1
#define STRINGED(x)    #x
#define STRING(x)      STRINGED(x)
/* Somebody who ends just now is waited for. */
#define BUSY_MS         1000
#define PROGRESS_EVERY  1000u
#define HEADER_BYTES    100
#define AT_USER_VERSION 60
#define AT_APPLICATION  68

static const char schema[] =
    "PRAGMA auto_vacuum = INCREMENTAL;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE document("
    "  row INTEGER PRIMARY KEY," /* in the order of arrival */
    "  trace BLOB NOT NULL,"
    "  id INTEGER NOT NULL,"
    "  received REAL NOT NULL," /* seconds since 1970 */
    "  size INTEGER NOT NULL,"
    "  body BLOB NOT NULL," /* deflated, unless it has `size` bytes */
    "  UNIQUE(trace, id));"
    "CREATE TABLE pin(trace BLOB PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE item(kind TEXT, name TEXT, json TEXT, PRIMARY KEY(kind, name)) WITHOUT ROWID;"
    "PRAGMA application_id = " STRING(APPLICATION_ID) ";"
                                                      "PRAGMA user_version = " STRING(
                                                          FORMAT) ";"
                                                                  "COMMIT;";

static const char settings[] = "PRAGMA journal_mode = WAL;"
                               "PRAGMA synchronous = NORMAL;"
                               "PRAGMA journal_size_limit = 16777216;"
                               "BEGIN IMMEDIATE;"
                               "COMMIT;";

static uint32_t number_at(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int complain(char message[JOURNAL_MESSAGE_SIZE], const char *path, int error,
                    const char *what)
{
    snprintf(message, JOURNAL_MESSAGE_SIZE, "%s %s", path, what);
    return error;
}

static int complain_of_errno(char message[JOURNAL_MESSAGE_SIZE], const char *path, int error)
{
    snprintf(message, JOURNAL_MESSAGE_SIZE, "%s cannot be used: %s", path, strerror(-error));
    return error;
}

/* By its first bytes, before SQLite sees the file: it would write. 0 if it is new. */
static int check_header(const char *path, bool *ret_new, char message[JOURNAL_MESSAGE_SIZE])
{
    static const char magic[16] = "SQLite format 3";
    static const char foreign[] =
        "is not a file that xraytrace-local has written; it is left alone. Name another one";
    unsigned char header[HEADER_BYTES];
    /* What traces say is nobody else's business. */
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return complain_of_errno(message, path, -errno);
    ssize_t length = pread(file, header, sizeof header, 0);
    int r = length < 0 ? -errno : 0;
    close(file);
    if (r < 0)
        return complain_of_errno(message, path, r);
    *ret_new = length == 0;
    if (length == 0)
        return 0;
    if (length < HEADER_BYTES || memcmp(header, magic, sizeof magic) != 0 ||
        number_at(header + AT_APPLICATION) != APPLICATION_ID)
        return complain(message, path, -EINVAL, foreign);
    uint32_t format = number_at(header + AT_USER_VERSION);
    if (format == FORMAT)
        return 0;
    snprintf(message, JOURNAL_MESSAGE_SIZE,
             "%s has format %u, of a newer xraytrace-local; this one knows format %d. It is left "
             "alone: name another file, or use the newer program",
             path, format, FORMAT);
    return -EINVAL;
}

static int complain_of(struct journal_file *file, int result, char message[JOURNAL_MESSAGE_SIZE])
{
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return complain(message, file->path, -EBUSY,
                        "is in use by another process, probably another xraytrace-local: stop it, "
                        "or name another file");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return complain(message, file->path, -EIO,
                        "is damaged; it is left as it is. Move it away, or name another file");
    default:
        snprintf(message, JOURNAL_MESSAGE_SIZE, "%s cannot be used: %s", file->path,
                 sqlite3_errmsg(file->database));
        return -EIO;
    }
}

static int open_database(struct journal_file *file, bool new)
{
    int r = sqlite3_open_v2(file->path, &file->database,
                            SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (r != SQLITE_OK)
        return r;
    sqlite3_busy_timeout(file->database, BUSY_MS);
    /* Nobody else may open it as long as this process has it. */
    r = sqlite3_exec(file->database, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
    if (r == SQLITE_OK && new)
        r = sqlite3_exec(file->database, schema, NULL, NULL, NULL);
    if (r == SQLITE_OK)
        r = sqlite3_exec(file->database, settings, NULL, NULL, NULL);
    return r == SQLITE_OK ? journal_file_prepare(file) : r;
}

int journal_file_open(struct journal_file **ret, const char *path,
                      char ret_message[JOURNAL_MESSAGE_SIZE])
{
    bool new = false;
    int r = check_header(path, &new, ret_message);
    if (r < 0)
        return r;
    struct journal_file *file = calloc(1, sizeof *file);
    /* A name such as ":memory:" means something else to SQLite. */
    if (!file || asprintf(&file->path, "%s%s", *path == '/' ? "" : "./", path) < 0) {
        free(file);
        return complain_of_errno(ret_message, path, -ENOMEM);
    }
    r = open_database(file, new);
    if (r == SQLITE_OK) {
        *ret = file;
        return 0;
    }
    r = complain_of(file, r, ret_message);
    journal_file_close(file);
    return r;
}

/* The text in *buffer, which grows as needed. False if the row is damaged. */
static bool unpack(sqlite3_stmt *row, char **buffer, size_t *size, size_t *ret_length)
{
    const unsigned char *body = sqlite3_column_blob(row, 2);
    size_t packed = (size_t)sqlite3_column_bytes(row, 2);
    sqlite3_int64 length = sqlite3_column_int64(row, 1);
    if (!body || length < 1 || length > (sqlite3_int64)DOCUMENT_BYTES_MAX)
        return false;
    if ((size_t)length > *size) {
        char *larger = realloc(*buffer, (size_t)length);
        if (!larger)
            return false;
        *buffer = larger;
        *size = (size_t)length;
    }
    *ret_length = (size_t)length;
    if (packed == (size_t)length) {
        memcpy(*buffer, body, packed);
        return true;
    }
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)body, .avail_in = (uInt)packed };
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return false;
    stream.next_out = (Bytef *)*buffer;
    stream.avail_out = (uInt)length;
    int r = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return r == Z_STREAM_END && stream.avail_out == 0;
}

static uint64_t count_documents(struct journal_file *file)
{
    sqlite3_stmt *statement = NULL;
    uint64_t count = 0;
    if (sqlite3_prepare_v2(file->database, "SELECT count(*) FROM document", -1, &statement, NULL) ==
            SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        count = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return count;
}

/* Hands each row of the query to `take`; SQLite's result, or take's -errno. */
static int each_row(struct journal_file *file, const char *query,
                    int (*take)(sqlite3_stmt *row, void *data), void *data)
{
    sqlite3_stmt *row = NULL;
    int r = sqlite3_prepare_v2(file->database, query, -1, &row, NULL);
    while (r == SQLITE_OK && (r = sqlite3_step(row)) == SQLITE_ROW)
        r = take(row, data);
    sqlite3_finalize(row);
    return r == SQLITE_DONE ? 0 : r;
}

struct reading {
    const struct journal_reader *reader;
    sqlite3_stmt *documents; /* of a trace */
    uint64_t done;
    uint64_t total;
    uint64_t skipped;
    char *buffer;
    size_t size;
};

static int take_document(sqlite3_stmt *row, void *data)
{
    struct reading *reading = data;
    const struct journal_reader *reader = reading->reader;
    size_t length;
    int r = unpack(row, &reading->buffer, &reading->size, &length)
                ? reader->document(reader->data, reading->buffer, length,
                                   sqlite3_column_double(row, 0))
                : -EINVAL;
    if (r == -EINVAL)
        reading->skipped++;
    if (++reading->done % PROGRESS_EVERY == 0 && reader->progress)
        reader->progress(reader->data, reading->done, reading->total);
    return r == -EINVAL ? 0 : r;
}

static int take_pin(sqlite3_stmt *row, void *data)
{
    const struct journal_reader *reader = ((struct reading *)data)->reader;
    struct trace_id id;
    if (sqlite3_column_bytes(row, 0) != sizeof id.bytes)
        return 0;
    memcpy(id.bytes, sqlite3_column_blob(row, 0), sizeof id.bytes);
    return reader->pin(reader->data, &id);
}

static int take_item(sqlite3_stmt *row, void *data)
{
    const struct journal_reader *reader = ((struct reading *)data)->reader;
    const char *texts[3];
    for (int i = 0; i < 3; i++) {
        texts[i] = (const char *)sqlite3_column_text(row, i);
        if (!texts[i])
            return 0;
    }
    return reader->item(reader->data, texts[0], texts[1], texts[2]);
}

/* A trace's documents, as they came. */
static int take_trace(sqlite3_stmt *row, void *data)
{
    struct reading *reading = data;
    sqlite3_stmt *documents = reading->documents;
    int r = sqlite3_bind_value(documents, 1, sqlite3_column_value(row, 0));
    while (r == SQLITE_OK && (r = sqlite3_step(documents)) == SQLITE_ROW)
        r = take_document(documents, reading);
    sqlite3_reset(documents);
    return r == SQLITE_DONE ? 0 : r;
}

/* Trace by trace, as they last got a document: whoever has less room than the file must
   not forget a trace before all of it has come. */
static int read_documents(struct journal_file *file, struct reading *reading)
{
    int r = sqlite3_prepare_v2(file->database,
                               "SELECT received, size, body FROM document WHERE trace = ? "
                               "ORDER BY row",
                               -1, &reading->documents, NULL);
    if (r == SQLITE_OK)
        r = each_row(file, "SELECT trace FROM document GROUP BY trace ORDER BY max(row)",
                     take_trace, reading);
    sqlite3_finalize(reading->documents);
    return r;
}

int journal_file_read(struct journal_file *file, const struct journal_reader *reader,
                      uint64_t *ret_skipped, char ret_message[JOURNAL_MESSAGE_SIZE])
{
    struct reading reading = { .reader = reader, .total = count_documents(file) };
    int r = each_row(file, "SELECT trace FROM pin ORDER BY trace", take_pin, &reading);
    if (r == 0)
        r = read_documents(file, &reading);
    if (r == 0)
        r = each_row(file, "SELECT kind, name, json FROM item", take_item, &reading);
    if (r == 0 && reader->progress)
        reader->progress(reader->data, reading.done, reading.done);
    free(reading.buffer);
    *ret_skipped = reading.skipped;
    if (r > 0) {
        /* Closing would write into the file what is still beside it. */
        sqlite3_db_config(file->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        return complain_of(file, r, ret_message);
    }
    if (r < 0)
        complain_of_errno(ret_message, file->path, r);
    return r;
}
