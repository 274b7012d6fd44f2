/* SPDX-License-Identifier: Apache-2.0 */
/* ExportTraceServiceRequest in protobuf's binary form. A message's length comes before
   it and is known behind it: the message is then moved up to make room. */
#include <endian.h>

#include "otlp/span.h"

enum {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
};

static size_t encode_varint(char *p, uint64_t value)
{
    size_t length = 0;

    while (value >= 0x80) {
        p[length++] = (char)(value | 0x80);
        value >>= 7;
    }
    p[length++] = (char)value;
    return length;
}

static void put_varint(struct xr_text *text, uint64_t value)
{
    char *p = xr_text_reserve(text, 10);

    if (p)
        text->length += encode_varint(p, value);
}

static void put_tag(struct xr_text *text, unsigned number, unsigned type)
{
    put_varint(text, number << 3 | type);
}

static void put_number(struct xr_text *text, unsigned number, uint64_t value)
{
    put_tag(text, number, WIRE_VARINT);
    put_varint(text, value);
}

static void put_fixed64(struct xr_text *text, unsigned number, uint64_t value)
{
    uint64_t little = htole64(value);

    put_tag(text, number, WIRE_FIXED64);
    xr_text_put(text, (const char *)&little, sizeof(little));
}

static void put_fixed32(struct xr_text *text, unsigned number, uint32_t value)
{
    uint32_t little = htole32(value);

    put_tag(text, number, WIRE_FIXED32);
    xr_text_put(text, (const char *)&little, sizeof(little));
}

static void put_bytes(struct xr_text *text, unsigned number, struct xr_slice bytes)
{
    put_tag(text, number, WIRE_BYTES);
    put_varint(text, bytes.length);
    xr_text_put(text, bytes.text, bytes.length);
}

static size_t open_message(struct xr_text *text, unsigned number)
{
    put_tag(text, number, WIRE_BYTES);
    return text->length;
}

static void close_message(struct xr_text *text, size_t mark)
{
    char length[10];
    size_t bytes = text->length - mark, count = encode_varint(length, bytes);

    if (!xr_text_reserve(text, count))
        return;
    memmove(text->data + mark + count, text->data + mark, bytes);
    memcpy(text->data + mark, length, count);
    text->length += count;
}

/* ---- Messages ------------------------------------------------------------------------ */

/* Strings have to be UTF-8: one byte that is not would cost the whole request. They
   are, since they come from JSON. */
static void put_value(struct xr_text *text, const struct xr_value *value)
{
    uint64_t bits;
    size_t mark;

    switch (value->type) {
    case XR_VALUE_STRING:
        put_bytes(text, 1, value->text);
        break;
    case XR_VALUE_TRUTH:
        put_number(text, 2, value->truth);
        break;
    case XR_VALUE_INTEGER:
        put_number(text, 3, (uint64_t)value->integer);
        break;
    case XR_VALUE_DOUBLE:
        memcpy(&bits, &value->number, sizeof(bits));
        put_fixed64(text, 4, bits);
        break;
    case XR_VALUE_ARRAY:
        mark = open_message(text, 5);
        for (const struct xr_attribute *item = value->items.first; item; item = item->next) {
            size_t inner = open_message(text, 1);

            put_value(text, &item->value);
            close_message(text, inner);
        }
        close_message(text, mark);
        break;
    case XR_VALUE_MAP:
        mark = open_message(text, 6);
        xr_protobuf_write_attributes(text, 1, &value->items);
        close_message(text, mark);
        break;
    case XR_VALUE_BYTES:
        put_bytes(text, 7, value->text);
        break;
    case XR_VALUE_NONE:
        break;
    }
}

void xr_protobuf_write_attributes(struct xr_text *text, unsigned number,
                                  const struct xr_attributes *attributes)
{
    for (const struct xr_attribute *a = attributes->first; a; a = a->next) {
        size_t mark = open_message(text, number), value;

        put_bytes(text, 1, a->key);
        value = open_message(text, 2);
        put_value(text, &a->value);
        close_message(text, value);
        close_message(text, mark);
    }
}

static void put_id(struct xr_text *text, unsigned number, uint64_t id)
{
    uint64_t big = htobe64(id);

    if (id != 0)
        put_bytes(text, number, (struct xr_slice){ (const char *)&big, sizeof(big) });
}

static void put_trace_id(struct xr_text *text, unsigned number, const uint8_t id[16])
{
    put_bytes(text, number, (struct xr_slice){ (const char *)id, 16 });
}

static void put_event(struct xr_text *text, const struct xr_event *event)
{
    size_t mark = open_message(text, 11);

    put_fixed64(text, 1, event->time_ns);
    put_bytes(text, 2, event->name);
    xr_protobuf_write_attributes(text, 3, &event->attributes);
    close_message(text, mark);
}

static void put_link(struct xr_text *text, const struct xr_link *link)
{
    size_t mark = open_message(text, 13);

    put_trace_id(text, 1, link->trace_id);
    put_id(text, 2, link->id);
    xr_protobuf_write_attributes(text, 4, &link->attributes);
    close_message(text, mark);
}

static void put_status(struct xr_text *text, const struct xr_span *span)
{
    size_t mark;

    if (span->status == XR_STATUS_UNSET)
        return;
    mark = open_message(text, 15);
    if (span->status_message.length)
        put_bytes(text, 2, span->status_message);
    put_number(text, 3, span->status);
    close_message(text, mark);
}

void xr_protobuf_write_span(struct xr_text *text, const struct xr_span *span)
{
    size_t mark = open_message(text, 2);

    put_trace_id(text, 1, span->trace_id);
    put_id(text, 2, span->id);
    put_id(text, 4, span->parent_id);
    put_bytes(text, 5, span->name);
    put_number(text, 6, span->kind);
    put_fixed64(text, 7, span->start_ns);
    put_fixed64(text, 8, span->end_ns);
    xr_protobuf_write_attributes(text, 9, &span->attributes);
    for (const struct xr_event *event = span->events; event; event = event->next)
        put_event(text, event);
    for (const struct xr_link *link = span->links; link; link = link->next)
        put_link(text, link);
    put_status(text, span);
    put_fixed32(text, 16, span->flags);
    close_message(text, mark);
}

static void put_group(struct xr_text *text, const struct xr_group *group, struct xr_slice version)
{
    size_t mark = open_message(text, 1), inner = open_message(text, 1), scope;

    xr_text_put(text, group->resource.data, group->resource.length);
    close_message(text, inner);

    inner = open_message(text, 2);
    scope = open_message(text, 1);
    put_bytes(text, 1, XR_SLICE(XR_SCOPE_NAME));
    if (version.text)
        put_bytes(text, 2, version);
    close_message(text, scope);
    xr_text_put(text, group->spans.data, group->spans.length);
    close_message(text, inner);
    close_message(text, mark);
}

void xr_protobuf_write(struct xr_text *text, const struct xr_group *groups, struct xr_slice version)
{
    for (; groups; groups = groups->next)
        put_group(text, groups, version);
}

void xr_protobuf_write_response(struct xr_text *text, uint64_t rejected, struct xr_slice message)
{
    size_t mark;

    if (rejected == 0 && message.length == 0)
        return;
    mark = open_message(text, 1);
    if (rejected)
        put_number(text, 1, rejected);
    if (message.length)
        put_bytes(text, 2, message);
    close_message(text, mark);
}

void xr_protobuf_write_status(struct xr_text *text, struct xr_slice message)
{
    put_number(text, 1, XR_CODE_INVALID_ARGUMENT);
    put_bytes(text, 2, message);
}
