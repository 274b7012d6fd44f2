/* SPDX-License-Identifier: Apache-2.0 */
/* Central sampling with a transport that says what it is told to. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "script.h"

#define DEADLY_SECONDS 100

static struct script script;

/* A fallback that knows how often it was asked, and what it was told. */
static struct {
    _Atomic int asked, forks, ends, told;
    char rule[33]; /* that it names, and asks to hear of */
    char told_of[33];
} other;

static void decide_no(void *data, const xray_sampling_request *request, xray_sampling_decision *ret)
{
    (void)data;
    (void)request;
    atomic_fetch_add(&other.asked, 1);
    snprintf(ret->rule, sizeof(ret->rule), "%s", other.rule);
    ret->report = 1;
}

static void note_fork(void *data)
{
    (void)data;
    atomic_fetch_add(&other.forks, 1);
}

static void note_end(void *data)
{
    (void)data;
    atomic_fetch_add(&other.ends, 1);
}

static void note_outcome(void *data, const xray_sampling_outcome *outcome)
{
    (void)data;
    snprintf(other.told_of, sizeof(other.told_of), "%s", outcome->rule);
    atomic_fetch_add(&other.told, 1);
}

static const xray_sampler fallback = {
    .size = sizeof(fallback),
    .decide = decide_no,
    .after_fork = note_fork,
    .destroy = note_end,
    .report = note_outcome,
};

static void set_up(void)
{
    script_set_up(&script);
    /* What hangs is a failure, also in a child. */
    alarm(DEADLY_SECONDS);
}

TestSuite(central, .init = set_up);
TestSuite(central_fork, .init = set_up);
TestSuite(central_recorder, .init = set_up);

static xray_sampler make_at(const char *address)
{
    xray_sampler sampler = { .size = sizeof(sampler) };
    xray_transport transport = script_transport(&script);

    cr_assert_eq(xray_sampler_central(&sampler, address, &transport, &fallback), 0);
    return sampler;
}

static xray_sampler make(void)
{
    return make_at("127.0.0.1:2000");
}

static void destroy(const xray_sampler *sampler)
{
    sampler->destroy(sampler->data);
}

/* Whether this process has a thread of that name. */
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

/* ---- Rules ------------------------------------------------------------------------ */

Test(central, starts_nothing_before_the_first_decision)
{
    xray_sampler sampler = make();

    cr_expect_not(has_thread("xraytrace-rules"));
    destroy(&sampler);
    cr_expect_eq(script.asked, 0);
    cr_expect_eq(script.ends, 1);
    cr_expect_eq(other.ends, 1);
}

Test(central, decides_by_rules_that_have_arrived)
{
    xray_sampler sampler = make();
    char rule[33];

    cr_assert(script_wait_for_rule(&sampler, "all"));
    cr_expect(script_decide(&sampler, rule));
    cr_expect(has_thread("xraytrace-rules"));
    destroy(&sampler);
}

Test(central, asks_the_fallback_until_then)
{
    xray_sampler sampler = make();
    char rule[33];

    script_hang(&script, true);
    cr_expect_not(script_decide(&sampler, rule));
    cr_assert(script_wait(&script, 1));
    for (int i = 0; i < 9; i++)
        cr_expect_not(script_decide(&sampler, rule));
    cr_expect_eq(other.asked, 10);
    script_hang(&script, false);
    cr_assert(script_wait_for_rule(&sampler, "all"));
    destroy(&sampler);
}

Test(central, falls_back_to_one_a_second_and_a_few)
{
    xray_sampler sampler = { .size = sizeof(sampler) };
    xray_transport transport = script_transport(&script);
    xray_sampling_request request = { .size = sizeof(request), .now_ns = 1700000000000000000 };
    int sampled = 0;

    script.hangs = true;
    cr_assert_eq(xray_sampler_central(&sampler, "127.0.0.1:2000", &transport, NULL), 0);
    for (int i = 0; i < 2000; i++) {
        xray_sampling_decision decision = { 0 };

        sampler.decide(sampler.data, &request, &decision);
        sampled += decision.sampled;
        cr_expect(i > 0 || sampled == 1, "the first of a second");
    }
    /* 5 % of 2000, and ten standard deviations. */
    cr_expect(sampled > 2 && sampled < 200, "%d", sampled);
    script_hang(&script, false);
    destroy(&sampler);
}

Test(central, needs_no_request)
{
    xray_sampler sampler = make();
    xray_sampling_decision decision = { 0 };

    cr_assert(script_wait_for_rule(&sampler, "all"));
    sampler.decide(sampler.data, NULL, &decision);
    cr_expect_str_eq(decision.rule, "all");
    destroy(&sampler);
}

/* ---- Questions -------------------------------------------------------------------- */

Test(central, posts_json)
{
    xray_sampler sampler = make();

    cr_assert(script_wait_for_rule(&sampler, "all"));
    destroy(&sampler);
    cr_expect_str_eq(script.questions[0].method, "POST");
    cr_expect_str_eq(script.questions[0].header, "Content-Type: application/json");
    cr_expect_eq(script.questions[0].body[0], '{');
    cr_expect(script.questions[0].timeout_ms > 0 && script.questions[0].timeout_ms <= 10000);
}

struct place {
    char address[80];
    char environment[80];
    char url[120];
};

ParameterizedTestParameters(central, asks_at_the_tcp_address)
{
    static struct place places[] = {
        { "127.0.0.1:2001", "", "http://127.0.0.1:2001/GetSamplingRules" },
        { "localhost", "", "http://localhost:2000/GetSamplingRules" },
        { "tcp:10.0.0.1:3000 udp:10.0.0.2:3001", "", "http://10.0.0.1:3000/GetSamplingRules" },
        { "udp:10.0.0.2:3001 tcp:xray.example:3000", "",
          "http://xray.example:3000/GetSamplingRules" },
        { "[::1]:2002", "", "http://[::1]:2002/GetSamplingRules" },
        { "[fe80::1%eth0]:2002", "", "http://[fe80::1%25eth0]:2002/GetSamplingRules" },
        { "127.0.0.1:2001", "127.0.0.1:4000", "http://127.0.0.1:2001/GetSamplingRules" },
        { "", "", "http://127.0.0.1:2000/GetSamplingRules" },
        { "", "tcp:a:5000 udp:b:5001", "http://a:5000/GetSamplingRules" },
        { "", "nonsense:x", "http://127.0.0.1:2000/GetSamplingRules" },
    };

    return cr_make_param_array(struct place, places, sizeof(places) / sizeof(*places));
}

ParameterizedTest(struct place *place, central, asks_at_the_tcp_address)
{
    xray_sampler sampler;

    set_up();
    if (place->environment[0])
        setenv("AWS_XRAY_DAEMON_ADDRESS", place->environment, 1);
    else
        unsetenv("AWS_XRAY_DAEMON_ADDRESS");
    sampler = make_at(place->address[0] ? place->address : NULL);
    cr_assert(script_wait_for_rule(&sampler, "all"));
    destroy(&sampler);
    cr_expect_str_eq(script.questions[0].url, place->url);
}

Test(central, begins_no_segment_of_its_own)
{
    xray_sampler sampler = make();

    cr_assert(script_wait_for_rule(&sampler, "all"));
    destroy(&sampler);
    cr_expect_eq(script.recorded, 0);
}

/* ---- Failures --------------------------------------------------------------------- */

struct failure {
    int result, status;
    char reply[64]; /* "-": NULL */
};

ParameterizedTestParameters(central, tries_again_after_a_failure)
{
    static struct failure failures[] = {
        { -ECONNREFUSED, 0, "-" },
        { -ETIMEDOUT, 200, "{" },
        { 1, 200, "{}" },
        { 0, 0, "-" },
        { 0, 200, "-" },
        { 0, 200, "" },
        { 0, 200, "{\"SamplingRuleRecords\":[{\"Sampli" },
        { 0, 500, "<html>oh</html>" },
        { 0, 429, "{\"message\":\"slower\"}" },
    };

    return cr_make_param_array(struct failure, failures, sizeof(failures) / sizeof(*failures));
}

ParameterizedTest(struct failure *failure, central, tries_again_after_a_failure)
{
    xray_sampler sampler;
    char rule[33];

    set_up();
    script.result = failure->result;
    script.status = failure->status;
    script.rules = strcmp(failure->reply, "-") == 0 ? NULL : failure->reply;
    sampler = make();
    (void)script_decide(&sampler, rule);
    cr_assert(script_wait(&script, 1));
    pthread_mutex_lock(&script.lock);
    script.result = 0;
    script.status = 200;
    script.rules = SCRIPT_RULES("all", "1");
    pthread_mutex_unlock(&script.lock);
    cr_assert(script_wait_for_rule(&sampler, "all"));
    cr_expect_geq(script.asked, 2);
    destroy(&sampler);
}

Test(central, refuses_what_it_cannot_use)
{
    xray_sampler sampler = { .size = sizeof(sampler) }, small = { .size = 8 };
    xray_transport transport = script_transport(&script), none = { .size = sizeof(none) };
    xray_transport sizeless = transport;
    xray_sampler undecided = { .size = sizeof(undecided), .destroy = note_end };
    struct {
        xray_transport transport;
        void *more;
    } newer = { transport, &script };

    sizeless.size = 0;
    newer.transport.size = sizeof(newer);
    cr_expect_eq(xray_sampler_central(NULL, NULL, &transport, &fallback), -EINVAL);
    cr_expect_eq(xray_sampler_central(&small, NULL, &transport, &fallback), -EINVAL);
    cr_expect_eq(xray_sampler_central(&sampler, NULL, NULL, &fallback), -EINVAL);
    cr_expect_eq(xray_sampler_central(&sampler, NULL, &none, &fallback), -EINVAL);
    cr_expect_eq(xray_sampler_central(&sampler, NULL, &sizeless, &fallback), -EINVAL);
    cr_expect_eq(xray_sampler_central(&sampler, NULL, &newer.transport, &fallback), -E2BIG);
    cr_expect_eq(xray_sampler_central(&sampler, NULL, &transport, &undecided), -EINVAL);
    cr_expect_eq(xray_sampler_central(&sampler, "a b", &transport, &fallback), -EINVAL);
    cr_expect_eq(xray_sampler_central(&sampler, "host:0", &transport, &fallback), -EINVAL);
    cr_expect_null(sampler.decide);
    cr_expect_eq(script.ends, 0);
    cr_expect_eq(other.ends, 0);
}

static long allocations, failing_at;

static void *allocate(void *data, size_t bytes)
{
    (void)data;
    return allocations++ == failing_at ? NULL : malloc(bytes);
}

static void release(void *data, void *memory, size_t bytes)
{
    (void)data;
    (void)bytes;
    free(memory);
}

Test(central, takes_nothing_over_without_memory)
{
    static const xray_allocator allocator = { .size = sizeof(allocator),
                                              .allocate = allocate,
                                              .release = release };
    xray_transport transport = script_transport(&script);
    xray_sampler sampler = { .size = sizeof(sampler) };
    int r = -ENOMEM;

    cr_assert_eq(xray_set_allocator(&allocator), 0);
    for (failing_at = 0; r == -ENOMEM; failing_at++) {
        cr_expect_eq(script.ends, 0);
        cr_expect_eq(other.ends, 0);
        allocations = 0;
        r = xray_sampler_central(&sampler, "127.0.0.1:2000", &transport, &fallback);
    }
    cr_expect_eq(r, 0);
    cr_expect_geq(failing_at, 2);
    destroy(&sampler);
}

/* ---- Outcomes --------------------------------------------------------------------- */

static void tell(const xray_sampler *sampler, const char *rule)
{
    xray_sampling_outcome outcome = {
        .size = sizeof(outcome), .rule = rule, .upstream = "", .service = "orders", .now_ns = 1
    };

    sampler->report(sampler->data, &outcome);
}

Test(central, tells_the_fallback_how_its_own_decisions_end)
{
    xray_sampler sampler = make();

    cr_assert(script_wait_for_rule(&sampler, "all"));
    tell(&sampler, "all");
    cr_expect_eq(other.told, 0);
    tell(&sampler, "");
    cr_expect_eq(other.told, 1);
    destroy(&sampler);
}

Test(central, tells_it_also_by_its_own_rules)
{
    xray_sampler sampler = make();
    char rule[33];

    snprintf(other.rule, sizeof(other.rule), "own");
    script_hang(&script, true);
    (void)script_decide(&sampler, rule);
    cr_expect_str_eq(rule, "own");
    tell(&sampler, rule);
    cr_expect_eq(other.told, 1);
    cr_expect_str_eq(other.told_of, "own");
    script_hang(&script, false);
    destroy(&sampler);
}

/* ---- Ends ------------------------------------------------------------------------- */

Test(central, ends_with_its_thread)
{
    xray_sampler sampler = make();

    cr_assert(script_wait_for_rule(&sampler, "all"));
    destroy(&sampler);
    cr_expect_not(has_thread("xraytrace-rules"));
    cr_expect_eq(script.ends, 1);
    cr_expect_eq(other.ends, 1);
}

/* The exchange ends only after destroy() has returned. */
Test(central, does_not_wait_for_an_exchange_that_hangs)
{
    xray_sampler sampler = make();
    char rule[33];

    script_hang(&script, true);
    (void)script_decide(&sampler, rule);
    cr_assert(script_wait(&script, 1));
    destroy(&sampler);
    cr_expect_eq(script.inside, 1);
    cr_expect_eq(script.ends, 0, "it is in use");
    cr_expect_eq(other.ends, 0);
    script_hang(&script, false);
    cr_expect(script_wait_for(&other.ends, 1));
    cr_expect_eq(script.ends, 1);
    cr_expect_eq(script.asked, 1);
}

Test(central, can_be_made_again_and_again)
{
    for (int i = 0; i < 50; i++) {
        xray_sampler sampler = make();
        char rule[33];

        (void)script_decide(&sampler, rule);
        destroy(&sampler);
    }
    cr_expect_eq(script.ends, 50);
    cr_expect_eq(other.ends, 50);
}

/* ---- Forks ------------------------------------------------------------------------ */

/*
 * The child's exit status: 0 if rules decide there. With those of its parent it
 * asks for the first time when it reports, after ten seconds.
 */
static int use_in_child(const xray_sampler *sampler, bool waits_until_it_asks)
{
    alarm(DEADLY_SECONDS);
    sampler->after_fork(sampler->data);
    if (script.forks != 1 || other.forks != 1)
        return 1;
    if (!script_wait_for_rule(sampler, "all"))
        return 2;
    if (waits_until_it_asks && !script_wait(&script, 1))
        return 3;
    sampler->destroy(sampler->data);
    return script.ends == 1 && other.ends == 1 ? 0 : 4;
}

static pid_t fork_and(const xray_sampler *sampler, bool waits_until_it_asks)
{
    pid_t child = fork();

    cr_assert_geq(child, 0);
    if (child == 0)
        _exit(use_in_child(sampler, waits_until_it_asks));
    return child;
}

static pid_t fork_with(const xray_sampler *sampler)
{
    return fork_and(sampler, true);
}

static void expect_good_end(pid_t child)
{
    int status = -1;

    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
}

#if defined(__has_feature)
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif

/* AddressSanitizer's own allocator does not survive a fork while a thread starts or allocates. */
static void let_thread_rest(const xray_sampler *sampler)
{
#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
    (void)script_wait_for_rule(sampler, "all");
    usleep(100000);
#else
    (void)sampler;
#endif
}

Test(central_fork, before_the_first_decision)
{
    xray_sampler sampler = make();

    expect_good_end(fork_with(&sampler));
    destroy(&sampler);
}

Test(central_fork, while_the_thread_rests)
{
    xray_sampler sampler = make();

    cr_assert(script_wait_for_rule(&sampler, "all"));
    let_thread_rest(&sampler);
    expect_good_end(fork_with(&sampler));
    cr_assert(script_wait_for_rule(&sampler, "all"));
    destroy(&sampler);
}

Test(central_fork, in_the_middle_of_an_exchange)
{
    xray_sampler sampler = make();
    char rule[33];

    script_hang(&script, true);
    (void)script_decide(&sampler, rule);
    cr_assert(script_wait(&script, 1));
    expect_good_end(fork_with(&sampler));
    script_hang(&script, false);
    cr_assert(script_wait_for_rule(&sampler, "all"), "the parent goes on");
    destroy(&sampler);
}

Test(central_fork, after_the_sampler_was_destroyed_and_its_exchange_hangs)
{
    xray_sampler first = make(), second = make();
    char rule[33];
    pid_t child;

    script_hang(&script, true);
    (void)script_decide(&first, rule);
    cr_assert(script_wait(&script, 1));
    destroy(&first);
    script_hang(&script, false);
    cr_expect(script_wait_for(&other.ends, 1));
    script.ends = other.ends = 0;
    child = fork_with(&second);
    expect_good_end(child);
    destroy(&second);
}

/* Many rules, so that there is time to be interrupted in. */
static char *many_rules(int count)
{
    char *text = malloc((size_t)count * 600 + 600), *end = text;

    end = stpcpy(end, "{\"SamplingRuleRecords\":[" SCRIPT_RULE("all", "1"));
    for (int i = 0; i < count; i++)
        end += sprintf(end,
                       ",{\"SamplingRule\":{\"RuleName\":\"r%d\",\"ResourceARN\":\"*\","
                       "\"Priority\":%d,\"FixedRate\":0,\"ReservoirSize\":0,\"ServiceName\":"
                       "\"service-%d\",\"ServiceType\":\"*\",\"Host\":\"*\",\"HTTPMethod\":\"*\","
                       "\"URLPath\":\"/%d/*\",\"Version\":1,\"Attributes\":{}},\"CreatedAt\":1,"
                       "\"ModifiedAt\":1}",
                       i, 2 + i % 9000, i, i);
    stpcpy(end, "]}");
    return text;
}

Test(central_fork, at_any_moment)
{
    char *rules = many_rules(300);

    script.rules = rules;
    for (int i = 0; i < 100; i++) {
        xray_sampler sampler = make();
        char rule[33];
        pid_t child;

        (void)script_decide(&sampler, rule);
        for (volatile int wait = 0; wait < i * 2000; wait++)
            ;
        let_thread_rest(&sampler);
        child = fork_and(&sampler, false);
        destroy(&sampler);
        script.ends = other.ends = 0;
        expect_good_end(child);
    }
    free(rules);
}

/* ---- Recorders -------------------------------------------------------------------- */

static int keep_nothing(void *data, const xray_document *document)
{
    (void)data;
    (void)document;
    return 0;
}

static const xray_emitter nowhere = { .size = sizeof(nowhere), .emit = keep_nothing };

static xray_recorder *record(uint32_t flags)
{
    xray_transport transport = script_transport(&script);
    xray_recorder *recorder = NULL;

    cr_assert_eq(xray_recorder_new(
                     &recorder, xray_recorder_params(.flags = flags, .emitter = &nowhere,
                                                     .sampler = &fallback, .central = &transport)),
                 0);
    return recorder;
}

static bool samples(xray_recorder *recorder)
{
    xray_segment *segment = xray_start_segment(recorder, NULL);
    bool sampled = xray_is_sampled(segment);

    xray_end(segment);
    return sampled;
}

static bool wait_until_it_samples(xray_recorder *recorder)
{
    for (int i = 0; i < SCRIPT_PATIENCE_MS; i++) {
        if (samples(recorder))
            return true;
        script_pause();
    }
    return false;
}

Test(central_recorder, samples_by_rules_when_there_are_any)
{
    xray_recorder *recorder = record(XRAY_RECORDER_NO_ENVIRONMENT);

    script_hang(&script, true);
    cr_expect_not(samples(recorder));
    cr_expect_eq(other.asked, 1);
    script_hang(&script, false);
    cr_expect(wait_until_it_samples(recorder));
    xray_recorder_free(recorder);
    cr_expect_eq(script.ends, 1);
    cr_expect_eq(other.ends, 1);
    cr_expect_eq(script.recorded, 0);
}

Test(central_recorder, is_asked_at_the_address_of_the_environment)
{
    xray_recorder *recorder;

    setenv("AWS_XRAY_DAEMON_ADDRESS", "tcp:127.0.0.1:7001 udp:127.0.0.1:7000", 1);
    recorder = record(0);
    cr_expect(wait_until_it_samples(recorder));
    xray_recorder_free(recorder);
    cr_expect_str_eq(script.questions[0].url, "http://127.0.0.1:7001/GetSamplingRules");
}

static void keep_line(void *data, int level, const char *text)
{
    (void)level;
    snprintf(data, 200, "%s", text);
}

/* The emitter, which would say so, is the program's own. */
Test(central_recorder, says_that_the_address_of_the_environment_is_none)
{
    char heard[200] = "";
    const xray_logger logger = { .size = sizeof(logger), .data = heard, .log = keep_line };
    xray_transport transport = script_transport(&script);
    xray_recorder *recorder = NULL;

    setenv("AWS_XRAY_DAEMON_ADDRESS", "a b", 1);
    cr_assert_eq(xray_recorder_new(
                     &recorder, xray_recorder_params(.emitter = &nowhere, .logger = &logger,
                                                     .sampler = &fallback, .central = &transport)),
                 0);
    cr_expect_eq(strncmp(heard, "AWS_XRAY_DAEMON_ADDRESS is ignored", 34), 0, "%s", heard);
    xray_recorder_free(recorder);
}

static void expect_it_unused(xray_recorder *recorder)
{
    cr_expect_eq(script.ends, 1, "it is not needed");
    (void)samples(recorder);
    cr_expect_not(has_thread("xraytrace-rules"));
    cr_expect_eq(script.asked, 0);
    xray_recorder_free(recorder);
    cr_expect_eq(script.ends, 1);
    cr_expect_eq(other.ends, 1);
}

Test(central_recorder, fetches_nothing_in_lambda)
{
    xray_recorder *recorder;

    setenv("LAMBDA_TASK_ROOT", "/var/task", 1);
    recorder = record(0);
    expect_it_unused(recorder);
    cr_expect_eq(other.asked, 1, "the other sampler decides");
}

Test(central_recorder, fetches_nothing_when_disabled)
{
    xray_recorder *recorder;

    setenv("AWS_XRAY_SDK_DISABLED", "true", 1);
    recorder = record(0);
    expect_it_unused(recorder);
    cr_expect_eq(other.asked, 0);
}

Test(central_recorder, that_is_refused_takes_nothing_over)
{
    xray_transport transport = script_transport(&script), none = { .size = sizeof(none) };
    xray_recorder *recorder = NULL;

    cr_expect_eq(xray_recorder_new(&recorder, xray_recorder_params(.central = &none)), -EINVAL);
    cr_expect_eq(
        xray_recorder_new(&recorder, xray_recorder_params(.central = &transport,
                                                          .emitter = &nowhere, .sampler = &fallback,
                                                          .flags = XRAY_RECORDER_NO_ENVIRONMENT,
                                                          .daemon_address = "a b")),
        -EINVAL);
    cr_expect_null(recorder);
    cr_expect_eq(script.ends, 0);
    cr_expect_eq(other.ends, 0);
}

/* A child that records is another client without being told that it is one. */
Test(central_recorder, is_another_one_in_a_forked_child)
{
    xray_recorder *recorder = record(XRAY_RECORDER_NO_ENVIRONMENT);
    pid_t child;

    cr_assert(wait_until_it_samples(recorder));
    usleep(100000); /* the thread should rest, for AddressSanitizer: see let_thread_rest() */
    child = fork();
    if (child == 0) {
        alarm(DEADLY_SECONDS);
        if (!samples(recorder))
            _exit(1);
        _exit(script.forks == 1 && other.forks == 1 && script_wait(&script, 1) ? 0 : 2);
    }
    expect_good_end(child);
    xray_recorder_free(recorder);
}

/* ---- The default one ---------------------------------------------------------------- */

Test(default_recorder, can_be_given)
{
    xray_recorder *recorder = NULL;

    cr_assert_eq(xray_recorder_new(&recorder, xray_recorder_params(.emitter = &nowhere)), 0);
    cr_expect_eq(xray_recorder_give_default(recorder), 0);
    cr_expect_eq(xray_recorder_default(), recorder);
    cr_expect_eq(xray_recorder_give_default(recorder), 0, "it is there already");
    xray_recorder_free(recorder);
    xray_end(xray_begin_segment("still there"));
}

Test(default_recorder, cannot_be_given_when_it_was_used)
{
    xray_recorder *recorder = NULL, *first = xray_recorder_default();

    cr_assert_eq(xray_recorder_new(&recorder,
                                   xray_recorder_params(.sampler = &fallback, .emitter = &nowhere)),
                 0);
    cr_expect_eq(xray_recorder_give_default(recorder), -EBUSY);
    cr_expect_eq(xray_recorder_default(), first);
    xray_recorder_free(recorder);
    cr_expect_eq(other.ends, 1, "it was not taken over");
}

Test(default_recorder, cannot_be_given_when_another_one_is_set)
{
    xray_recorder *recorder = NULL, *set = NULL;

    cr_assert_eq(xray_recorder_new(&recorder,
                                   xray_recorder_params(.sampler = &fallback, .emitter = &nowhere)),
                 0);
    cr_assert_eq(xray_recorder_new(&set, xray_recorder_params(.emitter = &nowhere)), 0);
    xray_recorder_set_default(set);
    cr_expect_eq(xray_recorder_give_default(recorder), -EBUSY);
    cr_expect_eq(xray_recorder_default(), set);
    xray_recorder_set_default(NULL);
    xray_recorder_free(set);
    xray_recorder_free(recorder);
    cr_expect_eq(other.ends, 1, "it was not taken over");
}

Test(default_recorder, is_not_made_of_nothing)
{
    cr_expect_eq(xray_recorder_give_default(NULL), -EINVAL);
}
