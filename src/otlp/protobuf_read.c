/* SPDX-License-Identifier: Apache-2.0 */
/* ExportTraceServiceRequest in protobuf's binary form. Unknown fields are skipped, and
   so are known ones of another type than they should have. */
#include <endian.h>
#include <errno.h>

#include "otlp/reader.h"

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_GROUP = 3,
    WIRE_GROUP_END = 4,
    WIRE_FIXED32 = 5,
};

struct field {
    uint64_t number;
    enum wire_type type;
    uint64_t value; /* of the numbers */
    struct xr_slice bytes;
};

struct wire {
    const char *p;
    const char *end;
    const char *begin; /* of the body */
    struct xr_reader *reader;
};

static struct wire within(const struct wire *wire, struct xr_slice bytes)
{
    return (struct wire){ bytes.text, bytes.text + bytes.length, wire->begin, wire->reader };
}

static int refuse(const struct wire *wire, const char *message)
{
    return xr_reader_refuse(wire->reader, (size_t)(wire->p - wire->begin), message);
}

static int read_varint(struct wire *wire, uint64_t *ret)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte;

        if (wire->p == wire->end)
            return refuse(wire, "cut off within a number");
        byte = (uint8_t)*wire->p++;
        /* Of a tenth byte only one bit has room. */
        value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
        if (byte < 0x80) {
            *ret = value;
            return 0;
        }
    }
    return refuse(wire, "a number of more than ten bytes");
}

static int read_fixed(struct wire *wire, size_t bytes, uint64_t *ret)
{
    uint64_t value = 0;

    if ((size_t)(wire->end - wire->p) < bytes)
        return refuse(wire, "cut off within a number");
    memcpy(&value, wire->p, bytes);
    wire->p += bytes;
    *ret = le64toh(value);
    return 0;
}

static int read_bytes(struct wire *wire, struct xr_slice *ret)
{
    uint64_t length = 0;
    int r = read_varint(wire, &length);

    if (r < 0)
        return r;
    if (length > (size_t)(wire->end - wire->p))
        return refuse(wire, "a length that goes beyond its message");
    *ret = (struct xr_slice){ wire->p, (size_t)length };
    wire->p += length;
    return 0;
}

static int read_tag(struct wire *wire, struct field *ret)
{
    uint64_t tag = 0;
    int r = read_varint(wire, &tag);

    if (r < 0)
        return r;
    *ret = (struct field){ .number = tag >> 3, .type = (enum wire_type)(tag & 7) };
    if (ret->number == 0 || ret->number > 0x1fffffff)
        return refuse(wire, "not the number of a field");
    switch (ret->type) {
    case WIRE_VARINT:
        return read_varint(wire, &ret->value);
    case WIRE_FIXED64:
        return read_fixed(wire, 8, &ret->value);
    case WIRE_FIXED32:
        return read_fixed(wire, 4, &ret->value);
    case WIRE_BYTES:
        return read_bytes(wire, &ret->bytes);
    case WIRE_GROUP:
    case WIRE_GROUP_END:
        return 0;
    }
    return refuse(wire, "not a type of protobuf");
}

/* 1 for a field, 0 at the end. Groups, which OTLP has none of, are stepped over. */
static int next_field(struct wire *wire, struct field *ret)
{
    size_t depth = 0;
    int r;

    while (wire->p < wire->end) {
        r = read_tag(wire, ret);
        if (r < 0)
            return r;
        if (ret->type == WIRE_GROUP)
            depth++;
        else if (ret->type == WIRE_GROUP_END && depth == 0)
            return refuse(wire, "the end of a group that has no begin");
        else if (ret->type == WIRE_GROUP_END)
            depth--;
        else if (depth == 0)
            return 1;
    }
    return depth == 0 ? 0 : refuse(wire, "cut off within a group");
}

static bool is_bytes(const struct field *field, uint64_t number)
{
    return field->number == number && field->type == WIRE_BYTES;
}

/* ---- Attributes -------------------------------------------------------------------- */

static int read_value(struct wire wire, struct xr_arena *arena, struct xr_value *ret,
                      unsigned depth);

static int read_attribute(struct wire wire, struct xr_arena *arena,
                          struct xr_attributes *attributes, unsigned depth)
{
    struct xr_attribute *attribute = xr_attribute_add(arena, attributes);
    struct field field;
    int r;

    if (!attribute)
        return -ENOMEM;
    attribute->key = XR_SLICE("");
    while ((r = next_field(&wire, &field)) > 0) {
        if (is_bytes(&field, 1))
            attribute->key = field.bytes;
        else if (is_bytes(&field, 2))
            r = read_value(within(&wire, field.bytes), arena, &attribute->value, depth);
        if (r < 0)
            return r;
    }
    return r;
}

/* The values of an array, or the attributes of a map. */
static int read_items(struct wire wire, struct xr_arena *arena, struct xr_value *value,
                      unsigned depth)
{
    struct field field;
    int r;

    while ((r = next_field(&wire, &field)) > 0) {
        struct xr_attribute *item;

        if (!is_bytes(&field, 1))
            continue;
        if (value->type == XR_VALUE_MAP) {
            r = read_attribute(within(&wire, field.bytes), arena, &value->items, depth);
        } else {
            item = xr_attribute_add(arena, &value->items);
            r = item ? read_value(within(&wire, field.bytes), arena, &item->value, depth) : -ENOMEM;
        }
        if (r < 0)
            return r;
    }
    return r;
}

static int read_one_value(const struct wire *wire, const struct field *field,
                          struct xr_arena *arena, struct xr_value *ret, unsigned depth)
{
    if (is_bytes(field, 1) || is_bytes(field, 7)) {
        *ret = (struct xr_value){ .type = field->number == 1 ? XR_VALUE_STRING : XR_VALUE_BYTES,
                                  .text = field->bytes };
    } else if (field->number == 2 && field->type == WIRE_VARINT) {
        *ret = (struct xr_value){ .type = XR_VALUE_TRUTH, .truth = field->value != 0 };
    } else if (field->number == 3 && field->type == WIRE_VARINT) {
        *ret = (struct xr_value){ .type = XR_VALUE_INTEGER, .integer = (int64_t)field->value };
    } else if (field->number == 4 && field->type == WIRE_FIXED64) {
        *ret = (struct xr_value){ .type = XR_VALUE_DOUBLE };
        memcpy(&ret->number, &field->value, sizeof(ret->number));
    } else if (is_bytes(field, 5) || is_bytes(field, 6)) {
        *ret = (struct xr_value){ .type = field->number == 5 ? XR_VALUE_ARRAY : XR_VALUE_MAP };
        return read_items(within(wire, field->bytes), arena, ret, depth);
    }
    return 0;
}

static int read_value(struct wire wire, struct xr_arena *arena, struct xr_value *ret,
                      unsigned depth)
{
    struct field field;
    int r;

    if (depth == XR_VALUE_DEPTH_MAX)
        return refuse(&wire, "a value nested more than 64 deep");
    while ((r = next_field(&wire, &field)) > 0) {
        r = read_one_value(&wire, &field, arena, ret, depth + 1);
        if (r < 0)
            return r;
    }
    return r;
}

/* ---- Spans ------------------------------------------------------------------------- */

static uint64_t span_id(struct xr_slice bytes)
{
    return xr_span_id_take((const uint8_t *)bytes.text, bytes.length);
}

static int read_event(struct wire wire, struct xr_span *span)
{
    struct xr_arena *arena = &wire.reader->span_arena;
    struct xr_event *event = xr_event_add(arena, span);
    struct field field;
    int r;

    if (!event)
        return -ENOMEM;
    while ((r = next_field(&wire, &field)) > 0) {
        if (field.number == 1 && field.type == WIRE_FIXED64)
            event->time_ns = field.value;
        else if (is_bytes(&field, 2))
            event->name = field.bytes;
        else if (is_bytes(&field, 3))
            r = read_attribute(within(&wire, field.bytes), arena, &event->attributes, 0);
        if (r < 0)
            return r;
    }
    return r;
}

static int read_link(struct wire wire, struct xr_span *span)
{
    struct xr_arena *arena = &wire.reader->span_arena;
    struct xr_link *link = xr_link_add(arena, span);
    bool has_trace_id = false;
    struct field field;
    int r;

    if (!link)
        return -ENOMEM;
    while ((r = next_field(&wire, &field)) > 0) {
        if (is_bytes(&field, 1))
            has_trace_id = xr_trace_id_take(link->trace_id, (const uint8_t *)field.bytes.text,
                                            field.bytes.length);
        else if (is_bytes(&field, 2))
            link->id = span_id(field.bytes);
        else if (is_bytes(&field, 4))
            r = read_attribute(within(&wire, field.bytes), arena, &link->attributes, 0);
        if (r < 0)
            return r;
    }
    link->valid = has_trace_id && link->id != 0;
    return r;
}

static int read_status(struct wire wire, struct xr_span *span)
{
    struct field field;
    int r;

    while ((r = next_field(&wire, &field)) > 0) {
        if (is_bytes(&field, 2))
            span->status_message = field.bytes;
        else if (field.number == 3 && field.type == WIRE_VARINT)
            span->status = field.value;
    }
    return r;
}

static void read_span_number(struct xr_span *span, const struct field *field)
{
    if (field->number == 6 && field->type == WIRE_VARINT)
        span->kind = field->value;
    else if (field->number == 7 && field->type == WIRE_FIXED64)
        span->start_ns = field->value;
    else if (field->number == 8 && field->type == WIRE_FIXED64)
        span->end_ns = field->value;
    else if (field->number == 16 && field->type == WIRE_FIXED32)
        span->flags = (uint32_t)field->value;
}

static int read_span_bytes(const struct wire *wire, struct xr_span *span, const struct field *field)
{
    struct wire inner = within(wire, field->bytes);

    switch (field->number) {
    case 1:
        span->has_trace_id = xr_trace_id_take(span->trace_id, (const uint8_t *)field->bytes.text,
                                              field->bytes.length);
        return 0;
    case 2:
        span->id = span_id(field->bytes);
        return 0;
    case 4:
        span->parent_id = span_id(field->bytes);
        return 0;
    case 5:
        span->name = field->bytes;
        return 0;
    case 9:
        return read_attribute(inner, &wire->reader->span_arena, &span->attributes, 0);
    case 11:
        return read_event(inner, span);
    case 13:
        return read_link(inner, span);
    case 15:
        return read_status(inner, span);
    default:
        return 0;
    }
}

static int read_span(struct wire wire, const struct xr_attributes *resource)
{
    struct xr_span span = { 0 };
    struct field field;
    int r;

    if ((size_t)(wire.end - wire.p) > XR_OTLP_PART_MAX) {
        if (++wire.reader->spans > XR_OTLP_SPANS_MAX)
            return -E2BIG;
        return xr_reader_reject(wire.reader, 0, "the span is larger than 1 MiB");
    }
    while ((r = next_field(&wire, &field)) > 0) {
        if (field.type == WIRE_BYTES)
            r = read_span_bytes(&wire, &span, &field);
        else
            read_span_number(&span, &field);
        if (r < 0)
            return r;
    }
    if (r == 0)
        r = xr_reader_span(wire.reader, resource, &span);
    return r;
}

/* ---- What they are in -------------------------------------------------------------- */

static int read_scope_spans(struct wire wire, const struct xr_attributes *resource)
{
    struct field field;
    int r;

    while ((r = next_field(&wire, &field)) > 0) {
        if (is_bytes(&field, 2))
            r = read_span(within(&wire, field.bytes), resource);
        if (r < 0)
            return r;
        xr_arena_free(&wire.reader->span_arena);
    }
    return r;
}

static int read_resource(struct wire wire, struct xr_attributes *resource)
{
    struct field field;
    int r;

    if ((size_t)(wire.end - wire.p) > XR_OTLP_PART_MAX)
        return refuse(&wire, "a resource larger than 1 MiB");
    while ((r = next_field(&wire, &field)) > 0) {
        if (is_bytes(&field, 1))
            r = read_attribute(within(&wire, field.bytes), &wire.reader->resource_arena, resource,
                               0);
        if (r < 0)
            return r;
    }
    return r;
}

/* Twice: the resource may stand behind its spans. */
static int read_resource_spans(struct wire wire)
{
    struct xr_attributes resource = { 0 };
    struct wire again = wire;
    struct field field;
    int r;

    while ((r = next_field(&wire, &field)) > 0) {
        if (is_bytes(&field, 1))
            r = read_resource(within(&wire, field.bytes), &resource);
        if (r < 0)
            return r;
    }
    if (r < 0)
        return r;
    while ((r = next_field(&again, &field)) > 0) {
        if (is_bytes(&field, 2))
            r = read_scope_spans(within(&again, field.bytes), &resource);
        if (r < 0)
            return r;
    }
    return r;
}

int xr_protobuf_read(struct xr_reader *reader, struct xr_slice body)
{
    struct wire wire = { body.text, body.text + body.length, body.text, reader };
    struct field field;
    int r;

    while ((r = next_field(&wire, &field)) > 0) {
        if (is_bytes(&field, 1))
            r = read_resource_spans(within(&wire, field.bytes));
        if (r < 0)
            return r;
        xr_arena_free(&reader->resource_arena);
    }
    return r;
}
