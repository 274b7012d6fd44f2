/* SPDX-License-Identifier: Apache-2.0 */
/* The file of the journal: an SQLite database. */
#ifndef LOCAL_JOURNAL_FILE_H
#define LOCAL_JOURNAL_FILE_H

#include "local/base/ids.h"
#include "local/trace/document.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_MESSAGE_SIZE 512

struct journal_file;

/* What is read back, pins first, by id; each returns 0, or -errno, which ends the reading. */
struct journal_reader {
    int (*document)(void *data, const char *text, size_t length, double received);
    int (*pin)(void *data, const struct trace_id *id);
    int (*item)(void *data, const char *kind, const char *name, const char *json);
    void (*progress)(void *data, uint64_t done, uint64_t total);
    void *data;
};

/* Makes the file if there is none. A file that is no journal, or one of a newer
   program, or one that another process has, is left alone: -errno, and a sentence. */
int journal_file_open(struct journal_file **ret, const char *path,
                      char ret_message[JOURNAL_MESSAGE_SIZE]);
void journal_file_close(struct journal_file *file);

/* -errno with a sentence if the file is damaged. ret_skipped: documents that can't be
   read, while the rest can. */
int journal_file_read(struct journal_file *file, const struct journal_reader *reader,
                      uint64_t *ret_skipped, char ret_message[JOURNAL_MESSAGE_SIZE]);

/* Within a transaction; an error of any of them shows in journal_file_end(). */
void journal_file_begin(struct journal_file *file);
void journal_file_put(struct journal_file *file, const struct trace_id *trace, uint64_t id,
                      double received, const char *text, size_t length);
void journal_file_remove(struct journal_file *file, const struct trace_id *trace);
void journal_file_pin(struct journal_file *file, const struct trace_id *trace, bool pinned);
void journal_file_clear(struct journal_file *file);
void journal_file_keep(struct journal_file *file, const char *kind, const char *name,
                       const char *json);
/* 0, or -EIO, and then nothing of the transaction is in the file. */
int journal_file_end(struct journal_file *file);

/* Gives room that is free in the file back, a little at a time. */
void journal_file_shrink(struct journal_file *file);
/* In words, of the last -EIO. */
const char *journal_file_error(const struct journal_file *file);
const char *journal_file_path(const struct journal_file *file);

#endif
