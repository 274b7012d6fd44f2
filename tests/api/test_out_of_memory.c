/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each scenario with the n-th allocation failing, and with all from the n-th
 * on, for every n there is; each in a process of its own. Nothing may crash,
 * the counts must add up, and what is current must never be the wrong one.
 */
#include "support.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define REACHED     0
#define NOT_REACHED 3

static long allocations, failing_at;
static bool failing_on;

static void *allocate(void *data, size_t bytes)
{
    long n = allocations++;

    (void)data;
    return n == failing_at || (failing_on && n > failing_at) ? NULL : malloc(bytes);
}

static void release(void *data, void *memory, size_t bytes)
{
    (void)data;
    (void)bytes;
    free(memory);
}

/* In the child, where the framework's assertions are of no use. */
#define CHECK(condition)                                                                     \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            fprintf(stderr, "%s:%d: %s, allocation %ld%s\n", __FILE__, __LINE__, #condition, \
                    failing_at, failing_on ? " and later" : "");                             \
            _exit(1);                                                                        \
        }                                                                                    \
    } while (0)

static int emit_nothing(void *data, const xray_document *document)
{
    (void)data;
    check_document(document);
    return 0;
}

static void log_nothing(void *data, int level, const char *text)
{
    (void)data;
    (void)level;
    (void)text;
}

/* ---- Scenarios -------------------------------------------------------------------- */

/* Begins inner ones until memory has to be taken, and ends them all. */
static void nest(void)
{
    xray_segment *chain[64];
    xray_segment *outside = xray_current();

    for (int i = 0; i < 64; i++) {
        chain[i] = i == 0 ? xray_begin_segment("a") : xray_begin_subsegment("b");
        /* Either it is current, or nothing is. */
        CHECK(xray_current() == NULL || xray_current() == chain[i]);
        xray_annotate(xray_current(), "depth", i);
    }
    for (int i = 64; i-- > 0;) {
        xray_end(chain[i]);
        CHECK(xray_current() == NULL || (i > 0 && xray_current() == chain[i - 1]) ||
              (i == 0 && xray_current() == outside));
    }
    CHECK(xray_current() == outside);
}

static void nest_in_disorder(void)
{
    xray_segment *a = xray_begin_segment("a"), *b = xray_begin_subsegment("b");
    xray_segment *c = xray_begin_segment("c"), *d = xray_begin_subsegment("d");

    xray_end(b);
    CHECK(xray_current() == NULL || xray_current() == a);
    xray_end(a);
    CHECK(xray_current() == NULL);
    xray_end(d);
    xray_end(c);
    CHECK(xray_current() == NULL);
}

static void describe_much(void)
{
    static char text[32001];
    xray_segment *a = xray_begin_segment("a");
    char key[16];

    memset(text, 'x', 32000);
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        xray_annotate(a, key, i);
    }
    xray_add_metadata(a, NULL, "x", text);
    xray_add_exception(a, "t", "%s", text);
    xray_set_http(a, xray_http(.url = text));
    xray_end(a);
}

static void embed_much(void)
{
    xray_segment *a = xray_begin_segment("a");

    for (int i = 0; i < 1000; i++)
        xray_end(xray_begin_subsegment("b"));
    xray_send_in_progress(a);
    xray_end(a);
}

static void keep_many_open(void)
{
    xray_segment *open[300];

    for (int i = 0; i < 300; i++)
        open[i] = xray_start_segment(xray_recorder_default(), NULL);
    for (int i = 0; i < 300; i++)
        xray_end(open[i]);
}

static void serve_lambda(void)
{
    xray_segment *invocation = xray_lambda_begin(
        xray_recorder_default(),
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");

    nest();
    CHECK(xray_current() == invocation || xray_current() == NULL);
    CHECK(xray_lambda_end(invocation, 0) == 0);
    CHECK(xray_current() == NULL);
}

static void on_other_thread(void *data)
{
    (void)data;
    nest();
    xray_begin_segment("left open");
    xray_begin_subsegment("left open");
}

static void use_threads(void)
{
    for (int i = 0; i < 3; i++)
        on_thread(on_other_thread, NULL);
}

static void ask_for_headers(void)
{
    xray_trace_header no = { .sampled = XRAY_SAMPLED_NO }, header;
    xray_segment *a = xray_start_segment(xray_recorder_default(),
                                         xray_segment_params(.header = &no));

    xray_get_header(a, &header);
    xray_end(a);
    header.sampled = XRAY_SAMPLED_YES;
    xray_end(xray_resume(xray_recorder_default(), &header, "b"));
}

/* Library's own default, made when it is needed. */
static void say_hello(void)
{
    xray_segment *a, *b;

    xray_recorder_set_default(NULL);
    a = xray_begin_segment("hello");
    b = xray_begin_subsegment("work");
    CHECK(xray_current() == NULL || xray_current() == b);
    xray_end(b);
    xray_end(a);
    CHECK(xray_current() == NULL);
}

/* ---- Each with each ------------------------------------------------------------------ */

static int run(void (*scenario)(void))
{
    static const xray_allocator allocator = { .size = sizeof(allocator),
                                              .allocate = allocate,
                                              .release = release };
    static const xray_emitter emitter = { .size = sizeof(emitter), .emit = emit_nothing };
    static const xray_logger logger = { .size = sizeof(logger), .log = log_nothing };
    xray_recorder *made = NULL;
    xray_stats stats;
    int r;

    CHECK(xray_set_allocator(&allocator) == 0);
    r = xray_recorder_new(&made, xray_recorder_params(.emitter = &emitter, .logger = &logger,
                                                      .sampler = &sampler_yes,
                                                      .flags = XRAY_RECORDER_NO_ENVIRONMENT));
    CHECK(r == 0 || (r == -ENOMEM && !made));
    if (made) {
        xray_recorder_set_default(made);
        scenario();
        stats = stats_of(made);
        CHECK(stats.sampled == stats.embedded + stats.emitted + stats.failed + stats.dropped);
        /* With memory again everything works again. */
        failing_at = allocations > failing_at ? -1 : failing_at;
        failing_on = false;
        xray_recorder_set_default(made);
        xray_end(xray_begin_segment("after"));
        CHECK(stats_of(made).emitted > stats.emitted);
        xray_recorder_set_default(NULL);
        xray_recorder_free(made);
    }
    return !made || failing_at == -1 ? REACHED : NOT_REACHED;
}

static void expect_survived(void (*scenario)(void))
{
    int limit = 2000;

    for (int on = 0; on < 2; on++)
        for (failing_at = 0; failing_at < limit; failing_at++) {
            int status;
            pid_t child;

            failing_on = on;
            fflush(NULL);
            child = fork();
            if (child == 0)
                _exit(run(scenario));
            cr_assert_eq(waitpid(child, &status, 0), child);
            cr_assert(WIFEXITED(status), "killed by signal %d at allocation %ld%s",
                      WTERMSIG(status), failing_at, on ? " and later" : "");
            if (WEXITSTATUS(status) == NOT_REACHED)
                break;
            cr_assert_eq(WEXITSTATUS(status), REACHED, "at allocation %ld%s", failing_at,
                         on ? " and later" : "");
        }
    cr_assert_gt(failing_at, 1, "nothing was allocated at all");
}

Test(out_of_memory, is_survived_when_nesting)
{
    expect_survived(nest);
}

Test(out_of_memory, is_survived_when_ending_in_disorder)
{
    expect_survived(nest_in_disorder);
}

Test(out_of_memory, is_survived_when_describing)
{
    expect_survived(describe_much);
}

Test(out_of_memory, is_survived_when_embedding)
{
    expect_survived(embed_much);
}

Test(out_of_memory, is_survived_with_many_open)
{
    expect_survived(keep_many_open);
}

Test(out_of_memory, is_survived_in_an_invocation)
{
    expect_survived(serve_lambda);
}

Test(out_of_memory, is_survived_on_threads)
{
    expect_survived(use_threads);
}

Test(out_of_memory, is_survived_when_asking_for_headers)
{
    expect_survived(ask_for_headers);
}

Test(out_of_memory, is_survived_by_the_default_recorder)
{
    setenv("XRAYTRACE_SAMPLING_RATE", "1", 1);
    setenv("AWS_XRAY_LOG_LEVEL", "silent", 1);
    setenv("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:1", 1);
    expect_survived(say_hello);
}

/* ---- The hook itself ------------------------------------------------------------------- */

static int begun;

static void *allocate_and_begin(void *data, size_t bytes)
{
    xray_segment *a = xray_begin_segment("hook");

    (void)data;
    begun += xray_is_recording(a);
    xray_end(a);
    return malloc(bytes);
}

Test(allocator, is_not_recorded)
{
    xray_allocator allocator = { .size = sizeof(allocator),
                                 .allocate = allocate_and_begin,
                                 .release = release };

    cr_assert_eq(xray_set_allocator(&allocator), 0);
    record();
    on_thread(on_other_thread, NULL);
    settle();
    cr_expect_eq(begun, 0);
}

Test(allocator, without_both_functions_is_refused)
{
    xray_allocator half = { .size = sizeof(half), .allocate = allocate };

    cr_expect_eq(xray_set_allocator(&half), -EINVAL);
    cr_expect_eq(xray_set_allocator(NULL), -EINVAL);
}

Test(allocator, cannot_be_set_once_memory_was_taken)
{
    xray_allocator allocator = { .size = sizeof(allocator),
                                 .allocate = allocate,
                                 .release = release };

    record();
    cr_expect_eq(xray_set_allocator(&allocator), -EBUSY);
    settle();
}
