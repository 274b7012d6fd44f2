/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a program says of its segments, with any bytes and in any order: its
 * documents keep every rule, which the emitter of record() checks.
 */
#include "support.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#define ROUNDS 400

TestSuite(anything, .init = record);

static unsigned seed;

static unsigned below(unsigned limit)
{
    return (unsigned)rand_r(&seed) % limit;
}

/* Mostly short, sometimes around a length from which on something is done in another way. */
static size_t any_length(void)
{
    static const size_t lengths[] = { 16, 128, 250, 500, 1000, 4096, 16384, 32768, 65536 };

    if (below(12))
        return below(20);
    return below(2) ? below(4100) : lengths[below(below(20) ? 5 : 9)] - 2 + below(5);
}

/* Any byte, or plain, or none. */
static const char *any_text(void)
{
    static char texts[8][65536 + 4];
    static unsigned next;
    char *text = texts[next++ % 8];
    size_t length = any_length();
    unsigned kind = below(4);

    if (kind == 3 && below(4) == 0)
        return NULL;
    for (size_t i = 0; i < length; i++)
        text[i] = kind == 0 ? (char)(1 + below(255)) : kind == 1 ? "a:/?@#;=\"\\"[below(10)] : 'x';
    text[length] = '\0';
    return text;
}

/* Often one that is there already, or that is a member of the document's own. */
static const char *any_key(void)
{
    static const char *const keys[] = {
        "a",          "b",         "",    "sixteen_letters_", "seventeen_letters", "retries",
        "request_id", "queue_url", "id_2"
    };

    return below(3) ? keys[below(sizeof(keys) / sizeof(*keys))] : any_text();
}

static xray_value any_value(void)
{
    static const double numbers[] = { 0, -0.0, 0.1, 1e300, -5e-324, NAN, INFINITY, 1.5 };
    static const char *const jsons[] = { "{\"a\":[1,2]}", "[]",          "{",
                                         "1e5",           "\"\\ud800\"", " [ true , \"x\" ] " };

    switch (below(8)) {
    case 0:
        return xray_int((int64_t)below(UINT_MAX) * (below(2) ? 1 : -1));
    case 1:
        return xray_uint(UINT64_MAX - below(2));
    case 2:
        return xray_double(numbers[below(8)]);
    case 3:
        return xray_bool(below(2));
    case 4:
        return xray_json(jsons[below(6)]);
    case 5:
        return (xray_value){ .type = (int32_t)below(9) - 1 };
    case 6:
        return xray_int(below(2) ? INT64_MIN : INT64_MAX);
    default:
        return xray_string(any_text());
    }
}

static void set_http_or_aws(xray_segment *segment)
{
    if (below(2))
        xray_set_http(segment,
                      xray_http(.method = any_text(), .url = any_text(), .user_agent = any_text(),
                                .client_ip = any_text(), .content_length = (int64_t)below(9) - 2,
                                .status = (int32_t)below(700) - 20,
                                .x_forwarded_for = (int32_t)below(2)));
    else
        xray_set_aws(segment, xray_aws(.operation = any_text(), .region = any_text(),
                                       .account_id = any_text(), .request_id = any_text(),
                                       .queue_url = any_text(), .table_name = any_text(),
                                       .id_2 = any_text(), .retries = (int32_t)below(9) - 2));
}

static void add_exceptions(xray_segment *segment, xray_segment *other)
{
    xray_frame frames[40];
    xray_exception exception = { .size = sizeof(exception),
                                 .type = any_text(),
                                 .message = any_text(),
                                 .frames = below(3) ? frames : NULL,
                                 .frame_count = below(41),
                                 .remote = (int32_t)below(2),
                                 .flags = (int32_t)below(9),
                                 .skipped = (int32_t)below(4) - 1 };

    for (int i = 0; i < 40; i++)
        frames[i] =
            (xray_frame){ .path = any_text(), .label = any_text(), .line = (int32_t)below(3) - 1 };
    exception.cause = xray_add_exception_with(segment, &exception);
    xray_set_cause(below(2) ? segment : other, exception.cause);
    if (below(2))
        xray_add_exception_with(segment, &exception);
    else
        xray_add_exception_at(segment, any_text(), (int)below(3) - 1, any_text(), any_text(), "%s",
                              below(2) ? any_text() : "x");
}

/* Without what test_places.c is about: SQL of segments, links to no segment. */
static void say_something(xray_segment *segment, xray_segment *other)
{
    xray_trace_header header = { .trace_id = { { (uint8_t)below(2) } }, .parent_id = below(3) };

    switch (below(12)) {
    case 0:
    case 1:
        xray_annotate_value(segment, any_key(), any_value());
        break;
    case 2:
    case 3:
        xray_add_metadata_value(segment, below(2) ? NULL : any_key(), any_key(), any_value());
        break;
    case 4:
    case 5:
        set_http_or_aws(segment);
        break;
    case 6:
        xray_set_sql(segment,
                     xray_sql(.url = any_text(), .database_type = any_text(), .user = any_text(),
                              .connection_string = any_text(), .driver_version = any_text(),
                              .preparation = below(2) ? "call" : any_text(),
                              .sanitized_query = any_text(), .query = any_text()));
        break;
    case 7:
        add_exceptions(segment, other);
        break;
    case 8:
        xray_mark(segment, below(16));
        xray_unmark(segment, below(16));
        break;
    case 9:
        xray_set_user(segment, any_text());
        xray_set_namespace(segment, below(2) ? "aws" : any_text());
        break;
    case 10:
        xray_add_precursor(segment, below(4));
        xray_add_link(segment, &header);
        break;
    default:
        xray_set_aws_field(segment, any_key(), any_value());
    }
}

static void work(unsigned rounds)
{
    xray_segment *open[6];
    unsigned count = 1;

    open[0] = xray_start_segment(recorder, xray_segment_params(.name = any_text()));
    for (unsigned i = 0; i < rounds; i++) {
        unsigned at = below(count);

        if (below(12) == 0 && count < 6) {
            open[count++] = xray_start_subsegment(open[at], any_text());
        } else if (below(20) == 0 && count > 1) {
            xray_end_at(open[at], below(2) ? 0 : (int64_t)below(4) * 500000000000000000);
            if (at)
                open[at] = open[--count];
        } else if (below(30) == 0) {
            xray_send_in_progress(open[at]);
        } else {
            say_something(open[at], open[below(count)]);
        }
    }
    while (count > 0)
        xray_end(open[--count]);
}

Test(anything, that_is_said_gives_documents_which_keep_the_rules)
{
    for (seed = 1; seed <= ROUNDS; seed++) {
        unsigned kept = seed;

        work(below(10) ? below(60) : below(1500));
        seed = kept;
    }
    settle();
}

Test(anything, that_is_captured_gives_documents_which_keep_the_rules, .init = NULL)
{
    xray_capture capture = { .size = sizeof(capture), .traces_per_second = 1e9 };
    xray_stats stats;

    capture.flags = XRAY_FAULT | XRAY_ERROR;
    record_with((xray_recorder_params){ .sampler = &sampler_no, .capture = &capture });
    for (seed = 1; seed <= ROUNDS; seed++) {
        unsigned kept = seed;

        work(below(10) ? below(60) : below(1500));
        seed = kept;
    }
    stats = stats_of(recorder);
    cr_expect_eq(stats.requests, ROUNDS);
    cr_expect_gt(stats.captured, ROUNDS / 4);
    cr_expect_eq(stats.captured + stats.captured_parts, document_count());
    settle();
}
