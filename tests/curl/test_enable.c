/* SPDX-License-Identifier: Apache-2.0 */
/* Central sampling in one line, with an HTTP server in the place of the daemon. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xraytrace/curl.h>
#include <xraytrace/recorder.h>

#include "peer.h"

#define DEADLY_SECONDS 100
#define PATIENCE_MS    60000

#define RULES                                                                                    \
    "{\"SamplingRuleRecords\":[{\"SamplingRule\":{\"RuleName\":\"all\",\"RuleARN\":"             \
    "\"arn:aws:xray:x:1:sampling-rule/all\",\"ResourceARN\":\"*\",\"Priority\":1,\"FixedRate\":" \
    "1,\"ReservoirSize\":0,\"ServiceName\":\"*\",\"ServiceType\":\"*\",\"Host\":\"*\","          \
    "\"HTTPMethod\":\"*\",\"URLPath\":\"*\",\"Version\":1,\"Attributes\":{}},\"CreatedAt\":1,"   \
    "\"ModifiedAt\":1}],\"NextToken\":null}"
#define TARGETS                                                                                 \
    "{\"SamplingTargetDocuments\":[{\"RuleName\":\"all\",\"FixedRate\":1,\"ReservoirQuota\":0," \
    "\"ReservoirQuotaTTL\":1,\"Interval\":10}],\"LastRuleModification\":1,\"UnprocessedStatis"  \
    "tics\":[]}"

static const struct peer_reply SILENT[] = { { .silent = 1 } };
static const struct peer_reply FINE[] = { { .body = RULES }, { .body = TARGETS } };

static void point_at(struct peer *peer)
{
    setenv("AWS_XRAY_DAEMON_ADDRESS", peer_url(peer) + strlen("http://"), 1);
}

/* Nothing is sampled but by rules. */
static void set_up(void)
{
    alarm(DEADLY_SECONDS);
    setenv("XRAYTRACE_SAMPLING_RATE", "0", 1);
    unsetenv("LAMBDA_TASK_ROOT");
    unsetenv("AWS_XRAY_SDK_DISABLED");
}

TestSuite(enable, .init = set_up);

static void wait_a_little(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static bool wait_for_requests(struct peer *peer, size_t count)
{
    for (int i = 0; i < PATIENCE_MS && peer_request_count(peer) < count; i++)
        wait_a_little();
    return peer_request_count(peer) >= count;
}

static bool samples(void)
{
    xray_segment *segment = xray_begin_segment("orders");
    bool sampled = xray_is_sampled(segment);

    xray_end(segment);
    return sampled;
}

static bool wait_until_it_samples(void)
{
    for (int i = 0; i < PATIENCE_MS; i++) {
        if (samples())
            return true;
        wait_a_little();
    }
    return false;
}

static bool has_thread(const char *name)
{
    DIR *tasks = opendir("/proc/self/task");
    bool found = false;

    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        char path[300], text[32] = "";
        FILE *file;

        snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task->d_name);
        file = fopen(path, "re");
        if (!file)
            continue;
        found |= fgets(text, sizeof(text), file) && strncmp(text, name, strlen(name)) == 0;
        fclose(file);
    }
    closedir(tasks);
    return found;
}

/* ---- Rules ---------------------------------------------------------------------------- */

Test(enable, samples_by_the_rules_of_the_daemon)
{
    struct peer *peer = peer_start(FINE, 2);

    point_at(peer);
    cr_assert_eq(xray_curl_enable(), 0);
    cr_assert(wait_until_it_samples());
    cr_expect_eq(strncmp(peer_request(peer, 0), "POST /GetSamplingRules HTTP/1.1\r\n", 33), 0);
    cr_expect_eq(peer_request_header_count(peer, 0, "Content-Type"), 1);
}

Test(enable, traces_none_of_its_own_requests)
{
    struct peer *peer = peer_start(FINE, 2);
    xray_stats before = { .size = sizeof(before) }, after = before;

    point_at(peer);
    cr_assert_eq(xray_curl_enable(), 0);
    xray_recorder_get_stats(xray_recorder_default(), &before);
    (void)samples();
    cr_assert(wait_for_requests(peer, 1));
    xray_recorder_get_stats(xray_recorder_default(), &after);
    cr_expect_eq(after.begun - before.begun, 1);
    cr_expect_eq(peer_request_header_count(peer, 0, "X-Amzn-Trace-Id"), 0);
    cr_expect_eq(peer_request_header_count(peer, 0, "traceparent"), 0);
}

static double number(const cJSON *object, const char *name)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* What each client has reported, by its id. */
struct reports {
    char clients[2][25];
    int counts[2];
};

static void add_report(struct reports *reports, const cJSON *one)
{
    const char *client = cJSON_GetStringValue(cJSON_GetObjectItem(one, "ClientID"));
    int i = strcmp(client, reports->clients[0]) == 0 || !reports->clients[0][0] ? 0 : 1;

    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(one, "RuleName")), "all");
    cr_expect_eq(number(one, "SampledCount"), number(one, "RequestCount"));
    cr_expect_eq(number(one, "BorrowCount"), 0);
    cr_expect(strlen(client) == 24 && strspn(client, "0123456789abcdef") == 24, "%s", client);
    cr_expect(!reports->clients[i][0] || strcmp(client, reports->clients[i]) == 0, "a third one");
    snprintf(reports->clients[i], sizeof(reports->clients[i]), "%s", client);
    reports->counts[i] += (int)number(one, "RequestCount");
}

/* Of requests that are there; the first one was for rules. */
static struct reports read_reports(struct peer *peer, size_t requests)
{
    struct reports reports = { 0 };

    for (size_t i = 1; i < requests; i++) {
        const char *request = peer_request(peer, i);
        const cJSON *one;
        cJSON *all;

        cr_assert_eq(strncmp(request, "POST /SamplingTargets HTTP/1.1\r\n", 32), 0, "%s", request);
        all = cJSON_Parse(strstr(request, "\r\n\r\n") + 4);
        cJSON_ArrayForEach(one,
                           cJSON_GetObjectItemCaseSensitive(all, "SamplingStatisticsDocuments"))
            add_report(&reports, one);
        cJSON_Delete(all);
    }
    return reports;
}

static struct reports wait_for_reports(struct peer *peer, int wanted)
{
    struct reports reports = { 0 };
    size_t requests = 0;

    for (int i = 0; i < PATIENCE_MS && reports.counts[0] + reports.counts[1] < wanted; i++) {
        if (peer_request_count(peer) > requests) {
            requests = peer_request_count(peer);
            reports = read_reports(peer, requests);
        }
        wait_a_little();
    }
    return reports;
}

/* Takes ten seconds, since X-Ray wants a report so often. */
Test(enable, reports_what_was_decided_in_each_process)
{
    struct peer *peer = peer_start(FINE, 2);
    int requests = 1, status = -1, done[2];
    struct reports reports;
    pid_t child;

    point_at(peer);
    cr_assert_eq(xray_curl_enable(), 0);
    cr_assert_eq(pipe(done), 0);
    cr_assert(wait_until_it_samples());
    for (; requests < 7; requests++)
        cr_expect(samples());
    child = fork();
    if (child == 0) {
        int sampled = samples() + samples() + samples();

        alarm(DEADLY_SECONDS);
        close(done[1]);
        /* Until the parent has seen what this one reported. */
        (void)!read(done[0], &status, 1);
        _exit(sampled == 3 ? 0 : 1);
    }
    cr_assert_geq(child, 0);
    reports = wait_for_reports(peer, 7 + 3);
    close(done[1]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
    cr_expect(reports.counts[0] * reports.counts[1] == 7 * 3 &&
                  reports.counts[0] + reports.counts[1] == 7 + 3,
              "%d and %d", reports.counts[0], reports.counts[1]);
}

/* ---- Failures ------------------------------------------------------------------------- */

static void survive(const struct peer_reply *first)
{
    struct peer_reply replies[] = { *first, { .body = RULES } };
    struct peer *peer = peer_start(replies, 2);

    point_at(peer);
    cr_assert_eq(xray_curl_enable(), 0);
    cr_assert(wait_until_it_samples(), "it tries again");
    cr_expect_geq(peer_request_count(peer), 2);
}

Test(enable, survives_a_server_that_hangs_up)
{
    survive(&(struct peer_reply){ .hang_up = 1 });
}

Test(enable, survives_a_server_that_answers_with_a_page)
{
    survive(&(struct peer_reply){ .status = 500,
                                  .headers = "Content-Type: text/html\r\n",
                                  .body = "<html><h1>Internal Server Error</h1></html>" });
}

Test(enable, survives_a_reply_that_is_much_too_long)
{
    survive(&(struct peer_reply){ .body = "{", .padding = 17 << 20 });
}

Test(enable, leaves_the_environment_to_decide_without_a_daemon)
{
    setenv("XRAYTRACE_SAMPLING_RATE", "1", 1);
    setenv("AWS_XRAY_DAEMON_ADDRESS", peer_refusing_url() + strlen("http://"), 1);
    cr_assert_eq(xray_curl_enable(), 0);
    for (int i = 0; i < 100; i++)
        cr_expect(samples());
}

Test(enable, does_not_wait_for_a_server_that_is_silent)
{
    struct peer *peer = peer_start(SILENT, 1);

    point_at(peer);
    cr_assert_eq(xray_curl_enable(), 0);
    (void)samples();
    cr_assert(wait_for_requests(peer, 1));
    for (int i = 0; i < 100; i++)
        cr_expect_not(samples());
    cr_expect_eq(peer_request_count(peer), 1);
}

/* ---- Where it does nothing -------------------------------------------------------------- */

Test(enable, fetches_nothing_in_lambda)
{
    struct peer *peer = peer_start(FINE, 2);

    point_at(peer);
    setenv("LAMBDA_TASK_ROOT", "/var/task", 1);
    setenv("XRAYTRACE_SAMPLING_RATE", "1", 1);
    cr_assert_eq(xray_curl_enable(), 0);
    cr_expect(samples());
    cr_expect_not(has_thread("xraytrace-rules"));
    cr_expect_eq(peer_connection_count(peer), 0);
    peer_stop(peer);
}

Test(enable, starts_nothing_when_disabled)
{
    struct peer *peer = peer_start(FINE, 2);

    point_at(peer);
    setenv("AWS_XRAY_SDK_DISABLED", "true", 1);
    cr_assert_eq(xray_curl_enable(), 0);
    cr_expect_null(xray_begin_segment("nothing"));
    cr_expect_not(has_thread("xraytrace-rules"));
    peer_stop(peer);
}

Test(enable, is_done_once)
{
    xray_recorder *recorder;

    cr_assert_eq(xray_curl_enable(), 0);
    recorder = xray_recorder_default();
    cr_expect_eq(xray_curl_enable(), 0);
    cr_expect_eq(xray_recorder_default(), recorder);
}

Test(enable, comes_too_late_when_the_default_recorder_was_used)
{
    xray_recorder *recorder = xray_recorder_default();

    cr_expect_eq(xray_curl_enable(), -EBUSY);
    cr_expect_eq(xray_curl_enable(), -EBUSY);
    cr_expect_eq(xray_recorder_default(), recorder);
}

Test(enable, comes_too_late_when_a_recorder_was_set)
{
    xray_recorder *recorder = NULL;

    cr_assert_eq(xray_recorder_new(&recorder, NULL), 0);
    xray_recorder_set_default(recorder);
    cr_expect_eq(xray_curl_enable(), -EBUSY);
    cr_expect_eq(xray_recorder_default(), recorder);
}

static void *enable_here(void *result)
{
    *(int *)result = xray_curl_enable();
    return NULL;
}

Test(enable, may_be_called_by_several_threads_at_once)
{
    pthread_t threads[8];
    int results[8];

    for (int i = 0; i < 8; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, enable_here, &results[i]), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(results[i], 0);
    }
}
