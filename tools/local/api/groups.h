/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of traces: a name for a filter expression. Kept by the store. */
#ifndef LOCAL_GROUPS_H
#define LOCAL_GROUPS_H

#include "local/filter/filter.h"
#include "local/store/store.h"

#include <cjson/cJSON.h>

/* The group's expression, to be freed; NULL if there is no such group. */
char *group_expression(struct store *store, const char *name, bool is_arn);

/* For filter_parse(): the groups as they are now. */
struct group_finder {
    struct filter_groups groups;
    cJSON *list;
};
/* 0 or -ENOMEM; to be ended in both cases. */
int group_finder_begin(struct group_finder *finder, struct store *store);
void group_finder_end(struct group_finder *finder);

#endif
