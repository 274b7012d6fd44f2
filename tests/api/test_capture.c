/* SPDX-License-Identifier: Apache-2.0 */
/* Unsampled segments that are kept for how they end. */
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static xray_capture capture = { .size = sizeof(capture) };

/* Nothing is sampled; what capture says is kept. The clock stands still. */
static void record_unsampled(void)
{
    record_with((xray_recorder_params){
        .service = "service", .sampler = &sampler_no, .clock = &still_clock, .capture = &capture });
}

TestSuite(capture, .init = record_unsampled);

/* One request; it ends in a fault, or well. */
static void request(const char *name, unsigned marks)
{
    xray_segment *segment = xray_begin_segment(name);

    xray_mark(segment, marks);
    xray_end(segment);
}

/* ---- What is kept ------------------------------------------------------------ */

Test(capture, keeps_a_fault_with_all_that_is_in_it)
{
    xray_segment *segment = xray_begin_segment("front");
    xray_segment *work = xray_begin_subsegment("work");

    cr_expect(xray_is_recording(work));
    cr_expect_not(xray_is_sampled(work));
    xray_annotate(work, "customer", 42);
    xray_end(work);
    xray_add_exception(segment, "Timeout", "no answer");
    xray_end(segment);
    settle();
    cr_expect_eq(document_count(), 1);
    cr_expect_eq(document_flags(0), XRAY_DOCUMENT_SEGMENT | XRAY_DOCUMENT_CAPTURED);
    cr_expect_eq(number_at(embedded("work"), "annotations.customer"), 42);
    cr_expect(cJSON_IsFalse(member(own_document("front"), "annotations.xray_sampled")));
}

Test(capture, leaves_what_ends_well_alone)
{
    request("front", 0);
    request("front", XRAY_ERROR);
    request("front", XRAY_THROTTLE);
    settle();
    cr_expect_eq(document_count(), 0);
}

Test(capture, counts_what_it_saw_kept_and_refused)
{
    xray_stats stats;

    for (int i = 0; i < 100; i++)
        request("front", i % 2 ? XRAY_FAULT : 0);
    stats = stats_of(recorder);
    cr_expect_eq(stats.requests, 100);
    cr_expect_eq(stats.anomalies, 50);
    cr_expect_eq(stats.captured, 9, "the burst, but for one that is left for another kind");
    cr_expect_eq(stats.refused, 41);
    cr_expect_eq(stats.sampled + stats.emitted + stats.embedded, 0);
    settle();
    cr_expect_eq(document_count(), 9);
}

Test(capture, keeps_what_the_flags_say, .init = NULL)
{
    capture.flags = XRAY_ERROR;
    record_unsampled();
    request("error", XRAY_ERROR);
    request("throttle", XRAY_THROTTLE);
    request("fault", XRAY_FAULT);
    settle();
    cr_expect_eq(document_count(), 2);
    cr_expect(entity("error") && entity("throttle"));
}

Test(capture, keeps_what_is_slow, .init = NULL)
{
    xray_segment *segment;

    capture.slower_than_ns = 2 * SECOND;
    record_unsampled();
    segment = xray_begin_segment("quick");
    clock_ns += 2 * SECOND - 1;
    xray_end(segment);
    segment = xray_begin_segment("slow");
    clock_ns += 2 * SECOND;
    xray_end(segment);
    settle();
    cr_expect_eq(document_count(), 1);
    cr_expect(entity("slow"));
}

Test(capture, keeps_what_the_user_wants)
{
    xray_segment *segment = xray_begin_segment("front");
    xray_segment *work = xray_begin_subsegment("work");

    xray_keep(work);
    xray_end(work);
    xray_end(segment);
    settle();
    cr_expect(embedded("work"));
    cr_expect_not(true_at(own_document("front"), "fault"));
}

Test(capture, keeps_a_segment_for_a_fault_within_it_and_does_not_mark_it)
{
    xray_segment *segment = xray_begin_segment("front");
    xray_segment *outer = xray_begin_subsegment("outer");
    xray_segment *inner = xray_begin_subsegment("inner");

    xray_mark(inner, XRAY_FAULT);
    xray_end(inner);
    xray_end(outer);
    xray_end(segment);
    settle();
    cr_expect(true_at(embedded("inner"), "fault"));
    cr_expect_not(true_at(embedded("outer"), "fault"));
    cr_expect_not(true_at(own_document("front"), "fault"));
}

static void abandon(void *name)
{
    xray_begin_segment(name);
}

Test(capture, keeps_what_the_thread_left_open)
{
    char name[] = "abandoned";

    on_thread(abandon, name);
    settle();
    cr_expect_str_eq(member(own_document("abandoned"), "cause.exceptions")
                         ->child->child->next->next->valuestring,
                     "ThreadExit");
}

Test(capture, names_the_rule_that_decided, .init = NULL)
{
    xray_sampler local = { .size = sizeof(local) };

    cr_assert_eq(xray_sampler_rate(&local, 0, 0), 0);
    record_with((xray_recorder_params){ .sampler = &local, .capture = &capture });
    request("front", XRAY_FAULT);
    settle();
    cr_expect(entity("front"), "the sampler that never samples takes no short way");
}

/* ---- What is not sent --------------------------------------------------------- */

Test(capture, changes_nothing_of_what_goes_downstream)
{
    xray_trace_header in = { .sampled = XRAY_SAMPLED_NO, .parent_id = 7, .trace_id = { { 1, 2 } } };
    xray_segment *segment = xray_start_segment(recorder,
                                               xray_segment_params(.name = "front", .header = &in));
    xray_segment *call = xray_start_subsegment(segment, "call");
    xray_trace_header out;

    xray_get_header(call, &out);
    cr_expect_eq(out.sampled, XRAY_SAMPLED_NO);
    cr_expect_arr_eq(&out.trace_id, &in.trace_id, sizeof(in.trace_id));
    cr_expect_neq(out.parent_id, 0);
    xray_end(call);
    xray_mark(segment, XRAY_FAULT);
    xray_end(segment);
    settle();
    cr_expect_str_eq(text_at(own_document("front"), "parent_id"), "0000000000000007");
    cr_expect_eq(strtoull(text_at(embedded("call"), "id"), NULL, 16), out.parent_id);
}

Test(capture, sends_nothing_in_progress)
{
    xray_segment *segment = xray_begin_segment("long");

    xray_send_in_progress(segment);
    cr_expect_eq(document_count(), 0);
    xray_mark(segment, XRAY_FAULT);
    xray_end(segment);
    settle();
    cr_expect_eq(document_count(), 1);
    cr_expect_eq(document_flags(0), XRAY_DOCUMENT_SEGMENT | XRAY_DOCUMENT_CAPTURED);
}

Test(capture, sends_nothing_early_and_drops_children_for_which_there_is_no_room)
{
    xray_segment *segment = xray_begin_segment("wide");
    xray_stats stats;

    for (int i = 0; i < 1000; i++)
        xray_end(xray_begin_subsegment("child"));
    cr_expect_eq(document_count(), 0);
    xray_mark(segment, XRAY_FAULT);
    xray_end(segment);
    stats = stats_of(recorder);
    cr_expect_gt(stats.capture_dropped, 100);
    settle();
    cr_expect_eq(entity_count() + stats.capture_dropped, 1001);
}

Test(capture, judges_a_subsegment_that_ends_late_by_itself)
{
    xray_segment *segment = xray_begin_segment("front");
    xray_segment *well = xray_start_subsegment(segment, "well");
    xray_segment *badly = xray_start_subsegment(segment, "badly");
    xray_stats stats;

    xray_end(segment);
    xray_mark(badly, XRAY_FAULT);
    xray_end(well);
    xray_end(badly);
    stats = stats_of(recorder);
    cr_expect_eq(stats.captured_parts, 1);
    cr_expect_eq(stats.capture_dropped, 1);
    cr_expect_eq(stats.anomalies, 0, "those are of segments");
    settle();
    cr_expect_eq(document_count(), 1);
    cr_expect(own_document("badly"));
}

Test(capture, takes_no_subsegment_that_is_not_to_be_sampled)
{
    xray_segment *segment = xray_begin_segment("front");
    xray_segment *quiet = xray_start_subsegment_with(
        segment, xray_subsegment_params(.name = "quiet", .not_sampled = 1));

    xray_mark(quiet, XRAY_FAULT);
    xray_end(quiet);
    xray_end(segment);
    settle();
    cr_expect_eq(document_count(), 0);
}

Test(capture, drops_in_a_forked_child_what_began_before)
{
    xray_segment *segment = xray_begin_segment("front");
    pid_t child = fork();
    int status;

    if (child == 0) {
        xray_stats stats;

        xray_mark(segment, XRAY_FAULT);
        xray_end(segment);
        stats = stats_of(recorder);
        _exit(document_count() != 0 || stats.capture_dropped != 1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
    xray_end(segment);
    settle();
}

/* Fails again and again, so that the budget is nearly always somebody's. */
static void *fail_forever(void *stop)
{
    xray_trace_header header = { .sampled = XRAY_SAMPLED_NO };

    while (!atomic_load((_Atomic bool *)stop)) {
        xray_segment *segment = xray_start_segment(
            recorder, xray_segment_params(.name = "busy", .header = &header));

        xray_mark(segment, XRAY_FAULT);
        xray_end(segment);
    }
    return NULL;
}

Test(capture, goes_on_in_a_child_whose_parent_was_at_the_budget, .timeout = 120)
{
    xray_trace_header header = { .sampled = XRAY_SAMPLED_NO };
    static _Atomic bool stop;
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, fail_forever, &stop), 0);
    /* From then on nothing is sent: the emitter of the tests has a lock that a child would find. */
    while (stats_of(recorder).refused < 1000)
        sched_yield();
    for (int i = 0; i < 300; i++) {
        pid_t child = fork();
        int status;

        if (child == 0) {
            xray_segment *segment = xray_start_segment(
                recorder, xray_segment_params(.name = "busy", .header = &header));

            alarm(20);
            xray_mark(segment, XRAY_FAULT);
            xray_end(segment);
            _exit(0);
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert_eq(status, 0);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    settle();
}

Test(capture, counts_what_the_emitter_refuses)
{
    emitter_answer = -ECONNREFUSED;
    request("front", XRAY_FAULT);
    cr_expect_eq(stats_of(recorder).capture_failed, 1);
    cr_expect_eq(stats_of(recorder).failed, 0, "that is of what was sampled");
    settle();
}

/* ---- The budget ----------------------------------------------------------------- */

Test(capture, keeps_a_rare_failure_beside_a_loop_of_another)
{
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < 100; k++)
            request("loop", XRAY_FAULT);
        clock_ns += SECOND;
        if (i == 90)
            request("rare", XRAY_FAULT);
    }
    settle();
    cr_expect(entity_count() > 100 && entity_count() <= 110, "%zu", entity_count());
    cr_expect(emitted_text("\"rare\""));
}

/* One failure, of a type, in one of several places. */
static void fail(const char *type, const char *function)
{
    xray_segment *segment = xray_begin_segment("front");

    xray_add_exception_at(segment, "file.c", 1, function, type, "message %d", rand());
    xray_end(segment);
}

Test(capture, tells_failures_apart_by_type_and_place_and_not_by_message)
{
    for (int i = 0; i < 50; i++)
        fail("Timeout", "read");
    cr_expect_eq(stats_of(recorder).captured, 9);
    fail("Timeout", "write");
    cr_expect_eq(stats_of(recorder).captured, 10, "the place");
    clock_ns += SECOND;
    fail("Refused", "read");
    cr_expect_eq(stats_of(recorder).captured, 11, "the type");
    settle();
}

Test(capture, tells_failures_of_parts_apart)
{
    for (int i = 0; i < 51; i++) {
        xray_segment *segment = xray_begin_segment("front");
        xray_segment *work = xray_begin_subsegment(i < 50 ? "database" : "cache");

        xray_mark(work, XRAY_FAULT);
        xray_end(work);
        xray_end(segment);
    }
    settle();
    cr_expect(emitted_text("\"cache\""));
}

Test(capture, stays_within_its_bytes_a_second, .init = NULL)
{
    capture.traces_per_second = 1000;
    capture.bytes_per_second = 100;
    record_unsampled();
    for (int i = 0; i < 100; i++)
        request("front", XRAY_FAULT);
    cr_expect_lt(stats_of(recorder).captured, 6);
    clock_ns += 60 * SECOND;
    request("front", XRAY_FAULT);
    cr_expect_lt(stats_of(recorder).captured, 7);
    settle();
}

Test(capture, spends_the_bytes_of_subsegments_that_leave_a_large_segment, .init = NULL)
{
    static char large[30000];
    xray_segment *segment;

    memset(large, 'x', sizeof(large) - 1);
    capture.traces_per_second = 1000;
    capture.bytes_per_second = 8000;
    record_unsampled();
    segment = xray_begin_segment("front");
    for (int i = 0; i < 2; i++) {
        xray_segment *child = xray_begin_subsegment("child");

        xray_add_metadata(child, NULL, "large", large);
        xray_end(child);
        xray_add_metadata(segment, NULL, i ? "one" : "two", large);
    }
    xray_mark(segment, XRAY_FAULT);
    xray_end(segment);
    cr_expect_gt(document_count(), 1);
    request("front", XRAY_FAULT);
    cr_expect_eq(stats_of(recorder).captured, 1, "three times the second's bytes have left");
    settle();
}

Test(capture, has_a_budget_of_its_own_time_whenever_segments_ended)
{
    for (int i = 0; i < 200; i++) {
        xray_segment *segment = xray_begin_segment("front");

        xray_mark(segment, XRAY_FAULT);
        xray_end_at(segment, clock_ns + i % 2 * 3600 * SECOND);
    }
    cr_expect_eq(stats_of(recorder).captured, 9, "the burst");
    settle();
}

/* ---- Documents that are too large ------------------------------------------------ */

Test(capture, tells_what_is_not_sampled_apart_even_if_annotations_do_not_fit)
{
    static char text[1000];
    xray_segment *segment = xray_begin_segment("front");

    memset(text, 'x', sizeof(text) - 1);
    for (int i = 0; i < 70; i++) {
        char key[16];

        snprintf(key, sizeof(key), "key_%d", i);
        xray_annotate(segment, key, text);
    }
    xray_mark(segment, XRAY_FAULT);
    xray_end(segment);
    settle();
    cr_expect(cJSON_IsFalse(member(own_document("front"), "annotations.xray_sampled")));
}

/* ---- With what is sampled --------------------------------------------------------- */

Test(capture, counts_sampled_anomalies_apart, .init = NULL)
{
    xray_stats stats;

    record_with((xray_recorder_params){ .capture = &capture });
    request("front", XRAY_FAULT);
    request("front", 0);
    stats = stats_of(recorder);
    cr_expect_eq(stats.requests, 2);
    cr_expect_eq(stats.sampled_anomalies, 1);
    cr_expect_eq(stats.anomalies, 0);
    settle();
    cr_expect_eq(document_count(), 2);
    cr_expect_not(emitted_text("xray_sampled"));
}

Test(capture, is_off_unless_asked_for, .init = NULL)
{
    record_with((xray_recorder_params){ .sampler = &sampler_no });
    request("front", XRAY_FAULT);
    xray_keep(xray_begin_segment("kept"));
    xray_end(xray_current());
    cr_expect_eq(stats_of(recorder).requests, 0);
    settle();
    cr_expect_eq(document_count(), 0);
}

/* ---- Across services ------------------------------------------------------------- */

Test(capture, tells_the_caller_that_a_segment_is_kept, .init = NULL)
{
    xray_trace_header header = { .parent_id = 0 };
    xray_segment *segment;
    char text[XRAY_TRACE_HEADER_SIZE];

    capture.flags = XRAY_CAPTURE_ACROSS;
    record_unsampled();
    segment = xray_begin_segment("callee");
    xray_get_response_header(segment, &header);
    xray_trace_header_format(&header, text, sizeof(text));
    cr_expect_null(strstr(text, "Kept"));
    xray_mark(segment, XRAY_FAULT);
    xray_get_response_header(segment, &header);
    xray_trace_header_format(&header, text, sizeof(text));
    cr_expect(strstr(text, ";Kept=1"), "%s", text);
    xray_end(segment);
    settle();
}

/* A call to a callee that answers so. */
static void call(const char *response)
{
    xray_segment *segment = xray_begin_segment("caller");
    xray_segment *subsegment = xray_begin_subsegment("call");
    xray_trace_header header;

    cr_assert_eq(xray_trace_header_parse(&header, response), 0);
    xray_note_response_header(subsegment, &header);
    xray_end(subsegment);
    xray_end(segment);
}

Test(capture, heeds_a_callee_that_keeps_its_segment, .init = NULL)
{
    capture.flags = XRAY_CAPTURE_ACROSS;
    record_unsampled();
    call("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0");
    call("Root=1-5759e988-bd862e3fe1be46a994272793;Kept=10");
    call("Root=1-5759e988-bd862e3fe1be46a994272793;Unkept=1");
    cr_expect_eq(document_count(), 0);
    call("Root=1-5759e988-bd862e3fe1be46a994272793;Kept=1");
    settle();
    cr_expect(own_document("caller"));
}

Test(capture, tells_and_heeds_nobody_unless_asked_to)
{
    xray_segment *segment = xray_begin_segment("callee");
    xray_trace_header header;

    xray_mark(segment, XRAY_FAULT);
    xray_get_response_header(segment, &header);
    cr_expect_str_eq(header.extra, "");
    xray_end(segment);
    forget_documents();
    call("Root=1-5759e988-bd862e3fe1be46a994272793;Kept=1");
    settle();
    cr_expect_eq(document_count(), 0);
}

/* ---- Settings ------------------------------------------------------------------------ */

static int make(xray_capture with)
{
    xray_recorder *made = NULL;
    int r = xray_recorder_new(
        &made, xray_recorder_params(.flags = XRAY_RECORDER_NO_ENVIRONMENT, .capture = &with));

    xray_recorder_free(made);
    return r;
}

Test(capture, with_values_out_of_range_is_refused, .init = NULL)
{
    cr_expect_eq(make((xray_capture){ .size = 0 }), -EINVAL);
    cr_expect_eq(make((xray_capture){ .size = sizeof(xray_capture), .flags = 1u << 31 }), -EINVAL);
    cr_expect_eq(make((xray_capture){ .size = sizeof(xray_capture), .slower_than_ns = -1 }),
                 -EINVAL);
    cr_expect_eq(make((xray_capture){ .size = sizeof(xray_capture), .traces_per_second = -1 }),
                 -EINVAL);
    cr_expect_eq(make((xray_capture){ .size = sizeof(xray_capture), .bytes_per_second = 2e9 }),
                 -EINVAL);
    cr_expect_eq(make((xray_capture){ .size = sizeof(xray_capture) }), 0);
}

static void in_lambda(uint32_t flags)
{
    setenv("LAMBDA_TASK_ROOT", "/var/task", 1);
    capture.flags = flags;
    record_from_environment((xray_recorder_params){ .sampler = &sampler_no, .capture = &capture });
}

static void invoke(void)
{
    xray_segment *invocation = xray_lambda_begin(
        recorder, "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0");
    xray_segment *work = xray_begin_subsegment("work");

    xray_mark(work, XRAY_FAULT);
    xray_end(work);
    cr_expect_eq(xray_lambda_end(invocation, 0), 0);
    settle();
}

Test(capture, is_off_in_lambda, .init = NULL)
{
    in_lambda(0);
    invoke();
    cr_expect_eq(document_count(), 0);
}

Test(capture, is_on_in_lambda_when_asked_for, .init = NULL)
{
    in_lambda(XRAY_CAPTURE_IN_LAMBDA);
    invoke();
    cr_expect_eq(document_count(), 1);
    cr_expect_str_eq(text_at(own_document("work"), "parent_id"), "53995c3f42cd8ad8");
}

/* ---- Memory ----------------------------------------------------------------------- */

Test(capture, bounds_the_memory_of_open_segments)
{
    enum { COUNT = 400 };
    static char large[30000];
    xray_segment *open[COUNT];
    size_t with_text = 0;

    memset(large, 'x', sizeof(large) - 1);
    for (int i = 0; i < COUNT; i++) {
        open[i] = xray_start_segment(recorder, xray_segment_params(.name = "front"));
        xray_add_metadata(open[i], NULL, "large", large);
    }
    for (int i = 0; i < COUNT; i++) {
        xray_mark(open[i], XRAY_FAULT);
        clock_ns += SECOND;
        xray_end(open[i]);
        with_text += strlen(document_text(document_count() - 1)) > sizeof(large);
    }
    settle();
    cr_expect_eq(document_count(), COUNT, "what has no room for that has room for the rest");
    cr_expect_eq(with_text, 256, "16 MiB in blocks of 64 KiB");
}

/* ---- Behind a queue ------------------------------------------------------------------ */

static int refuse_all(void *data, const xray_document *document)
{
    (void)data;
    (void)document;
    return -ECONNREFUSED;
}

Test(capture, counts_what_a_queue_loses_later, .init = NULL)
{
    xray_emitter inner = { .size = sizeof(inner), .emit = refuse_all };
    xray_emitter queue = { .size = sizeof(queue) };
    xray_segment *segment, *late;
    xray_stats stats;

    cr_assert_eq(xray_emitter_queue(&queue, &inner, 0), 0);
    record_with((xray_recorder_params){
        .sampler = &sampler_no, .clock = &still_clock, .capture = &capture, .emitter = &queue });
    segment = xray_begin_segment("front");
    late = xray_start_subsegment(segment, "late");
    xray_mark(segment, XRAY_FAULT);
    xray_end(segment);
    xray_mark(late, XRAY_FAULT);
    xray_end(late);
    cr_assert_eq(xray_recorder_flush(recorder, 60000), 0);
    stats = stats_of(recorder);
    cr_expect_eq(stats.captured, 0);
    cr_expect_eq(stats.capture_failed, 1);
    cr_expect_eq(stats.captured_parts, 0);
    cr_expect_eq(stats.capture_dropped, 1);
    cr_expect_eq(stats.failed, 0);
    settle();
}
