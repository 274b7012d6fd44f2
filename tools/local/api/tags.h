/* SPDX-License-Identifier: Apache-2.0 */
/* Tags of groups and sampling rules, as far as making and deleting these concerns them. */
#ifndef LOCAL_TAGS_H
#define LOCAL_TAGS_H

#include "local/store/store.h"

#include <cjson/cJSON.h>

/* "Tags" of a request that makes something: NULL, or what is wrong with them. */
const char *tags_problem(const cJSON *request);
/* The resource has those of the request, and no others; a NULL request: none. 0, -ENOSPC or
   -ENOMEM. */
int tags_replace(struct store *store, const char *arn, const cJSON *request);

#endif
