/* SPDX-License-Identifier: Apache-2.0 */
#include "model/document.h"

#include <xraytrace/describe.h>

#include "base/json.h"
#include "model/attributes.h"
#include "wire/hex.h"
#include "wire/ids.h"

/* All that is neither a text, an attribute nor a child: braces, member names, ids, times. */
#define FIXED_BOUND 1024

static bool has_any(const struct xr_segment *segment, uint32_t sections)
{
    return (segment->sections & sections) != 0;
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
    p = xr_copy_over(p, segment->text, segment->name_length);
    p = XR_JSON_LITERAL(p, "\",\"start_time\":");
    p = xr_json_time(p, segment->start_ns);
    if (__builtin_expect((request->form & XR_DOCUMENT_UNFINISHED) != 0, 0))
        return XR_JSON_LITERAL(p, ",\"in_progress\":true");
    p = XR_JSON_LITERAL(p, ",\"end_time\":");
    return xr_json_time(p, request->end_ns);
}

static char *write_http(char *p, const struct xr_segment *segment)
{
    bool request = xr_attributes_have(segment, XR_SECTION_HTTP_REQUEST);

    p = XR_JSON_LITERAL(p, ",\"http\":{");
    if (request) {
        p = XR_JSON_LITERAL(p, "\"request\":{");
        p = xr_attributes_write(p, segment, XR_SECTION_HTTP_REQUEST);
        *p++ = '}';
    }
    if (xr_attributes_have(segment, XR_SECTION_HTTP_RESPONSE)) {
        if (request)
            *p++ = ',';
        p = XR_JSON_LITERAL(p, "\"response\":{");
        p = xr_attributes_write(p, segment, XR_SECTION_HTTP_RESPONSE);
        *p++ = '}';
    }
    *p++ = '}';
    return p;
}

/* The members that a recorder's segments have in common. */
static char *write_aws_constants(char *p, const struct xr_segment *segment,
                                 const struct xr_document_constants *constants)
{
    if (constants->logs_length > 0 && !xr_attributes_have_known(segment, XR_CLOUDWATCH_LOGS)) {
        p = xr_json_bytes(p, constants->logs, constants->logs_length);
        *p++ = ',';
    }
    p = XR_JSON_LITERAL(p, "\"xray\":{");
    p = xr_copy_over(p, constants->xray, constants->xray_length);
    if (xr_attributes_have(segment, XR_SECTION_XRAY)) {
        *p++ = ',';
        p = xr_attributes_write(p, segment, XR_SECTION_XRAY);
    }
    *p++ = '}';
    return p;
}

static char *write_aws(char *p, const struct xr_segment *segment,
                       const struct xr_document_constants *constants)
{
    p = XR_JSON_LITERAL(p, ",\"aws\":{");
    if (xr_attributes_have(segment, XR_SECTION_AWS))
        p = xr_attributes_write(p, segment, XR_SECTION_AWS);
    if (!(segment->flags & XR_SUBSEGMENT)) {
        if (xr_attributes_have(segment, XR_SECTION_AWS))
            *p++ = ',';
        p = write_aws_constants(p, segment, constants);
    }
    *p++ = '}';
    return p;
}

/* ---- Metadata ------------------------------------------------------------- */

static const char own_namespace[] = "xraytrace";

static bool same_namespace(const struct xr_run_text *a, const struct xr_run_text *b)
{
    return a->run.name_length == b->run.name_length &&
           memcmp(a->name, b->name, a->run.name_length) == 0;
}

static bool is_first_of_namespace(const struct xr_segment *segment, const struct xr_run_text *run)
{
    struct xr_run_text first;

    for (uint32_t next = segment->first[XR_SECTION_METADATA];; next = first.run.next) {
        xr_run_read(segment, next, &first);
        if (same_namespace(&first, run))
            return first.text == run->text;
    }
}

/* The text of a namespace's runs, from the first one on. */
static char *write_namespace(char *p, const struct xr_segment *segment,
                             const struct xr_run_text *first)
{
    struct xr_run_text run = *first;

    *p++ = '"';
    p = xr_json_bytes(p, first->name, first->run.name_length);
    p = XR_JSON_LITERAL(p, "\":{");
    p = xr_json_bytes(p, first->text + 1, first->run.length - 1u);
    while (run.run.next != XR_NO_RUN) {
        xr_run_read(segment, run.run.next, &run);
        if (same_namespace(first, &run))
            p = xr_json_bytes(p, run.text, run.run.length);
    }
    *p++ = '}';
    return p;
}

/* Says what had to be left out, where it will be looked for. */
static char *write_omissions(char *p, uint32_t omitted)
{
    p = XR_JSON_LITERAL(p, "\"xraytrace\":{\"omitted\":[");
    if (omitted & XR_OMIT_METADATA)
        p = XR_JSON_LITERAL(p, "\"metadata\",");
    if (omitted & XR_OMIT_SQL)
        p = XR_JSON_LITERAL(p, "\"sanitized_query\",");
    if (omitted & XR_OMIT_FRAMES)
        p = XR_JSON_LITERAL(p, "\"stack\",");
    if (omitted & XR_OMIT_ANNOTATIONS)
        p = XR_JSON_LITERAL(p, "\"annotations\",");
    if (omitted & XR_OMIT_BLOCKS)
        p = XR_JSON_LITERAL(p, "\"http\",\"aws\",\"sql\",\"cause\",\"links\",");
    return XR_JSON_LITERAL(p - 1, "]}");
}

static bool is_written(const struct xr_segment *segment, const struct xr_run_text *run)
{
    if (segment->omitted && run->run.name_length == sizeof(own_namespace) - 1 &&
        memcmp(run->name, own_namespace, sizeof(own_namespace) - 1) == 0)
        return false;
    return is_first_of_namespace(segment, run);
}

static char *write_metadata(char *p, const struct xr_segment *segment)
{
    struct xr_run_text run = { .run.next = XR_NO_RUN };

    p = XR_JSON_LITERAL(p, ",\"metadata\":{");
    if (segment->omitted)
        p = write_omissions(p, segment->omitted);
    if (xr_attributes_have(segment, XR_SECTION_METADATA))
        run.run.next = segment->first[XR_SECTION_METADATA];
    while (run.run.next != XR_NO_RUN) {
        xr_run_read(segment, run.run.next, &run);
        if (!is_written(segment, &run))
            continue;
        if (p[-1] != '{')
            *p++ = ',';
        p = write_namespace(p, segment, &run);
    }
    *p++ = '}';
    return p;
}

/* ---- What went wrong ------------------------------------------------------- */

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

/* Collectors look for a fault's reason in the status or the cause: there is always one. */
static char *write_bare_cause(char *p, const struct xr_segment *segment)
{
    p = XR_JSON_LITERAL(p, ",\"cause\":{\"exceptions\":[{\"id\":\"");
    p = xr_hex64(p, ~atomic_load_explicit(&segment->id, memory_order_relaxed));
    return XR_JSON_LITERAL(p, "\",\"message\":\"marked as a fault\",\"type\":\"fault\"}]}");
}

static char *write_cause(char *p, const struct xr_segment *segment)
{
    if (xr_attributes_have(segment, XR_SECTION_EXCEPTION)) {
        p = XR_JSON_LITERAL(p, ",\"cause\":{\"exceptions\":[");
        p = xr_attributes_write(p, segment, XR_SECTION_EXCEPTION);
        return XR_JSON_LITERAL(p, "]}");
    }
    if ((segment->marks & XRAY_FAULT) &&
        !(segment->known & (XR_KNOWN_BIT(XR_STATUS) | XR_KNOWN_BIT(XR_CAUSE))))
        return write_bare_cause(p, segment);
    return p;
}

/* ---- The whole -------------------------------------------------------------- */

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

static char *write_blocks(char *p, const struct xr_segment *segment,
                          const struct xr_document_constants *constants)
{
    if (has_any(segment, 1u << XR_SECTION_HTTP_REQUEST | 1u << XR_SECTION_HTTP_RESPONSE))
        p = write_http(p, segment);
    if (!(segment->flags & XR_SUBSEGMENT) || xr_attributes_have(segment, XR_SECTION_AWS))
        p = write_aws(p, segment, constants);
    if (xr_attributes_have(segment, XR_SECTION_SQL)) {
        p = XR_JSON_LITERAL(p, ",\"sql\":{");
        p = xr_attributes_write(p, segment, XR_SECTION_SQL);
        *p++ = '}';
    }
    if (xr_attributes_have(segment, XR_SECTION_PRECURSOR)) {
        p = XR_JSON_LITERAL(p, ",\"precursor_ids\":[");
        p = xr_attributes_write(p, segment, XR_SECTION_PRECURSOR);
        *p++ = ']';
    }
    if (xr_attributes_have(segment, XR_SECTION_LINK)) {
        p = XR_JSON_LITERAL(p, ",\"links\":[");
        p = xr_attributes_write(p, segment, XR_SECTION_LINK);
        *p++ = ']';
    }
    return p;
}

char *xr_document_write(char *p, const struct xr_segment *segment,
                        const struct xr_document_request *request)
{
    p = write_identity(p, segment, request->form);
    p = write_times(p, segment, request);
    if (!(segment->flags & XR_SUBSEGMENT))
        p = xr_copy_over(p, request->constants->segment, request->constants->segment_length);
    if (segment->flags & XR_TRACED)
        p = XR_JSON_LITERAL(p, ",\"traced\":true");
    if (segment->name_space == XR_NAMESPACE_AWS)
        p = XR_JSON_LITERAL(p, ",\"namespace\":\"aws\"");
    else if (segment->name_space == XR_NAMESPACE_REMOTE)
        p = XR_JSON_LITERAL(p, ",\"namespace\":\"remote\"");
    if (xr_attributes_have(segment, XR_SECTION_TOP)) {
        *p++ = ',';
        p = xr_attributes_write(p, segment, XR_SECTION_TOP);
    }
    p = write_blocks(p, segment, request->constants);
    if (xr_attributes_have(segment, XR_SECTION_ANNOTATION)) {
        p = XR_JSON_LITERAL(p, ",\"annotations\":{");
        p = xr_attributes_write(p, segment, XR_SECTION_ANNOTATION);
        *p++ = '}';
    }
    if (xr_attributes_have(segment, XR_SECTION_METADATA) || segment->omitted)
        p = write_metadata(p, segment);
    if (segment->marks)
        p = write_marks(p, segment->marks);
    p = write_cause(p, segment);
    if (segment->children.length > 0)
        p = write_children(p, segment);
    *p++ = '}';
    return p;
}

size_t xr_document_bound(const struct xr_segment *segment,
                         const struct xr_document_request *request)
{
    /* The head of a run is as long as what its text may need around it, a namespace's included. */
    return FIXED_BOUND + segment->name_length + segment->attributes.length +
           segment->children.length + request->constants->segment_length +
           request->constants->xray_length + request->constants->logs_length;
}

bool xr_document_omit(struct xr_segment *segment, uint32_t what)
{
    uint32_t before = segment->attributes.length;

    if (what == XR_OMIT_METADATA)
        xr_attributes_remove_section(segment, XR_SECTION_METADATA);
    else if (what == XR_OMIT_SQL)
        xr_attributes_remove(segment, XR_SANITIZED_QUERY);
    else if (what == XR_OMIT_FRAMES)
        xr_attributes_remove_frames(segment);
    else if (what == XR_OMIT_ANNOTATIONS)
        xr_attributes_remove_section(segment, XR_SECTION_ANNOTATION);
    else
        for (int section = XR_SECTION_HTTP_REQUEST; section < XR_SECTIONS; section++)
            xr_attributes_remove_section(segment, (enum xr_section)section);
    if (segment->attributes.length == before)
        return false;
    segment->omitted |= (uint16_t)what;
    return true;
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
