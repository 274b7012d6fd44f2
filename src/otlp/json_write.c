/* SPDX-License-Identifier: Apache-2.0 */
/* ExportTraceServiceRequest in OTLP's JSON form: ids in hexadecimal, 64-bit numbers as
   strings. */
#include <endian.h>

#include "base/json.h"
#include "otlp/span.h"

static void put_key(struct xr_text *text, const char *key)
{
    xr_text_key(text, (struct xr_slice){ key, strlen(key) });
}

/* In quotes: a reader that knows doubles only would lose digits. */
static void put_uint64(struct xr_text *text, const char *key, uint64_t value)
{
    char *p;

    put_key(text, key);
    p = xr_text_reserve(text, XR_JSON_NUMBER_MAX);
    if (p) {
        *p++ = '"';
        p = xr_json_u64(p, value);
        *p++ = '"';
        text->length = (size_t)(p - text->data);
    }
}

static void put_attributes(struct xr_text *text, const char *key,
                           const struct xr_attributes *attributes);

static void put_value(struct xr_text *text, const struct xr_value *value)
{
    size_t mark = xr_text_open(text, NULL, '{'), inner;

    switch (value->type) {
    case XR_VALUE_STRING:
        xr_text_string(text, "stringValue", value->text);
        break;
    case XR_VALUE_TRUTH:
        xr_text_truth(text, "boolValue", value->truth);
        break;
    case XR_VALUE_INTEGER:
        put_key(text, "intValue");
        xr_text_put(text, "\"", 1);
        xr_text_int64(text, value->integer);
        xr_text_put(text, "\"", 1);
        break;
    case XR_VALUE_DOUBLE:
        put_key(text, "doubleValue");
        xr_text_double(text, value->number);
        break;
    case XR_VALUE_ARRAY:
        put_key(text, "arrayValue");
        xr_text_put(text, "{", 1);
        inner = xr_text_open(text, "values", '[');
        for (const struct xr_attribute *item = value->items.first; item; item = item->next)
            put_value(text, &item->value);
        xr_text_close(text, inner, ']', true);
        xr_text_put(text, "}", 1);
        break;
    case XR_VALUE_MAP:
        put_key(text, "kvlistValue");
        xr_text_put(text, "{", 1);
        put_attributes(text, "values", &value->items);
        xr_text_put(text, "}", 1);
        break;
    case XR_VALUE_BYTES:
        put_key(text, "bytesValue");
        xr_text_put(text, "\"", 1);
        xr_text_base64(text, value->text);
        xr_text_put(text, "\"", 1);
        break;
    case XR_VALUE_NONE:
        break;
    }
    xr_text_close(text, mark, '}', true);
}

static void put_attributes(struct xr_text *text, const char *key,
                           const struct xr_attributes *attributes)
{
    size_t mark = xr_text_open(text, key, '[');

    for (const struct xr_attribute *a = attributes->first; a; a = a->next) {
        size_t inner = xr_text_open(text, NULL, '{');

        xr_text_string(text, "key", a->key);
        put_key(text, "value");
        put_value(text, &a->value);
        xr_text_close(text, inner, '}', true);
    }
    xr_text_close(text, mark, ']', true);
}

static void put_hex(struct xr_text *text, const char *key, const uint8_t *bytes, size_t count)
{
    put_key(text, key);
    xr_text_put(text, "\"", 1);
    xr_text_hex(text, bytes, count);
    xr_text_put(text, "\"", 1);
}

static void put_id(struct xr_text *text, const char *key, uint64_t id)
{
    uint64_t big = htobe64(id);

    if (id != 0)
        put_hex(text, key, (const uint8_t *)&big, sizeof(big));
}

static void put_events(struct xr_text *text, const struct xr_span *span)
{
    size_t mark = xr_text_open(text, "events", '[');

    for (const struct xr_event *event = span->events; event; event = event->next) {
        size_t inner = xr_text_open(text, NULL, '{');

        put_uint64(text, "timeUnixNano", event->time_ns);
        xr_text_string(text, "name", event->name);
        put_attributes(text, "attributes", &event->attributes);
        xr_text_close(text, inner, '}', true);
    }
    xr_text_close(text, mark, ']', false);
}

static void put_links(struct xr_text *text, const struct xr_span *span)
{
    size_t mark = xr_text_open(text, "links", '[');

    for (const struct xr_link *link = span->links; link; link = link->next) {
        size_t inner = xr_text_open(text, NULL, '{');

        put_hex(text, "traceId", link->trace_id, sizeof(link->trace_id));
        put_id(text, "spanId", link->id);
        put_attributes(text, "attributes", &link->attributes);
        xr_text_close(text, inner, '}', true);
    }
    xr_text_close(text, mark, ']', false);
}

void xr_json_write_span(struct xr_text *text, const struct xr_span *span)
{
    size_t mark = xr_text_open(text, NULL, '{'), inner;

    put_hex(text, "traceId", span->trace_id, sizeof(span->trace_id));
    put_id(text, "spanId", span->id);
    put_id(text, "parentSpanId", span->parent_id);
    xr_text_integer(text, "flags", span->flags);
    xr_text_string(text, "name", span->name);
    xr_text_integer(text, "kind", (int64_t)span->kind);
    put_uint64(text, "startTimeUnixNano", span->start_ns);
    put_uint64(text, "endTimeUnixNano", span->end_ns);
    put_attributes(text, "attributes", &span->attributes);
    put_events(text, span);
    put_links(text, span);
    inner = xr_text_open(text, "status", '{');
    if (span->status != XR_STATUS_UNSET)
        xr_text_integer(text, "code", (int64_t)span->status);
    if (span->status_message.length)
        xr_text_string(text, "message", span->status_message);
    xr_text_close(text, inner, '}', true);
    xr_text_close(text, mark, '}', true);
}

void xr_json_write_attributes(struct xr_text *text, const struct xr_attributes *attributes)
{
    put_attributes(text, "attributes", attributes);
}

static void put_group(struct xr_text *text, const struct xr_group *group, struct xr_slice version)
{
    size_t mark = xr_text_open(text, NULL, '{'), inner = xr_text_open(text, "resource", '{');
    size_t scopes, scope;

    xr_text_put(text, group->resource.data, group->resource.length);
    xr_text_close(text, inner, '}', true);
    scopes = xr_text_open(text, "scopeSpans", '[');
    scope = xr_text_open(text, NULL, '{');
    inner = xr_text_open(text, "scope", '{');
    xr_text_string(text, "name", XR_SLICE(XR_SCOPE_NAME));
    xr_text_string(text, "version", version);
    xr_text_close(text, inner, '}', true);
    inner = xr_text_open(text, "spans", '[');
    xr_text_put(text, group->spans.data, group->spans.length);
    xr_text_close(text, inner, ']', true);
    xr_text_close(text, scope, '}', true);
    xr_text_close(text, scopes, ']', true);
    xr_text_close(text, mark, '}', true);
}

void xr_json_write(struct xr_text *text, const struct xr_group *groups, struct xr_slice version)
{
    size_t mark = xr_text_open(text, NULL, '{'), inner = xr_text_open(text, "resourceSpans", '[');

    for (; groups; groups = groups->next)
        put_group(text, groups, version);
    xr_text_close(text, inner, ']', true);
    xr_text_close(text, mark, '}', true);
}

void xr_json_write_response(struct xr_text *text, uint64_t rejected, struct xr_slice message)
{
    size_t mark = xr_text_open(text, NULL, '{'), inner = xr_text_open(text, "partialSuccess", '{');

    if (rejected)
        put_uint64(text, "rejectedSpans", rejected);
    if (message.length)
        xr_text_string(text, "errorMessage", message);
    xr_text_close(text, inner, '}', true);
    xr_text_close(text, mark, '}', true);
}

void xr_json_write_status(struct xr_text *text, struct xr_slice message)
{
    size_t mark = xr_text_open(text, NULL, '{');

    xr_text_integer(text, "code", XR_CODE_INVALID_ARGUMENT);
    xr_text_string(text, "message", message);
    xr_text_close(text, mark, '}', true);
}
