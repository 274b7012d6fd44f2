/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCAL_JOURNAL_INTERNAL_H
#define LOCAL_JOURNAL_INTERNAL_H

#include "local/store/journal_file.h"

#include <sqlite3.h>
#include <zlib.h>

enum statement {
    STATEMENT_PUT,
    STATEMENT_REMOVE,
    STATEMENT_PIN,
    STATEMENT_UNPIN,
    STATEMENT_CLEAR,
    STATEMENT_CLEAR_PINS,
    STATEMENT_KEEP,
    STATEMENT_FORGET,
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENTS,
};

struct journal_file {
    char *path;
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENTS];
    z_stream deflate;
    unsigned char *buffer;
    size_t buffer_size;
    bool failed; /* since the last begin */
    char error[128];
};

/* SQLITE_OK or SQLite's error. */
int journal_file_prepare(struct journal_file *file);

#endif
