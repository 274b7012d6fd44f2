/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites of the trace header share. */
#ifndef TESTS_UNIT_TRACE_HEADERS_H
#define TESTS_UNIT_TRACE_HEADERS_H

#include <criterion/criterion.h>
#include <string.h>

#include "wire/trace_header.h"

#define ROOT   "Root=1-5759e988-bd862e3fe1be46a994272793"
#define PARENT "Parent=53995c3f42cd8ad8"
#define USUAL  ROOT ";" PARENT ";Sampled=1"

#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))

struct pair {
    const char *in;
    const char *out; /* what is sent on; "" for nothing */
};

static inline xray_trace_header parse(const char *text)
{
    xray_trace_header header;

    cr_assert_eq(xr_trace_header_parse(&header, text), 0, "refused: \"%s\"", text);
    return header;
}

static inline const char *format(const xray_trace_header *header)
{
    static char text[XRAY_TRACE_HEADER_SIZE];
    size_t length = xr_trace_header_format(header, text, sizeof(text));

    cr_assert_eq(length, strlen(text));
    return text;
}

static inline void check(const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        xray_trace_header header = parse(pairs[i].in);

        cr_expect_str_eq(format(&header), pairs[i].out, "\"%s\" became \"%s\", not \"%s\"",
                         pairs[i].in, format(&header), pairs[i].out);
    }
}

#endif /* TESTS_UNIT_TRACE_HEADERS_H */
