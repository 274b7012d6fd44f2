/* SPDX-License-Identifier: Apache-2.0 */
/* Documents become spans one by one, encoded at once, so that only what will be sent
   takes memory. */
#include <errno.h>

#include "base/alloc.h"
#include "otlp/mapping.h"
#include "wire/ids.h"

struct xr_otlp_writer {
    enum xr_otlp_format format;
    bool in_progress;
    struct xr_arena lasting; /* groups, and the version */
    struct xr_arena arena;   /* lives as long as a document */
    struct xr_slice version;
    struct xr_group *groups;
    struct xr_group *last;
};

int xr_otlp_writer_new(struct xr_otlp_writer **ret, const struct xr_otlp_write_params *params)
{
    struct xr_otlp_writer *writer = xr_alloc_zero(sizeof(*writer));
    size_t length = params->sdk_version ? strlen(params->sdk_version) : 0;

    if (!writer)
        return -ENOMEM;
    writer->format = params->format;
    writer->in_progress = params->in_progress;
    if (length) {
        char *copy = xr_alloc(length);

        if (!copy) {
            xr_free(writer, sizeof(*writer));
            return -ENOMEM;
        }
        memcpy(copy, params->sdk_version, length);
        writer->version = (struct xr_slice){ copy, length };
    }
    *ret = writer;
    return 0;
}

static void clear(struct xr_otlp_writer *writer)
{
    for (struct xr_group *group = writer->groups; group; group = group->next) {
        xr_text_free(&group->resource);
        xr_text_free(&group->spans);
    }
    writer->groups = writer->last = NULL;
    xr_arena_free(&writer->lasting);
    xr_arena_free(&writer->arena);
}

void xr_otlp_writer_free(struct xr_otlp_writer *writer)
{
    if (!writer)
        return;
    clear(writer);
    xr_free((char *)writer->version.text, writer->version.length);
    xr_free(writer, sizeof(*writer));
}

/* ---- Groups ------------------------------------------------------------------------ */

static uint64_t hash_of(const struct xr_text *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < text->length; i++)
        hash = (hash ^ (unsigned char)text->data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Takes the text over. NULL when out of memory. */
static struct xr_group *group_of(struct xr_otlp_writer *writer, struct xr_text *resource)
{
    uint64_t hash = hash_of(resource);
    struct xr_group *group = resource->failed ? NULL : writer->groups;

    for (; group; group = group->next)
        if (group->hash == hash && group->resource.length == resource->length &&
            (resource->length == 0 ||
             memcmp(group->resource.data, resource->data, resource->length) == 0)) {
            xr_text_free(resource);
            return group;
        }
    group = resource->failed ? NULL : xr_arena_take(&writer->lasting, sizeof(*group));
    if (!group) {
        xr_text_free(resource);
        return NULL;
    }
    group->resource = *resource;
    group->hash = hash;
    if (writer->last)
        writer->last->next = group;
    else
        writer->groups = group;
    writer->last = group;
    return group;
}

static struct xr_group *begin_group(struct xr_otlp_writer *writer,
                                    const struct xr_attributes *resource)
{
    struct xr_text text = { 0 };

    if (writer->format == XR_OTLP_JSON)
        xr_json_write_attributes(&text, resource);
    else
        xr_protobuf_write_attributes(&text, 1, resource);
    return group_of(writer, &text);
}

/* ---- Spans ------------------------------------------------------------------------- */

struct context {
    struct xr_otlp_writer *writer;
    struct xr_group *group;
    uint8_t trace_id[16];
};

static bool is_subsegment(const struct xr_tree *entity)
{
    return xr_slice_is(xr_tree_member_text(entity, "type"), "subsegment");
}

static uint64_t kind_of(const struct xr_tree *entity, bool segment)
{
    struct xr_slice namespace = xr_tree_member_text(entity, "namespace");

    if (segment)
        return XR_KIND_SERVER;
    return xr_slice_is(namespace, "aws") || xr_slice_is(namespace, "remote") ? XR_KIND_CLIENT
                                                                             : XR_KIND_INTERNAL;
}

/* False if it is not finished, and that is not wanted; or has no time at all. */
static bool read_times(const struct context *context, const struct xr_tree *entity,
                       struct xr_span *span, bool *ret_in_progress)
{
    const struct xr_tree *start = xr_tree_member(entity, "start_time");
    const struct xr_tree *end = xr_tree_member(entity, "end_time");

    if (!start || start->type != XR_TREE_NUMBER ||
        !xr_number_seconds_ns(start->raw, &span->start_ns))
        return false;
    *ret_in_progress = xr_tree_is_true(xr_tree_member(entity, "in_progress")) || !end ||
                       end->type != XR_TREE_NUMBER ||
                       !xr_number_seconds_ns(end->raw, &span->end_ns);
    if (*ret_in_progress)
        span->end_ns = span->start_ns;
    return !*ret_in_progress || context->writer->in_progress;
}

static uint32_t flags_of(const struct xr_tree *entity, bool segment, uint64_t parent_id)
{
    const struct xr_tree *annotations = xr_tree_member(entity, "annotations");
    const struct xr_tree *sampled = xr_tree_member(annotations, "xray_sampled");
    bool captured = sampled && sampled->type == XR_TREE_TRUTH && !sampled->truth;
    uint32_t flags = captured ? 0 : XR_FLAG_SAMPLED;

    if (parent_id != 0)
        flags |= segment ? XR_FLAG_REMOTE_KNOWN | XR_FLAG_REMOTE : XR_FLAG_REMOTE_KNOWN;
    return flags;
}

static void write_span(const struct context *context, struct xr_span_builder *builder,
                       bool in_progress)
{
    struct xr_span *span = builder->span;
    struct xr_attributes *attributes = &span->attributes;
    const struct xr_tree *traced = xr_tree_member(builder->entity, "traced");

    xr_span_aws(builder);
    xr_span_http(builder);
    xr_span_metadata(builder);
    xr_span_sql(builder);
    xr_set_text(builder->arena, attributes, "enduser.id",
                xr_tree_member_text(builder->entity, "user"));
    if (traced && traced->type == XR_TREE_TRUTH)
        xr_set_truth(builder->arena, attributes, XR_KEY_TRACED, traced->truth);
    if (in_progress)
        xr_set_truth(builder->arena, attributes, XR_KEY_IN_PROGRESS, true);
    xr_span_cause(builder);
    xr_span_flags(builder);
    xr_span_links(builder);
    xr_span_annotations(builder);
    if (context->writer->format == XR_OTLP_JSON)
        xr_json_write_span(&context->group->spans, span);
    else
        xr_protobuf_write_span(&context->group->spans, span);
}

/* What has no id or no time is left out, with all that is in it. */
static void write_entity(const struct context *context, const struct xr_tree *entity,
                         uint64_t parent_id, bool segment)
{
    struct xr_span span = {
        .has_trace_id = true,
        .id = xr_entity_id_read(xr_tree_member_text(entity, "id")),
        .parent_id = parent_id,
        .kind = kind_of(entity, segment),
        .name = xr_tree_member_text(entity, "name"),
    };
    struct xr_span_builder builder = {
        .arena = &context->writer->arena,
        .entity = entity,
        .segment = segment,
        .span = &span,
    };
    const struct xr_tree *children = xr_tree_member(entity, "subsegments");
    bool in_progress, wanted;

    if (span.id == 0)
        return;
    if (!span.name.text)
        span.name = XR_SLICE("");
    memcpy(span.trace_id, context->trace_id, sizeof(span.trace_id));
    span.flags = flags_of(entity, segment, parent_id);
    wanted = read_times(context, entity, &span, &in_progress);
    if (wanted)
        write_span(context, &builder, in_progress);
    if (!children || children->type != XR_TREE_ARRAY)
        return;
    for (const struct xr_tree *child = children->children; child; child = child->next)
        write_entity(context, child, span.id, false);
}

static bool is_document(const struct xr_tree *tree, uint8_t ret_trace_id[16])
{
    struct xr_slice text = xr_tree_member_text(tree, "trace_id");
    const struct xr_tree *start = xr_tree_member(tree, "start_time");
    xray_trace_id id;
    uint64_t start_ns;

    if (xr_entity_id_read(xr_tree_member_text(tree, "id")) == 0 || !start ||
        start->type != XR_TREE_NUMBER || !xr_number_seconds_ns(start->raw, &start_ns) ||
        text.length != XR_TRACE_ID_LENGTH || !xr_trace_id_read(text.text, &id))
        return false;
    return xr_trace_id_take(ret_trace_id, id.bytes, sizeof(id.bytes));
}

static int write_document(struct xr_otlp_writer *writer, const struct xr_tree *tree,
                          struct xr_slice service_name)
{
    struct context context = { .writer = writer };
    struct xr_attributes resource = { 0 };
    bool segment = !is_subsegment(tree);
    struct xr_span_builder builder = {
        .arena = &writer->arena,
        .entity = tree,
        .segment = segment,
        .resource = &resource,
    };

    if (!is_document(tree, context.trace_id))
        return -EINVAL;
    if (segment)
        xr_span_resource(&builder, writer->version);
    else
        xr_set_text(&writer->arena, &resource, "service.name",
                    service_name.length ? service_name : XR_SLICE("unknown_service"));
    context.group = begin_group(writer, &resource);
    if (!context.group)
        return -ENOMEM;
    write_entity(&context, tree, xr_entity_id_read(xr_tree_member_text(tree, "parent_id")),
                 segment);
    return context.group->spans.failed || writer->arena.failed ? -ENOMEM : 0;
}

int xr_otlp_write(struct xr_otlp_writer *writer, const char *document, size_t length,
                  const char *service_name)
{
    struct xr_slice name = { service_name, service_name ? strlen(service_name) : 0 };
    struct xr_otlp_error error;
    struct xr_tree *tree;
    int r = xr_tree_parse(&tree, &writer->arena, (struct xr_slice){ document, length },
                          XR_TREE_WHOLE, &error);

    if (r == 0)
        r = write_document(writer, tree, name);
    xr_arena_free(&writer->arena);
    return r == -EBADMSG ? -EINVAL : r;
}

/* ---- The request ------------------------------------------------------------------- */

int xr_otlp_finish(struct xr_otlp_writer *writer, char **ret, size_t *ret_length)
{
    struct xr_text text = { 0 };
    struct xr_group **link = &writer->groups;

    /* Of documents in progress nothing was written. */
    while (*link) {
        struct xr_group *group = *link;

        text.failed |= group->spans.failed;
        if (group->spans.length == 0) {
            *link = group->next;
            xr_text_free(&group->resource);
            xr_text_free(&group->spans);
        } else {
            link = &group->next;
        }
    }
    if (writer->format == XR_OTLP_JSON)
        xr_json_write(&text, writer->groups, writer->version);
    else
        xr_protobuf_write(&text, writer->groups, writer->version);
    clear(writer);
    return xr_text_take(&text, ret, ret_length);
}

int xr_otlp_write_response(enum xr_otlp_format format, uint64_t rejected, const char *message,
                           char **ret, size_t *ret_length)
{
    struct xr_slice slice = { message, message ? strlen(message) : 0 };
    struct xr_text text = { 0 };

    if (format == XR_OTLP_JSON)
        xr_json_write_response(&text, rejected, slice);
    else
        xr_protobuf_write_response(&text, rejected, slice);
    return xr_text_take(&text, ret, ret_length);
}

int xr_otlp_write_status(enum xr_otlp_format format, const char *message, char **ret,
                         size_t *ret_length)
{
    struct xr_slice slice = { message, strlen(message) };
    struct xr_text text = { 0 };

    if (format == XR_OTLP_JSON)
        xr_json_write_status(&text, slice);
    else
        xr_protobuf_write_status(&text, slice);
    return xr_text_take(&text, ret, ret_length);
}
