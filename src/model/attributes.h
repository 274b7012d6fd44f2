/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a segment's attributes: runs of finished JSON, each of one section
 * of the document and as long as what is said in a row belongs to it. A document
 * is then mostly copies of runs. A key that is set again replaces the former one.
 */
#ifndef XR_MODEL_ATTRIBUTES_H
#define XR_MODEL_ATTRIBUTES_H

#include "base/json.h"
#include "model/segment.h"

enum xr_section {
    XR_SECTION_TOP, /* members of the document itself: user, a cause elsewhere */
    XR_SECTION_HTTP_REQUEST,
    XR_SECTION_HTTP_RESPONSE,
    XR_SECTION_AWS,
    XR_SECTION_XRAY, /* members of aws.xray */
    XR_SECTION_SQL,
    XR_SECTION_ANNOTATION,
    XR_SECTION_METADATA,  /* a run for each namespace */
    XR_SECTION_EXCEPTION, /* from here on elements of arrays; exceptions are a run each */
    XR_SECTION_PRECURSOR,
    XR_SECTION_LINK,
    XR_SECTIONS,
};
static_assert((int)XR_SECTIONS <= XR_SECTIONS_MAX, "a segment knows the runs of every section");

/* Keys of the documents' own. Each is one bit of a segment's mask of what it has. */
enum xr_known {
    XR_USER,
    XR_CAUSE,
    XR_METHOD,
    XR_REQUEST_URL,
    XR_USER_AGENT,
    XR_CLIENT_IP,
    XR_X_FORWARDED_FOR,
    XR_STATUS,
    XR_CONTENT_LENGTH,
    XR_OPERATION,
    XR_REGION,
    XR_ACCOUNT_ID,
    XR_REQUEST_ID,
    XR_QUEUE_URL,
    XR_TABLE_NAME,
    XR_RETRIES,
    XR_ID_2,
    XR_CLOUDWATCH_LOGS,
    XR_SAMPLING_RULE_NAME,
    XR_SQL_URL,
    XR_DATABASE_TYPE,
    XR_DATABASE_VERSION,
    XR_SQL_USER,
    XR_SANITIZED_QUERY,
    XR_CONNECTION_STRING,
    XR_DRIVER_VERSION,
    XR_PREPARATION,
    XR_KNOWN,
};
static_assert((int)XR_KNOWN <= 64, "a mask has a bit for each");

#define XR_KNOWN_BIT(known) (UINT64_C(1) << (known))

/* The head of a run; a name, if it has one, and its text follow. Not aligned. */
struct xr_run {
    uint16_t next; /* where the next one of its section is in the log, or XR_NO_RUN */
    uint16_t name_length;
    uint32_t section : 8;
    uint32_t
        length : 24; /* of the text: ,"key":value,"key":value, or elements, each after a comma */
};

#define XR_NO_RUN UINT16_MAX

/* A key, as text that needs no escapes in JSON. */
struct xr_key {
    const char *text;
    size_t length;
};

static inline bool xr_attributes_have(const struct xr_segment *segment, enum xr_section section)
{
    return (segment->sections & 1u << section) != 0;
}

static inline bool xr_attributes_have_known(const struct xr_segment *segment, enum xr_known known)
{
    return (segment->known & XR_KNOWN_BIT(known)) != 0;
}

/* ---- Writing ------------------------------------------------------------------------ */

/*
 * Where room bytes of a section's text go, or NULL when there is no more room.
 * They become part of it with xr_attributes_end(), given where they end.
 */
static inline char *xr_attributes_begin(struct xr_segment *segment, enum xr_section section,
                                        size_t room)
{
    size_t head = segment->tail_section == section ? 0 : sizeof(struct xr_run);
    char *p = xr_buffer_reserve(&segment->attributes, head + room);

    return p ? p + head : NULL;
}

/* The last run of the log becomes the last one of its section. */
void xr_run_link(struct xr_segment *segment, enum xr_section section, uint32_t at);

/* The first text of a run. */
static inline void xr_attributes_end_first(struct xr_segment *segment, enum xr_section section,
                                           size_t name_length, const char *end)
{
    struct xr_buffer *log = &segment->attributes;
    uint32_t at = log->length;
    struct xr_run run = {
        .next = XR_NO_RUN,
        .name_length = (uint16_t)name_length,
        .section = section,
        .length = (uint32_t)(end - (log->data + at + sizeof(run) + name_length)),
    };

    memcpy(log->data + at, &run, sizeof(run));
    log->length = (uint32_t)(end - log->data);
    xr_run_link(segment, section, at);
}

static inline void xr_attributes_end(struct xr_segment *segment, enum xr_section section,
                                     const char *end)
{
    struct xr_buffer *log = &segment->attributes;
    char *head = log->data + segment->tail;
    struct xr_run run;

    if (segment->tail_section != section) {
        xr_attributes_end_first(segment, section, 0, end);
        return;
    }
    memcpy(&run, head, sizeof(run));
    run.length += (uint32_t)(end - (log->data + log->length));
    memcpy(head, &run, sizeof(run));
    log->length = (uint32_t)(end - log->data);
}

/* What comes next begins a run. */
static inline void xr_attributes_break(struct xr_segment *segment)
{
    segment->tail_section = XR_SECTIONS_MAX;
}

/* Whether the last run of the log is metadata of this namespace. */
static inline bool xr_run_is_named(const struct xr_segment *segment, const struct xr_key *name)
{
    const char *head = segment->attributes.data + segment->tail;
    struct xr_run run;

    if (segment->tail_section != XR_SECTION_METADATA)
        return false;
    memcpy(&run, head, sizeof(run));
    return run.name_length == name->length &&
           memcmp(head + sizeof(run), name->text, name->length) == 0;
}

/* The same for metadata: the run of a namespace. */
static inline char *xr_attributes_begin_named(struct xr_segment *segment, const struct xr_key *name,
                                              size_t room)
{
    char *p;

    if (xr_run_is_named(segment, name))
        return xr_attributes_begin(segment, XR_SECTION_METADATA, room);
    p = xr_buffer_reserve(&segment->attributes, sizeof(struct xr_run) + name->length + room);
    return p ? xr_json_bytes(p + sizeof(struct xr_run), name->text, name->length) : NULL;
}

static inline void xr_attributes_end_named(struct xr_segment *segment, const struct xr_key *name,
                                           const char *end)
{
    if (xr_run_is_named(segment, name))
        xr_attributes_end(segment, XR_SECTION_METADATA, end);
    else
        xr_attributes_end_first(segment, XR_SECTION_METADATA, name->length, end);
}

/* A key of the document's own was just written: a former value goes. */
void xr_attributes_replace(struct xr_segment *segment, uint64_t known);

static inline void xr_attributes_add_known(struct xr_segment *segment, uint64_t known)
{
    if (__builtin_expect((segment->known & known) != 0, 0))
        xr_attributes_replace(segment, segment->known & known);
    segment->known |= known;
}

/*
 * The same for a key of the user's own, of which the new value was written from
 * there on; name is the namespace of metadata, or NULL.
 */
void xr_attributes_replace_key(struct xr_segment *segment, enum xr_section section,
                               const struct xr_key *name, const struct xr_key *key,
                               const char *written);

static inline void xr_attributes_add_key(struct xr_segment *segment, enum xr_section section,
                                         const struct xr_key *name, const struct xr_key *key,
                                         const char *written)
{
    /* Most keys of a segment fall on different bits, so that most need no search. */
    size_t hash = section + 5 * key->length + 11 * (size_t)(unsigned char)key->text[0] +
                  17 * (size_t)(unsigned char)key->text[key->length - (key->length > 0)] +
                  (name ? name->length : 0);
    uint64_t bit = UINT64_C(1) << (hash & 63);

    if (__builtin_expect((segment->keys & bit) != 0, 0))
        xr_attributes_replace_key(segment, section, name, key, written);
    segment->keys |= bit;
}

/* The key of the documents' own that has this text in a section, or XR_KNOWN. */
enum xr_known xr_known_of(enum xr_section section, const struct xr_key *key);

/* ,"key": as it is copied, whole; the length is what counts. Here, so that both are constants. */
struct xr_known_key {
    char text[23];
    uint8_t length;
};

#define XR_KNOWN_KEY(name)                 \
    {                                      \
        ",\"" name "\":", sizeof(name) + 3 \
    }

static const struct xr_known_key xr_known_keys[XR_KNOWN] = {
    [XR_USER] = XR_KNOWN_KEY("user"),
    [XR_CAUSE] = XR_KNOWN_KEY("cause"),
    [XR_METHOD] = XR_KNOWN_KEY("method"),
    [XR_REQUEST_URL] = XR_KNOWN_KEY("url"),
    [XR_USER_AGENT] = XR_KNOWN_KEY("user_agent"),
    [XR_CLIENT_IP] = XR_KNOWN_KEY("client_ip"),
    [XR_X_FORWARDED_FOR] = XR_KNOWN_KEY("x_forwarded_for"),
    [XR_STATUS] = XR_KNOWN_KEY("status"),
    [XR_CONTENT_LENGTH] = XR_KNOWN_KEY("content_length"),
    [XR_OPERATION] = XR_KNOWN_KEY("operation"),
    [XR_REGION] = XR_KNOWN_KEY("region"),
    [XR_ACCOUNT_ID] = XR_KNOWN_KEY("account_id"),
    [XR_REQUEST_ID] = XR_KNOWN_KEY("request_id"),
    [XR_QUEUE_URL] = XR_KNOWN_KEY("queue_url"),
    [XR_TABLE_NAME] = XR_KNOWN_KEY("table_name"),
    [XR_RETRIES] = XR_KNOWN_KEY("retries"),
    [XR_ID_2] = XR_KNOWN_KEY("id_2"),
    [XR_CLOUDWATCH_LOGS] = XR_KNOWN_KEY("cloudwatch_logs"),
    [XR_SAMPLING_RULE_NAME] = XR_KNOWN_KEY("sampling_rule_name"),
    [XR_SQL_URL] = XR_KNOWN_KEY("url"),
    [XR_DATABASE_TYPE] = XR_KNOWN_KEY("database_type"),
    [XR_DATABASE_VERSION] = XR_KNOWN_KEY("database_version"),
    [XR_SQL_USER] = XR_KNOWN_KEY("user"),
    [XR_SANITIZED_QUERY] = XR_KNOWN_KEY("sanitized_query"),
    [XR_CONNECTION_STRING] = XR_KNOWN_KEY("connection_string"),
    [XR_DRIVER_VERSION] = XR_KNOWN_KEY("driver_version"),
    [XR_PREPARATION] = XR_KNOWN_KEY("preparation"),
};

#define XR_KNOWN_KEY_ROOM sizeof(xr_known_keys[0].text)

static inline char *xr_known_key_write(char *p, enum xr_known known)
{
    memcpy(p, xr_known_keys[known].text, sizeof(xr_known_keys[known].text));
    return p + xr_known_keys[known].length;
}

/* Members of the document's own, written one after another. */
struct xr_members {
    struct xr_segment *segment;
    enum xr_section section;
    unsigned truncated; /* how many were cut or repaired, or had no room */
    uint64_t known;
    char *start;
    char *p;
    const char *limit;
};

static inline __attribute__((__always_inline__)) void
xr_members_begin(struct xr_members *members, struct xr_segment *segment, enum xr_section section)
{
    struct xr_buffer *log = &segment->attributes;

    members->segment = segment;
    members->section = section;
    members->truncated = 0;
    members->known = 0;
    members->p = members->start = xr_attributes_begin(segment, section, 0);
    members->limit = members->p ? log->data + log->capacity : NULL;
}

static inline bool xr_members_have_room(const struct xr_members *members, size_t room)
{
    return (size_t)(members->limit - members->p) >= XR_KNOWN_KEY_ROOM + room;
}

/* By value, so that the fast paths keep them in registers. */
struct xr_members xr_members_text_slow(struct xr_members members, enum xr_known known,
                                       const char *text, size_t length, size_t max);
struct xr_members xr_members_number_slow(struct xr_members members, enum xr_known known,
                                         int64_t value);

/* At most max characters. */
static inline __attribute__((__always_inline__)) void xr_members_text(struct xr_members *members,
                                                                      enum xr_known known,
                                                                      const char *text,
                                                                      size_t length, size_t max)
{
    char *p = members->p;

    if (__builtin_expect(length <= max && xr_members_have_room(members, length + 2), 1)) {
        p = xr_known_key_write(p, known);
        *p++ = '"';
        if (__builtin_expect(xr_json_copy_plain(p, text, length), 1)) {
            p += length;
            *p++ = '"';
            members->p = p;
            members->known |= XR_KNOWN_BIT(known);
            return;
        }
    }
    *members = xr_members_text_slow(*members, known, text, length, max);
}

/* Nothing for NULL. */
static inline __attribute__((__always_inline__)) void
xr_members_string(struct xr_members *members, enum xr_known known, const char *text, size_t max)
{
    if (text)
        xr_members_text(members, known, text, strlen(text), max);
}

static inline __attribute__((__always_inline__)) void
xr_members_number(struct xr_members *members, enum xr_known known, int64_t value)
{
    if (__builtin_expect(!xr_members_have_room(members, XR_JSON_NUMBER_MAX), 0)) {
        *members = xr_members_number_slow(*members, known, value);
        return;
    }
    members->p = xr_json_i64(xr_known_key_write(members->p, known), value);
    members->known |= XR_KNOWN_BIT(known);
}

static inline __attribute__((__always_inline__)) unsigned xr_members_end(struct xr_members *members)
{
    if (members->p != members->start) {
        xr_attributes_end(members->segment, members->section, members->p);
        xr_attributes_add_known(members->segment, members->known);
    }
    return members->truncated;
}

/* One of them. Nothing for NULL. */
unsigned xr_put_text(struct xr_segment *segment, enum xr_section section, enum xr_known known,
                     const char *text, size_t max);

/* False when there is no room. */
bool xr_put_true(struct xr_segment *segment, enum xr_section section, enum xr_known known);

/* One element of an array. */
bool xr_put_element(struct xr_segment *segment, enum xr_section section, const char *json,
                    size_t length);

/* ---- Taking away --------------------------------------------------------------------- */

void xr_attributes_remove_known(struct xr_segment *segment, enum xr_known known);

static inline void xr_attributes_remove(struct xr_segment *segment, enum xr_known known)
{
    if (xr_attributes_have_known(segment, known))
        xr_attributes_remove_known(segment, known);
}
void xr_attributes_remove_section(struct xr_segment *segment, enum xr_section section);

/* The stack frames of all exceptions. */
void xr_attributes_remove_frames(struct xr_segment *segment);

/* ---- Reading -------------------------------------------------------------------------- */

/* A run as it is in the log. */
struct xr_run_text {
    struct xr_run run;
    const char *name;
    const char *text;
};

static inline void xr_run_read(const struct xr_segment *segment, uint32_t at,
                               struct xr_run_text *ret)
{
    const char *head = segment->attributes.data + at;

    memcpy(&ret->run, head, sizeof(ret->run));
    ret->name = head + sizeof(ret->run);
    ret->text = ret->name + ret->run.name_length;
}

char *xr_attributes_write_more(char *p, const struct xr_segment *segment, uint32_t next);

/* The text of a section that there is, without its first comma. */
static inline char *xr_attributes_write(char *p, const struct xr_segment *segment,
                                        enum xr_section section)
{
    struct xr_run_text first;

    xr_run_read(segment, segment->first[section], &first);
    p = xr_copy_over(p, first.text + 1, first.run.length - 1u);
    if (__builtin_expect(first.run.next != XR_NO_RUN, 0))
        p = xr_attributes_write_more(p, segment, first.run.next);
    return p;
}

/*
 * The value of a key of the documents' own, a text without its quotes and as it is
 * escaped in JSON; cut to size, with a NUL. Empty when it is not there.
 */
void xr_attributes_copy(const struct xr_segment *segment, enum xr_known known, char *ret,
                        size_t size);

/* The type of the first exception and where it was made, as JSON; false without one. */
bool xr_attributes_first_exception(const struct xr_segment *segment, struct xr_key *ret_type,
                                   struct xr_key *ret_frame);

/* Whether an array has this text in it. */
bool xr_attributes_contain(const struct xr_segment *segment, enum xr_section section,
                           const char *json, size_t length);

#endif /* XR_MODEL_ATTRIBUTES_H */
