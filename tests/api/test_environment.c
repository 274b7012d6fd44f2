/* SPDX-License-Identifier: Apache-2.0 */
/* Variables that change a recorder. Each test is a process of its own, so that it may set them. */
#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int emit_nothing(void *data, const xray_document *document)
{
    (void)data;
    (void)document;
    return 0;
}

static void hear(void *data, int level, const char *text)
{
    (void)level;
    snprintf(data, 512, "%s", text);
}

static char heard[512];
static const xray_logger logger = { .size = sizeof(logger), .data = heard, .log = hear };

/* A daemon on a port of the kernel's choice. */
static int listen_at(char ret_address[32])
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    cr_assert_geq(fd, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(ret_address, 32, "127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}

static bool arrived(int fd)
{
    char text[65536];

    return recv(fd, text, sizeof(text), MSG_DONTWAIT) > 0;
}

/* A recorder with the library's own emitter. */
static void record_over_udp(const char *address)
{
    xray_recorder_params params = { .size = sizeof(params),
                                    .sampler = &sampler_yes,
                                    .daemon_address = address,
                                    .logger = &logger };

    cr_assert_eq(xray_recorder_new(&recorder, &params), 0);
    xray_end(xray_start_segment(recorder, NULL));
    xray_recorder_free(recorder);
}

/* ---- AWS_XRAY_DAEMON_ADDRESS -------------------------------------------------------- */

Test(daemon_address, of_the_environment_beats_the_one_in_code)
{
    char address[32], other[32];
    int there = listen_at(address), not_there = listen_at(other);

    setenv("AWS_XRAY_DAEMON_ADDRESS", address, 1);
    record_over_udp(other);
    cr_expect(arrived(there));
    cr_expect_not(arrived(not_there));
}

Test(daemon_address, may_have_two_parts_in_any_order)
{
    char address[32], two[128];
    int there = listen_at(address);

    snprintf(two, sizeof(two), "tcp:127.0.0.1:1 udp:%s", address);
    setenv("AWS_XRAY_DAEMON_ADDRESS", two, 1);
    record_over_udp(NULL);
    cr_expect(arrived(there));
    snprintf(two, sizeof(two), "udp:%s tcp:127.0.0.1:1", address);
    setenv("AWS_XRAY_DAEMON_ADDRESS", two, 1);
    record_over_udp(NULL);
    cr_expect(arrived(there));
}

Test(daemon_address, that_cannot_be_read_keeps_the_one_in_code_and_says_so)
{
    char address[32];
    int there = listen_at(address);

    setenv("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:port", 1);
    record_over_udp(address);
    cr_expect(arrived(there));
    cr_expect(strstr(heard, "AWS_XRAY_DAEMON_ADDRESS"), "%s", heard);
}

Test(daemon_address, does_not_replace_an_emitter)
{
    char address[32];
    int there = listen_at(address);

    setenv("AWS_XRAY_DAEMON_ADDRESS", address, 1);
    record_from_environment((xray_recorder_params){ .sampler = &sampler_yes });
    xray_end(xray_begin_segment("a"));
    settle();
    cr_expect_not(arrived(there));
    cr_expect_eq(document_count(), 1);
}

Test(daemon_address, is_not_read_when_the_environment_is_refused)
{
    char address[32], other[32];
    int not_there = listen_at(address), there = listen_at(other);
    xray_recorder_params params = { .size = sizeof(params),
                                    .flags = XRAY_RECORDER_NO_ENVIRONMENT,
                                    .sampler = &sampler_yes,
                                    .daemon_address = other };

    setenv("AWS_XRAY_DAEMON_ADDRESS", address, 1);
    cr_assert_eq(xray_recorder_new(&recorder, &params), 0);
    xray_end(xray_start_segment(recorder, NULL));
    xray_recorder_free(recorder);
    cr_expect(arrived(there));
    cr_expect_not(arrived(not_there));
}

Test(daemon_address, is_used_by_the_default_recorder)
{
    char address[32];
    int there = listen_at(address);

    setenv("AWS_XRAY_DAEMON_ADDRESS", address, 1);
    setenv("XRAYTRACE_SAMPLING_RATE", "1", 1);
    xray_end(xray_begin_segment("hello"));
    cr_expect(arrived(there), "when xray_end() returns, the datagram has left");
}

/* ---- Names ---------------------------------------------------------------------------- */

Test(tracing_name, beats_the_service_in_code)
{
    setenv("AWS_XRAY_TRACING_NAME", "environment", 1);
    record_from_environment((xray_recorder_params){ .service = "code", .sampler = &sampler_yes });
    xray_end(xray_begin_segment(NULL));
    settle();
    cr_expect_str_eq(text_at(document(0), "name"), "environment");
}

Test(tracing_name, does_not_replace_a_segments_own_name)
{
    setenv("AWS_XRAY_TRACING_NAME", "environment", 1);
    record_from_environment((xray_recorder_params){ .sampler = &sampler_yes });
    xray_end(xray_begin_segment("own"));
    settle();
    cr_expect_str_eq(text_at(document(0), "name"), "own");
}

Test(tracing_name, that_is_empty_is_none)
{
    setenv("AWS_XRAY_TRACING_NAME", "", 1);
    record_from_environment((xray_recorder_params){ .service = "code", .sampler = &sampler_yes });
    xray_end(xray_begin_segment(NULL));
    settle();
    cr_expect_str_eq(text_at(document(0), "name"), "code");
}

/* ---- Enabled and disabled ---------------------------------------------------------------- */

static uint64_t begun_with(const char *variable, const char *value)
{
    uint64_t begun;

    setenv(variable, value, 1);
    record_from_environment((xray_recorder_params){ .sampler = &sampler_yes });
    xray_end(xray_begin_segment("a"));
    xray_end(xray_begin_subsegment("b"));
    begun = stats_of(recorder).begun;
    settle();
    unsetenv(variable);
    return begun;
}

Test(disabled, is_said_by_either_variable_in_any_case)
{
    cr_expect_eq(begun_with("AWS_XRAY_SDK_DISABLED", "TRUE"), 0);
    cr_expect_eq(begun_with("AWS_XRAY_SDK_DISABLED", "1"), 0);
    cr_expect_eq(begun_with("AWS_XRAY_SDK_ENABLED", "False"), 0);
    cr_expect_eq(begun_with("AWS_XRAY_SDK_ENABLED", "0"), 0);
    cr_expect_eq(message_count(), 0);
    cr_expect_eq(document_count(), 0);
}

Test(disabled, is_not_said_by_their_opposites)
{
    cr_expect_eq(begun_with("AWS_XRAY_SDK_DISABLED", "false"), 1);
    cr_expect_eq(begun_with("AWS_XRAY_SDK_ENABLED", "true"), 1);
    cr_expect_eq(begun_with("AWS_XRAY_SDK_ENABLED", ""), 1);
}

Test(disabled, is_not_said_by_a_value_that_is_none_which_is_told)
{
    cr_expect_eq(begun_with("AWS_XRAY_SDK_DISABLED", "perhaps"), 1);
    cr_expect(logged_text("AWS_XRAY_SDK_DISABLED"));
    cr_expect_eq(begun_with("AWS_XRAY_SDK_ENABLED", "perhaps"), 1);
    cr_expect(logged_text("AWS_XRAY_SDK_ENABLED"));
}

Test(disabled, resolves_no_name)
{
    xray_recorder_params params = { .size = sizeof(params),
                                    .daemon_address = "no.such.host.invalid" };

    setenv("AWS_XRAY_SDK_DISABLED", "true", 1);
    cr_assert_eq(xray_recorder_new(&recorder, &params), 0);
    xray_recorder_free(recorder);
}

/* ---- Sampling ------------------------------------------------------------------------------- */

static uint64_t sampled_of(int count, const char *variable, const char *value)
{
    static const xray_emitter nowhere = { .size = sizeof(nowhere), .emit = emit_nothing };
    uint64_t sampled;

    setenv(variable, value, 1);
    record_from_environment((xray_recorder_params){ .emitter = &nowhere });
    for (int i = 0; i < count; i++)
        xray_end(xray_begin_segment("a"));
    sampled = stats_of(recorder).sampled;
    settle();
    unsetenv(variable);
    return sampled;
}

Test(sampling_rate, of_one_samples_all_and_of_zero_none)
{
    cr_expect_eq(sampled_of(1000, "XRAYTRACE_SAMPLING_RATE", "1"), 1000);
    cr_expect_eq(sampled_of(1000, "XRAYTRACE_SAMPLING_RATE", "0"), 0);
    cr_expect_eq(sampled_of(1000, "XRAYTRACE_SAMPLING_RATE", "1.0"), 1000);
    cr_expect_eq(sampled_of(1000, "XRAY_SAMPLING_RATE", "1"), 1000);
}

Test(sampling_rate, of_a_half_samples_about_half)
{
    uint64_t sampled = sampled_of(10000, "XRAYTRACE_SAMPLING_RATE", "0.5");

    /* Ten standard deviations. */
    cr_expect(sampled > 4500 && sampled < 5500, "%zu", (size_t)sampled);
}

Test(sampling_rate, under_its_own_name_beats_the_alias)
{
    setenv("XRAYTRACE_SAMPLING_RATE", "0", 1);
    cr_expect_eq(sampled_of(100, "XRAY_SAMPLING_RATE", "1"), 0);
}

Test(sampling_rate, that_is_none_keeps_the_default_and_says_so)
{
    static const char *const bad[] = {
        "2", "-1", "1e-1", "half", "0,5", ".", "0.5.5", "nan", " 1"
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        size_t before = message_count();
        uint64_t sampled = sampled_of(1000, "XRAYTRACE_SAMPLING_RATE", bad[i]);

        cr_expect(sampled >= 1 && sampled < 500, "%s: %zu", bad[i], (size_t)sampled);
        cr_expect_eq(message_count(), before + 1, "%s", bad[i]);
    }
    cr_expect(logged_text("XRAYTRACE_SAMPLING_RATE"));
}

Test(sampling_rate, does_not_replace_a_sampler)
{
    setenv("XRAYTRACE_SAMPLING_RATE", "0", 1);
    record_from_environment((xray_recorder_params){ .sampler = &sampler_yes });
    xray_end(xray_begin_segment("a"));
    settle();
    cr_expect_eq(document_count(), 1);
}

/* ---- Sampling rules ---------------------------------------------------------------------- */

#define RULES_DOCUMENT                                                                       \
    "{\"version\":2,\"default\":{\"fixed_target\":0,\"rate\":0},\"rules\":[{\"host\":\"*\"," \
    "\"http_method\":\"*\",\"url_path\":\"/yes\",\"fixed_target\":0,\"rate\":1}]}"

static bool samples(const char *path)
{
    xray_segment *segment = xray_start_segment(recorder, xray_segment_params(.url_path = path));
    bool sampled = xray_is_sampled(segment);

    xray_end(segment);
    return sampled;
}

static void write_rules(const char *file, const char *text)
{
    FILE *stream = fopen(file, "w");

    cr_assert_not_null(stream);
    fputs(text, stream);
    fclose(stream);
}

Test(sampling_rules, of_the_environment_may_be_a_document)
{
    setenv("XRAYTRACE_SAMPLING_RULES", "\n\t " RULES_DOCUMENT, 1);
    record_from_environment((xray_recorder_params){ .service = "s" });
    cr_expect(samples("/yes"));
    cr_expect_not(samples("/no"));
    settle();
    cr_expect_eq(message_count(), 0);
}

Test(sampling_rules, of_the_environment_may_be_a_file_that_changes)
{
    char file[] = "/tmp/xraytrace-rules-XXXXXX";

    close(mkstemp(file));
    write_rules(file, RULES_DOCUMENT);
    setenv("XRAYTRACE_SAMPLING_RULES", file, 1);
    record_from_environment((xray_recorder_params){ .service = "s" });
    cr_expect(samples("/yes"));
    cr_expect_not(samples("/no"));
    write_rules(file, "{\"version\":1,\"default\":{\"fixed_target\":0,\"rate\":1}}");
    for (int i = 0; i < 2000 && !samples("/no"); i++)
        usleep(10000);
    cr_expect(samples("/no"));
    unlink(file);
    settle();
}

Test(sampling_rules, of_the_environment_beat_the_rate)
{
    setenv("XRAYTRACE_SAMPLING_RULES", RULES_DOCUMENT, 1);
    cr_expect_eq(sampled_of(100, "XRAYTRACE_SAMPLING_RATE", "1"), 0);
}

Test(sampling_rules, of_the_environment_do_not_replace_a_sampler)
{
    setenv("XRAYTRACE_SAMPLING_RULES", RULES_DOCUMENT, 1);
    record_from_environment((xray_recorder_params){ .sampler = &sampler_yes });
    cr_expect(samples("/no"));
    settle();
}

Test(sampling_rules, of_the_environment_that_are_none_keep_the_default_and_say_so)
{
    static const char *const bad[] = { "{", "{}", "/nonexistent/rules.json", "/", "2", " [] " };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        size_t before = message_count();
        uint64_t sampled = sampled_of(1000, "XRAYTRACE_SAMPLING_RULES", bad[i]);

        cr_expect(sampled >= 1 && sampled < 500, "%s: %zu", bad[i], (size_t)sampled);
        cr_expect_eq(message_count(), before + 2, "%s", bad[i]);
    }
    cr_expect(logged_text("XRAYTRACE_SAMPLING_RULES is ignored"));
    cr_expect(logged_text("not JSON, at line 1; in XRAYTRACE_SAMPLING_RULES"));
}

Test(sampling_rules, of_the_environment_that_are_none_leave_it_to_the_rate)
{
    setenv("XRAYTRACE_SAMPLING_RULES", "/nonexistent/rules.json", 1);
    cr_expect_eq(sampled_of(100, "XRAYTRACE_SAMPLING_RATE", "1"), 100);
}

Test(sampling_rules, of_the_environment_are_not_read_by_who_is_disabled)
{
    setenv("XRAYTRACE_SAMPLING_RULES", "/nonexistent/rules.json", 1);
    setenv("AWS_XRAY_SDK_DISABLED", "true", 1);
    record_from_environment((xray_recorder_params){ .service = "s" });
    settle();
    cr_expect_eq(message_count(), 0);
}

Test(sampling_default, is_one_a_second_and_some_of_the_rest)
{
    uint64_t sampled = sampled_of(20000, "UNRELATED", "");

    /* 5 % of 20,000 and a few for the seconds; ten standard deviations. */
    cr_expect(sampled > 690 && sampled < 1400, "%zu", (size_t)sampled);
}

/* ---- Ids of what is not sampled ---------------------------------------------------------- */

#define ROOT "Root=1-5759e988-bd862e3fe1be46a994272793"

static void record_with_noop_id(const char *value)
{
    setenv("AWS_XRAY_NOOP_ID", value, 1);
    record_from_environment((xray_recorder_params){ .sampler = &sampler_no });
}

/* The header that a segment sends on, as text. */
static const char *sent_by(const xray_segment *segment)
{
    static char text[XRAY_TRACE_HEADER_SIZE];
    xray_trace_header header;

    xray_get_header(segment, &header);
    xray_trace_header_format(&header, text, sizeof(text));
    return text;
}

static xray_segment *begin_with_header(const char *text)
{
    xray_trace_header header;
    xray_segment *segment;

    cr_assert_eq(xray_trace_header_parse(&header, text), 0);
    segment = xray_start_segment(recorder, xray_segment_params(.name = "a", .header = &header));
    xray_attach(segment);
    return segment;
}

Test(noop_id, of_true_makes_no_ids_for_what_is_not_sampled)
{
    xray_segment *segment;
    xray_trace_header header;
    char text[XRAY_TRACEPARENT_SIZE] = "";

    record_with_noop_id("true");
    segment = xray_begin_segment("a");
    cr_expect_str_eq(sent_by(segment), "Sampled=0");
    cr_expect_str_eq(sent_by(xray_begin_subsegment("b")), "Sampled=0");
    xray_get_header(segment, &header);
    cr_expect_eq(xray_traceparent_format(&header, text, sizeof(text)), 0);
    xray_get_response_header(segment, &header);
    cr_expect_eq(header.trace_id.bytes[0], 0);
    xray_end(segment);
    settle();
}

Test(noop_id, of_true_passes_on_what_came_in)
{
    static const char came_in[] = ROOT ";Parent=53995c3f42cd8ad8;Sampled=0";
    xray_segment *a, *b;

    record_with_noop_id("true");
    a = begin_with_header(came_in);
    b = xray_begin_subsegment("b");
    cr_expect_str_eq(sent_by(a), came_in);
    cr_expect_str_eq(sent_by(b), came_in);
    cr_expect_str_eq(sent_by(xray_begin_subsegment("c")), came_in);
    xray_end(a);
    a = begin_with_header(ROOT ";Sampled=0");
    cr_expect_str_eq(sent_by(xray_begin_subsegment("b")), ROOT ";Sampled=0");
    xray_end(a);
    settle();
}

Test(noop_id, of_true_leaves_sampled_traces_alone)
{
    xray_segment *a, *b;
    xray_trace_header of_a, of_b;

    record_with_noop_id("true");
    a = begin_with_header(ROOT ";Sampled=1");
    b = xray_start_subsegment_with(a, xray_subsegment_params(.name = "b", .not_sampled = 1));
    xray_get_header(a, &of_a);
    xray_get_header(b, &of_b);
    cr_expect_neq(of_a.parent_id, 0);
    cr_expect_eq(of_b.sampled, XRAY_SAMPLED_NO);
    cr_expect_eq(of_b.parent_id, of_a.parent_id, "it is the last one that is sent");
    cr_expect_arr_eq(&of_b.trace_id, &of_a.trace_id, sizeof(of_a.trace_id));
    xray_end(b);
    xray_end(a);
    settle();
}

Test(noop_id, of_false_or_none_makes_ids)
{
    static const char *const values[] = { "false", "", "perhaps" };

    for (size_t i = 0; i < 3; i++) {
        xray_segment *a;
        xray_trace_header header;

        record_with_noop_id(values[i]);
        a = begin_with_header(ROOT ";Parent=53995c3f42cd8ad8;Sampled=0");
        xray_get_header(a, &header);
        cr_expect_neq(header.parent_id, 0, "%s", values[i]);
        cr_expect_neq(header.parent_id, 0x53995c3f42cd8ad8, "%s", values[i]);
        xray_end(a);
        settle();
    }
    cr_expect(logged_text("AWS_XRAY_NOOP_ID"));
}

/* ---- Context missing and logging
 * ----------------------------------------------------------------- */

static void begin_without_context(int32_t in_code, const char *value)
{
    setenv("AWS_XRAY_CONTEXT_MISSING", value, 1);
    record_from_environment((xray_recorder_params){ .context_missing = in_code });
    cr_expect_null(xray_begin_subsegment("a"));
}

Test(context_missing, of_ignore_error_is_silent)
{
    begin_without_context(XRAY_CONTEXT_MISSING_LOG, "IGNORE_ERROR");
    cr_expect_eq(message_count(), 0);
    settle();
}

Test(context_missing, of_log_error_logs)
{
    begin_without_context(XRAY_CONTEXT_MISSING_IGNORE, "log_error");
    cr_expect_eq(message_count(), 1);
    settle();
}

Test(context_missing, of_runtime_error_logs_and_does_not_abort)
{
    begin_without_context(XRAY_CONTEXT_MISSING_DEFAULT, "RUNTIME_ERROR");
    cr_expect_eq(message_count(), 1);
    settle();
}

Test(context_missing, that_is_none_keeps_the_value_in_code_and_says_so)
{
    begin_without_context(XRAY_CONTEXT_MISSING_IGNORE, "PANIC");
    cr_expect_eq(message_count(), 1);
    cr_expect(logged_text("AWS_XRAY_CONTEXT_MISSING"));
    settle();
}

/* How many bytes go to stderr of a recorder that has no logger of its own. */
static off_t said_with(const char *variable, const char *value)
{
    xray_recorder_params params = { .size = sizeof(params), .sampler = &sampler_yes };
    xray_emitter nowhere = { .size = sizeof(nowhere), .emit = emit_nothing };
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    struct stat status;

    params.emitter = &nowhere;
    setenv(variable, value, 1);
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    cr_assert_eq(xray_recorder_new(&recorder, &params), 0);
    xray_recorder_set_default(recorder);
    xray_begin_subsegment("a");
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    xray_recorder_set_default(NULL);
    xray_recorder_free(recorder);
    unsetenv(variable);
    fstat(fileno(file), &status);
    fclose(file);
    close(saved);
    return status.st_size;
}

Test(log_level, of_silent_says_nothing)
{
    cr_expect_gt(said_with("AWS_XRAY_LOG_LEVEL", "error"), 0);
    cr_expect_eq(said_with("AWS_XRAY_LOG_LEVEL", "silent"), 0);
    cr_expect_eq(said_with("AWS_XRAY_LOG_LEVEL", "SILENT"), 0);
}

Test(log_level, that_is_none_says_so)
{
    cr_expect_gt(said_with("AWS_XRAY_LOG_LEVEL", "loud"), said_with("AWS_XRAY_LOG_LEVEL", "error"));
}

Test(log_level, of_debug_mode_beats_the_other_one)
{
    setenv("AWS_XRAY_LOG_LEVEL", "silent", 1);
    cr_expect_gt(said_with("AWS_XRAY_DEBUG_MODE", "true"), 0);
}

Test(environment, of_a_neighbour_never_stops_the_program)
{
    static const char *const variables[] = {
        "AWS_XRAY_DAEMON_ADDRESS", "AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_TRACING_NAME",
        "AWS_XRAY_SDK_ENABLED",    "AWS_XRAY_SDK_DISABLED",    "AWS_XRAY_DEBUG_MODE",
        "AWS_XRAY_LOG_LEVEL",      "XRAYTRACE_SAMPLING_RATE",  "XRAY_SAMPLING_RATE",
        "_X_AMZN_TRACE_ID",        "AWS_XRAY_NOOP_ID",
    };

    for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++)
        setenv(variables[i], "\xFF\n\"%n%s;;;:::", 1);
    record_from_environment((xray_recorder_params){ .sampler = &sampler_yes });
    xray_end(xray_begin_segment(NULL));
    cr_expect_eq(xray_lambda_end(xray_lambda_begin(recorder, NULL), 0), 0);
    settle();
    cr_expect_eq(document_count(), 1);
}

Test(environment, of_the_recorder_that_is_made_on_first_use_leaves_errno_alone)
{
    setenv("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9", 1);
    /* The sign for it is there already. */
    setenv("LAMBDA_TASK_ROOT", "/var/task", 1);
    (void)mkdir("/tmp/.aws-xray", 0755);
    errno = EXDEV;
    cr_expect(xray_recorder_default());
    cr_expect_eq(errno, EXDEV);
}
