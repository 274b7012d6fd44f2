/* SPDX-License-Identifier: Apache-2.0 */
/* X-Amzn-Trace-Id as it is sent on. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "trace_headers.h"

Test(trace_header, formats_nothing_for_no_trace)
{
    xray_trace_header header = { 0 };

    cr_assert_str_eq(format(&header), "");
    cr_assert_str_eq(format(NULL), "");
}

Test(trace_header, formats_only_what_is_known)
{
    static const struct pair pairs[] = {
        { "Lineage=1:a87bd80c:0", "Lineage=1:a87bd80c:0" },
        { ROOT ";Lineage=1:a87bd80c:0", ROOT ";Lineage=1:a87bd80c:0" },
        { "Sampled=?", "Sampled=?" },
        { PARENT, PARENT },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(trace_header, formats_no_unknown_decision)
{
    xray_trace_header header = parse(ROOT);

    header.sampled = 4;
    cr_assert_str_eq(format(&header), ROOT);
    header.sampled = -1;
    cr_assert_str_eq(format(&header), ROOT);
}

Test(trace_header, cuts_like_snprintf)
{
    xray_trace_header header = parse(USUAL ";Lineage=1:a87bd80c:0");
    const char *whole = USUAL ";Lineage=1:a87bd80c:0";
    size_t length = strlen(whole);

    for (size_t size = 0; size <= length + 2; size++) {
        char buf[XRAY_TRACE_HEADER_SIZE];

        memset(buf, '#', sizeof(buf));
        cr_assert_eq(xr_trace_header_format(&header, buf, size), length);
        if (size > 0) {
            size_t written = size <= length ? size - 1 : length;

            cr_expect_eq(memcmp(buf, whole, written), 0, "size %zu", size);
            cr_expect_eq(buf[written], '\0', "size %zu", size);
            cr_expect_eq(buf[written + 1], '#', "size %zu", size);
        }
    }
    cr_assert_eq(xr_trace_header_format(&header, NULL, 0), length);
}

Test(trace_header, sends_no_bad_extras_of_a_program)
{
    static const struct pair pairs[] = {
        { "Foo=1\r\nX-Evil: 1;Bar=2", ROOT ";Bar=2" },
        { ";;Foo=1;;Bar=2;", ROOT ";Foo=1;Bar=2" },
        { " Foo=1 ; bare ", ROOT ";Foo=1" },
        { "Root=1-11111111-222222222222222222222222;sampled=1;Self=1", ROOT },
        { "Foo=1;Foo=2", ROOT ";Foo=2" },
        { "Foo=\xff", ROOT },
        { ";", ROOT },
    };

    for (size_t i = 0; i < LENGTH_OF(pairs); i++) {
        xray_trace_header header = parse(ROOT);

        strcpy(header.extra, pairs[i].in);
        cr_expect_str_eq(format(&header), pairs[i].out, "\"%s\" became \"%s\"", pairs[i].in,
                         format(&header));
    }
}

Test(trace_header, survives_extras_without_a_nul)
{
    xray_trace_header header = parse(USUAL);

    memset(header.extra, 'x', sizeof(header.extra));
    memcpy(header.extra, "Foo=", 4);
    cr_assert_leq(strlen(format(&header)), XRAY_TRACE_HEADER_SIZE - 1);
}

Test(trace_header, announces_a_size_that_is_enough)
{
    char text[400];
    xray_trace_header header;

    snprintf(text, sizeof(text), USUAL ";A=%0221d", 0);
    header = parse(text);
    cr_assert_eq(strlen(format(&header)), strlen(text));
    cr_assert_lt(strlen(format(&header)), XRAY_TRACE_HEADER_SIZE);
}
