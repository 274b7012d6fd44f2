/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root, Parent and Sampled in the very shape that everybody sends are taken in
 * one step each; any other field goes through the tolerant path, which reads
 * those shapes with the same result.
 */
#include "wire/trace_header.h"

#include <errno.h>
#include <string.h>

#include "base/zero.h"
#include "wire/ids.h"
#include "wire/output.h"

#define EXTRA_MAX (sizeof(((xray_trace_header *)NULL)->extra) - 1)

#define ROOT_LENGTH    (sizeof("Root=") - 1 + XR_TRACE_ID_LENGTH)
#define PARENT_LENGTH  (sizeof("Parent=") - 1 + XR_SEGMENT_ID_LENGTH)
#define SAMPLED_LENGTH (sizeof("Sampled=") - 1 + 1)

_Static_assert(ROOT_LENGTH + 1 + PARENT_LENGTH + 1 + SAMPLED_LENGTH + 1 + EXTRA_MAX <
                   XRAY_TRACE_HEADER_SIZE,
               "the longest header fits into XRAY_TRACE_HEADER_SIZE");
_Static_assert(sizeof(xray_trace_header) == 256, "the header is 256 bytes for good");

enum {
    HAS_CONTROL = 1 << 0,
    HAS_HIGH = 1 << 1, /* not ASCII */
};

/* The highest bit of some byte is set if word has a control character, none otherwise. */
static uint64_t control_bits(uint64_t word)
{
    uint64_t deleted = word ^ XR_HEX_ONES * 0x7f;

    return ((word - XR_HEX_ONES * 0x20) & ~word) | ((deleted - XR_HEX_ONES) & ~deleted);
}

/* Which bytes there are that can not be sent on. */
static unsigned scan(const char *text, size_t length)
{
    const uint64_t high = XR_HEX_ONES * 0x80;
    uint64_t control = 0, any = 0, word;
    size_t i = 0;

    for (; i + sizeof(word) <= length; i += sizeof(word)) {
        memcpy(&word, text + i, sizeof(word));
        control |= control_bits(word);
        any |= word;
    }
    /* The rest: together with bytes before it, or one by one where there are not enough. */
    if (i < length && length >= sizeof(word)) {
        memcpy(&word, text + length - sizeof(word), sizeof(word));
        control |= control_bits(word);
        any |= word;
        i = length;
    }
    for (; i < length; i++) {
        word = XR_HEX_ONES * (unsigned char)text[i];
        control |= control_bits(word);
        any |= word;
    }
    return ((control & high) != 0 ? HAS_CONTROL : 0) | ((any & high) != 0 ? HAS_HIGH : 0);
}

/* ---- Fields ------------------------------------------------------------------ */

enum key {
    KEY_NONE, /* not a field */
    KEY_ROOT,
    KEY_PARENT,
    KEY_SAMPLED,
    KEY_SELF,
    KEY_OTHER,
};

struct span {
    const char *text;
    size_t length;
};

struct field {
    enum key key;
    struct span whole; /* without blanks around it */
    size_t key_length; /* with the "=" */
};

static struct span trim(const char *text, size_t length)
{
    while (length > 0 && *text == ' ') {
        text++;
        length--;
    }
    while (length > 0 && text[length - 1] == ' ')
        length--;
    return (struct span){ .text = text, .length = length };
}

/* name is lower-case letters only, and so is text where it is the same but for its case. */
static bool is_key(struct span key, const char *name, size_t length)
{
    if (key.length != length)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((key.text[i] | 0x20) != name[i])
            return false;
    return true;
}

static enum key key_of(struct span key)
{
    if (key.length == 0)
        return KEY_NONE;
    if (is_key(key, "root", 4))
        return KEY_ROOT;
    if (is_key(key, "parent", 6))
        return KEY_PARENT;
    if (is_key(key, "sampled", 7))
        return KEY_SAMPLED;
    if (is_key(key, "self", 4))
        return KEY_SELF;
    return KEY_OTHER;
}

static struct field split_field(const char *text, size_t length)
{
    struct field field = { .key = KEY_NONE, .whole = trim(text, length) };
    const char *equals = memchr(field.whole.text, '=', field.whole.length);

    if (equals) {
        size_t key_length = (size_t)(equals - field.whole.text);

        field.key = key_of(trim(field.whole.text, key_length));
        field.key_length = key_length + 1;
    }
    return field;
}

/* ---- Fields that are passed on ----------------------------------------------- */

/* Fields joined with ";" in extra[], which is zero behind length. */
struct extras {
    char *text;
    size_t length;
};

static void extras_remove(struct extras *extras, size_t from, size_t to)
{
    /* One ";" goes with the field: the one behind it, or at the end the one before it. */
    if (to < extras->length)
        to++;
    else if (from > 0)
        from--;

    memmove(extras->text + from, extras->text + to, extras->length - to);
    memset(extras->text + extras->length - (to - from), 0, to - from);
    extras->length -= to - from;
}

/* key includes the "=". */
static void extras_remove_key(struct extras *extras, const char *key, size_t key_length)
{
    size_t from = 0;

    while (from < extras->length) {
        const char *next = memchr(extras->text + from, ';', extras->length - from);
        size_t to = next ? (size_t)(next - extras->text) : extras->length;

        if (to - from >= key_length && memcmp(extras->text + from, key, key_length) == 0) {
            extras_remove(extras, from, to);
            return; /* there is never a second one */
        }
        from = to + 1;
    }
}

static void extras_remove_last(struct extras *extras)
{
    const char *last = memrchr(extras->text, ';', extras->length);

    extras_remove(extras, last ? (size_t)(last - extras->text) + 1 : 0, extras->length);
}

static bool extras_fits(const struct extras *extras, size_t length)
{
    return extras->length + (extras->length > 0) + length <= EXTRA_MAX;
}

/* A field that comes again takes its new place. */
static void extras_add(struct extras *extras, const struct field *field)
{
    static const char lineage[] = "Lineage=";
    struct span whole = field->whole;

    if (extras->length > 0)
        extras_remove_key(extras, whole.text, field->key_length);

    /* Lambda stops endless loops by the lineage: the others make room for it. */
    if (field->key_length == sizeof(lineage) - 1 && whole.length <= EXTRA_MAX &&
        memcmp(whole.text, lineage, sizeof(lineage) - 1) == 0)
        while (!extras_fits(extras, whole.length))
            extras_remove_last(extras);

    if (!extras_fits(extras, whole.length))
        return;
    if (extras->length > 0)
        extras->text[extras->length++] = ';';
    memcpy(extras->text + extras->length, whole.text, whole.length);
    extras->length += whole.length;
}

/* ---- Parsing ----------------------------------------------------------------- */

struct known {
    xray_trace_id trace_id;
    xray_segment_id parent_id;
    int32_t sampled;
};

/* Each returns whether value could be read. */

static bool parse_root(struct known *ret, const char *value, size_t length)
{
    xray_trace_id id;

    if (length != XR_TRACE_ID_LENGTH || !xr_trace_id_read(value, &id))
        return false;
    if (!xr_trace_id_is_zero(&id))
        ret->trace_id = id;
    return true;
}

static bool parse_parent(struct known *ret, const char *value, size_t length)
{
    uint64_t id;

    if (length != XR_SEGMENT_ID_LENGTH || xr_hex64_read(value, XR_HEX_ANY_CASE, &id) != 0)
        return false;
    if (id != 0)
        ret->parent_id = id;
    return true;
}

static bool parse_sampled(struct known *ret, const char *value, size_t length)
{
    if (length != 1)
        return false;
    if (*value == '1')
        ret->sampled = XRAY_SAMPLED_YES;
    else if (*value == '0')
        ret->sampled = XRAY_SAMPLED_NO;
    else if (*value == '?')
        ret->sampled = XRAY_SAMPLED_REQUESTED;
    else
        return false;
    return true;
}

static bool ends_at(const char *field, size_t length, size_t at)
{
    return length == at || (length > at && field[at] == ';');
}

/* Reads the field that text begins with if it has the usual shape. Returns its length, or 0. */
static size_t parse_usual(struct known *ret, const char *text, size_t length)
{
    if (ends_at(text, length, ROOT_LENGTH) && memcmp(text, "Root=", 5) == 0)
        return parse_root(ret, text + 5, XR_TRACE_ID_LENGTH) ? ROOT_LENGTH : 0;
    if (ends_at(text, length, PARENT_LENGTH) && memcmp(text, "Parent=", 7) == 0)
        return parse_parent(ret, text + 7, XR_SEGMENT_ID_LENGTH) ? PARENT_LENGTH : 0;
    if (ends_at(text, length, SAMPLED_LENGTH) && memcmp(text, "Sampled=", 8) == 0)
        return parse_sampled(ret, text + 8, 1) ? SAMPLED_LENGTH : 0;
    return 0;
}

/* Reads any field. Without extras it is not passed on. */
static void parse_field(struct known *ret, struct extras *extras, const char *text, size_t length)
{
    struct field field = split_field(text, length);
    struct span value;

    if (field.key == KEY_OTHER && extras)
        extras_add(extras, &field);
    if (field.key == KEY_NONE || field.key == KEY_OTHER)
        return;

    value = trim(field.whole.text + field.key_length, field.whole.length - field.key_length);
    if (field.key == KEY_ROOT)
        parse_root(ret, value.text, value.length);
    else if (field.key == KEY_PARENT)
        parse_parent(ret, value.text, value.length);
    else if (field.key == KEY_SAMPLED)
        parse_sampled(ret, value.text, value.length);
}

int xr_trace_header_parse(xray_trace_header *ret, const char *text)
{
    struct known known = { 0 };
    size_t length, taken, i = 0;
    struct extras extras;
    unsigned found;

    if (!ret || !text)
        return -EINVAL;
    length = strnlen(text, XR_TRACE_HEADER_INPUT_MAX);
    while (i < length && (taken = parse_usual(&known, text + i, length - i)) > 0)
        i += taken + 1;

    /* What has been read by now is known to be clean. */
    found = i < length ? scan(text + i, length - i) : 0;
    if (found & HAS_CONTROL)
        return -EINVAL;

    xr_zero(ret, sizeof(*ret));
    extras = (struct extras){ .text = ret->extra };
    while (i < length) {
        const char *field = text + i, *end;
        bool cut;

        if (*field == ' ' || *field == ';') {
            i++;
            continue;
        }
        taken = parse_usual(&known, field, length - i);
        if (taken == 0) {
            end = memchr(field, ';', length - i);
            taken = end ? (size_t)(end - field) : length - i;
            cut = i + taken == XR_TRACE_HEADER_INPUT_MAX;
            if (found == 0 || scan(field, taken) == 0)
                parse_field(&known, cut ? NULL : &extras, field, taken);
        }
        i += taken + 1;
    }
    ret->trace_id = known.trace_id;
    ret->parent_id = known.parent_id;
    ret->sampled = known.sampled;
    return 0;
}

/* ---- Formatting -------------------------------------------------------------- */

/* Writes what of header->extra may be sent. Returns the end. */
static char *format_extras(char *p, const xray_trace_header *header)
{
    size_t length = strnlen(header->extra, EXTRA_MAX), taken;
    unsigned found = scan(header->extra, length);
    struct extras extras = { .text = p };

    for (size_t i = 0; i < length; i += taken + 1) {
        const char *text = header->extra + i, *end = memchr(text, ';', length - i);
        struct field field;

        taken = end ? (size_t)(end - text) : length - i;
        if (found != 0 && scan(text, taken) != 0)
            continue;
        field = split_field(text, taken);
        if (field.key == KEY_OTHER)
            extras_add(&extras, &field);
    }
    return p + extras.length;
}

static char *put(char *p, const char *text, size_t length)
{
    memcpy(p, text, length);
    return p + length;
}

/* Writes at most XRAY_TRACE_HEADER_SIZE - 1 characters and a NUL, returns their number. */
static size_t format(const xray_trace_header *header, char *buf)
{
    static const char digits[] = {
        [XRAY_SAMPLED_NO] = '0', [XRAY_SAMPLED_YES] = '1', [XRAY_SAMPLED_REQUESTED] = '?'
    };
    char *p = buf;

    if (!xr_trace_id_is_zero(&header->trace_id)) {
        p = put(p, "Root=", 5);
        p = xr_trace_id_write(p, &header->trace_id);
    }
    if (header->parent_id != 0) {
        if (p != buf)
            *p++ = ';';
        p = put(p, "Parent=", 7);
        p = xr_hex64(p, header->parent_id);
    }
    if (header->sampled >= XRAY_SAMPLED_NO && header->sampled <= XRAY_SAMPLED_REQUESTED) {
        if (p != buf)
            *p++ = ';';
        p = put(p, "Sampled=", 8);
        *p++ = digits[header->sampled];
    }
    if (header->extra[0] != '\0') {
        char *extras = p == buf ? p : p + 1, *end = format_extras(extras, header);

        if (end != extras) {
            if (p != buf)
                *p = ';';
            p = end;
        }
    }
    *p = '\0';
    return (size_t)(p - buf);
}

size_t xr_trace_header_format(const xray_trace_header *header, char *buf, size_t size)
{
    char text[XRAY_TRACE_HEADER_SIZE];

    if (!header)
        return xr_output(buf, size, "", 0);
    if (size >= sizeof(text))
        return format(header, buf);
    return xr_output(buf, size, text, format(header, text));
}

size_t xr_trace_id_format(const xray_trace_id *id, char *buf, size_t size)
{
    char text[XR_TRACE_ID_LENGTH];

    if (xr_trace_id_is_zero(id))
        return xr_output(buf, size, "", 0);
    xr_trace_id_write(text, id);
    return xr_output(buf, size, text, sizeof(text));
}
