/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "model/attributes.h"
#include "model/describe.h"
#include "wire/hex.h"

#define TYPE_MAX         250
#define MESSAGE_MAX      1000
#define FRAME_PATH_MAX   500
#define FRAMES_MAX       32
#define CALL_ADDRESS_MAX 22 /* " [0x…]" */
#define CALL_LABEL_MAX   (TYPE_MAX + 1)

struct exception_writer {
    char *p;
    unsigned truncated;
};

static void write_text(struct exception_writer *writer, const char *text, size_t max)
{
    size_t length = text ? strnlen(text, 4 * max + 1) : 0;
    size_t kept = xr_utf8_prefix(text ? text : "", length, max);
    bool repaired = kept < length;

    writer->p = xr_json_string(writer->p, text ? text : "", kept, &repaired);
    writer->truncated += repaired;
}

static void write_frame(struct exception_writer *writer, const xray_frame *frame)
{
    writer->p = XR_JSON_LITERAL(writer->p, "{\"path\":");
    write_text(writer, frame->path, FRAME_PATH_MAX);
    writer->p = XR_JSON_LITERAL(writer->p, ",\"line\":");
    writer->p = xr_json_i64(writer->p, frame->line);
    writer->p = XR_JSON_LITERAL(writer->p, ",\"label\":");
    write_text(writer, frame->label, TYPE_MAX);
    *writer->p++ = '}';
}

/* Without a line there is the address in the object, which debug information makes one of. */
static void write_call(struct exception_writer *writer, const struct xr_call *call)
{
    char label[CALL_LABEL_MAX];
    xray_frame frame = { .path = call->object, .label = label };

    snprintf(label, sizeof(label), "%.*s%s[0x%" PRIxPTR "]", TYPE_MAX - CALL_ADDRESS_MAX,
             call->function ? call->function : "", call->function ? " " : "", call->address);
    write_frame(writer, &frame);
}

static void begin_stack(struct exception_writer *writer, size_t left_out)
{
    if (left_out > 0) {
        writer->p = XR_JSON_LITERAL(writer->p, ",\"truncated\":");
        writer->p = xr_json_u64(writer->p, left_out);
    }
    writer->p = XR_JSON_LITERAL(writer->p, ",\"stack\":[");
}

/* Each frame was written with a comma behind it. */
static void end_stack(struct exception_writer *writer)
{
    writer->p[-1] = ']';
}

static void write_stack(struct exception_writer *writer, const xray_exception *exception,
                        const struct xr_calls *calls)
{
    size_t kept = exception->frame_count < FRAMES_MAX ? exception->frame_count : FRAMES_MAX;

    if (kept > 0 && exception->frames) {
        begin_stack(writer, exception->frame_count - kept);
        for (size_t i = 0; i < kept; i++) {
            write_frame(writer, &exception->frames[i]);
            *writer->p++ = ',';
        }
        end_stack(writer);
    } else if (calls && calls->count > 0) {
        begin_stack(writer, calls->left_out);
        for (size_t i = 0; i < calls->count; i++) {
            write_call(writer, &calls->calls[i]);
            *writer->p++ = ',';
        }
        end_stack(writer);
    }
}

static size_t text_room(const char *text, size_t max)
{
    return text ? xr_json_string_size(text, xr_utf8_prefix(text, strnlen(text, 4 * max), max)) : 2;
}

static size_t room_for(const xray_exception *exception, const struct xr_calls *calls)
{
    size_t room = 256 + text_room(exception->type, TYPE_MAX) +
                  text_room(exception->message, MESSAGE_MAX);

    for (size_t i = 0; exception->frames && i < exception->frame_count && i < FRAMES_MAX; i++)
        room += 64 + text_room(exception->frames[i].path, FRAME_PATH_MAX) +
                text_room(exception->frames[i].label, TYPE_MAX);
    for (size_t i = 0; calls && i < calls->count; i++)
        room += 64 + text_room(calls->calls[i].object, FRAME_PATH_MAX) +
                XR_JSON_STRING_MAX(CALL_ADDRESS_MAX) +
                text_room(calls->calls[i].function, TYPE_MAX);
    return room;
}

unsigned xr_describe_unwound(struct xr_segment *segment, xray_segment_id id,
                             const xray_exception *exception, const struct xr_calls *calls)
{
    struct exception_writer writer = { 0 };

    xr_describe_marks(segment, exception->flags ? (unsigned)exception->flags : XRAY_FAULT);
    xr_attributes_break(segment);
    writer.p = xr_attributes_begin(segment, XR_SECTION_EXCEPTION, room_for(exception, calls));
    if (!writer.p)
        return 1;
    writer.p = XR_JSON_LITERAL(writer.p, ",{\"id\":\"");
    writer.p = xr_hex64(writer.p, id);
    writer.p = XR_JSON_LITERAL(writer.p, "\",\"message\":");
    write_text(&writer, exception->message, MESSAGE_MAX);
    writer.p = XR_JSON_LITERAL(writer.p, ",\"type\":");
    write_text(&writer, exception->type, TYPE_MAX);
    if (exception->remote)
        writer.p = XR_JSON_LITERAL(writer.p, ",\"remote\":true");
    if (exception->cause) {
        writer.p = XR_JSON_LITERAL(writer.p, ",\"cause\":\"");
        writer.p = xr_hex64(writer.p, exception->cause);
        *writer.p++ = '"';
    }
    if (exception->skipped > 0) {
        writer.p = XR_JSON_LITERAL(writer.p, ",\"skipped\":");
        writer.p = xr_json_i64(writer.p, exception->skipped);
    }
    write_stack(&writer, exception, calls);
    *writer.p++ = '}';
    xr_attributes_end(segment, XR_SECTION_EXCEPTION, writer.p);
    xr_attributes_remove(segment, XR_CAUSE);
    return writer.truncated;
}

unsigned xr_describe_cause(struct xr_segment *segment, xray_segment_id exception)
{
    struct xr_members members;
    char hex[16];

    if (exception == 0)
        return 0;
    xr_describe_marks(segment, XRAY_FAULT);
    if (xr_attributes_have(segment, XR_SECTION_EXCEPTION))
        return 0;
    xr_hex64(hex, exception);
    xr_members_begin(&members, segment, XR_SECTION_TOP);
    xr_members_text(&members, XR_CAUSE, hex, sizeof(hex), sizeof(hex));
    return xr_members_end(&members);
}
