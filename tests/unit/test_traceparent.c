/* SPDX-License-Identifier: Apache-2.0 */
/* W3C Trace Context: its rules are strict, and so are we. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "wire/traceparent.h"

#define TRACE  "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define USUAL  "00-" TRACE "-" PARENT "-01"

#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))

static xray_trace_header parse(const char *text)
{
    xray_trace_header header;

    cr_assert_eq(xr_traceparent_parse(&header, text), 0, "refused: \"%s\"", text);
    return header;
}

static const char *format(const xray_trace_header *header)
{
    static char text[XRAY_TRACEPARENT_SIZE];

    cr_assert_eq(xr_traceparent_format(header, text, sizeof(text)), strlen(text));
    return text;
}

static void refuse(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        xray_trace_header header;

        cr_expect_eq(xr_traceparent_parse(&header, texts[i]), -EINVAL, "accepted: \"%s\"",
                     texts[i]);
    }
}

Test(traceparent, reads_all_parts)
{
    xray_trace_header header = parse(USUAL);
    static const uint8_t id[16] = { 0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd,
                                    0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c };

    cr_assert_arr_eq(header.trace_id.bytes, id, sizeof(id));
    cr_assert_eq(header.parent_id, UINT64_C(0xb7ad6b7169203331));
    cr_assert_eq(header.sampled, XRAY_SAMPLED_YES);
    cr_assert_eq(header.flags, 1);
    cr_assert_str_eq(header.extra, "");
}

Test(traceparent, reads_the_decision_from_the_lowest_flag)
{
    cr_assert_eq(parse("00-" TRACE "-" PARENT "-00").sampled, XRAY_SAMPLED_NO);
    cr_assert_eq(parse("00-" TRACE "-" PARENT "-01").sampled, XRAY_SAMPLED_YES);
    cr_assert_eq(parse("00-" TRACE "-" PARENT "-02").sampled, XRAY_SAMPLED_NO);
    cr_assert_eq(parse("00-" TRACE "-" PARENT "-03").sampled, XRAY_SAMPLED_YES);
    cr_assert_eq(parse("00-" TRACE "-" PARENT "-ff").sampled, XRAY_SAMPLED_YES);
}

Test(traceparent, passes_flags_on)
{
    xray_trace_header header = parse("00-" TRACE "-" PARENT "-03");

    cr_assert_str_eq(format(&header), "00-" TRACE "-" PARENT "-03");
}

Test(traceparent, writes_the_decision_of_now)
{
    xray_trace_header header = parse("00-" TRACE "-" PARENT "-03");

    header.sampled = XRAY_SAMPLED_NO;
    cr_assert_str_eq(format(&header), "00-" TRACE "-" PARENT "-02");
    header.flags = 0;
    header.sampled = XRAY_SAMPLED_YES;
    cr_assert_str_eq(format(&header), USUAL);
}

Test(traceparent, writes_no_decision_as_not_sampled)
{
    xray_trace_header header = parse(USUAL);

    header.sampled = XRAY_SAMPLED_UNKNOWN;
    cr_assert_str_eq(format(&header), "00-" TRACE "-" PARENT "-00");
    header.sampled = XRAY_SAMPLED_REQUESTED;
    cr_assert_str_eq(format(&header), "00-" TRACE "-" PARENT "-00");
}

Test(traceparent, writes_no_flags_beyond_eight_bits)
{
    xray_trace_header header = parse(USUAL);

    header.flags = 0xabcdef01;
    cr_assert_str_eq(format(&header), USUAL);
}

Test(traceparent, accepts_future_versions)
{
    static const char *const texts[] = {
        "01-" TRACE "-" PARENT "-01",
        "fe-" TRACE "-" PARENT "-01",
        "cc-" TRACE "-" PARENT "-01-what-the-future-will-be-like",
        "cc-" TRACE "-" PARENT "-01-",
    };

    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        xray_trace_header header = parse(texts[i]);

        cr_expect_str_eq(format(&header), USUAL, "%s", texts[i]);
    }
}

Test(traceparent, refuses_versions_that_can_not_be)
{
    static const char *const texts[] = {
        "ff-" TRACE "-" PARENT "-01",   "FF-" TRACE "-" PARENT "-01",
        "0g-" TRACE "-" PARENT "-01",   "0A-" TRACE "-" PARENT "-01",
        "0-" TRACE "-" PARENT "-01",    "000-" TRACE "-" PARENT "-01",
        "cc-" TRACE "-" PARENT "-01.x", "cc-" TRACE "-" PARENT "-011",
        "00-" TRACE "-" PARENT "-01-x", "00-" TRACE "-" PARENT "-01-",
        "00-" TRACE "-" PARENT "-01 ",
    };

    refuse(texts, LENGTH_OF(texts));
}

Test(traceparent, refuses_upper_case)
{
    static const char *const texts[] = {
        "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
        "00-0af7651916cd43dd8448eb211c80319C-" PARENT "-01",
        "00-" TRACE "-B7ad6b7169203331-01",
        "00-" TRACE "-" PARENT "-0A",
    };

    refuse(texts, LENGTH_OF(texts));
}

Test(traceparent, refuses_ids_of_zeros)
{
    static const char *const texts[] = {
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-" TRACE "-0000000000000000-01",
    };

    refuse(texts, LENGTH_OF(texts));
}

Test(traceparent, refuses_what_has_another_shape)
{
    static const char *const texts[] = {
        "",
        "00",
        "00-" TRACE "-" PARENT "-0",
        "00-" TRACE "-" PARENT,
        "00-" TRACE "-" PARENT "-0g",
        "00-" TRACE "-" PARENT "-.1",
        "00-" TRACE "_" PARENT "-01",
        "00_" TRACE "-" PARENT "-01",
        "00-" TRACE "-" PARENT "_01",
        " " USUAL,
        "00-" TRACE "0-" PARENT "-1",
        "00-0af7651916cd43dd8448eb211c80319x-" PARENT "-01",
        "00-" TRACE "-b7ad6b716920333.-01",
        "cc-" TRACE "-" PARENT "-01-x\r\nX-Evil: 1",
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    };

    refuse(texts, LENGTH_OF(texts));
}

Test(traceparent, refuses_every_wrong_byte)
{
    for (size_t at = 0; at < sizeof(USUAL) - 1; at++)
        for (int c = 1; c < 256; c++) {
            char text[] = USUAL;
            bool dash = text[at] == '-';
            bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
            xray_trace_header header;

            text[at] = (char)c;
            cr_expect_eq(xr_traceparent_parse(&header, text) == 0, dash ? c == '-' : digit,
                         "byte %d at %zu", c, at);
        }
}

Test(traceparent, refuses_what_has_no_end)
{
    static char text[4096];
    xray_trace_header header;

    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, "cc-" TRACE "-" PARENT "-01-", 56);
    cr_assert_eq(xr_traceparent_parse(&header, text), -EINVAL);
}

Test(traceparent, leaves_the_result_alone_when_it_refuses)
{
    xray_trace_header header, before;

    memset(&header, 0x5a, sizeof(header));
    before = header;
    (void)xr_traceparent_parse(&header, "ff-" TRACE "-" PARENT "-01");
    cr_assert_eq(memcmp(&header, &before, sizeof(header)), 0);
    cr_assert_eq(xr_traceparent_parse(&header, NULL), -EINVAL);
    cr_assert_eq(xr_traceparent_parse(NULL, USUAL), -EINVAL);
}

Test(traceparent, writes_nothing_without_trace_or_parent)
{
    xray_trace_header header = parse(USUAL), no_trace = header, no_parent = header;

    memset(&no_trace.trace_id, 0, sizeof(no_trace.trace_id));
    no_parent.parent_id = 0;
    cr_assert_str_eq(format(&no_trace), "");
    cr_assert_str_eq(format(&no_parent), "");
    cr_assert_str_eq(format(NULL), "");
}

Test(traceparent, cuts_like_snprintf)
{
    xray_trace_header header = parse(USUAL);
    char buf[XRAY_TRACEPARENT_SIZE];

    cr_assert_eq(xr_traceparent_format(&header, NULL, 0), 55);
    memset(buf, '#', sizeof(buf));
    cr_assert_eq(xr_traceparent_format(&header, buf, 11), 55);
    cr_assert_str_eq(buf, "00-0af7651");
    cr_assert_eq(buf[11], '#');
}

Test(traceparent, reads_back_what_it_wrote)
{
    uint64_t state = 1;

    for (int i = 0; i < 10000; i++) {
        xray_trace_header header = { 0 }, again;

        for (size_t k = 0; k < sizeof(header.trace_id.bytes); k++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
            header.trace_id.bytes[k] = (uint8_t)(state >> 40);
        }
        header.parent_id = state;
        header.flags = (uint32_t)(state >> 56);
        header.sampled = header.flags & 1 ? XRAY_SAMPLED_YES : XRAY_SAMPLED_NO;
        again = parse(format(&header));
        cr_assert_eq(memcmp(&again, &header, sizeof(header)), 0, "%s", format(&header));
    }
}
