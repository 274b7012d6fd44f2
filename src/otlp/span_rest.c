/* SPDX-License-Identifier: Apache-2.0 */
/* Flags, causes, links, annotations and metadata of a document become what OpenTelemetry
   has for them. */
#include "otlp/mapping.h"
#include "wire/ids.h"

struct xr_slice xr_text_moved(struct xr_arena *arena, struct xr_text *text)
{
    struct xr_slice moved = { 0 };

    arena->failed |= text->failed;
    if (!text->failed && text->length)
        moved = xr_arena_copy(arena, text->data, text->length);
    xr_text_free(text);
    return moved;
}

void xr_span_set(struct xr_span_builder *builder, const char *key, const struct xr_tree *object,
                 const char *member)
{
    xr_set_text(builder->arena, &builder->span->attributes, key,
                xr_tree_member_text(object, member));
}

struct xr_value xr_scalar(const struct xr_tree *value)
{
    struct xr_value scalar = { 0 };

    if (!value)
        return scalar;
    if (value->type == XR_TREE_STRING) {
        scalar = (struct xr_value){ .type = XR_VALUE_STRING, .text = value->text };
    } else if (value->type == XR_TREE_TRUTH) {
        scalar = (struct xr_value){ .type = XR_VALUE_TRUTH, .truth = value->truth };
    } else if (value->type == XR_TREE_NUMBER) {
        if (xr_number_int64(value->raw, &scalar.integer)) {
            scalar.type = XR_VALUE_INTEGER;
        } else {
            scalar.number = xr_number_double(value->raw);
            scalar.type = XR_VALUE_DOUBLE;
        }
    }
    return scalar;
}

/* ---- Flags ------------------------------------------------------------------------- */

/* After the HTTP status and the cause. */
void xr_span_flags(struct xr_span_builder *builder)
{
    struct xr_span *span = builder->span;
    struct xr_attributes *attributes = &span->attributes;
    struct xr_flags flags = {
        .fault = xr_tree_is_true(xr_tree_member(builder->entity, "fault")),
        .error = xr_tree_is_true(xr_tree_member(builder->entity, "error")),
        .throttle = xr_tree_is_true(xr_tree_member(builder->entity, "throttle")),
    };
    struct xr_flags derived = xr_derived_flags(span);

    /* To OpenTelemetry a bad request is no error of the server's. */
    if (flags.fault || ((flags.error || flags.throttle) && !(builder->segment && derived.error)))
        span->status = XR_STATUS_ERROR;
    derived = xr_derived_flags(span);
    if (derived.fault == flags.fault && derived.error == flags.error &&
        derived.throttle == flags.throttle)
        return;
    if (flags.fault || !(flags.error || flags.throttle))
        xr_set_truth(builder->arena, attributes, XR_KEY_FAULT, flags.fault);
    if (flags.error)
        xr_set_truth(builder->arena, attributes, XR_KEY_ERROR, true);
    if (flags.throttle)
        xr_set_truth(builder->arena, attributes, XR_KEY_THROTTLE, true);
}

/* ---- Causes ------------------------------------------------------------------------ */

struct causes {
    struct xr_span_builder *builder;
    const struct xr_tree **exceptions;
    bool *written;
    size_t count;
    struct xr_text stacks; /* frames by the ids of exceptions */
};

/* "IoError: reset\n\tat read(io.c: 12)\n" */
static struct xr_slice stack_text(struct xr_arena *arena, const struct xr_tree *exception,
                                  const struct xr_tree *stack)
{
    struct xr_slice type = xr_tree_member_text(exception, "type");
    struct xr_slice message = xr_tree_member_text(exception, "message");
    struct xr_text text = { 0 };

    xr_text_put(&text, type.text, type.length);
    xr_text_puts(&text, type.length ? ": " : "");
    xr_text_put(&text, message.text, message.length);
    xr_text_puts(&text, "\n");
    for (const struct xr_tree *frame = stack->children; frame; frame = frame->next) {
        struct xr_slice label = xr_tree_member_text(frame, "label");
        struct xr_slice path = xr_tree_member_text(frame, "path");
        int64_t line;

        xr_text_puts(&text, "\tat ");
        xr_text_put(&text, label.text, label.length);
        xr_text_puts(&text, "(");
        xr_text_put(&text, path.text, path.length);
        if (xr_tree_int64(xr_tree_member(frame, "line"), &line)) {
            xr_text_puts(&text, ": ");
            xr_text_int64(&text, line);
        }
        xr_text_puts(&text, ")\n");
    }
    return xr_text_moved(arena, &text);
}

static void write_exception(struct causes *causes, const struct xr_tree *exception)
{
    struct xr_arena *arena = causes->builder->arena;
    struct xr_event *event = xr_event_add(arena, causes->builder->span);
    const struct xr_tree *stack = xr_tree_member(exception, "stack");
    struct xr_slice id = xr_tree_member_text(exception, "id");
    bool remote = xr_tree_is_true(xr_tree_member(exception, "remote"));
    int64_t number;

    if (!event)
        return;
    event->time_ns = causes->builder->span->end_ns;
    event->name = XR_SLICE("exception");
    xr_set_text(arena, &event->attributes, "exception.type",
                xr_tree_member_text(exception, "type"));
    xr_set_text(arena, &event->attributes, "exception.message",
                xr_tree_member_text(exception, "message"));
    xr_set_text(arena, &event->attributes, XR_KEY_EXCEPTION "id", id);
    if (remote || causes->builder->span->kind == XR_KIND_CLIENT)
        xr_set_truth(arena, &event->attributes, XR_KEY_EXCEPTION "remote", remote);
    if (xr_tree_int64(xr_tree_member(exception, "truncated"), &number))
        xr_set_integer(arena, &event->attributes, XR_KEY_EXCEPTION "truncated", number);
    if (xr_tree_int64(xr_tree_member(exception, "skipped"), &number))
        xr_set_integer(arena, &event->attributes, XR_KEY_EXCEPTION "skipped", number);
    xr_set_text(arena, &event->attributes, XR_KEY_EXCEPTION "cause",
                xr_tree_member_text(exception, "cause"));
    if (!stack || stack->type != XR_TREE_ARRAY || !stack->children)
        return;
    xr_set_text(arena, &event->attributes, "exception.stacktrace",
                stack_text(arena, exception, stack));
    if (id.length) {
        xr_text_key(&causes->stacks, id);
        xr_text_put(&causes->stacks, stack->raw.text, stack->raw.length);
    }
}

static bool is_cause_of_another(const struct causes *causes, const struct xr_tree *exception)
{
    struct xr_slice id = xr_tree_member_text(exception, "id");

    for (size_t i = 0; i < causes->count; i++)
        if (causes->exceptions[i] != exception && id.text &&
            xr_slice_same(xr_tree_member_text(causes->exceptions[i], "cause"), id))
            return true;
    return false;
}

/* From what was thrown last down to its root cause. */
static void write_chain(struct causes *causes, size_t at)
{
    while (at < causes->count && !causes->written[at]) {
        struct xr_slice cause = xr_tree_member_text(causes->exceptions[at], "cause");

        causes->written[at] = true;
        write_exception(causes, causes->exceptions[at]);
        if (!cause.text)
            return;
        for (at = 0; at < causes->count; at++)
            if (xr_slice_same(xr_tree_member_text(causes->exceptions[at], "id"), cause))
                break;
    }
}

static bool find_exceptions(struct causes *causes, const struct xr_tree *list)
{
    const struct xr_tree *item;
    size_t count = 0;

    for (item = list->children; item && count < XR_LISTED_MAX; item = item->next)
        count++;
    causes->exceptions = xr_arena_take(causes->builder->arena, count * sizeof(*causes->exceptions));
    causes->written = xr_arena_take(causes->builder->arena, count);
    if (!causes->exceptions || !causes->written)
        return false;
    for (item = list->children; count > 0; item = item->next, count--)
        if (item->type == XR_TREE_OBJECT)
            causes->exceptions[causes->count++] = item;
    return true;
}

static void write_exceptions(struct causes *causes)
{
    struct xr_span_builder *builder = causes->builder;
    size_t mark;

    mark = xr_text_open(&causes->stacks, NULL, '{');
    for (size_t i = 0; i < causes->count; i++)
        if (!is_cause_of_another(causes, causes->exceptions[i]))
            write_chain(causes, i);
    for (size_t i = 0; i < causes->count; i++)
        write_chain(causes, i);
    xr_text_close(&causes->stacks, mark, '}', false);
    /* For readers of stack traces that do not know ours; a namespace of the document's
       own with this name stays what it is. */
    xr_set_text(builder->arena, &builder->span->attributes, XR_KEY_METADATA XR_NAMESPACE_EXCEPTIONS,
                xr_text_moved(builder->arena, &causes->stacks));
}

void xr_span_cause(struct xr_span_builder *builder)
{
    const struct xr_tree *cause = xr_tree_member(builder->entity, "cause");
    const struct xr_tree *list = xr_tree_member(cause, "exceptions");
    struct causes causes = { .builder = builder };

    if (cause && cause->type == XR_TREE_STRING) {
        builder->span->status = XR_STATUS_ERROR;
        builder->span->status_message = cause->text;
    }
    if (list && list->type == XR_TREE_ARRAY && list->children && find_exceptions(&causes, list))
        write_exceptions(&causes);
}

/* ---- The rest ---------------------------------------------------------------------- */

static void set_link_attributes(struct xr_span_builder *builder, struct xr_link *link,
                                const struct xr_tree *attributes)
{
    size_t count = 0;

    if (!attributes || attributes->type != XR_TREE_OBJECT)
        return;
    for (const struct xr_tree *child = attributes->children; child && count < XR_LISTED_MAX;
         child = child->next, count++) {
        struct xr_value value = xr_scalar(child);

        if (value.type == XR_VALUE_NONE)
            value = (struct xr_value){ .type = XR_VALUE_STRING, .text = child->raw };
        xr_set_value(builder->arena, &link->attributes, child->key, value);
    }
}

void xr_span_links(struct xr_span_builder *builder)
{
    const struct xr_tree *links = xr_tree_member(builder->entity, "links");
    const struct xr_tree *precursors = xr_tree_member(builder->entity, "precursor_ids"), *item;

    item = links && links->type == XR_TREE_ARRAY ? links->children : NULL;
    for (; item; item = item->next) {
        struct xr_slice text = xr_tree_member_text(item, "trace_id");
        uint64_t id = xr_entity_id_read(xr_tree_member_text(item, "id"));
        struct xr_link *link;
        xray_trace_id trace_id;

        if (id == 0 || text.length != XR_TRACE_ID_LENGTH || !xr_trace_id_read(text.text, &trace_id))
            continue;
        link = xr_link_add(builder->arena, builder->span);
        if (!link)
            return;
        memcpy(link->trace_id, trace_id.bytes, sizeof(link->trace_id));
        link->id = id;
        set_link_attributes(builder, link, xr_tree_member(item, "attributes"));
    }
    item = precursors && precursors->type == XR_TREE_ARRAY ? precursors->children : NULL;
    for (; item; item = item->next) {
        uint64_t id = xr_entity_id_read(xr_tree_text(item));
        struct xr_link *link = id ? xr_link_add(builder->arena, builder->span) : NULL;

        if (!link)
            continue;
        memcpy(link->trace_id, builder->span->trace_id, sizeof(link->trace_id));
        link->id = id;
        xr_set_text(builder->arena, &link->attributes, XR_KEY_LINK_TYPE, XR_SLICE("precursor"));
    }
}

void xr_span_annotations(struct xr_span_builder *builder)
{
    const struct xr_tree *annotations = xr_tree_member(builder->entity, "annotations"), *child;
    struct xr_attributes *attributes = &builder->span->attributes;
    size_t count = 0;

    if (!annotations || annotations->type != XR_TREE_OBJECT)
        return;
    child = xr_tree_member(annotations, "xray_sampled");
    if (child && child->type == XR_TREE_TRUTH && !child->truth)
        xr_set_truth(builder->arena, attributes, XR_KEY_SAMPLED, false);
    for (child = annotations->children; child && count < XR_LISTED_MAX;
         child = child->next, count++) {
        struct xr_value value = xr_scalar(child);

        /* As an attribute this one would say what becomes of the span. */
        if (value.type == XR_VALUE_NONE || child->key.length == 0 ||
            xr_slice_is(child->key, XR_KEY_SPAN_KIND))
            continue;
        xr_set_value(builder->arena, attributes, child->key, value);
        xr_set_item(builder->arena, attributes, XR_KEY_ANNOTATIONS, child->key);
    }
}

void xr_span_metadata(struct xr_span_builder *builder)
{
    const struct xr_tree *metadata = xr_tree_member(builder->entity, "metadata"), *child;
    size_t count = 0;

    child = metadata && metadata->type == XR_TREE_OBJECT ? metadata->children : NULL;
    for (; child && count < XR_LISTED_MAX; child = child->next, count++)
        xr_set_value(builder->arena, &builder->span->attributes,
                     xr_joined(builder->arena,
                               (struct xr_slice[]){ XR_SLICE(XR_KEY_METADATA), child->key }, 2),
                     (struct xr_value){ .type = XR_VALUE_STRING, .text = child->raw });
}
