/* SPDX-License-Identifier: Apache-2.0 */
/* A segment's document as the service returns it: its own text, with the subsegments
   that came on their own put where they belong. Members are copied, not printed
   again, so that numbers and unknown members stay what they were. */
#include "local/trace/members.h"
#include "local/trace/trace.h"

#include <string.h>

bool trace_is_entry(const struct trace *trace, size_t index)
{
    const struct trace_node *node = &trace->nodes[index];
    if (node->superseded || !node->document)
        return false;
    return !node->subsegment || node->parent == TRACE_NONE || node->join_depth == 0;
}

/* What a subsegment needs only while it travels alone. */
static bool is_travel_member(const char *name)
{
    return strcmp(name, "trace_id") == 0 || strcmp(name, "parent_id") == 0 ||
           strcmp(name, "type") == 0;
}

static void write_node(const struct trace *trace, size_t index, bool joined, struct buffer *buffer);

static void write_children(const struct trace *trace, size_t index, struct buffer *buffer)
{
    bool first = true;
    buffer_puts(buffer, "[");
    for (size_t i = trace->nodes[index].first_child; i != TRACE_NONE; i = trace->nodes[i].next) {
        if (!trace->nodes[i].subsegment || trace_is_entry(trace, i))
            continue;
        if (!first)
            buffer_puts(buffer, ",");
        first = false;
        write_node(trace, i, trace->nodes[i].document, buffer);
    }
    buffer_puts(buffer, "]");
}

static bool has_children(const struct trace *trace, size_t index)
{
    for (size_t i = trace->nodes[index].first_child; i != TRACE_NONE; i = trace->nodes[i].next)
        if (trace->nodes[i].subsegment && !trace_is_entry(trace, i))
            return true;
    return false;
}

static void separate(struct buffer *buffer, bool *first)
{
    if (!*first)
        buffer_puts(buffer, ",");
    *first = false;
}

static void write_node(const struct trace *trace, size_t index, bool joined, struct buffer *buffer)
{
    struct member_walk walk = member_walk(&trace->nodes[index]);
    struct member member;
    bool first = true;
    bool written = false;
    buffer_puts(buffer, "{");
    while (member_next(&walk, &member)) {
        bool list = strcmp(member.json->string, "subsegments") == 0 && cJSON_IsArray(member.json);
        if (member.is_children) {
            separate(buffer, &first);
            buffer_puts(buffer, "\"subsegments\":");
            write_children(trace, index, buffer);
            written = true;
        } else if (!list && !(joined && is_travel_member(member.json->string))) {
            separate(buffer, &first);
            member_write(&member, buffer);
        }
    }
    if (!written && has_children(trace, index)) {
        separate(buffer, &first);
        buffer_puts(buffer, "\"subsegments\":");
        write_children(trace, index, buffer);
    }
    buffer_puts(buffer, "}");
}

void trace_write_document(const struct trace *trace, size_t node, struct buffer *buffer)
{
    write_node(trace, node, false, buffer);
}
