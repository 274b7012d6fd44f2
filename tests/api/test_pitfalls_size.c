/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is too large for others, over a real socket: nothing is lost without being
 * counted, and no datagram is larger than the daemon reads.
 */
#include "support.h"

#include <stdlib.h>

#include "../documents/sink.h"

static struct sink sink;

static void listen_and_record(void)
{
    xray_emitter emitter = { .size = sizeof(emitter) };

    cr_assert_eq(sink_open(&sink), 0);
    cr_assert_eq(xray_emitter_udp(&emitter, sink.address), 0);
    record_with((xray_recorder_params){ .service = "service", .emitter = &emitter });
}

TestSuite(pitfall, .init = listen_and_record);

/* Every segment is in a document or in a count, and every document arrived or is counted too. */
static void expect_all_accounted(uint64_t segments)
{
    xray_stats stats = stats_of(recorder);

    cr_expect_eq(stats.sampled, segments);
    cr_expect_eq(stats.embedded + stats.emitted + stats.failed + stats.dropped, segments);
    settle();
    sink_close(&sink);
    cr_assert(!*sink.wrong, "%s", sink.wrong);
    cr_expect_eq(sink.datagrams + sink.lost, stats.emitted, "%zu arrived, %zu lost, %zu sent",
                 sink.datagrams, sink.lost, (size_t)stats.emitted);
    cr_expect_leq(sink.largest, 63 * 1024);
    cr_expect_eq(stats.failed + stats.dropped, 0);
}

static char *text_of(size_t length)
{
    char *text = malloc(length + 1);

    memset(text, 'x', length);
    text[length] = '\0';
    return text;
}

Test(pitfall, of_documents_over_64_kib)
{
    char *text = text_of(70000), key[16];
    xray_segment *a = xray_begin_segment("a"), *leaf;

    for (int i = 0; i < 5000; i++)
        xray_end(xray_begin_subsegment("child"));
    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof(key), "key_%d", i);
        xray_add_metadata(a, "large", key, xray_stringn(text, 10000));
    }
    leaf = xray_begin_subsegment("leaf");
    xray_add_metadata(leaf, NULL, "text", text);
    cr_expect_gt(stats_of(recorder).truncated, 0, "what does not fit is counted");
    xray_end(leaf);
    xray_end(a);
    free(text);
    expect_all_accounted(5002);
}

Test(pitfall, of_ten_thousand_children)
{
    xray_segment *a = xray_begin_segment("a");

    for (int i = 0; i < 10000; i++) {
        xray_segment *child = xray_begin_subsegment("child");

        xray_annotate(child, "number", i);
        xray_end(child);
    }
    xray_end(a);
    expect_all_accounted(10001);
}

static void expect_chain(int depth, size_t metadata)
{
    xray_segment *chain[100];
    char *text = text_of(metadata);

    chain[0] = xray_begin_segment("link");
    for (int i = 1; i < depth; i++)
        chain[i] = xray_begin_subsegment("link");
    for (int i = depth; i-- > 0;) {
        xray_add_metadata(chain[i], NULL, "text", text);
        xray_end(chain[i]);
    }
    free(text);
    cr_expect_eq(stats_of(recorder).truncated, 0, "all of it is sent");
    expect_all_accounted((uint64_t)depth);
}

Test(pitfall, of_a_chain_that_is_split_at_every_level)
{
    expect_chain(40, 10000);
}

Test(pitfall, of_a_chain_a_hundred_deep)
{
    expect_chain(100, 10);
}

Test(pitfall, of_a_chain_a_hundred_deep_with_much_at_each_level)
{
    expect_chain(100, 30000);
}

Test(pitfall, of_five_thousand_annotations)
{
    xray_segment *a = xray_begin_segment("a");
    char key[16];

    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof(key), "key_%d", i);
        xray_annotate(a, key, i);
    }
    xray_end(a);
    cr_expect_gt(stats_of(recorder).truncated, 0);
    expect_all_accounted(1);
}

Test(pitfall, of_a_70_kilobyte_text_wherever_there_is_one)
{
    char *text = text_of(70000);
    xray_segment *a = xray_begin_segment(text), *b = xray_begin_subsegment(text);

    xray_annotate(a, text, text);
    xray_add_metadata(a, text, text, text);
    xray_set_user(a, text);
    xray_set_http(a, xray_http(.method = text, .url = text, .user_agent = text, .client_ip = text));
    xray_set_aws(b, xray_aws(.operation = text, .region = text, .request_id = text));
    xray_set_aws_field(b, text, xray_string(text));
    xray_set_sql(b, xray_sql(.url = text, .sanitized_query = text));
    xray_add_exception(b, text, "%s", text);
    cr_expect_geq(stats_of(recorder).truncated, 15);
    xray_end(b);
    xray_end(a);
    free(text);
    expect_all_accounted(2);
}

Test(pitfall, of_a_size_that_no_omission_changes)
{
    char *text = text_of(1000);
    xray_exception exception = { .size = sizeof(exception), .message = text };
    xray_segment *a = xray_begin_segment("a");

    for (int i = 0; i < 1000; i++)
        xray_add_exception_with(a, &exception);
    xray_end(a);
    free(text);
    expect_all_accounted(1);
}
