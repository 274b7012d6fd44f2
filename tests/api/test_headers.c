/* SPDX-License-Identifier: Apache-2.0 */
/* What goes downstream and back, for sampled and unsampled segments. */
#include "support.h"

#include <pthread.h>

TestSuite(downstream, .init = record);
TestSuite(unsampled, .init = record);
TestSuite(response, .init = record);
TestSuite(incoming, .init = record);

#define ROOT "1-5759e988-bd862e3fe1be46a994272793"

static xray_segment *continue_trace(const char *text)
{
    xray_trace_header header;

    cr_assert_eq(xray_trace_header_parse(&header, text), 0);
    return xray_start_segment(recorder, xray_segment_params(.name = "a", .header = &header));
}

static const char *downstream_of(const xray_segment *segment)
{
    static char text[4][XRAY_TRACE_HEADER_SIZE];
    static int next;
    xray_trace_header header;

    next = (next + 1) % 4;
    xray_get_header(segment, &header);
    cr_assert_lt(xray_trace_header_format(&header, text[next], sizeof(text[next])),
                 sizeof(text[next]));
    return text[next];
}

static const char *response_of(const xray_segment *segment)
{
    static char text[XRAY_TRACE_HEADER_SIZE];
    xray_trace_header header;

    xray_get_response_header(segment, &header);
    xray_trace_header_format(&header, text, sizeof(text));
    return text;
}

static xray_trace_header header_of(const xray_segment *segment)
{
    xray_trace_header header;

    xray_get_header(segment, &header);
    return header;
}

static bool same_trace(const xray_trace_header *a, const xray_trace_header *b)
{
    return memcmp(&a->trace_id, &b->trace_id, sizeof(a->trace_id)) == 0;
}

static const xray_trace_header zero;

/* ---- Sampled ---------------------------------------------------------------------- */

Test(downstream, has_the_trace_the_segment_and_the_decision)
{
    xray_segment *a = continue_trace("Root=" ROOT ";Parent=53995c3f42cd8ad8;Sampled=1");
    char expected[XRAY_TRACE_HEADER_SIZE], id[17];

    id_text(id, header_of(a).parent_id);
    snprintf(expected, sizeof(expected), "Root=" ROOT ";Parent=%s;Sampled=1", id);
    cr_expect_str_eq(downstream_of(a), expected);
    xray_end(a);
    settle();
    cr_expect_str_eq(text_at(document(0), "id"), id);
}

Test(downstream, of_a_subsegment_has_its_own_id)
{
    xray_segment *a = xray_begin_segment("a"), *b = xray_begin_subsegment("b");
    xray_trace_header of_a = header_of(a), of_b = header_of(b);
    char id[17];

    cr_expect(same_trace(&of_a, &of_b));
    cr_expect_neq(of_a.parent_id, of_b.parent_id);
    id_text(id, of_b.parent_id);
    xray_end(b);
    xray_end(a);
    settle();
    cr_expect_str_eq(text_at(embedded("b"), "id"), id);
}

Test(downstream, is_the_same_each_time_it_is_asked_for)
{
    xray_segment *a = xray_begin_segment("a");

    cr_expect_str_eq(downstream_of(a), downstream_of(a));
    xray_end(a);
    settle();
}

Test(downstream, passes_lineage_and_unknown_fields_on)
{
    xray_segment *a = continue_trace("Root=" ROOT
                                     ";Foo=bar;Sampled=1;Lineage=a87bd80c:1|68fd508a:5");
    xray_segment *b = xray_start_subsegment(a, "b");
    xray_segment *c = xray_start_subsegment(b, "c");

    cr_expect(strstr(downstream_of(a), ";Foo=bar"));
    cr_expect(strstr(downstream_of(c), ";Foo=bar"));
    cr_expect(strstr(downstream_of(c), ";Lineage=a87bd80c:1|68fd508a:5"));
    xray_end(c);
    xray_end(b);
    xray_end(a);
    settle();
}

Test(downstream, drops_what_a_load_balancer_added)
{
    xray_segment *a = continue_trace("Self=1-67891234-12456789abcdef012345678;Root=" ROOT
                                     ";Sampled=1");

    cr_expect_null(strstr(downstream_of(a), "Self"));
    xray_end(a);
    settle();
}

Test(downstream, passes_w3c_flags_on)
{
    xray_trace_header header, next;
    xray_segment *a, *b;

    cr_assert_eq(
        xray_traceparent_parse(&header, "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-03"),
        0);
    a = xray_start_segment(recorder, xray_segment_params(.header = &header));
    b = xray_start_subsegment(a, "b");
    next = header_of(b);
    cr_expect_eq(next.flags, header.flags);
    xray_end(b);
    xray_end(a);
    settle();
    cr_expect_str_eq(text_at(document(0), "trace_id"), ROOT);
}

/* ---- Unsampled --------------------------------------------------------------------------- */

Test(unsampled, segment_passes_the_decision_on_with_ids_of_its_own)
{
    xray_segment *a = continue_trace("Root=" ROOT ";Parent=53995c3f42cd8ad8;Sampled=0");
    xray_trace_header header = header_of(a);

    cr_expect_eq(header.sampled, XRAY_SAMPLED_NO);
    cr_expect_neq(header.parent_id, 0);
    cr_expect_neq(header.parent_id, 0x53995c3f42cd8ad8);
    cr_expect_eq(strncmp(downstream_of(a), "Root=" ROOT ";Parent=", 48), 0);
    cr_expect(strstr(downstream_of(a), ";Sampled=0"));
    xray_end(a);
    settle();
    cr_assert_eq(document_count(), 0);
}

Test(unsampled, segment_without_a_caller_makes_a_complete_header)
{
    xray_segment *a;
    xray_trace_header header;

    settle();
    record_with((xray_recorder_params){ .sampler = &sampler_no });
    a = xray_begin_segment("a");
    header = header_of(a);
    cr_expect_not(same_trace(&header, &zero));
    cr_expect_neq(header.parent_id, 0);
    cr_expect_eq(strlen(downstream_of(a)),
                 strlen("Root=" ROOT ";Parent=53995c3f42cd8ad8;Sampled=0"));
    xray_end(a);
    settle();
}

Test(unsampled, segment_makes_its_ids_once)
{
    xray_segment *a;

    settle();
    record_with((xray_recorder_params){ .sampler = &sampler_no });
    a = xray_begin_segment("a");
    cr_expect_str_eq(downstream_of(a), downstream_of(a));
    xray_end(a);
    settle();
}

Test(unsampled, trace_has_the_second_it_began_in)
{
    xray_segment *a;

    settle();
    clock_ns = 0x5fedcba9LL * 1000000000;
    record_with((xray_recorder_params){ .sampler = &sampler_no, .clock = &still_clock });
    a = xray_begin_segment("a");
    cr_expect_eq(strncmp(downstream_of(a), "Root=1-5fedcba9-", 16), 0);
    xray_end(a);
    settle();
}

Test(unsampled, children_share_the_trace_whoever_is_asked_first)
{
    xray_segment *a, *b, *c;
    xray_trace_header of_a, of_b, of_c;

    settle();
    record_with((xray_recorder_params){ .sampler = &sampler_no });
    a = xray_begin_segment("a");
    b = xray_begin_subsegment("b");
    c = xray_begin_subsegment("c");
    of_c = header_of(c);
    of_b = header_of(b);
    of_a = header_of(a);
    cr_expect(same_trace(&of_a, &of_b));
    cr_expect(same_trace(&of_a, &of_c));
    cr_expect_neq(of_a.parent_id, of_b.parent_id);
    cr_expect_neq(of_b.parent_id, of_c.parent_id);
    xray_end(c);
    b = xray_begin_subsegment("later");
    of_b = header_of(b);
    cr_expect(same_trace(&of_a, &of_b));
    xray_end(b);
    xray_end(a);
    settle();
}

Test(unsampled, subsegment_whose_segment_ended_still_has_a_complete_header)
{
    xray_segment *a, *b;
    xray_trace_header header;

    settle();
    record_with((xray_recorder_params){ .sampler = &sampler_no });
    a = xray_begin_segment("a");
    b = xray_begin_subsegment("b");
    xray_end(a);
    header = header_of(b);
    cr_expect_not(same_trace(&header, &zero));
    cr_expect_neq(header.parent_id, 0);
    xray_end(b);
    settle();
}

Test(unsampled, subsegment_keeps_its_trace_when_its_segment_ends)
{
    xray_segment *a, *b, *c;
    xray_trace_header before, after;

    settle();
    record_with((xray_recorder_params){ .sampler = &sampler_no });
    a = xray_begin_segment("a");
    b = xray_begin_subsegment("b");
    c = xray_start_subsegment(b, "c");
    before = header_of(c);
    xray_end(a);
    xray_end(b);
    after = header_of(c);
    cr_expect_arr_eq(&after, &before, sizeof(before));
    xray_end(c);
    settle();
}

Test(unsampled, segment_passes_lineage_on)
{
    xray_segment *a = continue_trace("Root=" ROOT ";Sampled=0;Lineage=a:1");
    xray_segment *b = xray_start_subsegment(a, "b");

    cr_expect(strstr(downstream_of(b), ";Lineage=a:1"));
    xray_end(b);
    xray_end(a);
    settle();
}

static xray_segment *asked;
static pthread_barrier_t barrier;

static void *ask(void *ret)
{
    pthread_barrier_wait(&barrier);
    xray_get_header(asked, ret);
    return NULL;
}

Test(unsampled, segment_that_many_threads_ask_at_once_gives_all_the_same)
{
    xray_trace_header answers[4];
    pthread_t threads[4];

    settle();
    record_with((xray_recorder_params){ .sampler = &sampler_no });
    pthread_barrier_init(&barrier, NULL, 4);
    for (int round = 0; round < 200; round++) {
        xray_segment *a = xray_begin_segment("a");

        asked = xray_begin_subsegment("b");
        for (int i = 0; i < 4; i++)
            pthread_create(&threads[i], NULL, ask, &answers[i]);
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        for (int i = 1; i < 4; i++)
            cr_assert_arr_eq(&answers[i], &answers[0], sizeof(answers[0]));
        answers[0] = header_of(a);
        cr_assert(same_trace(&answers[0], &answers[1]));
        xray_end(asked);
        xray_end(a);
    }
    settle();
}

/* ---- Response ------------------------------------------------------------------------------- */

Test(response, has_the_trace_alone)
{
    xray_segment *a = continue_trace("Root=" ROOT ";Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1");

    cr_expect_str_eq(response_of(a), "Root=" ROOT);
    xray_end(a);
    settle();
}

Test(response, has_the_decision_when_it_was_asked_for)
{
    xray_segment *a = continue_trace("Root=" ROOT ";Sampled=?");

    cr_expect_str_eq(response_of(a), "Root=" ROOT ";Sampled=1");
    xray_end(a);
    settle();
    cr_assert_eq(document_count(), 1);
}

Test(response, has_a_negative_decision_too)
{
    xray_segment *a;

    settle();
    record_with((xray_recorder_params){ .sampler = &sampler_no });
    a = continue_trace("Root=" ROOT ";Sampled=?");
    cr_expect_str_eq(response_of(a), "Root=" ROOT ";Sampled=0");
    cr_expect(strstr(downstream_of(a), ";Sampled=0"));
    xray_end(a);
    settle();
}

Test(response, to_no_trace_names_the_one_that_was_made)
{
    xray_segment *a = xray_begin_segment("a");

    cr_expect_eq(strncmp(response_of(a), downstream_of(a), 5 + 35), 0);
    xray_end(a);
    settle();
}

/* ---- Incoming ---------------------------------------------------------------------------------
 */

Test(incoming, without_a_decision_asks_the_sampler)
{
    xray_segment *a;

    settle();
    record_with((xray_recorder_params){ .sampler = &sampler_no });
    a = continue_trace("Root=" ROOT ";Parent=53995c3f42cd8ad8");
    cr_expect_not(xray_is_sampled(a));
    xray_end(a);
    settle();
}

Test(incoming, decision_is_kept_whatever_the_sampler_would_say)
{
    xray_segment *a;

    settle();
    record_with((xray_recorder_params){ .sampler = &sampler_no });
    a = continue_trace("Root=" ROOT ";Sampled=1");
    cr_expect(xray_is_sampled(a));
    xray_end(a);
    settle();
    cr_assert_eq(document_count(), 1);
}

Test(incoming, bad_root_starts_a_new_trace_and_keeps_the_rest)
{
    xray_segment *a = continue_trace("Root=nonsense;Sampled=1;Lineage=a:1");
    xray_trace_header header = header_of(a);

    cr_expect(xray_is_sampled(a));
    cr_expect_not(same_trace(&header, &zero));
    cr_expect(strstr(downstream_of(a), ";Lineage=a:1"));
    xray_end(a);
    settle();
}

Test(incoming, bad_root_leaves_no_parent_that_is_in_no_trace)
{
    xray_segment *a = continue_trace("Root=nonsense;Parent=53995c3f42cd8ad8;Sampled=1");

    xray_end(a);
    settle();
    cr_expect_null(member(document(0), "parent_id"));
}

Test(incoming, upper_case_root_is_the_same_trace)
{
    xray_segment *a = continue_trace("Root=1-5759E988-BD862E3FE1BE46A994272793;Sampled=1");

    xray_end(a);
    settle();
    cr_expect_str_eq(text_at(document(0), "trace_id"), ROOT);
}

Test(incoming, header_without_parent_makes_a_document_without_one)
{
    xray_end(continue_trace("Root=" ROOT ";Sampled=1"));
    settle();
    cr_expect_null(member(document(0), "parent_id"));
}

Test(incoming, extra_that_has_no_end_is_not_read_further)
{
    xray_trace_header header[2] = { { .trace_id = { { 1 } }, .sampled = XRAY_SAMPLED_YES } };
    xray_segment *a;
    xray_trace_header downstream;

    memset(header[0].extra, 'x', sizeof(header[0].extra));
    memset(&header[1], 'y', sizeof(header[1]));
    for (int sampled = XRAY_SAMPLED_NO; sampled <= XRAY_SAMPLED_YES; sampled++) {
        header[0].sampled = sampled;
        a = xray_start_segment(recorder, xray_segment_params(.header = &header[0]));
        xray_get_header(a, &downstream);
        cr_expect_lt(strnlen(downstream.extra, sizeof(downstream.extra)), sizeof(downstream.extra));
        cr_expect_null(strchr(downstream.extra, 'y'));
        xray_end(a);
    }
    settle();
}

Test(incoming, extra_with_a_line_end_does_not_go_downstream)
{
    xray_trace_header header = { .trace_id = { { 1 } },
                                 .sampled = XRAY_SAMPLED_YES,
                                 .extra = "A=b\r\nSet-Cookie: x" };
    xray_segment *a = xray_start_segment(recorder, xray_segment_params(.header = &header));

    cr_expect_null(strpbrk(downstream_of(a), "\r\n"));
    xray_end(a);
    settle();
}
