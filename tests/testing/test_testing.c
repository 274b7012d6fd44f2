/* SPDX-License-Identifier: Apache-2.0 */
/* libxraytrace-testing: what was recorded is found, told apart, and said. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xraytrace/testing.h>

static xray_recording *recording;
static xray_recorder *recorder;

static void begin(void)
{
    cr_assert_eq(xray_recording_new(&recording), 0);
    cr_assert_eq(xray_recording_new_recorder(recording, "shop", &recorder), 0);
    xray_recorder_set_default(recorder);
}

static void end(void)
{
    xray_recorder_set_default(NULL);
    xray_recorder_free(recorder);
    xray_recording_free(recording);
}

TestSuite(testing, .init = begin, .fini = end);

static void serve(const char *name)
{
    xray_segment *request = xray_begin_segment(name);
    xray_segment *charge = xray_begin_subsegment("charge");
    xray_annotate(charge, "customer", "c8");
    xray_annotate(charge, "amount", 12.5);
    xray_annotate(charge, "items", 3);
    xray_annotate(charge, "first", xray_bool(true));
    xray_add_metadata(charge, "shop", "cart", xray_json("{\"b\":[1,2],\"a\":null}"));
    xray_add_exception(charge, "NotFound", "no such card");
    xray_end(charge);
    xray_end(request);
}

Test(testing, finds_what_was_recorded_by_its_name)
{
    serve("GET /");
    const xray_recorded *charge = xray_recording_find(recording, "charge", NULL);
    cr_assert(xray_recorded_is(charge, "name", "charge"));
    cr_assert_null(xray_recording_find(recording, "refund", NULL));
}

Test(testing, finds_the_next_one_of_the_same_name)
{
    serve("GET /a");
    serve("GET /b");
    const xray_recorded *first = xray_recording_find(recording, "charge", NULL);
    const xray_recorded *second = xray_recording_find(recording, "charge", first);
    cr_assert(first && second && first != second);
    cr_assert_null(xray_recording_find(recording, "charge", second));
}

Test(testing, finds_all_one_after_the_other_without_a_name)
{
    const xray_recorded *one = NULL;
    size_t count = 0;
    serve("GET /a");
    serve("GET /b");
    while ((one = xray_recording_find(recording, NULL, one)))
        count++;
    cr_assert_eq(count, 4);
}

Test(testing, counts_by_name_and_altogether)
{
    serve("GET /a");
    serve("GET /b");
    cr_assert_eq(xray_recording_count(recording, "charge"), 2);
    cr_assert_eq(xray_recording_count(recording, "GET /a"), 1);
    cr_assert_eq(xray_recording_count(recording, NULL), 4);
    cr_assert_eq(xray_recording_count(recording, "char"), 0);
}

Test(testing, a_subsegment_knows_its_parent_and_a_segment_has_none)
{
    serve("GET /");
    const xray_recorded *parent = xray_recorded_parent(
        xray_recording_find(recording, "charge", NULL));
    cr_assert_eq(parent, xray_recording_find(recording, "GET /", NULL));
    cr_assert_null(xray_recorded_parent(parent));
}

Test(testing, the_parent_may_be_in_another_document_that_comes_later)
{
    xray_segment *request = xray_begin_segment("GET /");
    xray_send_in_progress(request);
    xray_end(xray_begin_subsegment("charge"));
    xray_end(request);
    const xray_recorded *charge = xray_recording_find(recording, "charge", NULL);
    cr_assert_eq(xray_recorded_parent(charge), xray_recording_find(recording, "GET /", NULL));
}

Test(testing, one_that_was_sent_in_progress_is_one_and_ends_as_it_ended)
{
    xray_segment *request = xray_begin_segment("GET /");
    xray_send_in_progress(request);
    const xray_recorded *recorded = xray_recording_find(recording, "GET /", NULL);
    cr_assert(xray_recorded_is(recorded, "in_progress", xray_bool(true)));
    cr_assert_not(xray_recorded_has(recorded, "end_time"));
    xray_mark(request, XRAY_FAULT);
    xray_end(request);
    cr_assert_eq(xray_recording_count(recording, NULL), 1);
    cr_assert_not(xray_recorded_has(recorded, "in_progress"));
    cr_assert(xray_recorded_is(recorded, "fault", xray_bool(true)));
}

Test(testing, values_are_the_same_or_they_are_not)
{
    serve("GET /");
    const xray_recorded *charge = xray_recording_find(recording, "charge", NULL);
    cr_assert(xray_recorded_is(charge, "annotations.customer", "c8"));
    cr_assert_not(xray_recorded_is(charge, "annotations.customer", "c"));
    cr_assert_not(xray_recorded_is(charge, "annotations.customer", "c80"));
    cr_assert(xray_recorded_is(charge, "annotations.amount", 12.5));
    cr_assert_not(xray_recorded_is(charge, "annotations.amount", 12.25));
    cr_assert(xray_recorded_is(charge, "annotations.items", 3));
    cr_assert(xray_recorded_is(charge, "annotations.items", xray_uint(3)));
    cr_assert_not(xray_recorded_is(charge, "annotations.items", "3"));
    cr_assert(xray_recorded_is(charge, "annotations.first", xray_bool(true)));
    cr_assert_not(xray_recorded_is(charge, "annotations.first", xray_bool(false)));
    cr_assert_not(xray_recorded_is(charge, "annotations.first", 1));
    cr_assert_not(xray_recorded_is(charge, "annotations.missing", xray_bool(false)));
}

Test(testing, json_is_compared_by_its_contents)
{
    serve("GET /");
    const xray_recorded *charge = xray_recording_find(recording, "charge", NULL);
    cr_assert(xray_recorded_is(charge, "metadata.shop.cart",
                               xray_json("{ \"a\": null, \"b\": [ 1, 2 ] }")));
    cr_assert_not(xray_recorded_is(charge, "metadata.shop.cart", xray_json("{\"b\":[2,1]}")));
    cr_assert_not(xray_recorded_is(charge, "metadata.shop.cart", xray_json("{")));
}

Test(testing, a_path_goes_into_arrays_by_number)
{
    serve("GET /");
    const xray_recorded *charge = xray_recording_find(recording, "charge", NULL);
    cr_assert_str_eq(xray_recorded_string(charge, "cause.exceptions.0.message"), "no such card");
    cr_assert(xray_recorded_is(charge, "metadata.shop.cart.b.1", 2));
    cr_assert_not(xray_recorded_has(charge, "cause.exceptions.1"));
    cr_assert_not(xray_recorded_has(charge, "cause.exceptions.first"));
    cr_assert_not(xray_recorded_has(charge, "cause.exceptions.-1"));
}

Test(testing, a_path_that_leads_nowhere_has_nothing)
{
    char longer[2000];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    serve("GET /");
    const xray_recorded *charge = xray_recording_find(recording, "charge", NULL);
    cr_assert_not(xray_recorded_has(charge, longer));
    cr_assert_not(xray_recorded_has(charge, "annotations.customer.more"));
    cr_assert_not(xray_recorded_has(charge, "annotations..customer"));
    cr_assert_null(xray_recorded_string(charge, "annotations.amount"));
    cr_assert_eq(xray_recorded_number(charge, "annotations.customer"), 0);
}

Test(testing, numbers_are_given_as_they_are)
{
    serve("GET /");
    const xray_recorded *request = xray_recording_find(recording, "GET /", NULL);
    cr_assert_geq(xray_recorded_number(request, "end_time"),
                  xray_recorded_number(request, "start_time"));
    cr_assert_gt(xray_recorded_number(request, "start_time"), 1.7e9);
}

Test(testing, what_was_not_recorded_is_nothing_to_every_question)
{
    cr_assert_not(xray_recorded_has(NULL, "name"));
    cr_assert_not(xray_recorded_is(NULL, "name", ""));
    cr_assert_null(xray_recorded_string(NULL, "name"));
    cr_assert_eq(xray_recorded_number(NULL, "start_time"), 0);
    cr_assert_null(xray_recorded_parent(NULL));
}

Test(testing, the_text_has_each_below_its_parent_with_all_that_matters)
{
    serve("GET /");
    const char *text = xray_recording_text(recording);
    cr_assert_eq(strncmp(text, "GET / ", 6), 0, "%s", text);
    cr_assert(strstr(text, "\n  charge "), "%s", text);
    cr_assert(strstr(text, " fault customer=\"c8\" amount=12.5 items=3 first=true\n"), "%s", text);
    cr_assert(strstr(text, "\n    NotFound: no such card\n"), "%s", text);
}

Test(testing, the_text_of_nothing_says_so)
{
    cr_assert_str_eq(xray_recording_text(recording), "nothing was recorded\n");
}

Test(testing, clearing_forgets_all_and_goes_on)
{
    xray_segment *open = xray_begin_segment("open");
    xray_send_in_progress(open);
    xray_recording_clear(recording);
    cr_assert_eq(xray_recording_count(recording, NULL), 0);
    xray_end(open);
    serve("GET /");
    cr_assert_eq(xray_recording_count(recording, NULL), 3);
}

Test(testing, two_services_meet_in_one_recording)
{
    xray_recorder *other = NULL;
    xray_trace_header header;
    cr_assert_eq(xray_recording_new_recorder(recording, "billing", &other), 0);
    xray_segment *request = xray_begin_segment("shop");
    xray_segment *call = xray_begin_subsegment("billing");
    xray_get_header(call, &header);
    xray_segment *served = xray_start_segment(
        other, xray_segment_params(.name = "billing", .header = &header));
    xray_end(served);
    xray_end(call);
    xray_end(request);
    const xray_recorded *of_callee = xray_recording_find(recording, "billing", NULL);
    const xray_recorded *of_caller = xray_recording_find(recording, "billing", of_callee);
    cr_assert_eq(xray_recorded_parent(of_callee), of_caller);
    xray_recorder_free(other);
}

Test(testing, everything_is_sampled_whatever_the_environment_says)
{
    xray_recorder *another = NULL;
    setenv("AWS_XRAY_SDK_ENABLED", "false", 1);
    setenv("XRAYTRACE_SAMPLING_RATE", "0", 1);
    cr_assert_eq(xray_recording_new_recorder(recording, NULL, &another), 0);
    for (int i = 0; i < 50; i++)
        xray_end(xray_start_segment(another, xray_segment_params(.name = "GET /")));
    cr_assert_eq(xray_recording_count(recording, "GET /"), 50);
    xray_recorder_free(another);
}

Test(testing, an_emitter_serves_a_recorder_with_other_params)
{
    xray_emitter emitter = { .size = sizeof(emitter) };
    xray_recorder *own = NULL;
    cr_assert_eq(xray_emitter_recording(&emitter, recording), 0);
    xray_sampler sampler = { .size = sizeof(sampler) };
    cr_assert_eq(xray_sampler_rate(&sampler, 0, 1), 0);
    cr_assert_eq(
        xray_recorder_new(&own, xray_recorder_params(.emitter = &emitter, .sampler = &sampler,
                                                     .origin = "AWS::EC2::Instance")),
        0);
    xray_end(xray_start_segment(own, xray_segment_params(.name = "GET /")));
    xray_recorder_free(own);
    cr_assert(xray_recorded_is(xray_recording_find(recording, "GET /", NULL), "origin",
                               "AWS::EC2::Instance"));
}

Test(testing, an_emitter_that_is_too_small_is_refused)
{
    xray_emitter emitter = { .size = offsetof(xray_emitter, destroy) };
    cr_assert_eq(xray_emitter_recording(&emitter, recording), -EINVAL);
    emitter.size = sizeof(emitter);
    cr_assert_eq(xray_emitter_recording(&emitter, NULL), -EINVAL);
    cr_assert_eq(xray_emitter_recording(NULL, recording), -EINVAL);
    cr_assert_null(emitter.emit);
}

Test(testing, a_recording_that_is_freed_before_its_recorder_is_left_alone)
{
    xray_recording *brief = NULL;
    xray_recorder *longer = NULL;
    cr_assert_eq(xray_recording_new(&brief), 0);
    cr_assert_eq(xray_recording_new_recorder(brief, "shop", &longer), 0);
    xray_end(xray_start_segment(longer, xray_segment_params(.name = "before")));
    xray_recording_free(brief);
    xray_end(xray_start_segment(longer, xray_segment_params(.name = "after")));
    xray_recorder_free(longer);
}

Test(testing, no_recording_has_nothing)
{
    xray_recorder *none = NULL;
    xray_recording_free(NULL);
    xray_recording_clear(NULL);
    cr_assert_eq(xray_recording_count(NULL, NULL), 0);
    cr_assert_null(xray_recording_find(NULL, NULL, NULL));
    cr_assert_str_eq(xray_recording_text(NULL), "");
    cr_assert_eq(xray_recording_new_recorder(NULL, "shop", &none), -EINVAL);
    cr_assert_null(none);
}

static void *serve_many(void *data)
{
    (void)data;
    for (int i = 0; i < 200; i++)
        serve("GET /");
    return NULL;
}

Test(testing, many_threads_record_at_once)
{
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, serve_many, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(xray_recording_count(recording, "charge"), 800);
    cr_assert_eq(xray_recording_count(recording, NULL), 1600);
}
