/* SPDX-License-Identifier: Apache-2.0 */
/* The store as the options want it. */
#ifndef LOCAL_OPEN_STORE_H
#define LOCAL_OPEN_STORE_H

#include "local/cli/options.h"
#include "local/store/store.h"

/* 0, or an exit code after a message on stderr. */
int open_store(struct store **ret, const struct options *options);

#endif
