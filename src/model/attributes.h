/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a segment's attributes: each a section, a key, and a value that is
 * finished JSON. A key that is set again takes the place of the former one.
 */
#ifndef XR_MODEL_ATTRIBUTES_H
#define XR_MODEL_ATTRIBUTES_H

#include "model/segment.h"

enum xr_section {
    XR_SECTION_TOP, /* members of the document itself: user, namespace */
    XR_SECTION_HTTP_REQUEST,
    XR_SECTION_HTTP_RESPONSE,
    XR_SECTION_AWS,
    XR_SECTION_XRAY, /* members of aws.xray */
    XR_SECTION_SQL,
    XR_SECTION_ANNOTATION,
    XR_SECTION_METADATA,
    XR_SECTION_EXCEPTION,
    XR_SECTION_PRECURSOR,
    XR_SECTION_LINK,
    XR_SECTIONS,
};
static_assert((int)XR_SECTIONS <= XR_SECTIONS_MAX, "a segment counts every section");

/* A record of the log; "key":value follows it. Not aligned. */
struct xr_attribute {
    uint8_t section;
    uint8_t replaced; /* by a later one, or taken away */
    uint16_t key_length;
    uint32_t value_length;
    /* Of metadata, the length of the namespace within the key; of an exception, where its
     * stack begins within the value, or 0. */
    uint32_t split;
};

struct xr_key {
    const char *text; /* as it goes into JSON, without quotes; at most 64 KiB */
    size_t length;
    size_t split; /* as above; of an exception only known at the commit */
};

#define XR_KEY(literal) (&(const struct xr_key){ literal, sizeof(literal) - 1, 0 })

/*
 * Where a value of at most room bytes goes, or NULL when there is no more room.
 * It becomes an attribute with xr_attribute_commit(), given where it ends.
 */
char *xr_attribute_begin(struct xr_segment *segment, const struct xr_key *key, size_t room);
void xr_attribute_commit(struct xr_segment *segment, enum xr_section section,
                         const struct xr_key *key, const char *end);

bool xr_attribute_exists(const struct xr_segment *segment, enum xr_section section,
                         const struct xr_key *key);
void xr_attribute_remove(struct xr_segment *segment, enum xr_section section,
                         const struct xr_key *key);

/* The quotes and the colon around a key. */
#define XR_ATTRIBUTE_PUNCTUATION 3

/* One that was read: its text is "key":value. */
struct xr_member {
    struct xr_attribute attribute;
    const char *text;
};

static inline const char *xr_member_key(const struct xr_member *member)
{
    return member->text + 1;
}

static inline const char *xr_member_value(const struct xr_member *member)
{
    return member->text + member->attribute.key_length + XR_ATTRIBUTE_PUNCTUATION;
}

static inline size_t xr_member_length(const struct xr_member *member)
{
    return member->attribute.key_length + XR_ATTRIBUTE_PUNCTUATION + member->attribute.value_length;
}

/* Reads the log from *at, 0 at first; false at its end. Skips those that were replaced. */
static inline bool xr_attribute_next(const struct xr_segment *segment, uint32_t *at,
                                     struct xr_member *ret)
{
    while (*at < segment->attributes.length) {
        const char *record = segment->attributes.data + *at;

        memcpy(&ret->attribute, record, sizeof(ret->attribute));
        ret->text = record + sizeof(ret->attribute);
        *at += (uint32_t)(sizeof(ret->attribute) + xr_member_length(ret));
        if (!ret->attribute.replaced)
            return true;
    }
    return false;
}

/*
 * Values of the common kinds. False when there was no room, or when the text
 * was cut after max characters or repaired: something to count.
 */
bool xr_put_text(struct xr_segment *segment, enum xr_section section, const struct xr_key *key,
                 const char *text, size_t length, size_t max);
bool xr_put_i64(struct xr_segment *segment, enum xr_section section, const struct xr_key *key,
                int64_t value);
bool xr_put_raw(struct xr_segment *segment, enum xr_section section, const struct xr_key *key,
                const char *json, size_t length);

#endif /* XR_MODEL_ATTRIBUTES_H */
