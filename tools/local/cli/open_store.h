/* SPDX-License-Identifier: Apache-2.0 */
/* The store, and the way into it, as the options want them. */
#ifndef LOCAL_OPEN_STORE_H
#define LOCAL_OPEN_STORE_H

#include "local/cli/options.h"
#include "local/intake/ingest.h"
#include "local/store/store.h"

/* 0, or an exit code after a message on stderr. */
int open_store(struct store **ret, const struct options *options);
/* Lends the store. 0 or -errno. */
int open_ingest(struct ingest **ret, struct store *store, const struct options *options);

#endif
