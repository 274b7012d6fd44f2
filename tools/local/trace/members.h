/* SPDX-License-Identifier: Apache-2.0 */
/* Walks an object's text and its parsed form side by side: both have the members in
   the same order, and text is what is handed on. */
#ifndef LOCAL_MEMBERS_H
#define LOCAL_MEMBERS_H

#include "local/trace/trace.h"

struct member {
    const cJSON *json;
    const char *name; /* with its quotes, up to name_end */
    const char *name_end;
    const char *value;
    const char *value_end;
    bool is_children; /* the "subsegments" whose items are nodes */
};

struct member_walk {
    const struct trace_node *node;
    const cJSON *next;
    const char *at;
    bool seen_children;
};

struct member_walk member_walk(const struct trace_node *node);
/* False after the last. */
bool member_next(struct member_walk *walk, struct member *ret);
/* "name":value */
void member_write(const struct member *member, struct buffer *buffer);

#endif
