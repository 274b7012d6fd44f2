/* SPDX-License-Identifier: Apache-2.0 */
/* Exception events become a document's cause, their stack traces its frames. */
#include "otlp/mapping.h"

#define FRAMES_MAX 1000

/* ---- Stack traces -------------------------------------------------------------------- */

static struct xr_slice trimmed(struct xr_slice text)
{
    while (text.length && (text.text[0] == ' ' || text.text[0] == '\t'))
        text = xr_slice_from(text, 1);
    while (text.length && strchr(" \t\r", text.text[text.length - 1]))
        text.length--;
    return text;
}

static struct xr_slice first(struct xr_slice text, size_t length)
{
    return (struct xr_slice){ text.text, length };
}

/* Takes the number behind the last colon off; false if there is none. */
static bool take_line(struct xr_slice *place, int64_t *ret)
{
    const char *colon = place->length ? memrchr(place->text, ':', place->length) : NULL;
    struct xr_slice number;

    if (!colon)
        return false;
    number = trimmed(xr_slice_from(*place, (size_t)(colon - place->text) + 1));
    if (xr_slice_begins(number, "line "))
        number = xr_slice_from(number, 5);
    if (!xr_number_int64(number, ret) || *ret < 0 || *ret > INT32_MAX)
        return false;
    place->length = (size_t)(colon - place->text);
    return true;
}

static void build_frame(struct xr_text *text, struct xr_slice label, struct xr_slice place)
{
    size_t mark = xr_text_open(text, NULL, '{');
    int64_t line, again;

    if (take_line(&place, &line)) {
        /* JavaScript has the column behind the line. */
        if (take_line(&place, &again))
            line = again;
        xr_text_string(text, "path", place);
        xr_text_integer(text, "line", line);
    } else if (place.length) {
        xr_text_string(text, "path", place);
    }
    if (label.length)
        xr_text_string(text, "label", label);
    xr_text_close(text, mark, '}', true);
}

/* label(place), as Java and we have it; label (place) or a place alone of JavaScript;
   label in place of .NET. */
static void build_at_frame(struct xr_text *text, struct xr_slice line)
{
    const char *open = NULL;
    size_t at;

    if (line.text && line.length && line.text[line.length - 1] == ')')
        open = memrchr(line.text, '(', line.length);
    if (open) {
        at = (size_t)(open - line.text);
        build_frame(text, trimmed(first(line, at)),
                    (struct xr_slice){ open + 1, line.length - at - 2 });
        return;
    }
    open = line.text ? memmem(line.text, line.length, " in ", 4) : NULL;
    if (open) {
        at = (size_t)(open - line.text);
        build_frame(text, trimmed(first(line, at)), trimmed(xr_slice_from(line, at + 4)));
    } else {
        build_frame(text, XR_SLICE(""), line);
    }
}

/* File "path", line 3, in label */
static bool build_python_frame(struct xr_text *text, struct xr_slice line)
{
    struct xr_slice path, rest, number, label = XR_SLICE("");
    const char *end, *comma;
    size_t mark;
    int64_t value;

    if (!xr_slice_begins(line, "File \""))
        return false;
    path = xr_slice_from(line, 6);
    end = memmem(path.text, path.length, "\", line ", 8);
    if (!end)
        return false;
    rest = xr_slice_from(path, (size_t)(end - path.text) + 8);
    path.length = (size_t)(end - path.text);
    comma = memchr(rest.text, ',', rest.length);
    number = comma ? first(rest, (size_t)(comma - rest.text)) : rest;
    if (comma && xr_slice_begins(xr_slice_from(rest, number.length), ", in "))
        label = xr_slice_from(rest, number.length + 5);
    if (!xr_number_int64(trimmed(number), &value))
        return false;
    mark = xr_text_open(text, NULL, '{');
    xr_text_string(text, "path", path);
    xr_text_integer(text, "line", value);
    if (label.length)
        xr_text_string(text, "label", label);
    xr_text_close(text, mark, '}', true);
    return true;
}

/* Behind the line with the function Go has "\t/path/main.go:12 +0x1d". */
static bool build_go_frame(struct xr_text *text, struct xr_slice line, struct xr_slice before)
{
    const char *plus = memmem(line.text, line.length, " +0x", 4);
    struct xr_slice place = plus ? first(line, (size_t)(plus - line.text)) : line, again = place;
    int64_t number;

    if (!take_line(&again, &number) || again.length < 4 ||
        memcmp(again.text + again.length - 3, ".go", 3) != 0)
        return false;
    build_frame(text, before, place);
    return true;
}

void xr_build_stack(struct xr_text *text, struct xr_slice stack)
{
    struct xr_slice before = XR_SLICE("");

    for (size_t frames = 0; stack.length && frames < FRAMES_MAX;) {
        const char *newline = memchr(stack.text, '\n', stack.length);
        size_t length = newline ? (size_t)(newline - stack.text) : stack.length;
        struct xr_slice line = trimmed(first(stack, length));

        if (xr_slice_begins(line, "at ")) {
            build_at_frame(text, trimmed(xr_slice_from(line, 3)));
            frames++;
        } else if (line.length && (build_python_frame(text, line) ||
                                   (stack.text[0] == '\t' && build_go_frame(text, line, before)))) {
            frames++;
        }
        before = line;
        stack = xr_slice_from(stack, newline ? length + 1 : length);
    }
}

/* ---- Exceptions -------------------------------------------------------------------- */

struct cause {
    struct xr_document_builder *builder;
    uint64_t count;
    size_t mark; /* of the cause, and of the array in it, once there is an exception */
    size_t inner;
};

static void begin_exception(struct cause *cause)
{
    if (cause->count++ == 0) {
        cause->mark = xr_text_open(cause->builder->text, "cause", '{');
        cause->inner = xr_text_open(cause->builder->text, "exceptions", '[');
    }
}

static uint64_t exception_id(const struct cause *cause, struct xr_slice told)
{
    uint64_t id = xr_entity_id_read(told);

    return id ? id : xr_id_from(cause->builder->span->id, cause->count);
}

static const struct xr_value *own(const struct xr_event *event, const char *name)
{
    char key[64] = XR_KEY_EXCEPTION;

    strncat(key, name, sizeof(key) - sizeof(XR_KEY_EXCEPTION) - 1);
    return xr_take(&event->attributes, key);
}

static struct xr_slice own_text(const struct xr_event *event, const char *name)
{
    const struct xr_value *value = own(event, name);

    return value && value->type == XR_VALUE_STRING ? value->text : (struct xr_slice){ 0 };
}

/* Also an empty one, which is not the same as none. */
static struct xr_slice any_text(const struct xr_event *event, const char *key)
{
    const struct xr_value *value = xr_take(&event->attributes, key);

    return value && value->type == XR_VALUE_STRING ? value->text : (struct xr_slice){ 0 };
}

static void build_frames(struct cause *cause, const struct xr_event *event, struct xr_slice id)
{
    struct xr_document_builder *builder = cause->builder;
    struct xr_text *text = builder->text;
    struct xr_slice stack = xr_find_text(&event->attributes, "exception.stacktrace");
    const struct xr_tree *told = NULL;
    size_t mark, before;

    for (struct xr_tree *child = builder->stacks ? builder->stacks->children : NULL;
         child && id.text; child = child->next)
        if (xr_slice_same(child->key, id))
            told = child;
    if (told) {
        xr_text_raw(text, "stack", told->raw);
        xr_take(&event->attributes, "exception.stacktrace");
        return;
    }
    mark = xr_text_open(text, "stack", '[');
    before = text->length;
    xr_build_stack(text, stack);
    if (text->length > before)
        xr_take(&event->attributes, "exception.stacktrace");
    xr_text_close(text, mark, ']', false);
}

static void build_exception(struct cause *cause, const struct xr_event *event)
{
    struct xr_document_builder *builder = cause->builder;
    struct xr_text *text = builder->text;
    struct xr_slice id = own_text(event, "id");
    const struct xr_value *remote = own(event, "remote");
    const char *const numbers[] = { "truncated", "skipped" };
    uint64_t cause_id = xr_entity_id_read(own_text(event, "cause"));
    size_t mark;

    begin_exception(cause);
    mark = xr_text_open(text, NULL, '{');
    xr_entity_id_write(text, "id", exception_id(cause, id));
    xr_text_string(text, "message", any_text(event, "exception.message"));
    xr_text_string(text, "type", any_text(event, "exception.type"));
    if (remote && remote->type == XR_VALUE_TRUTH ? remote->truth
                                                 : builder->span->kind == XR_KIND_CLIENT)
        xr_text_truth(text, "remote", true);
    for (size_t i = 0; i < 2; i++) {
        int64_t number;

        if (xr_value_integer(own(event, numbers[i]), &number))
            xr_text_integer(text, numbers[i], number);
    }
    if (cause_id)
        xr_entity_id_write(text, "cause", cause_id);
    build_frames(cause, event, id);
    xr_text_close(text, mark, '}', true);
}

/* An attempt of the AWS SDK's that failed, as the OpenTelemetry instrumentation tells it. */
static void build_failed_attempt(struct cause *cause, const struct xr_event *event)
{
    struct xr_text *text = cause->builder->text;
    struct xr_attribute *code = xr_attribute_find(&event->attributes, "http.response.status_code");
    struct xr_slice message = xr_find_text(&event->attributes, "aws.http.error_message");
    int64_t status;
    size_t mark;

    if (!code)
        code = xr_attribute_find(&event->attributes, "http.status_code");
    begin_exception(cause);
    mark = xr_text_open(text, NULL, '{');
    xr_entity_id_write(text, "id", exception_id(cause, (struct xr_slice){ 0 }));
    if (code && xr_value_integer(&code->value, &status)) {
        struct xr_text joined = { 0 };

        xr_text_int64(&joined, status);
        xr_text_puts(&joined, message.text ? "@" : "");
        xr_text_put(&joined, message.text, message.length);
        xr_text_string(text, "message", (struct xr_slice){ joined.data, joined.length });
        text->failed |= joined.failed;
        xr_text_free(&joined);
    } else {
        xr_text_string(text, "message", message);
    }
    xr_text_string(text, "type", XR_SLICE("aws.http.error.event"));
    xr_text_truth(text, "remote", true);
    xr_text_close(text, mark, '}', true);
}

void xr_build_cause(struct xr_document_builder *builder)
{
    const struct xr_span *span = builder->span;
    struct cause cause = { .builder = builder };
    uint64_t id = xr_entity_id_read(span->status_message);
    size_t mark;

    for (const struct xr_event *event = span->events; event; event = event->next) {
        if (xr_slice_is(event->name, "exception"))
            build_exception(&cause, event);
        else if (builder->aws && xr_slice_is(event->name, "HTTP request failure"))
            build_failed_attempt(&cause, event);
    }
    if (cause.count > 0) {
        xr_text_close(builder->text, cause.inner, ']', true);
        xr_text_close(builder->text, cause.mark, '}', true);
    } else if (span->status == XR_STATUS_ERROR && id != 0) {
        xr_entity_id_write(builder->text, "cause", id);
    } else if (span->status == XR_STATUS_ERROR && span->status_message.length) {
        begin_exception(&cause);
        mark = xr_text_open(builder->text, NULL, '{');
        xr_entity_id_write(builder->text, "id", exception_id(&cause, (struct xr_slice){ 0 }));
        xr_text_string(builder->text, "message", span->status_message);
        if (span->kind == XR_KIND_CLIENT)
            xr_text_truth(builder->text, "remote", true);
        xr_text_close(builder->text, mark, '}', true);
        xr_text_close(builder->text, cause.inner, ']', true);
        xr_text_close(builder->text, cause.mark, '}', true);
    }
}
