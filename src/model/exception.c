/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "model/attributes.h"
#include "model/describe.h"
#include "wire/hex.h"

#define TYPE_MAX       250
#define MESSAGE_MAX    1000
#define FRAME_PATH_MAX 500
#define FRAMES_MAX     32

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

static void write_stack(struct exception_writer *writer, const xray_exception *exception)
{
    size_t kept = exception->frame_count < FRAMES_MAX ? exception->frame_count : FRAMES_MAX;

    if (kept == 0 || !exception->frames)
        return;
    if (kept < exception->frame_count) {
        writer->p = XR_JSON_LITERAL(writer->p, ",\"truncated\":");
        writer->p = xr_json_u64(writer->p, exception->frame_count - kept);
    }
    writer->p = XR_JSON_LITERAL(writer->p, ",\"stack\":[");
    for (size_t i = 0; i < kept; i++) {
        if (i > 0)
            *writer->p++ = ',';
        write_frame(writer, &exception->frames[i]);
    }
    *writer->p++ = ']';
}

static size_t text_room(const char *text, size_t max)
{
    return text ? xr_json_string_size(text, xr_utf8_prefix(text, strnlen(text, 4 * max), max)) : 2;
}

static size_t room_for(const xray_exception *exception)
{
    size_t room = 256 + text_room(exception->type, TYPE_MAX) +
                  text_room(exception->message, MESSAGE_MAX);

    for (size_t i = 0; exception->frames && i < exception->frame_count && i < FRAMES_MAX; i++)
        room += 64 + text_room(exception->frames[i].path, FRAME_PATH_MAX) +
                text_room(exception->frames[i].label, TYPE_MAX);
    return room;
}

unsigned xr_describe_exception(struct xr_segment *segment, xray_segment_id id,
                               const xray_exception *exception)
{
    struct exception_writer writer = { 0 };

    xr_describe_marks(segment, exception->flags ? (unsigned)exception->flags : XRAY_FAULT);
    xr_attributes_break(segment);
    writer.p = xr_attributes_begin(segment, XR_SECTION_EXCEPTION, room_for(exception));
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
    write_stack(&writer, exception);
    *writer.p++ = '}';
    xr_attributes_end(segment, XR_SECTION_EXCEPTION, writer.p);
    return writer.truncated;
}
