/* SPDX-License-Identifier: Apache-2.0 */
#include "model/attributes.h"

#include "base/json.h"

/* Most keys of a segment fall on different bits, so that most need no search. */
static uint64_t hash_bit(enum xr_section section, const struct xr_key *key)
{
    unsigned first = key->length ? (unsigned char)key->text[0] : 0;
    unsigned last = key->length ? (unsigned char)key->text[key->length - 1] : 0;

    return UINT64_C(1) << ((section + 5 * key->length + 11 * first + 17 * last) & 63);
}

static bool is(const struct xr_member *member, enum xr_section section, const struct xr_key *key)
{
    return member->attribute.section == section && member->attribute.key_length == key->length &&
           member->attribute.split == key->split &&
           memcmp(xr_member_key(member), key->text, key->length) == 0;
}

static bool find(const struct xr_segment *segment, enum xr_section section,
                 const struct xr_key *key, struct xr_member *ret)
{
    if (!(segment->keys & hash_bit(section, key)))
        return false;
    for (uint32_t at = 0; xr_attribute_next(segment, &at, ret);)
        if (is(ret, section, key))
            return true;
    return false;
}

/* A key that is set again and again must not fill the log. */
static void drop_replaced(struct xr_segment *segment)
{
    char *log = segment->attributes.data;
    struct xr_member member;
    uint32_t length = 0;

    for (uint32_t at = 0; xr_attribute_next(segment, &at, &member);) {
        uint32_t bytes = (uint32_t)(sizeof(member.attribute) + xr_member_length(&member));

        memmove(log + length, log + at - bytes, bytes);
        length += bytes;
    }
    segment->attributes.length = length;
    segment->replaced = 0;
}

char *xr_attribute_begin(struct xr_segment *segment, const struct xr_key *key, size_t room)
{
    size_t overhead = sizeof(struct xr_attribute) + key->length + XR_ATTRIBUTE_PUNCTUATION;
    const struct xr_buffer *log = &segment->attributes;
    char *p;

    if (__builtin_expect(segment->replaced > 0, 0) && overhead + room > log->capacity - log->length)
        drop_replaced(segment);
    p = xr_buffer_reserve(&segment->attributes, overhead + room);
    if (!p)
        return NULL;
    p += sizeof(struct xr_attribute);
    *p++ = '"';
    memcpy(p, key->text, key->length);
    p += key->length;
    *p++ = '"';
    *p++ = ':';
    return p;
}

void xr_attribute_commit(struct xr_segment *segment, enum xr_section section,
                         const struct xr_key *key, const char *end)
{
    char *start = segment->attributes.data + segment->attributes.length;
    uint32_t length = (uint32_t)(end - start);
    struct xr_attribute attribute = {
        .section = (uint8_t)section,
        .key_length = (uint16_t)key->length,
        .value_length = length - (uint32_t)(sizeof(attribute) + key->length) -
                        XR_ATTRIBUTE_PUNCTUATION,
        .split = (uint32_t)key->split,
    };
    uint64_t bit = hash_bit(section, key);

    if (__builtin_expect((segment->keys & bit) != 0, 0))
        xr_attribute_remove(segment, section, key);
    memcpy(start, &attribute, sizeof(attribute));
    segment->attributes.length += length;
    segment->sections |= 1u << section;
    segment->counts[section]++;
    segment->keys |= bit;
}

bool xr_attribute_exists(const struct xr_segment *segment, enum xr_section section,
                         const struct xr_key *key)
{
    struct xr_member member;

    return find(segment, section, key, &member);
}

void xr_attribute_remove(struct xr_segment *segment, enum xr_section section,
                         const struct xr_key *key)
{
    struct xr_member member;
    char *record;

    if (!find(segment, section, key, &member))
        return;
    record = segment->attributes.data + (member.text - segment->attributes.data) -
             sizeof(member.attribute);
    member.attribute.replaced = 1;
    memcpy(record, &member.attribute, sizeof(member.attribute));
    if (--segment->counts[section] == 0)
        segment->sections &= ~(1u << section);
    segment->replaced += (uint32_t)(sizeof(member.attribute) + xr_member_length(&member));
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
