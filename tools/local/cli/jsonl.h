/* SPDX-License-Identifier: Apache-2.0 */
/* Documents as lines of a file. */
#ifndef LOCAL_JSONL_H
#define LOCAL_JSONL_H

#include "local/base/buffer.h"
#include "local/store/store.h"

/* The JSON on one line: line breaks of its own become blanks. */
void jsonl_put(struct buffer *buffer, const char *json, size_t length);

/* All documents of the traces. 0, or an exit code after a message on stderr. */
int jsonl_save(const char *path, struct store *store, const struct found_traces *traces);

#endif
