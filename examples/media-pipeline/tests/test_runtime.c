/* SPDX-License-Identifier: Apache-2.0 */
/* The loop against a peer that stands for the Runtime API; segments go to a stream. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"
#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/runtime.h"
#include "runtime/stop.h"

#define TRACE "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

#define NEXT(id, more, event)                                                      \
    {                                                                              \
        .headers = "Lambda-Runtime-Aws-Request-Id: " id "\r\n" more, .body = event \
    }
#define TAKEN         \
    {                 \
        .status = 202 \
    }
#define GONE          \
    {                 \
        .status = 500 \
    } /* ends the loop */

static struct peer *peer;
static char *emitted;
static size_t emitted_length;
static struct {
    int count;
    char trace[256];
    bool cold_start[4];
    int64_t deadline_ms;
    size_t requests; /* to the API when the handler was called */
} seen;
static int64_t started_ns; /* of the process, as the loop is told */

static cJSON *echo(void *data, struct invocation *invocation, const cJSON *event)
{
    const char *trace = getenv("_X_AMZN_TRACE_ID");
    (void)data;
    snprintf(seen.trace, sizeof(seen.trace), "%s", trace ? trace : "unset");
    seen.cold_start[seen.count++ % 4] = invocation->cold_start;
    seen.deadline_ms = invocation->deadline_ms;
    seen.requests = peer_request_count(peer);
    xray_annotate(invocation->segment, "handled", invocation->request_id);
    return cJSON_Duplicate(event, true);
}

static cJSON *fail(void *data, struct invocation *invocation, const cJSON *event)
{
    (void)data;
    (void)event;
    failure_set(&invocation->failure, 0, "NoSuchBucket", "the bucket \"%s\" is g\xc3\xb6ne", "b");
    return NULL;
}

static cJSON *say_much(void *data, struct invocation *invocation, const cJSON *event)
{
    (void)invocation;
    (void)event;
    return cJSON_CreateString(data);
}

/* Runs the loop against these answers until it ends. */
static int run(const struct peer_reply *replies, size_t count, invocation_handler handler,
               void *data)
{
    xray_recorder *recorder = NULL;
    xray_emitter emitter = { .size = sizeof(emitter) };
    FILE *stream = open_memstream(&emitted, &emitted_length);
    setenv("LAMBDA_TASK_ROOT", "/tmp", 1);
    /* The peer still looks at a reply when the test that gave it has its answer, and returns. */
    static struct peer_reply kept[8];
    cr_assert_leq(count, sizeof(kept) / sizeof(*kept));
    memcpy(kept, replies, count * sizeof(*kept));
    peer = peer_start(kept, count);
    cr_assert_eq(xray_emitter_stream(&emitter, stream), 0);
    cr_assert_eq(xray_recorder_new(&recorder, xray_recorder_params(.emitter = &emitter)), 0);
    struct runtime_params params = { .api = peer_url(peer) + strlen("http://"),
                                     .function = "ListFiles",
                                     .recorder = recorder,
                                     .started_ns = started_ns,
                                     .handler = handler,
                                     .data = data };
    int result = runtime_run(&params);
    xray_recorder_free(recorder);
    fclose(stream);
    return result;
}

#define RUN(handler, data, ...)                                                                  \
    run((const struct peer_reply[]){ __VA_ARGS__ },                                              \
        sizeof((const struct peer_reply[]){ __VA_ARGS__ }) / sizeof(struct peer_reply), handler, \
        data)

static bool has(size_t index, const char *text)
{
    return strstr(peer_request(peer, index), text) != NULL;
}

static void begin(void)
{
    cr_redirect_stdout();
    memset(&seen, 0, sizeof(seen));
}

static void end(void)
{
    if (peer)
        peer_stop(peer);
    free(emitted);
}

TestSuite(runtime, .init = begin, .fini = end, .timeout = 60);

Test(runtime, answers_an_event_with_what_the_handler_gives)
{
    cr_assert_eq(RUN(echo, NULL, NEXT("r-1", "", "{\"a\":1}"), TAKEN, GONE), -EPROTO);
    cr_expect(has(0, "GET /2018-06-01/runtime/invocation/next "));
    cr_expect(has(1, "POST /2018-06-01/runtime/invocation/r-1/response "));
    cr_expect(has(1, "\r\n\r\n{\"a\":1}"));
}

Test(runtime, waits_for_one_event_after_the_other_on_one_connection)
{
    RUN(echo, NULL, NEXT("r-1", "", "1"), TAKEN, NEXT("r-2", "", "2"), TAKEN, GONE);
    cr_expect_eq(seen.count, 2);
    cr_expect(has(3, "/r-2/response "));
    cr_expect_eq(peer_connection_count(peer), 1);
}

Test(runtime, says_which_start_was_cold)
{
    RUN(echo, NULL, NEXT("r-1", "", "1"), TAKEN, NEXT("r-2", "", "2"), TAKEN, GONE);
    cr_expect(seen.cold_start[0]);
    cr_expect_not(seen.cold_start[1]);
}

Test(runtime, sets_the_trace_of_each_invocation)
{
    RUN(echo, NULL, NEXT("r-1", "lambda-runtime-trace-id: " TRACE "\r\n", "1"), TAKEN, GONE);
    cr_assert_str_eq(seen.trace, TRACE);
}

Test(runtime, takes_the_trace_away_when_an_event_has_none)
{
    setenv("_X_AMZN_TRACE_ID", TRACE, 1);
    RUN(echo, NULL, NEXT("r-1", "", "1"), TAKEN, GONE);
    cr_expect_str_eq(seen.trace, "unset");
    cr_expect_eq(emitted_length, 0);
}

Test(runtime, records_a_subsegment_named_after_the_function)
{
    RUN(echo, NULL, NEXT("r-1", "Lambda-Runtime-Trace-Id: " TRACE "\r\n", "1"), TAKEN, GONE);
    cr_expect(strstr(emitted, "\"name\":\"ListFiles\""), "%s", emitted);
    cr_expect(strstr(emitted, "\"type\":\"subsegment\""), "%s", emitted);
    cr_expect(strstr(emitted, "\"parent_id\":\"53995c3f42cd8ad8\""), "%s", emitted);
    cr_expect(strstr(emitted, "\"coldstart\":true"), "%s", emitted);
    cr_expect(strstr(emitted, "\"handled\":\"r-1\""), "%s", emitted);
}

#define TRACED(id) NEXT(id, "Lambda-Runtime-Trace-Id: " TRACE "\r\n", "1")

Test(runtime, records_its_initialization_once_and_beside_the_invocation)
{
    started_ns = clock_now_ns() - 5000000;
    RUN(echo, NULL, TRACED("r-1"), TAKEN, TRACED("r-2"), TAKEN, GONE);
    char *rest = emitted;
    cJSON *init = cJSON_Parse(strtok_r(emitted, "\n", &rest));
    cJSON *first = cJSON_Parse(strtok_r(NULL, "\n", &rest));
    double end = cJSON_GetNumberValue(cJSON_GetObjectItem(init, "end_time"));
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(init, "name")), "bootstrap");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(init, "parent_id")),
                     "53995c3f42cd8ad8");
    cr_expect_float_eq(cJSON_GetNumberValue(cJSON_GetObjectItem(init, "start_time")),
                       (double)started_ns / 1e9, 1e-6);
    cr_expect_geq(end, (double)started_ns / 1e9 + 0.005);
    cr_expect_leq(end, cJSON_GetNumberValue(cJSON_GetObjectItem(first, "start_time")));
    cr_expect_null(strstr(rest, "\"bootstrap\""), "%s", rest);
    cJSON_Delete(init);
    cJSON_Delete(first);
}

static cJSON *answer_as_user(void *data, struct invocation *invocation, const cJSON *event)
{
    (void)data;
    (void)event;
    invocation_annotate_user(invocation, "u1");
    invocation_annotate_user(invocation, "");
    return cJSON_CreateObject();
}

Test(runtime, names_a_user_by_half_of_a_hash_only)
{
    RUN(answer_as_user, NULL, NEXT("r-1", "Lambda-Runtime-Trace-Id: " TRACE "\r\n", "1"), TAKEN,
        GONE);
    cr_expect(strstr(emitted, "\"user_id\":\"bb82030dbc2bcaba\""), "%s", emitted);
    cr_expect_not(strstr(emitted, "\"u1\""), "%s", emitted);
}

Test(runtime, gives_the_handler_its_deadline)
{
    RUN(echo, NULL, NEXT("r-1", "Lambda-Runtime-Deadline-Ms: 4000000000123\r\n", "1"), TAKEN, GONE);
    cr_assert_eq(seen.deadline_ms, 4000000000123);
}

Test(runtime, has_a_deadline_also_when_none_was_sent)
{
    RUN(echo, NULL, NEXT("r-1", "", "1"), TAKEN, GONE);
    cr_assert_gt(seen.deadline_ms, clock_now_ms());
}

Test(runtime, reports_a_failure_with_its_type_and_cause)
{
    RUN(fail, NULL, NEXT("r-1", "Lambda-Runtime-Trace-Id: " TRACE "\r\n", "1"), TAKEN, GONE);
    cr_expect(has(1, "POST /2018-06-01/runtime/invocation/r-1/error "));
    cr_expect(has(1, "Lambda-Runtime-Function-Error-Type: Function.NoSuchBucket\r\n"));
    cr_expect(has(1, "{\"errorMessage\":\"the bucket \\\"b\\\" is g\xc3\xb6ne\","
                     "\"errorType\":\"NoSuchBucket\",\"stackTrace\":[\"tests/test_runtime.c:"));

    char *header = peer_request_header(peer, 1, "Lambda-Runtime-Function-XRay-Error-Cause");
    cJSON *cause = cJSON_Parse(header);
    const cJSON *exception = cJSON_GetArrayItem(cJSON_GetObjectItem(cause, "exceptions"), 0);
    const cJSON *frame = cJSON_GetArrayItem(cJSON_GetObjectItem(exception, "stack"), 0);
    cr_expect(strstr(header, "g\\u00f6ne"), "a header is ASCII: %s", header);
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(exception, "type")), "NoSuchBucket");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(exception, "message")),
                     "the bucket \"b\" is g\xc3\xb6ne");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(frame, "label")), "fail");
    cr_expect(cJSON_GetStringValue(cJSON_GetObjectItem(cause, "working_directory")));
    cJSON_Delete(cause);
    free(header);
    cr_expect(strstr(emitted, "\"fault\":true"), "%s", emitted);
}

Test(runtime, fails_an_event_that_is_no_json)
{
    RUN(echo, NULL, NEXT("r-1", "", "{"), TAKEN, GONE);
    cr_expect_eq(seen.count, 0);
    cr_expect(has(1, "Lambda-Runtime-Function-Error-Type: Runtime.InvalidEvent\r\n"));
}

Test(runtime, fails_an_answer_that_is_too_large)
{
    size_t size = (size_t)6 * 1024 * 1024;
    char *much = malloc(size + 1);
    memset(much, 'x', size);
    much[size] = '\0';
    RUN(say_much, much, NEXT("r-1", "", "1"), TAKEN, GONE);
    cr_expect(has(1, "/r-1/error "));
    cr_expect(has(1, "Function.ResponseSizeTooLarge"));
    free(much);
}

Test(runtime, reports_an_answer_that_the_api_finds_too_large)
{
    RUN(echo, NULL, NEXT("r-1", "", "1"), { .status = 413 }, TAKEN, GONE);
    cr_expect(has(2, "/r-1/error "));
    cr_expect(has(2, "Function.ResponseSizeTooLarge"));
}

Test(runtime, goes_on_when_an_invocation_no_longer_waits)
{
    RUN(echo, NULL, NEXT("r-1", "", "1"), { .status = 403 }, NEXT("r-2", "", "2"), TAKEN, GONE);
    cr_assert_eq(seen.count, 2);
}

Test(runtime, ends_when_the_api_fails)
{
    cr_expect_eq(RUN(echo, NULL, NEXT("r-1", "", "1"), { .status = 500 }, GONE), -EPROTO);
    cr_expect_eq(peer_request_count(peer), 2);
}

Test(runtime, ends_when_nobody_is_there)
{
    struct runtime_params params = { .api = peer_refusing_url() + strlen("http://"),
                                     .function = "ListFiles",
                                     .handler = echo };
    cr_assert_eq(runtime_run(&params), -ECONNREFUSED);
}

Test(runtime, refuses_an_address_that_is_none)
{
    static const char *const addresses[] = { NULL, "", "http://127.0.0.1:1/", "a b" };
    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
        struct runtime_params params = { .api = addresses[i], .handler = echo };
        cr_expect_eq(runtime_run(&params), -EINVAL, "%s", addresses[i] ? addresses[i] : "NULL");
    }
}

Test(runtime, tells_that_initialization_failed)
{
    static const struct peer_reply replies[] = { TAKEN };
    struct failure failure;
    peer = peer_start(replies, 1);
    failure_set(&failure, -EINVAL, "Runtime.MissingConfiguration", "FILES_TABLE is not set");
    runtime_fail_init(peer_url(peer) + strlen("http://"), &failure);
    cr_expect(has(0, "POST /2018-06-01/runtime/init/error "));
    cr_expect(has(0, "Lambda-Runtime-Function-Error-Type: Runtime.MissingConfiguration\r\n"));
    cr_expect(has(0, "\"errorMessage\":\"FILES_TABLE is not set\""));
}

/* Everything it wrote to stdout so far. */
static char *logged(void)
{
    char *text = calloc(1, 65536);
    FILE *stream = cr_get_redirected_stdout();
    close(STDOUT_FILENO);
    cr_assert(text);
    size_t length = fread(text, 1, 65535, stream);
    text[length] = '\0';
    return text;
}

Test(runtime, logs_json_lines_without_the_payload)
{
    RUN(fail, NULL,
        NEXT("r-1", "Lambda-Runtime-Trace-Id: " TRACE "\r\n", "{\"secret\":\"s3cr3t\"}"), TAKEN,
        GONE);
    char *text = logged();
    cr_expect_null(strstr(text, "s3cr3t"), "%s", text);
    char *rest = text;
    cJSON *line = cJSON_Parse(strtok_r(text, "\n", &rest));
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(line, "level")), "ERROR");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(line, "requestId")), "r-1");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(line, "traceId")),
                     "1-5759e988-bd862e3fe1be46a994272793");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(line, "errorType")), "NoSuchBucket");
    cJSON_Delete(line);
    free(text);
}

Test(runtime, logs_metrics_in_the_embedded_format)
{
    log_set_function("StartFileUpload");
    log_metric("VideoFileSize", "Bytes", 5);
    char *text = logged();
    cJSON *line = cJSON_Parse(text);
    const cJSON *directive = cJSON_GetArrayItem(
        cJSON_GetObjectItem(cJSON_GetObjectItem(line, "_aws"), "CloudWatchMetrics"), 0);
    char *printed = cJSON_PrintUnformatted(directive);
    cr_expect_str_eq(printed, "{\"Namespace\":\"MediaDownloader\",\"Dimensions\":[[\"function\"]],"
                              "\"Metrics\":[{\"Name\":\"VideoFileSize\",\"Unit\":\"Bytes\"}]}");
    cr_expect_eq(cJSON_GetObjectItem(line, "VideoFileSize")->valuedouble, 5);
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(line, "function")),
                     "StartFileUpload");
    cJSON_free(printed);
    cJSON_Delete(line);
    free(text);
}

/* ---- Being told to stop --------------------------------------------------------------- */

Test(stop, ends_an_idle_process_at_once)
{
    static const struct peer_reply replies[] = { { .silent = 1 } };
    peer = peer_start(replies, 1);
    pid_t process = fork();
    if (process == 0) {
        struct runtime_params params = { .api = peer_url(peer) + strlen("http://"),
                                         .function = "ListFiles",
                                         .handler = echo };
        if (stop_install() < 0)
            _exit(9);
        _exit(runtime_run(&params) < 0 ? 8 : 7);
    }
    while (peer_request_count(peer) == 0)
        clock_sleep_ms(5);
    int status = 0;
    kill(process, SIGTERM);
    waitpid(process, &status, 0);
    cr_expect(WIFEXITED(status));
    cr_expect_eq(WEXITSTATUS(status), 0);
    peer_stop(peer);
}

static cJSON *be_stopped(void *data, struct invocation *invocation, const cJSON *event)
{
    kill(getpid(), SIGTERM);
    return echo(data, invocation, event);
}

Test(stop, lets_an_invocation_end_first, .init = begin, .fini = end)
{
    cr_assert_eq(stop_install(), 0);
    cr_expect_eq(RUN(be_stopped, NULL, NEXT("r-1", "", "1"), TAKEN, GONE), 0);
    cr_expect(stop_requested());
    cr_expect_eq(peer_request_count(peer), 2);
    cr_expect(has(1, "/r-1/response "));
}
