/* SPDX-License-Identifier: Apache-2.0 */
/* Mistakes that others made, and that no other suite has a test for: see tests/pitfalls.md. */
#include "support.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(pitfall, .init = record);

/* ---- Ids ------------------------------------------------------------------------ */

/* What stands behind the first appearance of a pattern, up to the next quote. */
static const char *first_match(const char *text, const char *pattern)
{
    static char found[2][64];
    static int next;
    const char *start = strstr(text, pattern);
    char *p = found[next++ % 2];

    cr_assert(start, "there is no %s", pattern);
    start += strlen(pattern);
    snprintf(p, sizeof(found[0]), "%.*s", (int)strcspn(start, "\""), start);
    return p;
}

Test(pitfall, of_a_daemon_that_finds_ids_by_the_first_match)
{
    xray_trace_header link = { .trace_id = { { 1 } }, .parent_id = 2 };
    xray_segment *a = xray_begin_segment("a"), *b = xray_begin_subsegment("b");
    xray_trace_header header;
    char id[17], trace_id[XRAY_TRACE_ID_SIZE];

    xray_get_header(a, &header);
    id_text(id, header.parent_id);
    xray_trace_id_format(header.trace_id, trace_id, sizeof(trace_id));
    xray_add_link(a, &link);
    xray_add_exception(a, "T", "\"id\":\"x\"");
    xray_add_metadata(a, NULL, "json", xray_json("{ \"id\" : \"y\", \"trace_id\": \"z\" }"));
    xray_add_exception(b, "T", "message");
    xray_end(b);
    xray_end(a);
    settle();
    cr_expect_str_eq(first_match(document_text(0), "\"id\":\""), id);
    cr_expect_str_eq(first_match(document_text(0), "\"trace_id\":\""), trace_id);
}

Test(pitfall, of_a_trace_time_with_leading_zeros, .init = NULL)
{
    static const struct {
        int64_t second;
        const char *start;
    } times[] = { { 1, "1-00000001-" }, { 0x0fffffff, "1-0fffffff-" }, { 0x10, "1-00000010-" } };

    record_with((xray_recorder_params){ .clock = &still_clock });
    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        xray_trace_header sent, read;
        char text[XRAY_TRACE_HEADER_SIZE];
        xray_segment *a;

        clock_ns = times[i].second * 1000000000;
        a = xray_begin_segment("a");
        xray_get_header(a, &sent);
        xray_trace_header_format(&sent, text, sizeof(text));
        cr_expect_eq(strncmp(text + strlen("Root="), times[i].start, 11), 0, "%s", text);
        cr_assert_eq(xray_trace_header_parse(&read, text), 0);
        cr_expect_arr_eq(read.trace_id.bytes, sent.trace_id.bytes, 16);
        xray_end(a);
        cr_expect_eq(strncmp(text_at(document(i), "trace_id"), times[i].start, 11), 0);
    }
    settle();
}

/* Serves a request with that header; gives the header that answers it. */
static const char *answer_to(const char *text)
{
    static char answer[XRAY_TRACE_HEADER_SIZE];
    xray_trace_header header = { .sampled = XRAY_SAMPLED_UNKNOWN };
    xray_segment *a;

    forget_documents();
    (void)xray_trace_header_parse(&header, text);
    a = xray_start_segment(recorder, xray_segment_params(.name = "a", .header = &header));
    xray_get_response_header(a, &header);
    xray_trace_header_format(&header, answer, sizeof(answer));
    xray_end(a);
    return answer;
}

Test(pitfall, of_an_undefined_root_that_is_answered)
{
    static const char *const headers[] = { "Root=undefined",
                                           "Root=undefined;Parent=undefined",
                                           "Root=null;Sampled=?",
                                           "Root=;Sampled=?",
                                           "undefined",
                                           "Sampled=undefined",
                                           "" };

    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
        const char *answer = answer_to(headers[i]);
        char root[64];

        snprintf(root, sizeof(root), "Root=%s", text_at(document(0), "trace_id"));
        cr_expect_eq(strncmp(answer, root, strlen(root)), 0, "%s: %s", headers[i], answer);
        cr_expect_null(strstr(answer, "undefined"));
        cr_expect_null(strstr(answer, "null"));
        cr_expect_null(member(document(0), "parent_id"));
    }
    settle();
}

Test(pitfall, of_ids_of_zeros_that_come_in)
{
    static const char *const headers[] = {
        "Root=1-00000000-000000000000000000000000;Parent=53995c3f42cd8ad8;Sampled=1",
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000000;Sampled=1",
        "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=1",
        "Root=;Parent=;Sampled=1",
    };

    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
        answer_to(headers[i]);
        cr_expect_str_neq(text_at(document(0), "trace_id"), "1-00000000-000000000000000000000000");
        cr_expect_null(member(document(0), "parent_id"), "%s", headers[i]);
    }
    settle();
}

/* ---- Lifecycle -------------------------------------------------------------------- */

static _Atomic int waiting;

static void *wait_to_be_cancelled(void *data)
{
    (void)data;
    xray_send_in_progress(xray_begin_segment("a"));
    xray_send_in_progress(xray_begin_subsegment("b"));
    xray_begin_subsegment("c");
    waiting = 1;
    for (;;)
        pause();
    return NULL;
}

Test(pitfall, of_segments_in_progress_whose_thread_is_cancelled)
{
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, wait_to_be_cancelled, NULL), 0);
    while (!waiting)
        usleep(1000);
    cr_assert_eq(document_count(), 2, "both are in progress");
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    settle(); /* none is there twice */
    cr_expect_eq(document_count(), 5);
    cr_expect(true_at(own_document("a"), "fault"));
    cr_expect(member(own_document("a"), "end_time"));
    cr_expect(member(own_document("b"), "end_time"));
    cr_expect(member(own_document("c"), "end_time"));
    expect_no_orphans(0);
}

static xray_segment *left_open;

static void leave_one_open(void *data)
{
    (void)data;
    left_open = xray_begin_segment("left open");
    xray_detach(left_open);
}

/* The jobs of a pooled thread. */
static void serve_two(void *data)
{
    xray_segment *second;

    leave_one_open(data);
    cr_expect_null(xray_current());
    cr_expect_null(xray_begin_subsegment("of nothing"));
    second = xray_begin_segment("second");
    xray_end(xray_begin_subsegment("work"));
    xray_end(left_open);
    cr_expect_eq(xray_current(), second);
    xray_end(second);
}

Test(pitfall, of_a_pooled_thread_that_keeps_the_last_jobs_segment)
{
    on_thread(serve_two, NULL);
    settle();
    cr_expect_str_eq(text_at(parent_of_embedded("work"), "name"), "second");
    cr_expect_str_neq(text_at(own_document("second"), "trace_id"),
                      text_at(own_document("left open"), "trace_id"));
    cr_expect_null(member(own_document("second"), "parent_id"));
}

static int answers[] = { -ECONNREFUSED, -EAGAIN, -ENOBUFS, -EMSGSIZE, -EIO, -EPERM, -9999 };

Test(pitfall, of_errors_of_tracing_that_reach_the_program)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        xray_segment *a = xray_begin_segment("a");

        emitter_answer = answers[i];
        errno = ENOENT;
        xray_annotate(a, NULL, "no key");
        xray_add_metadata(a, NULL, "no JSON", xray_json("{"));
        xray_send_in_progress(a);
        xray_end(a);
        xray_end(a);
        cr_expect_eq(errno, ENOENT, "after %d", answers[i]);
    }
    cr_expect_eq(stats_of(recorder).failed, sizeof(answers) / sizeof(*answers));
    settle();
}

static int messages_heard, secrets_heard;

static void keep_every_message(void *data, int level, const char *message)
{
    (void)data;
    (void)level;
    messages_heard++;
    secrets_heard += strstr(message, "secret") != NULL;
}

/* Says it wherever it can be said, and much of it in a wrong way. */
static void say_everywhere(xray_segment *segment, const char *text)
{
    xray_exception exception = { .size = sizeof(exception), .type = text, .message = text };
    xray_http http = { .size = sizeof(http), .method = text, .url = text, .user_agent = text };

    xray_annotate(segment, text, text);
    xray_annotate(segment, text, (double)INFINITY);
    xray_add_metadata(segment, text, text, text);
    xray_add_metadata(segment, "AWS.", text, text);
    xray_add_metadata(segment, text, text, xray_json(text));
    xray_set_user(segment, text);
    xray_set_http(segment, &http);
    xray_set_aws(segment, xray_aws(.operation = text, .region = text));
    xray_set_aws_field(segment, text, xray_json(text));
    xray_add_exception_with(segment, &exception);
    xray_add_exception(segment, text, "%s", text);
}

Test(pitfall, of_a_log_that_tells_what_was_traced, .init = NULL)
{
    xray_logger logger = { .size = sizeof(logger),
                           .level = XRAY_LOG_DEBUG,
                           .log = keep_every_message };
    char *text = calloc(1, 20000);

    for (int i = 0; i < 19000; i += 7)
        memcpy(text + i, "secret ", 7);
    record_with((xray_recorder_params){ .logger = &logger, .service = "secret" });
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        xray_segment *a = xray_begin_segment(text), *b = xray_begin_subsegment(text);

        emitter_answer = answers[i];
        for (int j = 0; j < 5; j++) {
            say_everywhere(j % 2 ? a : b, text);
            say_everywhere(j % 2 ? a : b, "secret");
            xray_set_sql(b, xray_sql(.url = text, .sanitized_query = text));
        }
        xray_end(a);
        xray_end(b);
        xray_begin_subsegment("secret");
    }
    settle();
    free(text);
    cr_expect_gt(messages_heard, 0);
    cr_expect_eq(secrets_heard, 0);
}
