/* SPDX-License-Identifier: Apache-2.0 */
/* Documents byte for byte: what is in them, in which order, and never more than was bounded. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdlib.h>

#include "documents/rules.h"
#include "model/attributes.h"
#include "model/describe.h"
#include "model/document.h"
#include "recorder/library.h"
#include "recorder/recorder.h"

#define ID    0x0123456789abcdefu
#define TRACE "1-5759e988-bd862e3fe1be46a994272793"

static struct xr_segment *segment;
static char document[2 * XR_BUFFER_MAX];

#define SEGMENT_MEMBERS ",\"origin\":\"AWS::EC2::Instance\""
#define XRAY_MEMBERS    "\"sdk\":\"test\""

/* xr_copy_over() reads beyond them. */
static const char segment_members[sizeof(SEGMENT_MEMBERS) + XR_SIXTEEN_OVER] = SEGMENT_MEMBERS;
static const char xray_members[sizeof(XRAY_MEMBERS) + XR_SIXTEEN_OVER] = XRAY_MEMBERS;
static const struct xr_document_constants constants = {
    .segment = segment_members,
    .segment_length = sizeof(SEGMENT_MEMBERS) - 1,
    .xray = xray_members,
    .xray_length = sizeof(XRAY_MEMBERS) - 1,
};

static struct xr_segment *make(uint32_t flags)
{
    static const xray_trace_id trace = { { 0x57, 0x59, 0xe9, 0x88, 0xbd, 0x86, 0x2e, 0x3f, 0xe1,
                                           0xbe, 0x46, 0xa9, 0x94, 0x27, 0x27, 0x93 } };
    struct xr_segment *made = xr_pool_get(XR_POOL_SEGMENT);
    bool changed = false;

    cr_assert(made);
    memset((char *)made + sizeof(void *), 0, XR_POOL_SEGMENT_BYTES - sizeof(void *));
    made->flags = flags | XR_RECORDING | XR_SAMPLED;
    made->start_ns = 1500000000000000;
    atomic_store(&made->id, ID);
    xr_segment_set_trace(made, &trace);
    made->name_length = (uint16_t)xr_name_write(made->text, "name", &changed);
    xr_segment_set_texts(made, (struct xr_segment_text){ "................", 0 },
                         (struct xr_segment_text){ "service.........", 7 });
    return made;
}

static void set_up(void)
{
    xr_library_enter();
    segment = make(0);
}

TestSuite(document, .init = set_up);
TestSuite(children, .init = set_up);
TestSuite(bound, .init = set_up);

/* Parts of documents break rules by being parts, and these here may be larger than what is sent. */
static void expect_valid(uint32_t form)
{
    struct violation violation;
    size_t length = strlen(document);

    if (!(form & XR_DOCUMENT_EMBEDDED) && length <= DOCUMENT_MAX)
        cr_assert(document_check(document, length, 0, NULL, &violation), "%s\n%s", violation.text,
                  document);
}

static const char *write_with(uint32_t form, uint32_t omit)
{
    struct xr_document_request request = { .constants = &constants,
                                           .end_ns = 1500000250000000,
                                           .form = form };
    size_t bound;

    for (uint32_t what = 1; what <= omit; what <<= 1)
        if (omit & what)
            xr_document_omit(segment, what);
    bound = xr_document_bound(segment, &request);

    *xr_document_write(document, segment, &request) = '\0';
    cr_assert_leq(strlen(document), bound);
    expect_valid(form);
    return document;
}

/* ---- Bytes --------------------------------------------------------------------- */

Test(document, of_a_segment)
{
    cr_expect_str_eq(write_with(0, 0),
                     "{\"id\":\"0123456789abcdef\",\"trace_id\":\"" TRACE "\",\"name\":\"name\","
                     "\"start_time\":1500000.000000,\"end_time\":1500000.250000,"
                     "\"origin\":\"AWS::EC2::Instance\",\"aws\":{\"xray\":{\"sdk\":\"test\"}}}");
}

Test(document, of_a_segment_with_a_parent)
{
    segment->parent_id = 0xab;
    cr_expect(strstr(write_with(0, 0),
                     "\"trace_id\":\"" TRACE "\",\"parent_id\":\"00000000000000ab\","
                     "\"name\""));
}

Test(document, of_a_subsegment_of_its_own)
{
    segment->flags |= XR_SUBSEGMENT | XR_TRACED;
    segment->parent_id = 0xab;
    cr_expect_str_eq(write_with(0, 0),
                     "{\"id\":\"0123456789abcdef\",\"trace_id\":\"" TRACE "\","
                     "\"parent_id\":\"00000000000000ab\",\"type\":\"subsegment\",\"name\":\"name\","
                     "\"start_time\":1500000.000000,\"end_time\":1500000.250000,\"traced\":true}");
}

Test(document, of_an_embedded_subsegment)
{
    segment->flags |= XR_SUBSEGMENT;
    segment->parent_id = 0xab;
    cr_expect_str_eq(write_with(XR_DOCUMENT_EMBEDDED, 0),
                     "{\"id\":\"0123456789abcdef\",\"name\":\"name\",\"start_time\":1500000.000000,"
                     "\"end_time\":1500000.250000}");
}

Test(document, of_a_segment_in_progress)
{
    cr_expect(strstr(write_with(XR_DOCUMENT_UNFINISHED, 0),
                     "\"start_time\":1500000.000000,\"in_progress\":true,\"origin\""));
}

static void describe_everything(void)
{
    xray_value value = xray_int(1), text = xray_string("x");
    xray_http http = { .method = "GET", .url = "http://h/", .status = 500 };
    xray_aws aws = { .operation = "O" };
    xray_frame frame = { .path = "p.c", .label = "f", .line = 3 };
    xray_exception exception = { .type = "T", .message = "M", .frames = &frame, .frame_count = 1 };

    xr_describe_annotation(segment, "a", &value);
    xr_describe_metadata(segment, "n", "k", &text);
    xr_describe_metadata(segment, NULL, "k", &value);
    xr_describe_http(segment, &http);
    xr_describe_aws(segment, &aws);
    xr_describe_exception(segment, 5, &exception);
}

static void describe_everything_of_a_subsegment(void)
{
    xray_sql sql = { .url = "pg://h/d", .sanitized_query = "SELECT 1" };

    segment->flags |= XR_SUBSEGMENT;
    segment->parent_id = 0xab;
    describe_everything();
    xr_describe_sql(segment, &sql);
    xr_describe_namespace(segment, "remote");
    xr_describe_precursor(segment, 4);
}

#define BLOCKS_OF_BOTH                                                  \
    "\"http\":{\"request\":{\"method\":\"GET\",\"url\":\"http://h/\"}," \
    "\"response\":{\"status\":500}},\"aws\":{\"operation\":\"O\",\"retries\":0"
#define END_OF_BOTH                                                                             \
    "\"annotations\":{\"a\":1},\"metadata\":{\"n\":{\"k\":\"x\"},\"default\":{\"k\":1}},"       \
    "\"fault\":true,\"cause\":{\"exceptions\":[{\"id\":\"0000000000000005\",\"message\":\"M\"," \
    "\"type\":\"T\",\"stack\":[{\"path\":\"p.c\",\"line\":3,\"label\":\"f\"}]}]}}"

Test(document, with_everything_a_segment_can_have)
{
    xray_trace_header link = { .trace_id = { { 1 } }, .parent_id = 2 };

    describe_everything();
    xr_describe_user(segment, "u");
    xr_describe_link(segment, &link);
    xr_describe_rule(segment, "r");
    cr_expect_str_eq(write_with(0, 0),
                     "{\"id\":\"0123456789abcdef\",\"trace_id\":\"" TRACE "\",\"name\":\"name\","
                     "\"start_time\":1500000.000000,\"end_time\":1500000.250000,"
                     "\"origin\":\"AWS::EC2::Instance\",\"user\":\"u\"," BLOCKS_OF_BOTH
                     ",\"xray\":{\"sdk\":\"test\",\"sampling_rule_name\":\"r\"}},"
                     "\"links\":[{\"trace_id\":\"1-01000000-000000000000000000000000\","
                     "\"id\":\"0000000000000002\"}]," END_OF_BOTH);
}

Test(document, with_everything_a_subsegment_can_have)
{
    describe_everything_of_a_subsegment();
    cr_expect_str_eq(write_with(0, 0),
                     "{\"id\":\"0123456789abcdef\",\"trace_id\":\"" TRACE "\","
                     "\"parent_id\":\"00000000000000ab\",\"type\":\"subsegment\",\"name\":\"name\","
                     "\"start_time\":1500000.000000,\"end_time\":1500000.250000,"
                     "\"namespace\":\"remote\"," BLOCKS_OF_BOTH "},"
                     "\"sql\":{\"url\":\"pg://h/d\",\"sanitized_query\":\"SELECT 1\"},"
                     "\"precursor_ids\":[\"0000000000000004\"]," END_OF_BOTH);
}

Test(document, that_omits_says_what)
{
    describe_everything_of_a_subsegment();
    write_with(0, XR_OMIT_METADATA);
    cr_expect(strstr(document, "\"metadata\":{\"xraytrace\":{\"omitted\":[\"metadata\"]}}"));
    cr_expect(strstr(document, "SELECT"));
    write_with(0, XR_OMIT_SQL);
    cr_expect(strstr(document, "\"omitted\":[\"metadata\",\"sanitized_query\"]"));
    cr_expect_null(strstr(document, "SELECT"));
    cr_expect(strstr(document, "\"sql\":{\"url\":\"pg://h/d\"}"));
    cr_expect(strstr(document, "\"stack\":[{"));
    write_with(0, XR_OMIT_FRAMES);
    cr_expect_null(strstr(document, "\"stack\":[{"));
    cr_expect(strstr(document, "\"message\":\"M\",\"type\":\"T\"}]}"));
    write_with(0, XR_OMIT_ANNOTATIONS | XR_OMIT_BLOCKS);
    cr_expect_null(strstr(document, "\"http\":{"));
    cr_expect_null(strstr(document, "\"annotations\":{"));
    cr_expect(strstr(document, "\"fault\":true,\"cause\""));
}

/* ---- Children --------------------------------------------------------------------- */

static void add_child(uint64_t id, size_t padding)
{
    struct xr_segment *child = make(XR_SUBSEGMENT), *parent = segment;
    xray_value value = { XRAY_VALUE_STRING, (uint32_t)padding, { document + XR_BUFFER_MAX } };
    struct xr_document_request request = { .constants = &constants,
                                           .end_ns = 1500000000000000,
                                           .form = XR_DOCUMENT_EMBEDDED };
    char *p;

    memset(document + XR_BUFFER_MAX, 'x', XR_BUFFER_MAX);
    atomic_store(&child->id, id);
    if (padding > 0)
        xr_describe_metadata(child, NULL, "x", &value);
    p = xr_children_begin(parent, xr_document_bound(child, &request));
    cr_assert(p);
    xr_children_commit(parent, xr_document_write(p, child, &request));
    xr_buffer_end(&child->attributes);
}

Test(children, stand_in_the_order_of_their_ends)
{
    add_child(1, 0);
    add_child(2, 0);
    write_with(0, 0);
    cr_expect(strstr(document, "\"subsegments\":[{\"id\":\"0000000000000001\","));
    cr_expect(strstr(document, "},{\"id\":\"0000000000000002\","));
}

Test(children, leave_the_largest_first)
{
    static char taken[XR_BUFFER_MAX];
    static const char *const ids[] = { "{\"id\":\"0000000000000002\"",
                                       "{\"id\":\"0000000000000003\"",
                                       "{\"id\":\"0000000000000001\"" };

    add_child(1, 10);
    add_child(2, 1000);
    add_child(3, 100);
    for (int i = 0; i < 3; i++) {
        cr_assert_gt(xr_children_take_largest(segment, taken), 0);
        cr_expect_eq(strncmp(taken, ids[i], strlen(ids[i])), 0, "%.30s", taken);
    }
    cr_expect_eq(xr_children_take_largest(segment, taken), 0);
    cr_expect_null(strstr(write_with(0, 0), "subsegments"));
}

Test(children, that_leave_say_where_they_belong)
{
    static char taken[XR_BUFFER_MAX];

    add_child(1, 0);
    taken[xr_children_take_largest(segment, taken)] = '\0';
    cr_expect_str_eq(taken,
                     "{\"id\":\"0000000000000001\",\"trace_id\":\"" TRACE "\","
                     "\"parent_id\":\"0123456789abcdef\",\"type\":\"subsegment\",\"name\":\"name\","
                     "\"start_time\":1500000.000000,\"end_time\":1500000.000000}");
}

Test(children, that_stay_are_as_they_were)
{
    static char taken[XR_BUFFER_MAX];

    add_child(1, 0);
    add_child(2, 100);
    add_child(3, 0);
    xr_children_take_largest(segment, taken);
    write_with(0, 0);
    cr_expect(strstr(document, "\"subsegments\":[{\"id\":\"0000000000000001\","));
    cr_expect(strstr(document, "},{\"id\":\"0000000000000003\","));
    cr_expect_null(strstr(document, "0000000000000002"));
}

/* ---- Bounds ------------------------------------------------------------------------------ */

static const char *any_text(unsigned *seed)
{
    static char text[600];
    size_t length = (size_t)rand_r(seed) % (rand_r(seed) % 8 ? 12 : sizeof(text) - 1);

    for (size_t i = 0; i < length; i++)
        text[i] = (char)(1 + rand_r(seed) % 255);
    text[length] = '\0';
    return text;
}

static void describe_anything(unsigned *seed)
{
    xray_value value = rand_r(seed) % 2 ? xray_string(any_text(seed)) : xray_int(rand_r(seed));
    char key[4] = { (char)(1 + rand_r(seed) % 255), (char)('a' + rand_r(seed) % 4), '\0' };
    xray_http http = { .status = rand_r(seed) % 600 };
    xray_sql sql = { .size = sizeof(sql), .user = "u" };
    xray_exception exception = { .type = key };
    xray_trace_header link = { .trace_id = { { 1 } }, .parent_id = 2 };

    switch (rand_r(seed) % 10) {
    case 0:
    case 1:
        xr_describe_annotation(segment, key, &value);
        break;
    case 2:
    case 3:
        xr_describe_metadata(segment, key + rand_r(seed) % 2, key, &value);
        break;
    case 4:
        http.url = any_text(seed);
        xr_describe_http(segment, &http);
        break;
    case 5:
        xr_describe_aws_field(segment, key, &value);
        break;
    case 6:
        sql.sanitized_query = any_text(seed);
        if (segment->flags & XR_SUBSEGMENT)
            xr_describe_sql(segment, &sql);
        break;
    case 7:
        exception.message = any_text(seed);
        xr_describe_exception(segment, (uint64_t)rand_r(seed) + 1, &exception);
        break;
    case 8:
        xr_describe_precursor(segment, (uint64_t)rand_r(seed) + 1);
        break;
    default:
        xr_describe_link(segment, &link);
        xr_describe_namespace(segment, rand_r(seed) % 2 ? "aws" : NULL);
    }
}

Test(bound, is_never_less_than_what_is_written)
{
    unsigned seed = 1;

    for (int round = 0; round < 2000; round++) {
        int times = rand_r(&seed) % (round % 20 ? 20 : 2000);

        segment = make(round % 2 ? XR_SUBSEGMENT : 0);
        segment->parent_id = 0xab;
        for (int i = 0; i < times; i++)
            describe_anything(&seed);
        for (uint32_t omit = 0; omit <= XR_OMIT_BLOCKS; omit = omit << 1 | 1) {
            write_with(0, omit); /* which compares with the bound */
            if (times < 20) {
                cJSON *json = cJSON_Parse(document);

                cr_assert(json, "not JSON: %s", document);
                cJSON_Delete(json);
            }
        }
        write_with(XR_DOCUMENT_UNFINISHED, XR_OMIT_METADATA | XR_OMIT_BLOCKS);
        xr_buffer_end(&segment->attributes);
        xr_pool_put(XR_POOL_SEGMENT, segment);
    }
}

Test(bound, of_a_segment_that_omits_all_is_small)
{
    struct xr_document_request request = { .constants = &constants };
    unsigned seed = 7;

    for (int i = 0; i < 5000; i++)
        describe_anything(&seed);
    for (uint32_t what = 1; what <= XR_OMIT_BLOCKS; what <<= 1)
        xr_document_omit(segment, what);
    cr_expect_lt(xr_document_bound(segment, &request), 4096);
    xr_buffer_end(&segment->attributes);
}
