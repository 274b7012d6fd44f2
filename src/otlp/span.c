/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp/span.h"

#include <endian.h>
#include <math.h>

#include "otlp/tree.h"

bool xr_trace_id_take(uint8_t ret[16], const uint8_t *bytes, size_t length)
{
    static const uint8_t zero[16];

    if (length != 16 || memcmp(bytes, zero, 16) == 0)
        return false;
    memcpy(ret, bytes, 16);
    return true;
}

uint64_t xr_span_id_take(const uint8_t *bytes, size_t length)
{
    uint64_t id;

    if (length != sizeof(id))
        return 0;
    memcpy(&id, bytes, sizeof(id));
    return be64toh(id);
}

struct xr_attribute *xr_attribute_add(struct xr_arena *arena, struct xr_attributes *attributes)
{
    struct xr_attribute *attribute = xr_arena_take(arena, sizeof(*attribute));

    if (!attribute)
        return NULL;
    if (attributes->last)
        attributes->last->next = attribute;
    else
        attributes->first = attribute;
    attributes->last = attribute;
    return attribute;
}

struct xr_event *xr_event_add(struct xr_arena *arena, struct xr_span *span)
{
    struct xr_event *event = xr_arena_take(arena, sizeof(*event));

    if (!event)
        return NULL;
    if (span->last_event)
        span->last_event->next = event;
    else
        span->events = event;
    span->last_event = event;
    return event;
}

struct xr_link *xr_link_add(struct xr_arena *arena, struct xr_span *span)
{
    struct xr_link *link = xr_arena_take(arena, sizeof(*link));

    if (!link)
        return NULL;
    if (span->last_link)
        span->last_link->next = link;
    else
        span->links = link;
    span->last_link = link;
    return link;
}

/* ---- Setting --------------------------------------------------------------------- */

static struct xr_attribute *find(const struct xr_attributes *attributes, struct xr_slice key)
{
    for (struct xr_attribute *attribute = attributes->first; attribute; attribute = attribute->next)
        if (attribute->key.text && xr_slice_same(attribute->key, key))
            return attribute;
    return NULL;
}

void xr_set_value(struct xr_arena *arena, struct xr_attributes *attributes, struct xr_slice key,
                  struct xr_value value)
{
    struct xr_attribute *attribute;

    if (value.type == XR_VALUE_NONE || find(attributes, key))
        return;
    attribute = xr_attribute_add(arena, attributes);
    if (attribute) {
        attribute->key = key;
        attribute->value = value;
    }
}

static struct xr_slice slice_of(const char *key)
{
    return (struct xr_slice){ key, strlen(key) };
}

void xr_set_text(struct xr_arena *arena, struct xr_attributes *attributes, const char *key,
                 struct xr_slice value)
{
    if (value.text)
        xr_set_value(arena, attributes, slice_of(key),
                     (struct xr_value){ .type = XR_VALUE_STRING, .text = value });
}

void xr_set_truth(struct xr_arena *arena, struct xr_attributes *attributes, const char *key,
                  bool value)
{
    xr_set_value(arena, attributes, slice_of(key),
                 (struct xr_value){ .type = XR_VALUE_TRUTH, .truth = value });
}

void xr_set_integer(struct xr_arena *arena, struct xr_attributes *attributes, const char *key,
                    int64_t value)
{
    xr_set_value(arena, attributes, slice_of(key),
                 (struct xr_value){ .type = XR_VALUE_INTEGER, .integer = value });
}

void xr_set_item(struct xr_arena *arena, struct xr_attributes *attributes, const char *key,
                 struct xr_slice value)
{
    struct xr_attribute *array = xr_attribute_find(attributes, key), *item;

    if (!array) {
        xr_set_value(arena, attributes, slice_of(key), (struct xr_value){ .type = XR_VALUE_ARRAY });
        array = xr_attribute_find(attributes, key);
    }
    if (!array || array->value.type != XR_VALUE_ARRAY)
        return;
    item = xr_attribute_add(arena, &array->value.items);
    if (item)
        item->value = (struct xr_value){ .type = XR_VALUE_STRING, .text = value };
}

/* ---- Asking ---------------------------------------------------------------------- */

struct xr_attribute *xr_attribute_find(const struct xr_attributes *attributes, const char *key)
{
    return find(attributes, slice_of(key));
}

const struct xr_value *xr_take(const struct xr_attributes *attributes, const char *key)
{
    struct xr_slice slice = slice_of(key);
    const struct xr_value *found = NULL;

    for (struct xr_attribute *attribute = attributes->first; attribute; attribute = attribute->next)
        if (attribute->key.text && xr_slice_same(attribute->key, slice)) {
            attribute->used = true;
            if (!found)
                found = &attribute->value;
        }
    return found;
}

static struct xr_slice text_of(const struct xr_value *value)
{
    if (!value || value->type != XR_VALUE_STRING || value->text.length == 0)
        return (struct xr_slice){ 0 };
    return value->text;
}

struct xr_slice xr_find_text(const struct xr_attributes *attributes, const char *key)
{
    struct xr_attribute *attribute = xr_attribute_find(attributes, key);

    return text_of(attribute ? &attribute->value : NULL);
}

struct xr_slice xr_take_text(const struct xr_attributes *attributes, const char *key)
{
    struct xr_slice text = xr_find_text(attributes, key);

    /* A value of another type has no place there, and stays among the rest. */
    if (text.text)
        xr_take(attributes, key);
    return text;
}

struct xr_slice xr_take_first(const struct xr_attributes *attributes, const char *const *keys)
{
    struct xr_slice found = { 0 };

    for (; *keys; keys++) {
        struct xr_slice text = xr_take_text(attributes, *keys);

        if (!found.text)
            found = text;
    }
    return found;
}

bool xr_value_integer(const struct xr_value *value, int64_t *ret)
{
    if (!value)
        return false;
    switch (value->type) {
    case XR_VALUE_INTEGER:
        *ret = value->integer;
        return true;
    case XR_VALUE_STRING:
        return xr_number_int64(value->text, ret);
    case XR_VALUE_DOUBLE:
        if (!(fabs(value->number) < 1e15) || value->number != floor(value->number))
            return false;
        *ret = (int64_t)value->number;
        return true;
    default:
        return false;
    }
}

bool xr_take_integer(const struct xr_attributes *attributes, const char *key, int64_t *ret)
{
    struct xr_attribute *attribute = xr_attribute_find(attributes, key);

    if (!attribute || !xr_value_integer(&attribute->value, ret))
        return false;
    xr_take(attributes, key);
    return true;
}

/* ---- As JSON ----------------------------------------------------------------------- */

void xr_attributes_write(struct xr_text *text, const char *key,
                         const struct xr_attributes *attributes, bool unused_only)
{
    size_t mark = xr_text_open(text, key, '{');

    for (const struct xr_attribute *a = attributes->first; a; a = a->next) {
        if (unused_only && a->used)
            continue;
        xr_text_key(text, a->key.text ? a->key : XR_SLICE(""));
        xr_value_write(text, &a->value);
    }
    xr_text_close(text, mark, '}', !unused_only);
}

void xr_value_write(struct xr_text *text, const struct xr_value *value)
{
    switch (value->type) {
    case XR_VALUE_STRING:
        xr_text_quoted(text, value->text);
        break;
    case XR_VALUE_TRUTH:
        xr_text_puts(text, value->truth ? "true" : "false");
        break;
    case XR_VALUE_INTEGER:
        xr_text_int64(text, value->integer);
        break;
    case XR_VALUE_DOUBLE:
        xr_text_double(text, value->number);
        break;
    case XR_VALUE_ARRAY:
        xr_text_put(text, "[", 1);
        for (const struct xr_attribute *item = value->items.first; item; item = item->next) {
            xr_text_key(text, (struct xr_slice){ 0 });
            xr_value_write(text, &item->value);
        }
        xr_text_put(text, "]", 1);
        break;
    case XR_VALUE_MAP:
        /* Behind a colon or a bracket no comma comes. */
        xr_attributes_write(text, NULL, &value->items, false);
        break;
    case XR_VALUE_BYTES:
        xr_text_put(text, "\"", 1);
        xr_text_base64(text, value->text);
        xr_text_put(text, "\"", 1);
        break;
    case XR_VALUE_NONE:
        xr_text_puts(text, "null");
        break;
    }
}
