/* SPDX-License-Identifier: Apache-2.0 */
#include "model/document.h"

#include <xraytrace/describe.h>

#include "base/json.h"
#include "model/attributes.h"
#include "wire/hex.h"
#include "wire/ids.h"

/* All that is neither a text, an attribute nor a child: braces, member names, ids, times. */
#define FIXED_BOUND 1024

static bool next_of(const struct xr_segment *segment, enum xr_section section, uint32_t *at,
                    struct xr_member *ret)
{
    while (xr_attribute_next(segment, at, ret))
        if (ret->attribute.section == section)
            return true;
    return false;
}

static bool has(uint32_t sections, enum xr_section section)
{
    return (sections & 1u << section) != 0;
}

/* The sections that go into the document. */
static uint32_t sections_of(const struct xr_segment *segment, uint32_t omit)
{
    uint32_t sections = segment->sections;

    if (omit & XR_OMIT_METADATA)
        sections &= ~(1u << XR_SECTION_METADATA);
    if (omit & XR_OMIT_ANNOTATIONS)
        sections &= ~(1u << XR_SECTION_ANNOTATION);
    return omit & XR_OMIT_BLOCKS ? 0 : sections;
}

/* "key":value,"key":value of a section, with a comma before each but the first after an opening. */
static char *write_members(char *p, const struct xr_segment *segment, enum xr_section section)
{
    uint16_t left = segment->counts[section];
    struct xr_member member;

    /* Most sections stand together: what follows the last one is not looked at. */
    for (uint32_t at = 0; left > 0 && next_of(segment, section, &at, &member); left--) {
        if (p[-1] != '{')
            *p++ = ',';
        p = xr_json_bytes(p, member.text, xr_member_length(&member));
    }
    return p;
}

static char *write_identity(char *p, const struct xr_segment *segment, uint32_t form)
{
    xray_trace_id trace = xr_segment_trace(segment);

    p = XR_JSON_LITERAL(p, "{\"id\":\"");
    p = xr_hex64(p, atomic_load_explicit(&segment->id, memory_order_relaxed));
    *p++ = '"';
    if (form & XR_DOCUMENT_EMBEDDED)
        return p;
    p = XR_JSON_LITERAL(p, ",\"trace_id\":\"");
    p = xr_trace_id_write(p, &trace);
    *p++ = '"';
    if (segment->parent_id) {
        p = XR_JSON_LITERAL(p, ",\"parent_id\":\"");
        p = xr_hex64(p, segment->parent_id);
        *p++ = '"';
    }
    if (segment->flags & XR_SUBSEGMENT)
        p = XR_JSON_LITERAL(p, ",\"type\":\"subsegment\"");
    return p;
}

static char *write_times(char *p, const struct xr_segment *segment,
                         const struct xr_document_request *request)
{
    p = XR_JSON_LITERAL(p, ",\"name\":\"");
    p = xr_json_bytes(p, segment->text, segment->name_length);
    p = XR_JSON_LITERAL(p, "\",\"start_time\":");
    p = xr_json_time(p, segment->start_ns);
    if (request->form & XR_DOCUMENT_UNFINISHED)
        return XR_JSON_LITERAL(p, ",\"in_progress\":true");
    p = XR_JSON_LITERAL(p, ",\"end_time\":");
    return xr_json_time(p, request->end_ns);
}

static char *write_http(char *p, const struct xr_segment *segment)
{
    uint32_t sections = segment->sections;

    p = XR_JSON_LITERAL(p, ",\"http\":{");
    if (has(sections, XR_SECTION_HTTP_REQUEST)) {
        p = XR_JSON_LITERAL(p, "\"request\":{");
        p = write_members(p, segment, XR_SECTION_HTTP_REQUEST);
        *p++ = '}';
    }
    if (has(sections, XR_SECTION_HTTP_RESPONSE)) {
        if (p[-1] != '{')
            *p++ = ',';
        p = XR_JSON_LITERAL(p, "\"response\":{");
        p = write_members(p, segment, XR_SECTION_HTTP_RESPONSE);
        *p++ = '}';
    }
    *p++ = '}';
    return p;
}

static char *write_aws(char *p, const struct xr_segment *segment, uint32_t sections,
                       const struct xr_document_constants *constants)
{
    p = XR_JSON_LITERAL(p, ",\"aws\":{");
    if (has(sections, XR_SECTION_AWS))
        p = write_members(p, segment, XR_SECTION_AWS);
    if (!(segment->flags & XR_SUBSEGMENT)) {
        if (p[-1] != '{')
            *p++ = ',';
        p = XR_JSON_LITERAL(p, "\"xray\":{");
        p = xr_json_bytes(p, constants->xray, constants->xray_length);
        if (has(sections, XR_SECTION_XRAY))
            p = write_members(p, segment, XR_SECTION_XRAY);
        *p++ = '}';
    }
    *p++ = '}';
    return p;
}

static char *write_sql(char *p, const struct xr_segment *segment, uint32_t omit)
{
    struct xr_member member;

    p = XR_JSON_LITERAL(p, ",\"sql\":{");
    for (uint32_t at = 0; next_of(segment, XR_SECTION_SQL, &at, &member);) {
        if ((omit & XR_OMIT_SQL) && member.attribute.key_length == strlen("sanitized_query") &&
            memcmp(xr_member_key(&member), "sanitized_query", member.attribute.key_length) == 0)
            continue;
        if (p[-1] != '{')
            *p++ = ',';
        p = xr_json_bytes(p, member.text, xr_member_length(&member));
    }
    *p++ = '}';
    return p;
}

static bool same_namespace(const struct xr_member *a, const struct xr_member *b)
{
    return a->attribute.split == b->attribute.split &&
           memcmp(a->text, b->text, a->attribute.split + 1) == 0;
}

static bool is_first_of_namespace(const struct xr_segment *segment, const struct xr_member *member)
{
    struct xr_member first;

    for (uint32_t at = 0; next_of(segment, XR_SECTION_METADATA, &at, &first);)
        if (same_namespace(&first, member))
            return first.text == member->text;
    return true;
}

static char *write_namespace(char *p, const struct xr_segment *segment,
                             const struct xr_member *first, uint32_t at)
{
    struct xr_member member = *first;

    *p++ = '"';
    p = xr_json_bytes(p, xr_member_key(first), first->attribute.split);
    p = XR_JSON_LITERAL(p, "\":{");
    do {
        if (!same_namespace(first, &member))
            continue;
        if (p[-1] != '{')
            *p++ = ',';
        *p++ = '"';
        p = xr_json_bytes(p, xr_member_key(&member) + member.attribute.split,
                          xr_member_length(&member) - member.attribute.split - 1);
    } while (next_of(segment, XR_SECTION_METADATA, &at, &member));
    *p++ = '}';
    return p;
}

/* Says what had to be left out, where it will be looked for. */
static char *write_omissions(char *p, uint32_t omit)
{
    p = XR_JSON_LITERAL(p, "\"xraytrace\":{\"omitted\":[");
    if (omit & XR_OMIT_METADATA)
        p = XR_JSON_LITERAL(p, "\"metadata\",");
    if (omit & XR_OMIT_SQL)
        p = XR_JSON_LITERAL(p, "\"sanitized_query\",");
    if (omit & XR_OMIT_FRAMES)
        p = XR_JSON_LITERAL(p, "\"stack\",");
    if (omit & XR_OMIT_ANNOTATIONS)
        p = XR_JSON_LITERAL(p, "\"annotations\",");
    if (omit & XR_OMIT_BLOCKS)
        p = XR_JSON_LITERAL(p, "\"http\",\"aws\",\"sql\",\"cause\",\"links\",");
    return XR_JSON_LITERAL(p - 1, "]}");
}

static char *write_metadata(char *p, const struct xr_segment *segment, uint32_t omit)
{
    struct xr_member member;

    p = XR_JSON_LITERAL(p, ",\"metadata\":{");
    /* It is the first to go: what else is left out has not left any. */
    if (omit) {
        p = write_omissions(p, omit);
        *p++ = '}';
        return p;
    }
    for (uint32_t at = 0; next_of(segment, XR_SECTION_METADATA, &at, &member);) {
        if (!is_first_of_namespace(segment, &member))
            continue;
        if (p[-1] != '{')
            *p++ = ',';
        p = write_namespace(p, segment, &member, at);
    }
    *p++ = '}';
    return p;
}

static char *write_marks(char *p, uint32_t marks)
{
    if (marks & XRAY_ERROR)
        p = XR_JSON_LITERAL(p, ",\"error\":true");
    if (marks & XRAY_THROTTLE)
        p = XR_JSON_LITERAL(p, ",\"throttle\":true");
    if (marks & XRAY_FAULT)
        p = XR_JSON_LITERAL(p, ",\"fault\":true");
    return p;
}

static char *write_exceptions(char *p, const struct xr_segment *segment, uint32_t omit)
{
    struct xr_member member;

    p = XR_JSON_LITERAL(p, ",\"cause\":{\"exceptions\":[");
    for (uint32_t at = 0; next_of(segment, XR_SECTION_EXCEPTION, &at, &member);) {
        if (p[-1] != '[')
            *p++ = ',';
        if ((omit & XR_OMIT_FRAMES) && member.attribute.split) {
            p = xr_json_bytes(p, xr_member_value(&member), member.attribute.split);
            *p++ = '}';
        } else {
            p = xr_json_bytes(p, xr_member_value(&member), member.attribute.value_length);
        }
    }
    return XR_JSON_LITERAL(p, "]}");
}

/* Collectors look for a fault's reason in the status or the cause: there is always one. */
static char *write_bare_cause(char *p, const struct xr_segment *segment)
{
    p = XR_JSON_LITERAL(p, ",\"cause\":{\"exceptions\":[{\"id\":\"");
    p = xr_hex64(p, ~atomic_load_explicit(&segment->id, memory_order_relaxed));
    return XR_JSON_LITERAL(p, "\",\"message\":\"marked as a fault\",\"type\":\"fault\"}]}");
}

static char *write_cause(char *p, const struct xr_segment *segment, uint32_t sections,
                         uint32_t omit)
{
    if (has(sections, XR_SECTION_EXCEPTION))
        return write_exceptions(p, segment, omit);
    if ((segment->marks & XRAY_FAULT) &&
        !(has(sections, XR_SECTION_HTTP_RESPONSE) &&
          xr_attribute_exists(segment, XR_SECTION_HTTP_RESPONSE, XR_KEY("status"))))
        return write_bare_cause(p, segment);
    return p;
}

static char *write_precursors(char *p, const struct xr_segment *segment)
{
    struct xr_member member;

    p = XR_JSON_LITERAL(p, ",\"precursor_ids\":[");
    for (uint32_t at = 0; next_of(segment, XR_SECTION_PRECURSOR, &at, &member);) {
        if (p[-1] != '[')
            *p++ = ',';
        *p++ = '"';
        p = xr_json_bytes(p, xr_member_key(&member), member.attribute.key_length);
        *p++ = '"';
    }
    *p++ = ']';
    return p;
}

static char *write_links(char *p, const struct xr_segment *segment)
{
    struct xr_member member;

    p = XR_JSON_LITERAL(p, ",\"links\":[");
    for (uint32_t at = 0; next_of(segment, XR_SECTION_LINK, &at, &member);) {
        if (p[-1] != '[')
            *p++ = ',';
        p = xr_json_bytes(p, xr_member_value(&member), member.attribute.value_length);
    }
    *p++ = ']';
    return p;
}

static char *write_children(char *p, const struct xr_segment *segment)
{
    const struct xr_buffer *children = &segment->children;
    uint32_t length;

    p = XR_JSON_LITERAL(p, ",\"subsegments\":[");
    for (uint32_t at = 0; at < children->length; at += (uint32_t)sizeof(length) + length) {
        memcpy(&length, children->data + at, sizeof(length));
        if (p[-1] != '[')
            *p++ = ',';
        p = xr_json_bytes(p, children->data + at + sizeof(length), length);
    }
    *p++ = ']';
    return p;
}

static char *write_blocks(char *p, const struct xr_segment *segment, uint32_t sections,
                          const struct xr_document_request *request)
{
    if (has(sections, XR_SECTION_TOP))
        p = write_members(p, segment, XR_SECTION_TOP);
    if (has(sections, XR_SECTION_HTTP_REQUEST) || has(sections, XR_SECTION_HTTP_RESPONSE))
        p = write_http(p, segment);
    if (!(segment->flags & XR_SUBSEGMENT) || has(sections, XR_SECTION_AWS))
        p = write_aws(p, segment, sections, request->constants);
    if (has(sections, XR_SECTION_SQL))
        p = write_sql(p, segment, request->omit);
    if (has(sections, XR_SECTION_PRECURSOR))
        p = write_precursors(p, segment);
    if (has(sections, XR_SECTION_LINK))
        p = write_links(p, segment);
    return p;
}

char *xr_document_write(char *p, const struct xr_segment *segment,
                        const struct xr_document_request *request)
{
    uint32_t sections = sections_of(segment, request->omit);

    p = write_identity(p, segment, request->form);
    p = write_times(p, segment, request);
    if (!(segment->flags & XR_SUBSEGMENT))
        p = xr_json_bytes(p, request->constants->segment, request->constants->segment_length);
    if (segment->flags & XR_TRACED)
        p = XR_JSON_LITERAL(p, ",\"traced\":true");
    p = write_blocks(p, segment, sections, request);
    if (has(sections, XR_SECTION_ANNOTATION)) {
        p = XR_JSON_LITERAL(p, ",\"annotations\":{");
        p = write_members(p, segment, XR_SECTION_ANNOTATION);
        *p++ = '}';
    }
    if (has(sections, XR_SECTION_METADATA) || request->omit)
        p = write_metadata(p, segment, request->omit);
    p = write_marks(p, segment->marks);
    p = write_cause(p, segment, sections, request->omit);
    if (segment->children.length > 0)
        p = write_children(p, segment);
    *p++ = '}';
    return p;
}

/* How many bytes of the log are left out. */
static size_t omitted_bytes(const struct xr_segment *segment, uint32_t omit)
{
    struct xr_member member;
    const struct xr_attribute *attribute = &member.attribute;
    size_t bytes = 0;

    if (omit & XR_OMIT_BLOCKS)
        return segment->attributes.length - segment->replaced;
    for (uint32_t at = 0; xr_attribute_next(segment, &at, &member);) {
        if (((omit & XR_OMIT_METADATA) && attribute->section == XR_SECTION_METADATA) ||
            ((omit & XR_OMIT_ANNOTATIONS) && attribute->section == XR_SECTION_ANNOTATION) ||
            ((omit & XR_OMIT_SQL) && attribute->section == XR_SECTION_SQL &&
             attribute->key_length == strlen("sanitized_query")))
            bytes += sizeof(*attribute) + xr_member_length(&member);
        if ((omit & XR_OMIT_FRAMES) && attribute->section == XR_SECTION_EXCEPTION &&
            attribute->split)
            bytes += attribute->value_length - attribute->split;
    }
    return bytes;
}

size_t xr_document_bound(const struct xr_segment *segment,
                         const struct xr_document_request *request)
{
    /* An attribute in the log is longer than in the document: its record is over 10 bytes. */
    size_t bound = FIXED_BOUND + segment->name_length + segment->attributes.length -
                   segment->replaced + segment->children.length +
                   request->constants->segment_length + request->constants->xray_length;

    return request->omit ? bound - omitted_bytes(segment, request->omit) : bound;
}

/* ---- Finished children ------------------------------------------------------ */

char *xr_children_begin(struct xr_segment *parent, size_t room)
{
    char *p = xr_buffer_reserve(&parent->children, sizeof(uint32_t) + room);

    return p ? p + sizeof(uint32_t) : NULL;
}

void xr_children_commit(struct xr_segment *parent, const char *end)
{
    char *start = parent->children.data + parent->children.length;
    uint32_t length = (uint32_t)(end - start - (ptrdiff_t)sizeof(length));

    memcpy(start, &length, sizeof(length));
    parent->children.length += (uint32_t)sizeof(length) + length;
}

/* What an embedded document begins with: {"id":"0123456789abcdef" */
#define IDENTITY_LENGTH 24

static size_t write_as_own(char *ret, const struct xr_segment *parent, const char *json,
                           size_t length)
{
    xray_trace_id trace = xr_segment_trace(parent);
    char *p = xr_json_bytes(ret, json, IDENTITY_LENGTH);

    p = XR_JSON_LITERAL(p, ",\"trace_id\":\"");
    p = xr_trace_id_write(p, &trace);
    p = XR_JSON_LITERAL(p, "\",\"parent_id\":\"");
    p = xr_hex64(p, atomic_load_explicit(&parent->id, memory_order_relaxed));
    p = XR_JSON_LITERAL(p, "\",\"type\":\"subsegment\"");
    p = xr_json_bytes(p, json + IDENTITY_LENGTH, length - IDENTITY_LENGTH);
    return (size_t)(p - ret);
}

size_t xr_children_take_largest(struct xr_segment *parent, char ret[XR_BUFFER_MAX])
{
    struct xr_buffer *children = &parent->children;
    uint32_t largest = 0, largest_at = 0, length;
    size_t written;

    for (uint32_t at = 0; at < children->length; at += (uint32_t)sizeof(length) + length) {
        memcpy(&length, children->data + at, sizeof(length));
        if (length > largest) {
            largest = length;
            largest_at = at;
        }
    }
    if (largest == 0)
        return 0;
    written = write_as_own(ret, parent, children->data + largest_at + sizeof(length), largest);
    length = (uint32_t)sizeof(length) + largest;
    memmove(children->data + largest_at, children->data + largest_at + length,
            children->length - largest_at - length);
    children->length -= length;
    return written;
}
