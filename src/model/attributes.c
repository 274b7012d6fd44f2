/* SPDX-License-Identifier: Apache-2.0 */
#include "model/attributes.h"

static const uint8_t known_sections[XR_KNOWN] = {
    [XR_USER] = XR_SECTION_TOP,
    [XR_CAUSE] = XR_SECTION_TOP,
    [XR_METHOD] = XR_SECTION_HTTP_REQUEST,
    [XR_REQUEST_URL] = XR_SECTION_HTTP_REQUEST,
    [XR_USER_AGENT] = XR_SECTION_HTTP_REQUEST,
    [XR_CLIENT_IP] = XR_SECTION_HTTP_REQUEST,
    [XR_X_FORWARDED_FOR] = XR_SECTION_HTTP_REQUEST,
    [XR_STATUS] = XR_SECTION_HTTP_RESPONSE,
    [XR_CONTENT_LENGTH] = XR_SECTION_HTTP_RESPONSE,
    [XR_OPERATION] = XR_SECTION_AWS,
    [XR_REGION] = XR_SECTION_AWS,
    [XR_ACCOUNT_ID] = XR_SECTION_AWS,
    [XR_REQUEST_ID] = XR_SECTION_AWS,
    [XR_QUEUE_URL] = XR_SECTION_AWS,
    [XR_TABLE_NAME] = XR_SECTION_AWS,
    [XR_RETRIES] = XR_SECTION_AWS,
    [XR_ID_2] = XR_SECTION_AWS,
    [XR_CLOUDWATCH_LOGS] = XR_SECTION_AWS,
    [XR_SAMPLING_RULE_NAME] = XR_SECTION_XRAY,
    [XR_SQL_URL] = XR_SECTION_SQL,
    [XR_DATABASE_TYPE] = XR_SECTION_SQL,
    [XR_DATABASE_VERSION] = XR_SECTION_SQL,
    [XR_SQL_USER] = XR_SECTION_SQL,
    [XR_SANITIZED_QUERY] = XR_SECTION_SQL,
    [XR_CONNECTION_STRING] = XR_SECTION_SQL,
    [XR_DRIVER_VERSION] = XR_SECTION_SQL,
    [XR_PREPARATION] = XR_SECTION_SQL,
};

/* ---- Runs ----------------------------------------------------------------------------- */

static void put_run(struct xr_segment *segment, uint32_t at, const struct xr_run *run)
{
    memcpy(segment->attributes.data + at, run, sizeof(*run));
}

void xr_run_link(struct xr_segment *segment, enum xr_section section, uint32_t at)
{
    struct xr_run_text before;

    if (__builtin_expect(xr_attributes_have(segment, section), 0)) {
        xr_run_read(segment, segment->last[section], &before);
        before.run.next = (uint16_t)at;
        put_run(segment, segment->last[section], &before.run);
    } else {
        segment->first[section] = (uint16_t)at;
        segment->sections |= (uint16_t)(1u << section);
    }
    segment->last[section] = (uint16_t)at;
    segment->tail = (uint16_t)at;
    segment->tail_section = (uint8_t)section;
}

/* ---- Reading --------------------------------------------------------------------------- */

char *xr_attributes_write_more(char *p, const struct xr_segment *segment, uint32_t next)
{
    struct xr_run_text at;

    for (; next != XR_NO_RUN; next = at.run.next) {
        xr_run_read(segment, next, &at);
        p = xr_copy_over(p, at.text, at.run.length);
    }
    return p;
}

bool xr_attributes_contain(const struct xr_segment *segment, enum xr_section section,
                           const char *json, size_t length)
{
    struct xr_run_text at;

    if (!xr_attributes_have(segment, section))
        return false;
    for (uint32_t next = segment->first[section]; next != XR_NO_RUN; next = at.run.next) {
        xr_run_read(segment, next, &at);
        if (memmem(at.text, at.run.length, json, length))
            return true;
    }
    return false;
}

/* What is between two texts; empty when they are not there. */
static struct xr_key between(const struct xr_run_text *at, const char *begin, const char *end)
{
    size_t begin_length = strlen(begin);
    const char *from = memmem(at->text, at->run.length, begin, begin_length), *to = NULL;

    if (from) {
        from += begin_length;
        to = memmem(from, at->run.length - (size_t)(from - at->text), end, strlen(end));
    }
    return (struct xr_key){ from, to ? (size_t)(to - from) : 0 };
}

bool xr_attributes_first_exception(const struct xr_segment *segment, struct xr_key *ret_type,
                                   struct xr_key *ret_frame)
{
    struct xr_run_text first;

    if (!xr_attributes_have(segment, XR_SECTION_EXCEPTION))
        return false;
    xr_run_read(segment, segment->first[XR_SECTION_EXCEPTION], &first);
    /* Within a message the quotes would be escaped. */
    *ret_type = between(&first, "\",\"type\":\"", "\"");
    *ret_frame = between(&first, ",\"stack\":[{", "}");
    return true;
}

/* ---- Taking away ------------------------------------------------------------------------- */

/* Behind a string that begins here; all of it is valid JSON. */
static const char *skip_string(const char *p)
{
    for (p++; *p != '"'; p++)
        if (*p == '\\')
            p++;
    return p + 1;
}

/* Behind a value, which ends with the run or before a comma. */
static const char *skip_value(const char *p, const char *end)
{
    unsigned depth = 0;

    while (p < end && (depth > 0 || *p != ',')) {
        if (*p == '"') {
            p = skip_string(p);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        if (*p == '}' || *p == ']')
            depth--;
        p++;
    }
    return p;
}

/* Where a member of this key begins, with its comma, and ends; or NULL. before may be NULL. */
static const char *find_member(const struct xr_run_text *at, const struct xr_key *key,
                               const char *before, const char **ret_end)
{
    const char *end = at->text + at->run.length;

    /* In most runs the key is nowhere, not even within another value. */
    if (before && before >= at->text && before <= end)
        end = before;
    if (!memmem(at->text, (size_t)(end - at->text), key->text, key->length))
        return NULL;
    for (const char *p = at->text, *next; p < end; p = next) {
        const char *colon = skip_string(p + 1);

        next = skip_value(colon + 1, end);
        if ((size_t)(colon - p) == key->length + 3 && memcmp(p + 2, key->text, key->length) == 0) {
            *ret_end = next;
            return p;
        }
    }
    return NULL;
}

/* After runs have moved: finds them all again. */
static void relink(struct xr_segment *segment)
{
    struct xr_run_text at;

    segment->sections = 0;
    xr_attributes_break(segment);
    for (uint32_t next = 0; next < segment->attributes.length;
         next += (uint32_t)(sizeof(at.run) + at.run.name_length + at.run.length)) {
        xr_run_read(segment, next, &at);
        at.run.next = XR_NO_RUN;
        put_run(segment, next, &at.run);
        xr_run_link(segment, at.run.section, next);
    }
}

/* Takes a piece of a run's text out of the log, and the run too when nothing is left of it. */
static void cut(struct xr_segment *segment, uint32_t run_at, const char *from, const char *to)
{
    struct xr_buffer *log = &segment->attributes;
    char *start = log->data + (from - log->data);
    struct xr_run_text at;

    xr_run_read(segment, run_at, &at);
    at.run.length -= (uint32_t)(to - from);
    put_run(segment, run_at, &at.run);
    if (at.run.length == 0)
        start = log->data + run_at;
    memmove(start, to, (size_t)(log->data + log->length - to));
    log->length -= (uint32_t)(to - start);
}

static void remove_member(struct xr_segment *segment, enum xr_section section,
                          const struct xr_key *name, const struct xr_key *key, const char *before)
{
    struct xr_run_text at;
    const char *from, *to;

    if (!xr_attributes_have(segment, section))
        return;
    for (uint32_t next = segment->first[section]; next != XR_NO_RUN; next = at.run.next) {
        xr_run_read(segment, next, &at);
        if (name &&
            (at.run.name_length != name->length || memcmp(at.name, name->text, name->length) != 0))
            continue;
        from = find_member(&at, key, before, &to);
        if (from) {
            cut(segment, next, from, to);
            relink(segment);
            return;
        }
    }
}

static struct xr_key key_of(enum xr_known known)
{
    return (struct xr_key){ xr_known_keys[known].text + 2, xr_known_keys[known].length - 4u };
}

static void remove_known(struct xr_segment *segment, enum xr_known known)
{
    struct xr_key key = key_of(known);

    remove_member(segment, known_sections[known], NULL, &key, NULL);
}

void xr_attributes_replace(struct xr_segment *segment, uint64_t known)
{
    for (; known; known &= known - 1)
        remove_known(segment, (enum xr_known)__builtin_ctzll(known));
}

void xr_attributes_replace_key(struct xr_segment *segment, enum xr_section section,
                               const struct xr_key *name, const struct xr_key *key,
                               const char *written)
{
    remove_member(segment, section, name, key, written);
}

void xr_attributes_remove_known(struct xr_segment *segment, enum xr_known known)
{
    remove_known(segment, known);
    segment->known &= ~XR_KNOWN_BIT(known);
}

void xr_attributes_remove_section(struct xr_segment *segment, enum xr_section section)
{
    struct xr_run_text at;

    while (xr_attributes_have(segment, section)) {
        xr_run_read(segment, segment->first[section], &at);
        cut(segment, segment->first[section], at.text, at.text + at.run.length);
        relink(segment);
    }
    for (int known = 0; known < XR_KNOWN; known++)
        if (known_sections[known] == section)
            segment->known &= ~XR_KNOWN_BIT(known);
}

void xr_attributes_remove_frames(struct xr_segment *segment)
{
    /* Within a text the quotes would be escaped. */
    static const char stack[] = ",\"stack\":[";
    struct xr_run_text at;
    const char *from;

    if (!xr_attributes_have(segment, XR_SECTION_EXCEPTION))
        return;
    for (uint32_t next = segment->first[XR_SECTION_EXCEPTION]; next != XR_NO_RUN;) {
        xr_run_read(segment, next, &at);
        from = memmem(at.text, at.run.length, stack, sizeof(stack) - 1);
        if (from) {
            cut(segment, next, from, at.text + at.run.length - 1);
            relink(segment);
            xr_run_read(segment, next, &at);
        }
        next = at.run.next;
    }
}

/* ---- Values ------------------------------------------------------------------------------- */

enum xr_known xr_known_of(enum xr_section section, const struct xr_key *key)
{
    for (int known = 0; known < XR_KNOWN; known++) {
        struct xr_key own = key_of((enum xr_known)known);

        if (known_sections[known] == section && own.length == key->length &&
            memcmp(own.text, key->text, key->length) == 0)
            return (enum xr_known)known;
    }
    return XR_KNOWN;
}

void xr_attributes_copy(const struct xr_segment *segment, enum xr_known known, char *ret,
                        size_t size)
{
    enum xr_section section = known_sections[known];
    struct xr_key key = key_of(known);
    const char *from = NULL, *to = NULL;
    struct xr_run_text at;
    size_t length;

    *ret = '\0';
    if (!xr_attributes_have_known(segment, known))
        return;
    for (uint32_t next = segment->first[section]; next != XR_NO_RUN && !from; next = at.run.next) {
        xr_run_read(segment, next, &at);
        from = find_member(&at, &key, NULL, &to);
    }
    if (!from)
        return;
    from += key.length + 4;
    if (*from == '"') {
        from++;
        to--;
    }
    length = (size_t)(to - from) < size - 1 ? (size_t)(to - from) : size - 1;
    memcpy(ret, from, length);
    ret[length] = '\0';
}

/* With room for one more member, or not: then it is left out. */
static bool make_room(struct xr_members *members, size_t room)
{
    struct xr_buffer *log = &members->segment->attributes;
    char *p;

    (void)xr_members_end(members);
    members->known = 0;
    p = xr_attributes_begin(members->segment, members->section, XR_KNOWN_KEY_ROOM + room);
    if (p) {
        members->limit = log->data + log->capacity;
    } else {
        members->truncated++;
        p = xr_attributes_begin(members->segment, members->section, 0);
        members->limit = p;
    }
    members->p = members->start = p;
    return members->limit != p;
}

struct xr_members xr_members_text_slow(struct xr_members members, enum xr_known known,
                                       const char *text, size_t length, size_t max)
{
    size_t kept = xr_utf8_prefix(text, length, max);
    bool repaired = kept < length;

    if (!make_room(&members, xr_json_string_size(text, kept)))
        return members;
    members.p = xr_json_string(xr_known_key_write(members.p, known), text, kept, &repaired);
    members.known |= XR_KNOWN_BIT(known);
    members.truncated += repaired;
    return members;
}

struct xr_members xr_members_number_slow(struct xr_members members, enum xr_known known,
                                         int64_t value)
{
    if (make_room(&members, XR_JSON_NUMBER_MAX))
        xr_members_number(&members, known, value);
    return members;
}

unsigned xr_put_text(struct xr_segment *segment, enum xr_section section, enum xr_known known,
                     const char *text, size_t max)
{
    struct xr_members one;

    if (!text)
        return 0;
    xr_members_begin(&one, segment, section);
    xr_members_string(&one, known, text, max);
    return xr_members_end(&one);
}

bool xr_put_true(struct xr_segment *segment, enum xr_section section, enum xr_known known)
{
    char *p = xr_attributes_begin(segment, section, XR_KNOWN_KEY_ROOM + strlen("true"));

    if (!p)
        return false;
    xr_attributes_end(segment, section, XR_JSON_LITERAL(xr_known_key_write(p, known), "true"));
    xr_attributes_add_known(segment, XR_KNOWN_BIT(known));
    return true;
}

bool xr_put_element(struct xr_segment *segment, enum xr_section section, const char *json,
                    size_t length)
{
    char *p = xr_attributes_begin(segment, section, length + 1);

    if (!p)
        return false;
    *p++ = ',';
    xr_attributes_end(segment, section, xr_json_bytes(p, json, length));
    return true;
}
