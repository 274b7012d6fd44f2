/* SPDX-License-Identifier: Apache-2.0 */
/* Links, annotations, and metadata, where all goes that has no other place. */
#include <stdio.h>

#include "base/json.h"
#include "otlp/mapping.h"

/* Of a text in an attribute; what is in it goes into the document one level deeper. */
static struct xr_tree *parse_json(struct xr_arena *arena, const struct xr_value *value)
{
    struct xr_otlp_error error;
    struct xr_tree *tree;

    if (value->type != XR_VALUE_STRING ||
        xr_tree_parse(&tree, arena, value->text, XR_TREE_WHOLE, &error) < 0)
        return NULL;
    return tree;
}

static struct xr_attribute *metadata_of(const struct xr_document_builder *builder,
                                        const char *namespace)
{
    char key[64];

    snprintf(key, sizeof(key), XR_KEY_METADATA "%s", namespace);
    return xr_attribute_find(&builder->span->attributes, key);
}

static bool is_sql_text(const struct xr_tree *member)
{
    static const char *const names[] = {
        "url",        "connection_string", "database_type", "database_version", "driver_version",
        "preparation"
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (xr_slice_is(member->key, names[i]))
            return member->type == XR_TREE_STRING;
    return false;
}

static bool is_exception_of(const struct xr_span *span, const struct xr_tree *member)
{
    size_t count = 0;

    for (const struct xr_event *event = span->events; event && count < XR_LISTED_MAX;
         event = event->next, count++)
        if (member->key.length &&
            xr_slice_same(xr_find_text(&event->attributes, XR_KEY_EXCEPTION "id"), member->key))
            return member->type == XR_TREE_ARRAY;
    return false;
}

/* What our writer put there for others to see, and has its place here. */
void xr_build_prepare(struct xr_document_builder *builder)
{
    struct xr_attribute *sql = metadata_of(builder, XR_NAMESPACE_SQL);
    struct xr_attribute *stacks = metadata_of(builder, XR_NAMESPACE_EXCEPTIONS);
    bool is_sql = xr_attribute_find(&builder->span->attributes, "db.system"), is_stacks = true;
    struct xr_tree *tree;
    size_t count = 0;

    if (builder->role == XR_ROLE_SERVICE)
        return;
    if (sql && is_sql && (tree = parse_json(builder->arena, &sql->value)) && tree->children) {
        for (struct xr_tree *child = tree->children; child; child = child->next)
            is_sql &= is_sql_text(child);
        if (is_sql) {
            builder->sql = tree;
            sql->used = true;
        }
    }
    if (stacks && (tree = parse_json(builder->arena, &stacks->value)) && tree->children) {
        for (struct xr_tree *child = tree->children; child && is_stacks; child = child->next)
            is_stacks = ++count <= XR_LISTED_MAX && is_exception_of(builder->span, child);
        if (is_stacks) {
            builder->stacks = tree;
            stacks->used = true;
        }
    }
}

/* ---- Links ------------------------------------------------------------------------- */

static bool is_precursor(const struct xr_document_builder *builder, const struct xr_link *link)
{
    return memcmp(link->trace_id, builder->span->trace_id, sizeof(link->trace_id)) == 0 &&
           xr_slice_is(xr_find_text(&link->attributes, XR_KEY_LINK_TYPE), "precursor");
}

void xr_build_links(struct xr_document_builder *builder)
{
    struct xr_text *text = builder->text;
    size_t mark = xr_text_open(text, "links", '[');

    for (const struct xr_link *link = builder->span->links; link; link = link->next) {
        size_t inner;

        if (!link->valid || is_precursor(builder, link))
            continue;
        inner = xr_text_open(text, NULL, '{');
        xr_trace_id_text(text, "trace_id", link->trace_id);
        xr_entity_id_write(text, "id", link->id);
        xr_attributes_write(text, "attributes", &link->attributes, true);
        xr_text_close(text, inner, '}', true);
    }
    xr_text_close(text, mark, ']', false);

    mark = xr_text_open(text, "precursor_ids", '[');
    for (const struct xr_link *link = builder->span->links; link; link = link->next)
        if (link->valid && is_precursor(builder, link))
            xr_entity_id_write(text, NULL, link->id);
    xr_text_close(text, mark, ']', false);
}

/* ---- Annotations ------------------------------------------------------------------- */

static bool is_listed(const struct xr_attribute *list, struct xr_slice key)
{
    size_t count = 0;

    if (!list || list->value.type != XR_VALUE_ARRAY)
        return false;
    for (const struct xr_attribute *item = list->value.items.first; item && count < XR_LISTED_MAX;
         item = item->next, count++)
        if (item->value.type == XR_VALUE_STRING && xr_slice_same(item->value.text, key))
            return true;
    return false;
}

static bool is_scalar(const struct xr_value *value)
{
    return value->type == XR_VALUE_TRUTH || value->type == XR_VALUE_INTEGER ||
           value->type == XR_VALUE_DOUBLE ||
           (value->type == XR_VALUE_STRING &&
            xr_utf8_prefix(value->text.text, value->text.length, XR_ANNOTATION_CHARACTERS) ==
                value->text.length);
}

/* What X-Ray takes in a key. */
static struct xr_slice clean_key(struct xr_arena *arena, struct xr_slice key)
{
    struct xr_slice copy = xr_arena_copy(arena, key.text, key.length);

    for (size_t i = 0; copy.text && i < copy.length; i++) {
        char c = copy.text[i];

        if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '.')
            ((char *)copy.text)[i] = '_';
    }
    return copy;
}

struct annotations {
    struct xr_document_builder *builder;
    struct xr_attributes written; /* their keys, as they are in the document */
    size_t count;
};

static void build_annotation(struct annotations *annotations, struct xr_attribute *attribute)
{
    struct xr_document_builder *builder = annotations->builder;
    struct xr_slice key = clean_key(builder->arena, attribute->key);
    struct xr_attribute *written;

    /* Two keys may become the same; the second one stays in the metadata. */
    if (!key.text || key.length == 0)
        return;
    for (written = annotations->written.first; written; written = written->next)
        if (xr_slice_same(written->key, key))
            return;
    written = xr_attribute_add(builder->arena, &annotations->written);
    if (!written)
        return;
    written->key = key;
    attribute->used = true;
    annotations->count++;
    xr_text_key(builder->text, key);
    xr_value_write(builder->text, &attribute->value);
}

void xr_build_annotations(struct xr_document_builder *builder)
{
    const struct xr_attributes *attributes = &builder->span->attributes;
    struct xr_attribute *list = xr_attribute_find(attributes, XR_KEY_ANNOTATIONS), *a;
    struct annotations annotations = { .builder = builder };
    const struct xr_value *sampled = xr_take(attributes, XR_KEY_SAMPLED);
    size_t mark = xr_text_open(builder->text, "annotations", '{');

    if (list && list->value.type == XR_VALUE_ARRAY)
        list->used = true;
    for (a = attributes->first; a && annotations.count < XR_LISTED_MAX; a = a->next)
        if (a->key.text && is_scalar(&a->value) && is_listed(list, a->key))
            build_annotation(&annotations, a);
    if ((builder->params->unsampled ||
         (sampled && sampled->type == XR_VALUE_TRUTH && !sampled->truth)) &&
        !is_listed(list, XR_SLICE("xray_sampled"))) {
        struct xr_attribute unsampled = { .key = XR_SLICE("xray_sampled"),
                                          .value = { .type = XR_VALUE_TRUTH } };

        build_annotation(&annotations, &unsampled);
    }
    for (a = attributes->first; a && builder->params->index_all; a = a->next)
        if (annotations.count < XR_ANNOTATIONS_MAX && !a->used && a->key.text &&
            is_scalar(&a->value) && !xr_slice_begins(a->key, XR_KEY_METADATA))
            build_annotation(&annotations, a);
    xr_text_close(builder->text, mark, '}', false);
}

/* ---- Metadata ---------------------------------------------------------------------- */

static void build_resource_metadata(struct xr_document_builder *builder)
{
    for (const struct xr_attribute *a = builder->resource->first; a; a = a->next) {
        if (a->used || !a->key.text)
            continue;
        xr_text_key(builder->text,
                    xr_joined(builder->arena,
                              (struct xr_slice[]){ XR_SLICE("otel.resource."), a->key }, 2));
        xr_value_write(builder->text, &a->value);
    }
}

static bool is_exception_event(const struct xr_document_builder *builder,
                               const struct xr_event *event)
{
    return xr_slice_is(event->name, "exception") ||
           (builder->aws && xr_slice_is(event->name, "HTTP request failure"));
}

/* Of an exception only what its place in the cause has no room for. */
static void build_events(struct xr_document_builder *builder)
{
    struct xr_text *text = builder->text;
    size_t mark = xr_text_open(text, "otel.events", '[');

    for (const struct xr_event *event = builder->span->events; event; event = event->next) {
        size_t inner = xr_text_open(text, NULL, '{'), before;

        xr_text_string(text, "name", event->name);
        if (event->time_ns <= INT64_MAX)
            xr_text_integer(text, "time_unix_nano", (int64_t)event->time_ns);
        before = text->length;
        xr_attributes_write(text, "attributes", &event->attributes, true);
        if (text->length == before && is_exception_event(builder, event) && !text->failed) {
            text->length = inner;
            continue;
        }
        xr_text_close(text, inner, '}', true);
    }
    xr_text_close(text, mark, ']', false);
}

static void build_default(struct xr_document_builder *builder, const struct xr_tree *told)
{
    const struct xr_span *span = builder->span;
    struct xr_text *text = builder->text;
    size_t mark = xr_text_open(text, "default", '{');

    for (const struct xr_tree *child = told ? told->children : NULL; child; child = child->next) {
        xr_text_key(text, child->key);
        xr_text_put(text, child->raw.text, child->raw.length);
    }
    if (builder->role != XR_ROLE_SERVICE) {
        for (const struct xr_attribute *a = span->attributes.first; a; a = a->next) {
            if (a->used || !a->key.text)
                continue;
            xr_text_key(text, a->key);
            xr_value_write(text, &a->value);
        }
        if (span->name.length && !xr_slice_same(span->name, builder->name))
            xr_text_string(text, "otel.span.name", span->name);
        build_events(builder);
    }
    if (builder->segment)
        build_resource_metadata(builder);
    xr_text_close(text, mark, '}', told != NULL);
}

void xr_build_metadata(struct xr_document_builder *builder)
{
    struct xr_text *text = builder->text;
    struct xr_tree *told = NULL, *tree;
    size_t mark = xr_text_open(text, "metadata", '{');

    for (struct xr_attribute *a = builder->span->attributes.first;
         a && builder->role != XR_ROLE_SERVICE; a = a->next) {
        struct xr_slice namespace;

        if (a->used || !xr_slice_begins(a->key, XR_KEY_METADATA))
            continue;
        namespace = xr_slice_from(a->key, strlen(XR_KEY_METADATA));
        tree = parse_json(builder->arena, &a->value);
        if (!tree || (xr_slice_is(namespace, "default") && tree->type != XR_TREE_OBJECT))
            continue;
        a->used = true;
        if (xr_slice_is(namespace, "default")) {
            told = tree;
            continue;
        }
        xr_text_key(text, namespace);
        xr_text_put(text, tree->raw.text, tree->raw.length);
    }
    build_default(builder, told);
    xr_text_close(text, mark, '}', false);
}
