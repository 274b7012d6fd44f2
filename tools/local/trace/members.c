/* SPDX-License-Identifier: Apache-2.0 */
#include "local/trace/members.h"

#include "local/base/json_text.h"

#include <string.h>

struct member_walk member_walk(const struct trace_node *node)
{
    return (struct member_walk){ .node = node, .next = node->json->child, .at = node->text + 1 };
}

bool member_next(struct member_walk *walk, struct member *ret)
{
    const cJSON *json = walk->next;
    const char *end = walk->node->text_end;
    if (!json)
        return false;
    ret->json = json;
    ret->name = json_skip_space(walk->at, end);
    ret->name_end = json_skip_value(ret->name, end);
    ret->value = json_skip_space(json_skip_space(ret->name_end, end) + 1, end);
    ret->is_children = !walk->seen_children && walk->node->list_end &&
                       strcmp(json->string, "subsegments") == 0 && cJSON_IsArray(json);
    /* The end of the list is known: at every level its text would be read again. */
    ret->value_end = ret->is_children ? walk->node->list_end : json_skip_value(ret->value, end);
    walk->seen_children |= ret->is_children;
    walk->at = json_skip_space(ret->value_end, end) + 1; /* , or } */
    walk->next = json->next;
    return true;
}

void member_write(const struct member *member, struct buffer *buffer)
{
    buffer_append(buffer, member->name, (size_t)(member->name_end - member->name));
    buffer_puts(buffer, ":");
    buffer_append(buffer, member->value, (size_t)(member->value_end - member->value));
}
