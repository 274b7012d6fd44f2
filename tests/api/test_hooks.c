/* SPDX-License-Identifier: Apache-2.0 */
/* What hooks may do: nothing that they begin is recorded, and nothing of theirs is called twice. */
#include "support.h"

#include <pthread.h>
#include <stdlib.h>

static int calls, begun, destroyed;

/* All ways to begin something; none may succeed. */
static void begin_everything(void)
{
    xray_trace_header header = { .trace_id = { { 1 } },
                                 .parent_id = 1,
                                 .sampled = XRAY_SAMPLED_YES };
    xray_segment *made[] = {
        xray_begin_segment("hook"),
        xray_begin_subsegment("hook"),
        xray_start_segment(recorder, xray_segment_params(.header = &header)),
        xray_resume(recorder, &header, "hook"),
        xray_lambda_begin(recorder, "Root=1-5759e988-bd862e3fe1be46a994272793;"
                                    "Parent=53995c3f42cd8ad8;Sampled=1"),
        xray_current(),
    };

    calls++;
    for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++) {
        begun += xray_is_recording(made[i]);
        xray_end(made[i]);
    }
}

static void count_destroy(void *data)
{
    (void)data;
    destroyed++;
    begin_everything();
}

static int emit(void *data, const xray_document *document)
{
    (void)data;
    (void)document;
    begin_everything();
    return 0;
}

static int flush(void *data, int timeout_ms)
{
    (void)data;
    (void)timeout_ms;
    begin_everything();
    return 0;
}

static void decide(void *data, const xray_sampling_request *request, xray_sampling_decision *ret)
{
    (void)data;
    (void)request;
    begin_everything();
    *ret = (xray_sampling_decision){ .sampled = 1 };
}

static void log_message(void *data, int level, const char *text)
{
    (void)data;
    (void)level;
    (void)text;
    begin_everything();
}

static int64_t now_ns(void *data)
{
    (void)data;
    begin_everything();
    return clock_ns;
}

static const xray_emitter emitter = {
    .size = sizeof(emitter), .emit = emit, .flush = flush, .destroy = count_destroy
};
static const xray_sampler sampler = { .size = sizeof(sampler),
                                      .decide = decide,
                                      .destroy = count_destroy };
static const xray_logger logger = { .size = sizeof(logger), .log = log_message };
static const xray_clock clock_hook = { .size = sizeof(clock_hook), .now_ns = now_ns };

static void expect_nothing_was_begun(uint64_t segments)
{
    cr_expect_gt(calls, 0);
    cr_expect_eq(begun, 0);
    cr_expect_eq(stats_of(recorder).begun, segments);
    settle();
    cr_expect_eq(begun, 0);
}

Test(hook, that_emits_is_not_recorded)
{
    record_with((xray_recorder_params){ .emitter = &emitter });
    xray_end(xray_begin_segment("a"));
    cr_expect_eq(calls, 1);
    expect_nothing_was_begun(1);
}

Test(hook, that_emits_sees_no_current_segment)
{
    xray_segment *a;

    record_with((xray_recorder_params){ .emitter = &emitter });
    a = xray_begin_segment("a");
    xray_end(xray_begin_segment("b"));
    cr_expect_eq(xray_current(), a);
    xray_end(a);
    expect_nothing_was_begun(2);
}

Test(hook, that_flushes_is_not_recorded)
{
    record_with((xray_recorder_params){ .emitter = &emitter });
    cr_expect_eq(xray_recorder_flush(recorder, 0), 0);
    expect_nothing_was_begun(0);
}

Test(hook, that_samples_is_not_recorded)
{
    record_with((xray_recorder_params){ .sampler = &sampler });
    xray_end(xray_begin_segment("a"));
    expect_nothing_was_begun(1);
}

Test(hook, that_logs_is_not_recorded)
{
    record_with((xray_recorder_params){ .logger = &logger });
    emitter_answer = -EIO;
    xray_end(xray_begin_segment("a"));
    cr_expect_eq(calls, 1);
    expect_nothing_was_begun(1);
}

/* Does what is refused with a message to itself. */
static void log_and_log(void *data, int level, const char *text)
{
    xray_logger itself = { .size = sizeof(itself), .log = log_and_log };
    xray_recorder *made;

    (void)data;
    (void)level;
    (void)text;
    calls++;
    if (calls < 10)
        cr_expect_lt(
            xray_recorder_new(&made, xray_recorder_params(.logger = &itself, .flags = ~0u)), 0);
}

Test(hook, that_logs_is_not_called_for_what_it_logs_itself)
{
    xray_logger careless = { .size = sizeof(careless), .log = log_and_log };

    record_with((xray_recorder_params){ .logger = &careless });
    xray_begin_subsegment("no current one");
    cr_expect_eq(calls, 1);
    settle();
}

Test(hook, that_tells_the_time_is_not_recorded)
{
    record_with((xray_recorder_params){ .clock = &clock_hook });
    xray_end(xray_begin_segment("a"));
    expect_nothing_was_begun(1);
}

Test(hook, that_is_destroyed_is_not_recorded)
{
    record_with((xray_recorder_params){ .emitter = &emitter, .sampler = &sampler });
    settle();
    cr_expect_eq(destroyed, 2);
    cr_expect_eq(begun, 0);
}

/* Ends what it is told to end, as a careless emitter might. */
static xray_segment *to_end;

static int emit_and_end(void *data, const xray_document *document)
{
    (void)data;
    (void)document;
    xray_end(to_end);
    return 0;
}

Test(hook, that_ends_the_segment_being_sent_does_no_harm)
{
    xray_emitter careless = { .size = sizeof(careless), .emit = emit_and_end };

    record_with((xray_recorder_params){ .emitter = &careless });
    to_end = xray_begin_segment("a");
    xray_end(to_end);
    cr_expect_eq(stats_of(recorder).emitted, 1);
    settle();
}

/* ---- What hooks leave behind ------------------------------------------------------- */

static void *allocate_and_fail(void *data, size_t bytes)
{
    (void)data;
    errno = ENOMEM;
    return malloc(bytes);
}

static void release_and_fail(void *data, void *memory, size_t bytes)
{
    (void)data;
    (void)bytes;
    free(memory);
    errno = ENOMEM;
}

static int64_t tell_time_and_fail(void *data)
{
    (void)data;
    errno = ENOSYS;
    return clock_ns;
}

static void decide_and_fail(void *data, const xray_sampling_request *request,
                            xray_sampling_decision *ret)
{
    (void)data;
    (void)request;
    errno = ENOTCONN;
    *ret = (xray_sampling_decision){ .sampled = 1, .rule = "rule" };
}

static int emit_and_fail(void *data, const xray_document *document)
{
    (void)data;
    (void)document;
    errno = EPIPE;
    return -EPIPE;
}

static const xray_emitter failing_emitter = { .size = sizeof(failing_emitter),
                                              .emit = emit_and_fail };
static const xray_sampler failing_sampler = { .size = sizeof(failing_sampler),
                                              .decide = decide_and_fail };
static const xray_clock failing_clock = { .size = sizeof(failing_clock),
                                          .now_ns = tell_time_and_fail };

#define LEAVES_ERRNO_ALONE(call)                       \
    do {                                               \
        errno = EXDEV;                                 \
        call;                                          \
        cr_expect_eq(errno, EXDEV, "after %s", #call); \
    } while (0)

static void record_with_failing_hooks(void *unused)
{
    static char much[3000];
    xray_segment *a, *b;

    (void)unused;
    memset(much, 'x', sizeof(much) - 1);
    LEAVES_ERRNO_ALONE(a = xray_begin_segment("a"));
    LEAVES_ERRNO_ALONE(b = xray_begin_subsegment("b"));
    LEAVES_ERRNO_ALONE(xray_add_metadata(b, NULL, "much", much));
    LEAVES_ERRNO_ALONE(xray_add_metadata(b, NULL, "more", much));
    LEAVES_ERRNO_ALONE(xray_add_exception(b, "type", "%s", much));
    LEAVES_ERRNO_ALONE(xray_send_in_progress(b));
    LEAVES_ERRNO_ALONE(xray_end(b));
    LEAVES_ERRNO_ALONE(b = xray_start_subsegment(a, "c"));
    LEAVES_ERRNO_ALONE(xray_detach(b));
    LEAVES_ERRNO_ALONE(xray_attach(b));
    LEAVES_ERRNO_ALONE(xray_end(b));
    LEAVES_ERRNO_ALONE(xray_end(a));
}

Test(hook, that_fails_leaves_errno_alone)
{
    xray_allocator careless = { .size = sizeof(careless),
                                .allocate = allocate_and_fail,
                                .release = release_and_fail };

    cr_assert_eq(xray_set_allocator(&careless), 0);
    record_with((xray_recorder_params){
        .emitter = &failing_emitter, .sampler = &failing_sampler, .clock = &failing_clock });
    record_with_failing_hooks(NULL);
    on_thread(record_with_failing_hooks, NULL);
    settle();
}

/* ---- What hooks are told ---------------------------------------------------------- */

static xray_sampling_request told;
static char told_service[64], told_type[64], told_host[64], told_method[64], told_path[64];

static const char *copy(char ret[64], const char *text)
{
    return text ? strncpy(ret, text, 63) : NULL;
}

static void listen(void *data, const xray_sampling_request *request, xray_sampling_decision *ret)
{
    (void)data;
    told = *request;
    told.service = copy(told_service, request->service);
    told.service_type = copy(told_type, request->service_type);
    told.host = copy(told_host, request->host);
    told.http_method = copy(told_method, request->http_method);
    told.url_path = copy(told_path, request->url_path);
    *ret = (xray_sampling_decision){ .sampled = 1, .rule = "my rule" };
}

static const xray_sampler listening = { .size = sizeof(listening), .decide = listen };

Test(sampler, is_told_what_is_known_of_the_request)
{
    record_with((xray_recorder_params){ .sampler = &listening, .origin = "AWS::EC2::Instance" });
    xray_end(
        xray_start_segment(recorder, xray_segment_params(.name = "shop", .host = "example.com",
                                                         .http_method = "GET", .url_path = "/x")));
    settle();
    cr_expect_str_eq(told.service, "shop");
    cr_expect_str_eq(told.service_type, "AWS::EC2::Instance");
    cr_expect_str_eq(told.host, "example.com");
    cr_expect_str_eq(told.http_method, "GET");
    cr_expect_str_eq(told.url_path, "/x");
    cr_expect_str_eq(text_at(document(0), "origin"), "AWS::EC2::Instance");
}

Test(sampler, is_told_the_service_when_there_is_no_name_and_null_for_the_rest)
{
    record_with((xray_recorder_params){ .sampler = &listening, .service = "service" });
    xray_end(xray_begin_segment(NULL));
    settle();
    cr_expect_str_eq(told.service, "service");
    cr_expect_null(told.host);
    cr_expect_null(told.http_method);
    cr_expect_null(told.url_path);
    cr_expect_null(told.service_type);
}

Test(sampler, names_its_rule_in_the_document)
{
    record_with((xray_recorder_params){ .sampler = &listening });
    xray_end(xray_begin_segment("a"));
    settle();
    cr_expect_str_eq(text_at(document(0), "aws.xray.sampling_rule_name"), "my rule");
}

Test(sampler, is_not_asked_about_subsegments_nor_decided_traces)
{
    xray_trace_header header = { .trace_id = { { 1 } }, .sampled = XRAY_SAMPLED_YES };
    xray_segment *a;

    record_with((xray_recorder_params){ .sampler = &sampler });
    a = xray_start_segment(recorder, xray_segment_params(.header = &header));
    xray_end(xray_start_subsegment(a, "b"));
    xray_end(a);
    cr_expect_eq(calls, 0);
    settle();
}

static void rule_without_end(void *data, const xray_sampling_request *request,
                             xray_sampling_decision *ret)
{
    (void)data;
    (void)request;
    ret->sampled = 1;
    memset(ret->rule, 'r', sizeof(ret->rule));
}

Test(sampler, that_names_a_rule_without_an_end_is_survived)
{
    xray_sampler careless = { .size = sizeof(careless), .decide = rule_without_end };

    record_with((xray_recorder_params){ .sampler = &careless });
    xray_end(xray_begin_segment("a"));
    settle();
    cr_expect_eq(strlen(text_at(document(0), "aws.xray.sampling_rule_name")), 32);
}

Test(logger, never_hears_what_was_recorded)
{
    record();
    emitter_answer = -ECONNREFUSED;
    for (int i = 0; i < 3; i++) {
        xray_segment *a = xray_begin_segment("secret");

        xray_annotate(a, "secret", "secret");
        xray_set_http(a, xray_http(.url = "http://secret/"));
        xray_end(a);
    }
    xray_begin_subsegment("secret");
    cr_expect_gt(message_count(), 0);
    cr_expect_not(logged_text("secret"));
    settle();
}

Test(logger, hears_the_same_complaint_once_a_minute)
{
    record();
    emitter_answer = -ECONNREFUSED;
    for (int i = 0; i < 100; i++)
        xray_end(xray_begin_segment("a"));
    cr_expect_eq(message_count(), 1);
    cr_expect_eq(stats_of(recorder).failed, 100);
    settle();
}

Test(logger, of_a_level_that_is_too_high_hears_nothing)
{
    xray_logger silent = { .size = sizeof(silent), .level = XRAY_LOG_ERROR, .log = log_message };

    record_with((xray_recorder_params){ .logger = &silent });
    emitter_answer = -ECONNREFUSED;
    xray_end(xray_begin_segment("a"));
    cr_expect_eq(calls, 0);
    settle();
}
