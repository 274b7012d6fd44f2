/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are taken or refused with a reason: the same 100,000 texts in every run. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sampling/adaptive.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))
#define ROUNDS           50000 /* in each of two tests */

static const char block[] =
    "version: 1.0\nanomalyConditions:\n  - errorCodeRegex: \"^5\\\\d\\\\d$\"\n    usage: both\n"
    "  - operations:\n      - \"/api\"\n    errorCodeRegex: '^429|5\\d\\d$'\n"
    "    highLatencyMs: 300\n    usage: sampling-boost\n  - highLatencyMs: 1000 # slow\n"
    "    usage: anomaly-trace-capture\n\nanomalyCaptureLimit:\n  anomalyTracesPerSecond: 1\n";
static const char flow[] =
    "{version: 1.0, anomalyConditions: [{errorCodeRegex: \"^500$\", usage: \"sampling-boost\"}, "
    "{errorCodeRegex: '5(?!03)(?:\\d{2}|[0-9]+)', operations: [GET /a, \"\\u00e4\"]}], "
    "anomalyCaptureLimit: {anomalyTracesPerSecond: 10}}";
static const char mixed[] =
    "---\nversion: 1\nanomalyConditions:\n- {errorCodeRegex: 5.., usage: neither}\n-\n"
    "  operations: []\n  highLatencyMs: .5\n";
static const char *const documents[] = { block, flow, mixed };

/* What has a meaning somewhere is more telling than other bytes. */
static const char *const pieces[] = {
    ": ",
    "- ",
    "\n",
    "\n  ",
    "\n    ",
    "'",
    "\"",
    "\\",
    "[",
    "]",
    "{",
    "}",
    ",",
    "#",
    " #",
    "\t",
    "\r\n",
    "&a",
    "*a",
    "!",
    "|",
    ">",
    "---",
    "...",
    "?",
    "~",
    "null",
    "1e9",
    "\\u12",
    "\\ud83d",
    "\xef\xbb\xbf",
    "\xc3",
    "\xff",
    "(",
    ")",
    "(?",
    "{9}",
    "+",
    "$",
};

static uint64_t state;

static size_t below(size_t limit)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % limit;
}

/*
 * In memory of its own length, so that AddressSanitizer sees one byte too many.
 * An assertion of Criterion's costs more than the rest, so there is one for a failure.
 */
static bool try(const char *text, size_t length)
{
    const struct xr_adaptive_ending ending = { .status = (int)below(1100),
                                               .duration_ns = (int64_t)below(2000000000),
                                               .http_method = "GET",
                                               .url_path = "/api/a",
                                               .name = "a" };
    char *copy = malloc(length + 1), reason[XR_ADAPTIVE_REASON_SIZE] = "";
    struct xr_adaptive *adaptive = NULL;
    int r;

    memcpy(copy, text, length);
    copy[length] = '\0';
    r = xr_adaptive_new(&adaptive, copy, reason, sizeof(reason));
    if ((r != 0 && r != -EINVAL) || (r == 0) != (adaptive != NULL) ||
        (r == 0) != (reason[0] == '\0'))
        cr_assert_fail("%d with \"%s\" for \"%s\"", r, reason, copy);
    if (adaptive && xr_adaptive_judge(adaptive, &ending) > 7)
        cr_assert_fail("no such flags: \"%s\"", copy);
    xr_adaptive_free(adaptive);
    free(copy);
    return r == 0;
}

Test(adaptive_random, takes_or_refuses_any_bytes)
{
    state = 1;
    for (int round = 0; round < ROUNDS; round++) {
        char text[256];
        size_t length = below(64);

        for (size_t i = 0; i < length;) {
            const char *piece = pieces[below(LENGTH_OF(pieces))];
            size_t n = strlen(piece);

            if (round % 2 == 0 || below(3) == 0 || i + n > length) {
                text[i++] = (char)(1 + below(255));
            } else {
                memcpy(text + i, piece, n);
                i += n;
            }
        }
        try(text, length);
    }
}

/* Some edits of a document that is taken; not few of the results still are. */
Test(adaptive_random, takes_or_refuses_any_change_of_a_document)
{
    int taken = 0;

    state = 2;
    for (int round = 0; round < ROUNDS; round++) {
        char text[2048];
        size_t length = (size_t)sprintf(text, "%s", documents[below(LENGTH_OF(documents))]);

        for (size_t edits = below(4); edits > 0; edits--) {
            const char *piece = pieces[below(LENGTH_OF(pieces))];
            size_t at = below(length + 1), n = strlen(piece), cut = below(8);

            cut = cut > length - at ? length - at : cut;
            if (below(2)) {
                memmove(text + at, text + at + cut, length - at - cut);
                length -= cut;
            } else {
                memmove(text + at + n, text + at, length - at);
                memcpy(text + at, piece, n);
                length += n;
            }
        }
        taken += try(text, length);
    }
    cr_expect_gt(taken, ROUNDS / 5);
    cr_expect_lt(taken, ROUNDS * 4 / 5);
}
