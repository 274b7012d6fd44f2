/* SPDX-License-Identifier: Apache-2.0 */
/* What a document that would be too large goes without, byte for byte. */
#include "golden.h"

TestSuite(golden, .init = golden_record);

static xray_segment *a;

/*
 * A little of everything that can be left out, in a document of its own. What comes after it fits
 * into what a segment keeps, 64 KiB, and not into what is sent: texts are six times as long in
 * JSON, so that there are few of them.
 */
static void begin(void)
{
    xray_trace_header from = { .trace_id = { { 0x57, 0x59, 0xe9, 0x88, 0, 0, 0, 0, 1 } },
                               .parent_id = 0xab,
                               .sampled = XRAY_SAMPLED_YES };

    a = xray_resume(recorder, &from, "orders");
    xray_add_metadata(a, NULL, "note", "x");
    xray_set_sql(a, xray_sql(.url = "pg://db/orders", .sanitized_query = "SELECT 1"));
    xray_add_exception_at(a, "order.c", 7, "place", "ENOSPC", "full");
    xray_annotate(a, "order", 7);
}

static void end_as(const char *name)
{
    xray_end(a);
    expect_golden(name);
}

Test(golden, omits_metadata_first)
{
    static char text[32001];

    begin();
    memset(text, 'x', sizeof(text) - 1);
    xray_add_metadata(a, "large", "one", text);
    xray_add_metadata(a, "large", "two", text);
    xray_add_metadata(a, "large", "three", xray_stringn(text, 500));
    end_as("omits-metadata");
}

Test(golden, omits_the_text_of_a_query_next)
{
    static char text[10751];

    begin();
    memset(text, '\x01', sizeof(text) - 1);
    xray_set_sql(a, xray_sql(.sanitized_query = text));
    end_as("omits-query");
}

Test(golden, omits_stack_frames_then)
{
    static char path[351], label[251];
    static xray_frame frames[32];
    xray_exception exception = {
        .size = sizeof(exception), .type = "Deep", .frames = frames, .frame_count = 32
    };

    memset(path, 'p', sizeof(path) - 1);
    memset(label, 'l', sizeof(label) - 1);
    for (int i = 0; i < 32; i++)
        frames[i] = (xray_frame){ .path = path, .label = label, .line = i };
    begin();
    for (int i = 0; i < 3; i++)
        xray_add_exception_with(a, &exception);
    exception.frame_count = 5;
    xray_add_exception_with(a, &exception);
    end_as("omits-stack");
}

Test(golden, omits_annotations_after_that)
{
    static char text[1001];

    begin();
    memset(text, '\x01', sizeof(text) - 1);
    for (char key[] = "a"; *key < 'k'; ++*key)
        xray_annotate(a, key, text);
    xray_annotate(a, "k", xray_stringn(text, 700));
    end_as("omits-annotations");
}

Test(golden, omits_all_blocks_at_last)
{
    static char message[1001];
    xray_exception exception = { .size = sizeof(exception), .message = message };

    memset(message, '\x01', sizeof(message) - 1);
    begin();
    xray_set_http(a, xray_http(.method = "GET", .status = 500));
    for (int i = 0; i < 10; i++)
        xray_add_exception_with(a, &exception);
    message[600] = '\0';
    xray_add_exception_with(a, &exception);
    end_as("omits-blocks");
}
