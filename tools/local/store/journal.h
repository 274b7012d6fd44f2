/* SPDX-License-Identifier: Apache-2.0 */
/* Writes what happens in the store into a file, in the same order, in a thread of its
   own: a transaction for each 500 documents or 100 ms. For the store only. */
#ifndef LOCAL_JOURNAL_H
#define LOCAL_JOURNAL_H

#include "local/store/journal_file.h"

struct journal;
struct kept_text;

/* Takes the file over, on success. 0 or -errno. */
int journal_new(struct journal **ret, struct journal_file *file);
/* What is not written yet is written. */
void journal_free(struct journal *journal);
int journal_start(struct journal *journal);

/* These only note it down, and may be called with the store's lock. */
void journal_put(struct journal *journal, const struct document *document,
                 struct kept_text *text); /* takes the reference over */
void journal_remove(struct journal *journal, const struct trace_id *id);
void journal_pin(struct journal *journal, const struct trace_id *id, bool pinned);
void journal_clear(struct journal *journal);
void journal_keep(struct journal *journal, const char *kind, const char *name, const char *json);

/* Returns when there is room for more: a slow disk slows those who put. Without the
   store's lock. */
void journal_wait(struct journal *journal);

/* NULL, or why nothing is written any more. Static text. */
const char *journal_failure(struct journal *journal);

#endif
