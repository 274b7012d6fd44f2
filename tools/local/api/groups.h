/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of traces: a name for a filter expression. Kept by the store. */
#ifndef LOCAL_GROUPS_H
#define LOCAL_GROUPS_H

#include "local/filter/filter.h"
#include "local/store/store.h"

#include <cjson/cJSON.h>

/* The group's expression, to be freed; NULL if there is no such group. */
char *group_expression(struct store *store, const char *name, bool is_arn);

/* filter_parse() with the groups as they are now. */
int group_filter_parse(struct filter **ret, const char *text, size_t length, struct store *store,
                       struct filter_error *ret_error);

#endif
