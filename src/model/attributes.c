/* SPDX-License-Identifier: Apache-2.0 */
#include "model/attributes.h"

#include "base/json.h"

/* The start of a record in the log, which is not aligned. */
static void load(const struct xr_segment *segment, uint32_t at, struct xr_attribute *ret)
{
    memcpy(ret, segment->attributes.data + at, sizeof(*ret));
}

static const char *key_at(const struct xr_segment *segment, uint32_t at)
{
    return segment->attributes.data + at + sizeof(struct xr_attribute);
}

static uint32_t size_of(const struct xr_attribute *attribute)
{
    return (uint32_t)sizeof(*attribute) + attribute->key_length + attribute->value_length;
}

/* Most keys of a segment fall on different bits, so that most need no search. */
static uint64_t hash_bit(enum xr_section section, const struct xr_key *key)
{
    unsigned first = key->length ? (unsigned char)key->text[0] : 0;
    unsigned last = key->length ? (unsigned char)key->text[key->length - 1] : 0;

    return UINT64_C(1) << ((section + 5 * key->length + 11 * first + 17 * last) & 63);
}

static bool find(const struct xr_segment *segment, enum xr_section section,
                 const struct xr_key *key, uint32_t *ret_at)
{
    struct xr_attribute attribute;

    if (!(segment->keys & hash_bit(section, key)))
        return false;
    for (uint32_t at = 0; at < segment->attributes.length; at += size_of(&attribute)) {
        load(segment, at, &attribute);
        if (attribute.section == section && !attribute.replaced &&
            attribute.key_length == key->length && attribute.split == key->split &&
            memcmp(key_at(segment, at), key->text, key->length) == 0) {
            *ret_at = at;
            return true;
        }
    }
    return false;
}

char *xr_attribute_begin(struct xr_segment *segment, const struct xr_key *key, size_t room)
{
    size_t overhead = sizeof(struct xr_attribute) + key->length;
    char *p = xr_buffer_reserve(&segment->attributes, overhead + room);

    if (!p)
        return NULL;
    memcpy(p + sizeof(struct xr_attribute), key->text, key->length);
    return p + overhead;
}

void xr_attribute_commit(struct xr_segment *segment, enum xr_section section,
                         const struct xr_key *key, const char *end)
{
    char *start = segment->attributes.data + segment->attributes.length;
    struct xr_attribute attribute = {
        .section = (uint8_t)section,
        .key_length = (uint16_t)key->length,
        .value_length = (uint32_t)(end - start - (ptrdiff_t)sizeof(attribute) -
                                   (ptrdiff_t)key->length),
        .split = (uint32_t)key->split,
    };

    xr_attribute_remove(segment, section, key);
    memcpy(start, &attribute, sizeof(attribute));
    segment->attributes.length += size_of(&attribute);
    segment->sections |= 1u << section;
    segment->keys |= hash_bit(section, key);
}

bool xr_attribute_exists(const struct xr_segment *segment, enum xr_section section,
                         const struct xr_key *key)
{
    uint32_t at;

    return find(segment, section, key, &at);
}

void xr_attribute_remove(struct xr_segment *segment, enum xr_section section,
                         const struct xr_key *key)
{
    struct xr_attribute attribute;
    uint32_t at;

    if (!find(segment, section, key, &at))
        return;
    load(segment, at, &attribute);
    attribute.replaced = 1;
    memcpy(segment->attributes.data + at, &attribute, sizeof(attribute));
}

bool xr_attribute_next(const struct xr_segment *segment, uint32_t *at, struct xr_attribute *ret,
                       const char **ret_key, const char **ret_value)
{
    while (*at < segment->attributes.length) {
        load(segment, *at, ret);
        *ret_key = key_at(segment, *at);
        *ret_value = *ret_key + ret->key_length;
        *at += size_of(ret);
        if (!ret->replaced)
            return true;
    }
    return false;
}

bool xr_put_text(struct xr_segment *segment, enum xr_section section, const struct xr_key *key,
                 const char *text, size_t length, size_t max)
{
    size_t kept = xr_utf8_prefix(text, length, max);
    bool repaired = kept < length;
    size_t room = XR_JSON_STRING_MAX(kept);
    char *p;

    if (room > segment->attributes.capacity - segment->attributes.length)
        room = xr_json_string_size(text, kept);
    p = xr_attribute_begin(segment, key, room);
    if (!p)
        return false;
    p = xr_json_string(p, text, kept, &repaired);
    xr_attribute_commit(segment, section, key, p);
    return !repaired;
}

bool xr_put_i64(struct xr_segment *segment, enum xr_section section, const struct xr_key *key,
                int64_t value)
{
    char *p = xr_attribute_begin(segment, key, XR_JSON_NUMBER_MAX);

    if (!p)
        return false;
    xr_attribute_commit(segment, section, key, xr_json_i64(p, value));
    return true;
}

bool xr_put_raw(struct xr_segment *segment, enum xr_section section, const struct xr_key *key,
                const char *json, size_t length)
{
    char *p = xr_attribute_begin(segment, key, length);

    if (!p)
        return false;
    xr_attribute_commit(segment, section, key, xr_json_bytes(p, json, length));
    return true;
}
