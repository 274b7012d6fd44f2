/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations, metadata, and fields of the aws block: keys and values of the user's own. */
#include <sys/types.h>

#include "base/json.h"
#include "base/json_text.h"
#include "model/attributes.h"
#include "model/describe.h"

#define ANNOTATION_KEY_MAX    500
#define ANNOTATION_STRING_MAX 1000 /* characters; the schema of segment documents */
#define AWS_STRING_MAX        250
#define METADATA_KEY_MAX      500   /* bytes; ours */
#define METADATA_TEXT_MAX     32768 /* bytes; ours, so that one value leaves room for others */
#define KEY_ROOM(length)      (4 + (length)) /* comma, quotes and colon */

static bool is_finite(double number)
{
    return number - number == 0;
}

/* A number or a truth. What is none of these has no value. */
static char *write_scalar(char *p, const xray_value *value)
{
    switch (value->type) {
    case XRAY_VALUE_INT:
        return xr_json_i64(p, value->as.integer);
    case XRAY_VALUE_UINT:
        return xr_json_u64(p, value->as.natural);
    case XRAY_VALUE_DOUBLE:
        return is_finite(value->as.number) ? xr_json_double(p, value->as.number) : NULL;
    case XRAY_VALUE_BOOL:
        return value->as.integer ? XR_JSON_LITERAL(p, "true") : XR_JSON_LITERAL(p, "false");
    default:
        return NULL;
    }
}

static bool is_key_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Copies a key as X-Ray indexes it; false when it had to be changed. */
static bool copy_key(char *p, const char *text, size_t length)
{
    bool same = true;

    for (size_t i = 0; i < length; i++) {
        bool good = is_key_byte(text[i]);

        p[i] = good ? text[i] : '_';
        same &= good;
    }
    return same;
}

/* Most keys are plain. */
static inline bool write_key(char *p, const char *text, size_t length)
{
    return xr_sixteen_copy(p, text, length, xr_sixteen_are_word) || copy_key(p, text, length);
}

/* A value that is being written: what it takes, and what was lost of it. */
struct value_writer {
    const xray_value *value;
    size_t length; /* of text, as far as it is kept */
    bool lost;     /* some of it */
};

/* How much room a value needs; prepares the writing of it. */
static size_t room_for(struct value_writer *writer, size_t max, size_t left)
{
    const xray_value *value = writer->value;
    size_t room;

    if (value->type == XRAY_VALUE_JSON)
        return value->length;
    if (value->type != XRAY_VALUE_STRING)
        return XR_JSON_NUMBER_MAX;
    writer->length = xr_utf8_prefix(value->as.text, value->length, max);
    writer->lost |= writer->length < value->length;
    room = XR_JSON_STRING_MAX(writer->length);
    return room <= left ? room : xr_json_string_size(value->as.text, writer->length);
}

/* NULL for what is no value. JSON of the user's own is checked: a bad byte would cost all. */
static char *write_value(char *p, struct value_writer *writer)
{
    const xray_value *value = writer->value;
    ssize_t length;

    if (value->type == XRAY_VALUE_JSON) {
        length = xr_json_minify(p, value->length, value->as.text, value->length);
        return length < 0 ? NULL : p + length;
    }
    if (value->type != XRAY_VALUE_STRING)
        return write_scalar(p, value);
    return xr_json_string(p, value->as.text, writer->length, &writer->lost);
}

static size_t room_with_key(const struct xr_segment *segment, struct value_writer *writer,
                            size_t max, size_t key_room)
{
    size_t left = segment->attributes.capacity - segment->attributes.length;

    return key_room + room_for(writer, max, left > key_room ? left - key_room : 0);
}

/* JSON text of which nothing is left but null: X-Ray has none outside metadata. */
static bool is_null(const char *end, const xray_value *value)
{
    return value->type == XRAY_VALUE_JSON && end[-1] == 'l' && memcmp(end - 4, "null", 4) == 0;
}

/* A key of the user's own that is in fact one of the document's, or XR_KNOWN. */
static enum xr_known known_of(enum xr_section section, const struct xr_key *key)
{
    return section == XR_SECTION_AWS ? xr_known_of(section, key) : XR_KNOWN;
}

/* Values of the document's own have a type, and some a place: one that breaks it would cost all. */
static bool may_be(enum xr_known known, const struct xr_segment *segment, const char *text,
                   const char *end)
{
    if (known == XR_KNOWN)
        return true;
    if (known == XR_CLOUDWATCH_LOGS)
        return *text == '[' && !(segment->flags & XR_SUBSEGMENT);
    if (known != XR_RETRIES)
        return *text == '"';
    while (text < end && *text >= '0' && *text <= '9')
        text++;
    return text == end;
}

static unsigned put_keyed(struct xr_segment *segment, enum xr_section section, const char *key,
                          const xray_value *value, size_t max)
{
    struct value_writer writer = { .value = value };
    size_t key_length = key ? strlen(key) : 0;
    unsigned truncated = 0;
    struct xr_key written;
    enum xr_known known;
    char *start, *text, *p;

    if (key_length == 0)
        return 1;
    if (key_length > ANNOTATION_KEY_MAX) {
        key_length = ANNOTATION_KEY_MAX;
        truncated = 1;
    }
    if ((value->type == XRAY_VALUE_STRING && !value->as.text) ||
        (value->type == XRAY_VALUE_JSON && (!value->as.text || section == XR_SECTION_ANNOTATION)))
        return truncated + 1;
    start = xr_attributes_begin(segment, section,
                                room_with_key(segment, &writer, max, KEY_ROOM(key_length)));
    if (!start)
        return truncated + 1;
    written = (struct xr_key){ start + 2, key_length };
    p = XR_JSON_LITERAL(start, ",\"");
    truncated += !write_key(p, key, key_length);
    text = XR_JSON_LITERAL(p + key_length, "\":");
    known = known_of(section, &written);
    p = write_value(text, &writer);
    if (!p || is_null(p, value) || !may_be(known, segment, text, p))
        return truncated + 1;
    xr_attributes_end(segment, section, p);
    if (known < XR_KNOWN)
        xr_attributes_add_known(segment, XR_KNOWN_BIT(known));
    else
        xr_attributes_add_key(segment, section, NULL, &written, start);
    return truncated + writer.lost;
}

/*
 * A short key and text or a number, as most attributes are; false for any other.
 * In a metadata's namespace, if there is one.
 */
static inline __attribute__((__always_inline__)) bool
put_plain(struct xr_segment *segment, enum xr_section section, const struct xr_key *name,
          const char *key, const xray_value *value)
{
    bool is_text = value->type == XRAY_VALUE_STRING;
    size_t length = is_text ? value->length : XR_JSON_NUMBER_MAX, key_length = strlen(key), room;
    struct xr_key written;
    char *start, *p;

    if (key_length - 1 >= 16 || length > ANNOTATION_STRING_MAX || (is_text && !value->as.text))
        return false;
    room = KEY_ROOM(key_length) + length + 2;
    start = name ? xr_attributes_begin_named(segment, name, room)
                 : xr_attributes_begin(segment, section, room);
    if (!start)
        return false;
    p = XR_JSON_LITERAL(start, ",\"");
    if (!xr_sixteen_copy_short(p, key, key_length, xr_sixteen_are_word))
        return false;
    p = XR_JSON_LITERAL(p + key_length, "\":");
    if (is_text) {
        *p++ = '"';
        if (!xr_json_copy_plain(p, value->as.text, length))
            return false;
        p += length;
        *p++ = '"';
    } else {
        p = write_scalar(p, value);
        if (!p)
            return false;
    }
    if (name)
        xr_attributes_end_named(segment, name, p);
    else
        xr_attributes_end(segment, section, p);
    written = (struct xr_key){ start + 2, key_length };
    xr_attributes_add_key(segment, section, name, &written, start);
    return true;
}

unsigned xr_describe_annotation(struct xr_segment *segment, const char *key,
                                const xray_value *value)
{
    if (__builtin_expect(key && put_plain(segment, XR_SECTION_ANNOTATION, NULL, key, value), 1))
        return 0;
    return put_keyed(segment, XR_SECTION_ANNOTATION, key, value, ANNOTATION_STRING_MAX);
}

unsigned xr_describe_aws_field(struct xr_segment *segment, const char *key, const xray_value *value)
{
    /* That member is the library's own. */
    if (key && strcmp(key, "xray") == 0)
        return 1;
    return put_keyed(segment, XR_SECTION_AWS, key, value, AWS_STRING_MAX);
}

/* ---- Metadata ----------------------------------------------------------------------------- */

/* Writes the text of a namespace or key as JSON without its quotes. */
static char *write_metadata_key(char *p, const char *text, unsigned *truncated)
{
    size_t length = strlen(text);
    bool repaired = length > METADATA_KEY_MAX;

    if (__builtin_expect(repaired, 0))
        length = xr_utf8_whole(text, METADATA_KEY_MAX);
    p = xr_json_text(p, text, length, &repaired);
    *truncated += repaired;
    return p;
}

static unsigned put_metadata(struct xr_segment *segment, const struct xr_key *name, const char *key,
                             xray_value value)
{
    struct value_writer writer = { .value = &value };
    size_t key_room = KEY_ROOM(XR_JSON_STRING_MAX(strnlen(key, METADATA_KEY_MAX)));
    struct xr_key written;
    unsigned truncated = 0;
    char *start, *p;

    /* Text is cut by its bytes here: only the size of the document limits metadata. */
    if (value.type == XRAY_VALUE_STRING && value.length > METADATA_TEXT_MAX) {
        value.length = (uint32_t)xr_utf8_whole(value.as.text, METADATA_TEXT_MAX);
        writer.lost = true;
    }
    start = xr_attributes_begin_named(segment, name,
                                      room_with_key(segment, &writer, value.length, key_room));
    if (!start)
        return truncated + 1;
    p = XR_JSON_LITERAL(start, ",\"");
    p = write_metadata_key(p, key, &truncated);
    written = (struct xr_key){ start + 2, (size_t)(p - start) - 2 };
    p = XR_JSON_LITERAL(p, "\":");
    p = write_value(p, &writer);
    if (!p)
        return truncated + 1;
    xr_attributes_end_named(segment, name, p);
    xr_attributes_add_key(segment, XR_SECTION_METADATA, name, &written, start);
    return truncated + writer.lost;
}

unsigned xr_describe_metadata(struct xr_segment *segment, const char *name_space, const char *key,
                              const xray_value *value)
{
    static const struct xr_key by_default = { "default", sizeof("default") - 1 };
    char text[XR_JSON_STRING_MAX(METADATA_KEY_MAX)];
    struct xr_key name = by_default;
    unsigned truncated = 0;

    if (__builtin_expect(!name_space && key &&
                             put_plain(segment, XR_SECTION_METADATA, &by_default, key, value),
                         1))
        return 0;
    if (!key || (name_space && strncmp(name_space, "AWS.", 4) == 0))
        return 1;
    if (name_space && *name_space) {
        name.text = text;
        name.length = (size_t)(write_metadata_key(text, name_space, &truncated) - text);
    }
    if ((value->type == XRAY_VALUE_STRING || value->type == XRAY_VALUE_JSON) && !value->as.text)
        return truncated + put_metadata(segment, &name, key, xray_json("null"));
    return truncated + put_metadata(segment, &name, key, *value);
}
