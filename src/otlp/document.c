/* SPDX-License-Identifier: Apache-2.0 */
/* A span becomes a segment document: which kind, its name, ids, times and flags. */
#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "otlp/mapping.h"
#include "wire/ids.h"

#define NAME_CHARACTERS_MAX 200

/* ---- Ids --------------------------------------------------------------------------- */

uint64_t xr_entity_id_read(struct xr_slice text)
{
    uint64_t id;

    if (!text.text || text.length != XR_SEGMENT_ID_LENGTH ||
        xr_hex64_read(text.text, XR_HEX_ANY_CASE, &id) != 0)
        return 0;
    return id;
}

void xr_entity_id_write(struct xr_text *text, const char *key, uint64_t id)
{
    char digits[XR_SEGMENT_ID_LENGTH];

    xr_hex64(digits, id);
    xr_text_string(text, key, (struct xr_slice){ digits, sizeof(digits) });
}

uint64_t xr_id_from(uint64_t id, uint64_t number)
{
    uint64_t x = id + (number + 1) * UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return x ? x : 1;
}

void xr_trace_id_text(struct xr_text *text, const char *key, const uint8_t bytes[16])
{
    char digits[XR_TRACE_ID_LENGTH];
    xray_trace_id id;

    memcpy(id.bytes, bytes, sizeof(id.bytes));
    xr_trace_id_write(digits, &id);
    xr_text_string(text, key, (struct xr_slice){ digits, sizeof(digits) });
}

struct xr_slice xr_joined(struct xr_arena *arena, const struct xr_slice *parts, size_t count)
{
    size_t length = 0, at = 0;
    char *text;

    for (size_t i = 0; i < count; i++)
        length += parts[i].length;
    text = xr_arena_take(arena, length + 1);
    if (!text)
        return (struct xr_slice){ 0 };
    for (size_t i = 0; i < count; i++) {
        if (parts[i].length)
            memcpy(text + at, parts[i].text, parts[i].length);
        at += parts[i].length;
    }
    return (struct xr_slice){ text, length };
}

/* ---- Names ------------------------------------------------------------------------- */

static bool is_call(const struct xr_span *span)
{
    return span->kind == XR_KIND_CLIENT || span->kind == XR_KIND_PRODUCER ||
           span->kind == XR_KIND_CONSUMER;
}

static bool is_local_root(const struct xr_span *span)
{
    return xr_slice_is(xr_find_text(&span->attributes, XR_KEY_SPAN_KIND), "LOCAL_ROOT");
}

bool xr_is_server(const struct xr_span *span)
{
    return span->kind == XR_KIND_SERVER;
}

static bool is_aws(const struct xr_span *span)
{
    return xr_slice_is(xr_find_text(&span->attributes, "rpc.system"), "aws-api") ||
           xr_find_text(&span->attributes, "aws.service").text;
}

static struct xr_slice remote_service(const struct xr_document_builder *builder)
{
    static const char *const prefixes[] = { "AWS.SDK.", "AWS::" };
    struct xr_slice name = xr_find_text(&builder->span->attributes, "aws.remote.service");

    for (size_t i = 0; builder->aws && i < 2; i++)
        if (xr_slice_begins(name, prefixes[i]) && name.length > strlen(prefixes[i]))
            return xr_slice_from(name, strlen(prefixes[i]));
    return name;
}

/* name@host, as far as there is a host. */
static struct xr_slice database_name(const struct xr_document_builder *builder)
{
    const struct xr_attributes *attributes = &builder->span->attributes;
    struct xr_slice name = xr_find_text(attributes, "db.name");
    struct xr_slice url = xr_find_text(attributes, "db.connection_string"), host;
    const char *begin;
    size_t length = 0;

    if (!name.text || !url.text)
        return name;
    begin = memmem(url.text, url.length, "://", 3);
    if (!begin)
        return name;
    host = xr_slice_from(url, (size_t)(begin - url.text) + 3);
    while (length < host.length && !strchr(":/?", host.text[length]))
        length++;
    if (length == 0)
        return name;
    host.length = length;
    return xr_joined(builder->arena, (struct xr_slice[]){ name, XR_SLICE("@"), host }, 3);
}

static struct xr_slice local_name(const struct xr_document_builder *builder)
{
    struct xr_slice name = xr_find_text(&builder->span->attributes, "aws.local.service");

    return name.text ? name : xr_find_text(builder->resource, "service.name");
}

static struct xr_slice choose_name(const struct xr_document_builder *builder)
{
    static const char *const others[] = { "rpc.service", "http.host", "net.peer.name", NULL };
    const struct xr_span *span = builder->span;
    const struct xr_attributes *attributes = &span->attributes;
    struct xr_slice name = { 0 };

    if (builder->role == XR_ROLE_SERVICE) {
        name = local_name(builder);
        return name.text ? name : span->name;
    }
    if (xr_is_server(span) || (span->kind == XR_KIND_INTERNAL && is_local_root(span)))
        name = xr_find_text(attributes, "aws.local.service");
    else if (is_call(span))
        name = remote_service(builder);
    if (!name.text)
        name = xr_find_text(attributes, "peer.service");
    if (!name.text)
        name = xr_find_text(attributes, "aws.service");
    if (!name.text)
        name = database_name(builder);
    if (!name.text && xr_is_server(span))
        name = xr_find_text(builder->resource, "service.name");
    for (const char *const *key = others; !name.text && *key; key++)
        name = xr_find_text(attributes, *key);
    return name.text ? name : span->name;
}

/* What X-Ray takes in a name: letters, digits, spaces and some signs. Beyond ASCII all is
   kept, as most of it is letters. */
static bool is_name_character(char c)
{
    return (unsigned char)c >= 0x80 || (c >= '0' && c <= '9') ||
           ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c && strchr(" _.:/%&#=+-@", c));
}

static struct xr_slice clean_name(struct xr_arena *arena, struct xr_slice name)
{
    char *clean = xr_arena_take(arena, name.length + 1);
    size_t length = 0, characters = 0;

    if (!clean)
        return (struct xr_slice){ 0 };
    for (size_t i = 0; i < name.length && characters < NAME_CHARACTERS_MAX;) {
        size_t character = xr_utf8_valid(name.text + i, name.length - i);

        if (character > 0 && is_name_character(name.text[i])) {
            memcpy(clean + length, name.text + i, character);
            length += character;
            characters++;
        }
        i += character ? character : 1;
    }
    if (length == 0)
        return XR_SLICE("span");
    return (struct xr_slice){ clean, length };
}

/* Attributes that say no more than the name does. */
static void use_name(const struct xr_document_builder *builder)
{
    static const char *const keys[] = { "peer.service", "aws.service", "rpc.service" };
    const struct xr_attributes *attributes = &builder->span->attributes;

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (xr_slice_same(xr_find_text(attributes, keys[i]), builder->name))
            xr_take(attributes, keys[i]);
    if (builder->aws && xr_slice_is(xr_find_text(attributes, "rpc.system"), "aws-api"))
        xr_take(attributes, "rpc.system");
}

/* ---- Flags ------------------------------------------------------------------------- */

static int64_t http_status(const struct xr_span *span)
{
    static const char *const keys[] = { "http.response.status_code", "http.status_code" };
    int64_t status;

    for (size_t i = 0; i < 2; i++) {
        struct xr_attribute *attribute = xr_attribute_find(&span->attributes, keys[i]);

        if (attribute && xr_value_integer(&attribute->value, &status))
            return status;
    }
    return 0;
}

struct xr_flags xr_derived_flags(const struct xr_span *span)
{
    int64_t status = http_status(span);

    return (struct xr_flags){
        .fault = (status >= 500 && status < 600) ||
                 (status < 400 && span->status == XR_STATUS_ERROR),
        .error = status >= 400 && status < 500,
        .throttle = status == 429,
    };
}

static bool take_flag(const struct xr_attributes *attributes, const char *key, bool *known)
{
    const struct xr_value *value = xr_take(attributes, key);

    *known |= value && value->type == XR_VALUE_TRUTH;
    return value && value->type == XR_VALUE_TRUTH && value->truth;
}

static void build_flags(struct xr_document_builder *builder)
{
    const struct xr_attributes *attributes = &builder->span->attributes;
    struct xr_flags flags = xr_derived_flags(builder->span), told;
    bool known = false;

    told.fault = take_flag(attributes, XR_KEY_FAULT, &known);
    told.error = take_flag(attributes, XR_KEY_ERROR, &known);
    told.throttle = take_flag(attributes, XR_KEY_THROTTLE, &known);
    if (known)
        flags = told;
    if (flags.fault)
        xr_text_truth(builder->text, "fault", true);
    if (flags.error)
        xr_text_truth(builder->text, "error", true);
    if (flags.throttle)
        xr_text_truth(builder->text, "throttle", true);
}

/* ---- The document ------------------------------------------------------------------ */

static void build_time(struct xr_text *text, const char *key, uint64_t time_ns)
{
    char number[48];
    int length = snprintf(number, sizeof(number), "%llu.%09llu",
                          (unsigned long long)(time_ns / 1000000000),
                          (unsigned long long)(time_ns % 1000000000));

    xr_text_raw(text, key, (struct xr_slice){ number, (size_t)length });
}

static void build_ids(struct xr_document_builder *builder)
{
    const struct xr_span *span = builder->span;
    uint64_t service_id = xr_id_from(span->id, 0);
    uint64_t parent_id = builder->role == XR_ROLE_DEPENDENCY ? service_id : span->parent_id;

    xr_entity_id_write(builder->text, "id",
                       builder->role == XR_ROLE_SERVICE ? service_id : span->id);
    xr_trace_id_text(builder->text, "trace_id", span->trace_id);
    if (parent_id != 0)
        xr_entity_id_write(builder->text, "parent_id", parent_id);
    if (!builder->segment)
        xr_text_string(builder->text, "type", XR_SLICE("subsegment"));
}

static void build_times(struct xr_document_builder *builder)
{
    const struct xr_span *span = builder->span;
    bool known = false, told = take_flag(&span->attributes, XR_KEY_IN_PROGRESS, &known);

    build_time(builder->text, "start_time", span->start_ns);
    if (told || span->end_ns == 0)
        xr_text_truth(builder->text, "in_progress", true);
    else
        build_time(builder->text, "end_time", span->end_ns);
}

static void build_namespace(struct xr_document_builder *builder)
{
    if (builder->segment)
        return;
    if (builder->aws)
        xr_text_string(builder->text, "namespace", XR_SLICE("aws"));
    else if (builder->span->kind == XR_KIND_CLIENT || builder->role == XR_ROLE_DEPENDENCY)
        xr_text_string(builder->text, "namespace", XR_SLICE("remote"));
}

static void build_rest(struct xr_document_builder *builder)
{
    const struct xr_attributes *attributes = &builder->span->attributes;
    bool service = builder->role == XR_ROLE_SERVICE;
    bool linked = builder->role == XR_ROLE_ONLY ||
                  service == (builder->span->kind == XR_KIND_CONSUMER);
    bool known = false;

    /* Or the call would be split again, once it is a span again. */
    if (builder->role != XR_ROLE_ONLY)
        xr_take(attributes, XR_KEY_SPAN_KIND);
    build_namespace(builder);
    build_flags(builder);
    if (builder->segment)
        xr_build_resource(builder);
    if (!service) {
        xr_build_http(builder);
        xr_build_sql(builder);
    }
    xr_build_aws(builder);
    if (!service) {
        xr_text_string(builder->text, "user", xr_take_text(attributes, "enduser.id"));
        if (take_flag(attributes, XR_KEY_TRACED, &known) || known)
            xr_text_truth(builder->text, "traced", true);
        xr_build_cause(builder);
    }
    if (linked)
        xr_build_links(builder);
    if (!service)
        xr_build_annotations(builder);
    xr_build_metadata(builder);
}

static void forget_used(const struct xr_attributes *attributes)
{
    for (struct xr_attribute *a = attributes->first; a; a = a->next)
        a->used = false;
}

static int build(struct xr_reader *reader, const struct xr_attributes *resource,
                 const struct xr_span *span, enum xr_role role)
{
    struct xr_document_builder builder = {
        .params = reader->params,
        .arena = &reader->span_arena,
        .text = &reader->text,
        .resource = resource,
        .span = span,
        .role = role,
        .segment = role == XR_ROLE_SERVICE ||
                   (role == XR_ROLE_ONLY && (xr_is_server(span) || span->parent_id == 0)),
        .aws = is_aws(span),
    };
    size_t mark;

    forget_used(resource);
    forget_used(&span->attributes);
    for (const struct xr_event *event = span->events; event; event = event->next)
        forget_used(&event->attributes);
    builder.text->length = 0;
    builder.name = clean_name(builder.arena, choose_name(&builder));
    mark = xr_text_open(builder.text, NULL, '{');
    build_ids(&builder);
    xr_text_string(builder.text, "name", builder.name);
    build_times(&builder);
    use_name(&builder);
    xr_build_prepare(&builder);
    build_rest(&builder);
    xr_text_close(builder.text, mark, '}', true);
    xr_text_put(builder.text, "", 1);
    if (builder.text->failed || builder.arena->failed)
        return -ENOMEM;
    return reader->params->document(reader->params->data, builder.text->data,
                                    builder.text->length - 1);
}

int xr_span_documents(struct xr_reader *reader, const struct xr_attributes *resource,
                      const struct xr_span *span)
{
    int r;

    if (!is_call(span) || !is_local_root(span))
        return build(reader, resource, span, XR_ROLE_ONLY);
    r = build(reader, resource, span, XR_ROLE_SERVICE);
    return r < 0 ? r : build(reader, resource, span, XR_ROLE_DEPENDENCY);
}
