/* SPDX-License-Identifier: Apache-2.0 */
/* What adaptive sampling hears of how segments end, what it keeps, and what callees are told. */
#include "support.h"

#include <stdlib.h>

/* The first half of the SHA-256 of "orders", as sha256sum prints it. */
#define HASH_OF_ORDERS "1c168adb00d208e4"

static struct report {
    char rule[40], upstream[40], service[40];
    int32_t sampled, anomaly;
    xray_trace_id trace_id;
} reports[8];
static size_t report_count;
static bool wants_report = true;

static void decide(void *data, const xray_sampling_request *request, xray_sampling_decision *ret)
{
    (void)request;
    *ret = (xray_sampling_decision){ .sampled = data != NULL, .report = wants_report };
    strcpy(ret->rule, "orders");
}

static void keep_report(void *data, const xray_sampling_outcome *outcome)
{
    struct report *report = &reports[report_count++];

    (void)data;
    snprintf(report->rule, sizeof(report->rule), "%s", outcome->rule);
    snprintf(report->upstream, sizeof(report->upstream), "%s", outcome->upstream);
    snprintf(report->service, sizeof(report->service), "%s", outcome->service);
    report->sampled = outcome->sampled;
    report->anomaly = outcome->anomaly;
    report->trace_id = outcome->trace_id;
    xray_end(xray_begin_segment("of the hook's own"));
}

static const xray_sampler says_no = { .size = sizeof(says_no),
                                      .decide = decide,
                                      .report = keep_report };
static const xray_sampler says_yes = {
    .size = sizeof(says_yes), .data = &report_count, .decide = decide, .report = keep_report
};

static void record_for(const xray_sampler *sampler, uint32_t flags)
{
    record_with((xray_recorder_params){
        .service = "service", .sampler = sampler, .clock = &still_clock, .flags = flags });
}

static void respond(const char *name, int32_t status, int64_t seconds)
{
    xray_segment *segment = xray_begin_segment(name);

    if (status)
        xray_set_http(segment,
                      xray_http(.method = "GET", .url = "http://h/orders/7?q=1", .status = status));
    clock_ns += seconds * 1000000000;
    xray_end(segment);
}

/* ---- Reports ------------------------------------------------------------------- */

Test(report, says_how_an_unsampled_segment_ended)
{
    record_for(&says_no, 0);
    respond("front", 503, 0);
    respond("front", 200, 0);
    cr_assert_eq(report_count, 2);
    cr_expect_str_eq(reports[0].rule, "orders");
    cr_expect_str_eq(reports[0].upstream, "");
    cr_expect_str_eq(reports[0].service, "front");
    cr_expect_eq(reports[0].sampled, 0);
    cr_expect_eq(reports[0].anomaly, 2, "by the default condition");
    cr_expect_eq(reports[1].anomaly, 0);
    settle();
    cr_expect_eq(document_count(), 0, "nothing is sent for a report");
}

Test(report, says_how_a_sampled_segment_ended)
{
    record_for(&says_yes, 0);
    respond("front", 0, 0);
    cr_assert_eq(report_count, 1);
    cr_expect_eq(reports[0].sampled, 1);
    settle();
    cr_expect_eq(document_count(), 1);
}

Test(report, is_not_made_when_the_decision_did_not_ask_for_it)
{
    wants_report = false;
    record_for(&says_no, 0);
    respond("front", 503, 0);
    cr_expect_eq(report_count, 0);
    cr_expect_not(xray_is_recording(xray_begin_segment("front")));
    xray_end(xray_current());
    settle();
}

Test(report, leaves_the_counts_of_capture_alone_without_it)
{
    xray_segment *segment, *late;
    xray_stats stats;

    record_for(&says_no, 0);
    segment = xray_begin_segment("front");
    late = xray_start_subsegment(segment, "late");
    xray_end(segment);
    xray_end(late);
    stats = stats_of(recorder);
    cr_expect_eq(report_count, 1);
    cr_expect_eq(stats.requests, 0);
    cr_expect_eq(stats.capture_dropped, 0);
    settle();
}

Test(report, is_of_segments_and_not_of_subsegments)
{
    xray_segment *segment;

    record_for(&says_no, 0);
    segment = xray_begin_segment("front");
    xray_mark(xray_begin_subsegment("work"), XRAY_FAULT);
    xray_end(xray_current());
    xray_end(segment);
    settle();
    cr_expect_eq(report_count, 1);
    cr_expect_eq(reports[0].anomaly, 0);
}

/* ---- Whose rule it was ------------------------------------------------------------ */

Test(rule, goes_to_callees_when_asked_to)
{
    xray_trace_header header;
    xray_segment *segment;

    record_for(&says_no, XRAY_RECORDER_PROPAGATE_RULE);
    segment = xray_begin_segment("front");
    xray_get_header(segment, &header);
    cr_expect_str_eq(header.extra, "xrsr=" HASH_OF_ORDERS);
    xray_end(segment);
    settle();
}

Test(rule, does_not_go_to_callees_by_itself)
{
    xray_trace_header header;
    xray_segment *segment;

    record_for(&says_no, 0);
    segment = xray_begin_segment("front");
    xray_get_header(segment, &header);
    cr_expect_str_eq(header.extra, "");
    xray_end(segment);
    settle();
}

/* A request in a trace that another service began. */
static void take_over(const char *text)
{
    xray_trace_header in, out;
    xray_segment *segment;

    cr_assert_eq(xray_trace_header_parse(&in, text), 0);
    segment = xray_start_segment(recorder, xray_segment_params(.name = "back", .header = &in));
    xray_get_header(segment, &out);
    cr_expect_str_eq(out.extra, in.extra);
    xray_mark(segment, XRAY_FAULT);
    xray_end(segment);
}

Test(rule, of_a_caller_is_reported_and_passed_on)
{
    record_for(&says_no, XRAY_RECORDER_PROPAGATE_RULE);
    take_over("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;"
              "a=b;xrsr=0123456789abcdef");
    cr_assert_eq(report_count, 1);
    cr_expect_str_eq(reports[0].upstream, "0123456789abcdef");
    cr_expect_str_eq(reports[0].rule, "");
    take_over("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;"
              "xrsr=0123");
    cr_expect_eq(report_count, 1, "that is no hash");
    settle();
}

/* ---- The configuration --------------------------------------------------------------- */

static void configure(const char *text)
{
    setenv("AWS_XRAY_ADAPTIVE_SAMPLING_CONFIG", text, 1);
    record_from_environment(
        (xray_recorder_params){ .service = "service", .sampler = &says_no, .clock = &still_clock });
}

Test(configuration, captures_what_it_calls_an_anomaly)
{
    configure("version: 1.0\n"
              "anomalyConditions:\n"
              "  - errorCodeRegex: \"4..\"\n"
              "    usage: anomaly-trace-capture\n"
              "  - highLatencyMs: 2500\n"
              "    operations: [\"GET /orders\"]\n"
              "    usage: sampling-boost\n");
    respond("client error", 404, 0);
    respond("server error", 503, 0);
    respond("slow", 200, 3);
    settle();
    cr_expect_eq(document_count(), 1);
    cr_expect(own_document("client error"));
    cr_expect_eq(reports[0].anomaly, 0);
    cr_expect_eq(reports[1].anomaly, 0);
    cr_expect_eq(reports[2].anomaly, 1);
}

Test(configuration, takes_another_url_in_a_path_for_a_part_of_it)
{
    xray_segment *segment;

    configure("version: 1.0\n"
              "anomalyConditions:\n"
              "  - errorCodeRegex: '5..'\n"
              "    operations: [/proxy]\n");
    segment = xray_begin_segment("front");
    xray_set_http(segment, xray_http(.method = "GET", .url = "/proxy/https://example.com/home",
                                     .status = 503));
    xray_end(segment);
    settle();
    cr_expect_eq(document_count(), 1);
}

Test(configuration, without_conditions_captures_faults_within_its_budget)
{
    configure("version: 1.0\nanomalyCaptureLimit:\n  anomalyTracesPerSecond: 3\n");
    wants_report = false;
    for (int i = 0; i < 100; i++)
        respond("front", 503, 0);
    settle();
    cr_expect_eq(document_count(), 29);
}

Test(configuration, with_a_limit_of_zero_captures_nothing)
{
    configure("version: 1.0\nanomalyCaptureLimit:\n  anomalyTracesPerSecond: 0\n");
    respond("front", 503, 0);
    settle();
    cr_expect_eq(document_count(), 0);
}

Test(configuration, that_is_not_valid_is_ignored_with_a_warning)
{
    configure("version: 1.0\nanomalyConditions: 7\n");
    respond("front", 503, 0);
    settle();
    cr_expect_eq(document_count(), 0);
    cr_expect(logged_text("AWS_XRAY_ADAPTIVE_SAMPLING_CONFIG is ignored"));
}

Test(configuration, is_not_for_lambda)
{
    setenv("LAMBDA_TASK_ROOT", "/var/task", 1);
    configure("version: 1.0\n");
    wants_report = false;
    respond("front", 503, 0);
    settle();
    cr_expect_eq(document_count(), 0);
}
