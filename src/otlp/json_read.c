/* SPDX-License-Identifier: Apache-2.0 */
/* ExportTraceServiceRequest in OTLP's JSON form. The outer levels become a tree first,
   and then each span for itself, so that memory is that of one span. */
#include <endian.h>
#include <errno.h>

#include "otlp/reader.h"
#include "otlp/tree.h"

/* Down to the spans as they are written: {resourceSpans[{scopeSpans[{spans[ */
#define OUTER_LEVELS 6

struct json_body {
    struct xr_reader *reader;
    struct xr_slice text;
};

static const struct xr_tree *first_of(const struct xr_tree *array)
{
    return array && array->type == XR_TREE_ARRAY ? array->children : NULL;
}

static const struct xr_tree *elements(const struct xr_tree *object, const char *name)
{
    return first_of(xr_tree_member(object, name));
}

/* ---- Attributes -------------------------------------------------------------------- */

static int read_value(struct xr_arena *arena, const struct xr_tree *json, struct xr_value *ret,
                      unsigned depth);

static int read_attributes(struct xr_arena *arena, const struct xr_tree *first,
                           struct xr_attributes *ret, unsigned depth)
{
    for (; first; first = first->next) {
        struct xr_slice key = xr_tree_member_text(first, "key");
        struct xr_attribute *attribute = xr_attribute_add(arena, ret);
        int r;

        if (!attribute)
            return -ENOMEM;
        attribute->key = key.text ? key : XR_SLICE("");
        r = read_value(arena, xr_tree_member(first, "value"), &attribute->value, depth);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_items(struct xr_arena *arena, const struct xr_tree *json, struct xr_value *ret,
                      unsigned depth)
{
    for (const struct xr_tree *item = elements(json, "values"); item; item = item->next) {
        struct xr_attribute *attribute = xr_attribute_add(arena, &ret->items);
        int r;

        if (!attribute)
            return -ENOMEM;
        r = read_value(arena, item, &attribute->value, depth);
        if (r < 0)
            return r;
    }
    return 0;
}

/* -E2BIG: too deep. What is no value becomes none. */
static int read_value(struct xr_arena *arena, const struct xr_tree *json, struct xr_value *ret,
                      unsigned depth)
{
    const struct xr_tree *member;

    if (depth == XR_VALUE_DEPTH_MAX)
        return -E2BIG;
    if ((member = xr_tree_member(json, "stringValue")) && member->type == XR_TREE_STRING) {
        *ret = (struct xr_value){ .type = XR_VALUE_STRING, .text = member->text };
    } else if ((member = xr_tree_member(json, "boolValue")) && member->type == XR_TREE_TRUTH) {
        *ret = (struct xr_value){ .type = XR_VALUE_TRUTH, .truth = member->truth };
    } else if ((member = xr_tree_member(json, "intValue")) &&
               xr_tree_int64(member, &ret->integer)) {
        ret->type = XR_VALUE_INTEGER;
    } else if ((member = xr_tree_member(json, "doubleValue")) &&
               xr_tree_double(member, &ret->number)) {
        ret->type = XR_VALUE_DOUBLE;
    } else if ((member = xr_tree_member(json, "arrayValue"))) {
        *ret = (struct xr_value){ .type = XR_VALUE_ARRAY };
        return read_items(arena, member, ret, depth + 1);
    } else if ((member = xr_tree_member(json, "kvlistValue"))) {
        *ret = (struct xr_value){ .type = XR_VALUE_MAP };
        return read_attributes(arena, elements(member, "values"), &ret->items, depth + 1);
    } else if ((member = xr_tree_member(json, "bytesValue")) && member->type == XR_TREE_STRING) {
        if (xr_base64_read(arena, member->text, &ret->text))
            ret->type = XR_VALUE_BYTES;
    }
    return 0;
}

/* ---- Spans ------------------------------------------------------------------------- */

static bool read_trace_id(struct xr_slice text, uint8_t ret[16])
{
    uint8_t bytes[16];

    return xr_hex_read(text, bytes, sizeof(bytes)) && xr_trace_id_take(ret, bytes, sizeof(bytes));
}

static uint64_t read_span_id(struct xr_slice text)
{
    uint8_t bytes[8];

    return xr_hex_read(text, bytes, sizeof(bytes)) ? xr_span_id_take(bytes, sizeof(bytes)) : 0;
}

static int read_events(struct xr_arena *arena, const struct xr_tree *first, struct xr_span *span)
{
    for (; first; first = first->next) {
        struct xr_event *event = xr_event_add(arena, span);
        int r;

        if (!event)
            return -ENOMEM;
        xr_tree_uint64(xr_tree_member(first, "timeUnixNano"), &event->time_ns);
        event->name = xr_tree_member_text(first, "name");
        r = read_attributes(arena, elements(first, "attributes"), &event->attributes, 0);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_links(struct xr_arena *arena, const struct xr_tree *first, struct xr_span *span)
{
    for (; first; first = first->next) {
        struct xr_link *link = xr_link_add(arena, span);
        int r;

        if (!link)
            return -ENOMEM;
        link->id = read_span_id(xr_tree_member_text(first, "spanId"));
        link->valid = read_trace_id(xr_tree_member_text(first, "traceId"), link->trace_id) &&
                      link->id != 0;
        r = read_attributes(arena, elements(first, "attributes"), &link->attributes, 0);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Enums are numbers in OTLP; protobuf's own JSON form has their names. */
static uint64_t read_enum(const struct xr_tree *value, const char *prefix, const char *const *names,
                          size_t count)
{
    struct xr_slice text = xr_tree_text(value);
    uint64_t number;

    if (xr_tree_uint64(value, &number))
        return number;
    if (xr_slice_begins(text, prefix))
        for (size_t i = 0; i < count; i++)
            if (xr_slice_is(xr_slice_from(text, strlen(prefix)), names[i]))
                return i;
    return 0;
}

static int fill_span(struct xr_arena *arena, const struct xr_tree *json, struct xr_span *span)
{
    static const char *const kinds[] = { "UNSPECIFIED", "INTERNAL", "SERVER",
                                         "CLIENT",      "PRODUCER", "CONSUMER" };
    static const char *const codes[] = { "UNSET", "OK", "ERROR" };
    const struct xr_tree *status = xr_tree_member(json, "status");
    uint64_t flags = 0;
    int r;

    span->has_trace_id = read_trace_id(xr_tree_member_text(json, "traceId"), span->trace_id);
    span->id = read_span_id(xr_tree_member_text(json, "spanId"));
    span->parent_id = read_span_id(xr_tree_member_text(json, "parentSpanId"));
    span->name = xr_tree_member_text(json, "name");
    span->kind = read_enum(xr_tree_member(json, "kind"), "SPAN_KIND_", kinds, 6);
    xr_tree_uint64(xr_tree_member(json, "startTimeUnixNano"), &span->start_ns);
    xr_tree_uint64(xr_tree_member(json, "endTimeUnixNano"), &span->end_ns);
    xr_tree_uint64(xr_tree_member(json, "flags"), &flags);
    span->flags = (uint32_t)flags;
    span->status = read_enum(xr_tree_member(status, "code"), "STATUS_CODE_", codes, 3);
    span->status_message = xr_tree_member_text(status, "message");
    r = read_attributes(arena, elements(json, "attributes"), &span->attributes, 0);
    if (r == 0)
        r = read_events(arena, elements(json, "events"), span);
    if (r == 0)
        r = read_links(arena, elements(json, "links"), span);
    return r;
}

static size_t offset_of(const struct json_body *body, const struct xr_tree *value)
{
    return (size_t)(value->raw.text - body->text.text);
}

static int too_deep(const struct json_body *body, const struct xr_tree *value)
{
    return xr_reader_refuse(body->reader, offset_of(body, value),
                            "a value nested more than 64 deep");
}

static int read_span(const struct json_body *body, const struct xr_tree *outer,
                     const struct xr_attributes *resource)
{
    struct xr_reader *reader = body->reader;
    struct xr_span span = { 0 };
    struct xr_tree *json;
    int r;

    if (outer->raw.length > XR_OTLP_PART_MAX) {
        if (++reader->spans > XR_OTLP_SPANS_MAX)
            return -E2BIG;
        return xr_reader_reject(reader, 0, "the span is larger than 1 MiB");
    }
    r = xr_tree_parse(&json, &reader->span_arena, outer->raw, XR_TREE_WHOLE, reader->error);
    if (r == 0)
        r = fill_span(&reader->span_arena, json, &span);
    if (r == -E2BIG)
        return too_deep(body, outer);
    if (r == 0)
        r = xr_reader_span(reader, resource, &span);
    return r;
}

static int read_resource(const struct json_body *body, const struct xr_tree *outer,
                         struct xr_attributes *ret)
{
    struct xr_reader *reader = body->reader;
    struct xr_tree *json;
    int r;

    if (!outer)
        return 0;
    if (outer->raw.length > XR_OTLP_PART_MAX)
        return xr_reader_refuse(reader, offset_of(body, outer), "a resource larger than 1 MiB");
    r = xr_tree_parse(&json, &reader->resource_arena, outer->raw, XR_TREE_WHOLE, reader->error);
    if (r == 0)
        r = read_attributes(&reader->resource_arena, elements(json, "attributes"), ret, 0);
    return r == -E2BIG ? too_deep(body, outer) : r;
}

static int read_resource_spans(const struct json_body *body, const struct xr_tree *json)
{
    struct xr_attributes resource = { 0 };
    int r = read_resource(body, xr_tree_member(json, "resource"), &resource);
    const struct xr_tree *scope = elements(json, "scopeSpans"), *span;

    for (; scope && r == 0; scope = scope->next)
        for (span = elements(scope, "spans"); span && r == 0; span = span->next) {
            r = read_span(body, span, &resource);
            xr_arena_free(&body->reader->span_arena);
        }
    xr_arena_free(&body->reader->resource_arena);
    return r;
}

int xr_json_read(struct xr_reader *reader, struct xr_slice text)
{
    struct json_body body = { reader, text };
    struct xr_arena arena = { 0 };
    struct xr_tree *json;
    const struct xr_tree *item;
    int r = xr_tree_parse(&json, &arena, text, OUTER_LEVELS, reader->error);

    if (r == 0 && json->type != XR_TREE_OBJECT)
        r = xr_reader_refuse(reader, 0, "not a JSON object");
    if (r == 0)
        for (item = elements(json, "resourceSpans"); item && r == 0; item = item->next)
            r = read_resource_spans(&body, item);
    xr_arena_free(&arena);
    return r;
}
