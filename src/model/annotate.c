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

static bool put_scalar(struct xr_segment *segment, enum xr_section section,
                       const struct xr_key *key, const xray_value *value)
{
    char *p = xr_attribute_begin(segment, key, XR_JSON_NUMBER_MAX);
    char *end = p ? write_scalar(p, value) : NULL;

    if (!end)
        return false;
    xr_attribute_commit(segment, section, key, end);
    return true;
}

static bool is_key_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Copies a key that X-Ray indexes; false when it had to be changed. */
static bool write_key(char ret[ANNOTATION_KEY_MAX], const char *text, size_t *ret_length)
{
    bool same = true;
    size_t length = 0;

    for (; text[length] && length < ANNOTATION_KEY_MAX; length++) {
        ret[length] = text[length];
        if (!is_key_byte(text[length])) {
            ret[length] = '_';
            same = false;
        }
    }
    *ret_length = length;
    return same && !text[length];
}

/* JSON of the user's own: checked, since one bad byte would cost the whole document. */
static bool put_json(struct xr_segment *segment, enum xr_section section, const struct xr_key *key,
                     const xray_value *value)
{
    char *p = xr_attribute_begin(segment, key, value->length);
    ssize_t length;

    if (!p)
        return false;
    length = xr_json_minify(p, value->length, value->as.text, value->length);
    if (length < 0)
        return false;
    xr_attribute_commit(segment, section, key, p + length);
    return true;
}

static unsigned put_keyed(struct xr_segment *segment, enum xr_section section, const char *key,
                          const xray_value *value, size_t max)
{
    char text[ANNOTATION_KEY_MAX];
    struct xr_key written = { .text = text };
    unsigned truncated;

    if (!key || !*key)
        return 1;
    truncated = write_key(text, key, &written.length) ? 0 : 1;
    if (value->type != XRAY_VALUE_STRING && value->type != XRAY_VALUE_JSON)
        return truncated + !put_scalar(segment, section, &written, value);
    if (!value->as.text || (value->type == XRAY_VALUE_JSON && section == XR_SECTION_ANNOTATION))
        return truncated + 1;
    if (value->type == XRAY_VALUE_JSON)
        return truncated + !put_json(segment, section, &written, value);
    return truncated + !xr_put_text(segment, section, &written, value->as.text, value->length, max);
}

unsigned xr_describe_annotation(struct xr_segment *segment, const char *key,
                                const xray_value *value)
{
    return put_keyed(segment, XR_SECTION_ANNOTATION, key, value, ANNOTATION_STRING_MAX);
}

unsigned xr_describe_aws_field(struct xr_segment *segment, const char *key, const xray_value *value)
{
    /* That member is the library's own. */
    if (key && strcmp(key, "xray") == 0)
        return 1;
    return put_keyed(segment, XR_SECTION_AWS, key, value, AWS_STRING_MAX);
}

static bool put_metadata(struct xr_segment *segment, const struct xr_key *key,
                         const xray_value *value)
{
    size_t length = value->length;

    if (value->type != XRAY_VALUE_STRING && value->type != XRAY_VALUE_JSON)
        return put_scalar(segment, XR_SECTION_METADATA, key, value);
    if (!value->as.text)
        return xr_put_raw(segment, XR_SECTION_METADATA, key, "null", 4);
    if (value->type == XRAY_VALUE_JSON)
        return put_json(segment, XR_SECTION_METADATA, key, value);
    if (length > METADATA_TEXT_MAX)
        length = xr_utf8_whole(value->as.text, METADATA_TEXT_MAX);
    return xr_put_text(segment, XR_SECTION_METADATA, key, value->as.text, length, length) &&
           length == value->length;
}

/* Writes text as JSON without its quotes. */
static size_t write_metadata_key(char *ret, const char *text, unsigned *truncated)
{
    size_t length = strnlen(text, METADATA_KEY_MAX + 1);
    bool repaired = length > METADATA_KEY_MAX;
    size_t kept = repaired ? xr_utf8_whole(text, METADATA_KEY_MAX) : length;
    char quoted[XR_JSON_STRING_MAX(METADATA_KEY_MAX)];
    size_t written = (size_t)(xr_json_string(quoted, text, kept, &repaired) - quoted) - 2;

    memcpy(ret, quoted + 1, written);
    *truncated += repaired;
    return written;
}

unsigned xr_describe_metadata(struct xr_segment *segment, const char *name_space, const char *key,
                              const xray_value *value)
{
    char text[2 * XR_JSON_STRING_MAX(METADATA_KEY_MAX)];
    struct xr_key written = { .text = text };
    unsigned truncated = 0;

    if (!key || (name_space && strncmp(name_space, "AWS.", 4) == 0))
        return 1;
    if (!name_space || !*name_space)
        name_space = "default";
    written.split = write_metadata_key(text, name_space, &truncated);
    written.length = written.split;
    written.length += write_metadata_key(text + written.split, key, &truncated);
    return truncated + !put_metadata(segment, &written, value);
}
