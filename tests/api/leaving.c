/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes and threads that leave with segments open, in every way there is:
 * what arrives at the daemon's socket. A plain program, since a test framework
 * has its own ideas of how a process ends.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <xraytrace/xraytrace.h>

#define PATIENCE_SECONDS 60
#define DOCUMENTS_MAX    16

static int daemon_socket;
static char address[32];
static xray_recorder *recorder;
static cJSON *documents[DOCUMENTS_MAX];
static int document_count;
static int tests_run, tests_failed;

static void expect(bool condition, const char *what)
{
    tests_run++;
    tests_failed += !condition;
    printf("%s %d - %s\n", condition ? "ok" : "not ok", tests_run, what);
}

/* ---- The daemon -------------------------------------------------------------------- */

static void forget_documents(void)
{
    while (document_count > 0)
        cJSON_Delete(documents[--document_count]);
}

/* What was sent before the process was gone is in the socket by now. */
static void receive_all(void)
{
    static char text[65536];
    ssize_t length;

    forget_documents();
    while ((length = recv(daemon_socket, text, sizeof(text) - 1, MSG_DONTWAIT)) > 0) {
        const char *json = memchr(text, '\n', (size_t)length);

        text[length] = '\0';
        documents[document_count] = json ? cJSON_Parse(json) : NULL;
        if (!documents[document_count] || ++document_count == DOCUMENTS_MAX)
            exit(99);
    }
}

static bool has(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

    return text ? text : "";
}

/* Whether it was ended for that reason, and marked as a fault. */
static bool ended_by(const cJSON *one, const char *reason)
{
    const cJSON *cause = cJSON_GetObjectItemCaseSensitive(one, "cause");
    const cJSON *exceptions = cJSON_GetObjectItemCaseSensitive(cause, "exceptions");

    return has(one, "fault") && !has(one, "in_progress") &&
           cJSON_GetObjectItemCaseSensitive(one, "end_time") &&
           strcmp(text_of(cJSON_GetArrayItem(exceptions, 0), "type"), reason) == 0;
}

static const cJSON *child_of(const cJSON *one)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(one, "subsegments"), 0);
}

static bool two_ended_by(const char *reason)
{
    return document_count == 1 && ended_by(documents[0], reason) &&
           ended_by(child_of(documents[0]), reason);
}

static bool one_ended_by(const char *reason, const char *name)
{
    return document_count == 1 && ended_by(documents[0], reason) &&
           strcmp(text_of(documents[0], "name"), name) == 0;
}

/* ---- Processes ---------------------------------------------------------------------- */

static void make_recorder(void)
{
    xray_sampler sampler = { .size = sizeof(sampler) };

    if (xray_sampler_rate(&sampler, 0, 1) < 0 ||
        xray_recorder_new(&recorder,
                          xray_recorder_params(.sampler = &sampler, .daemon_address = address,
                                               .flags = XRAY_RECORDER_NO_ENVIRONMENT)) < 0)
        _exit(99);
    xray_recorder_set_default(recorder);
}

/* The status that waitpid() gives; what was sent is in documents then. */
static int run(void (*process)(void))
{
    pid_t child;
    int status = -1;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(PATIENCE_SECONDS);
        make_recorder();
        process();
        _exit(98);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        exit(99);
    receive_all();
    return status;
}

static bool exits(void (*process)(void))
{
    int status = run(process);

    return WIFEXITED(status) && WEXITSTATUS(status) == 5;
}

static void begin_two(void)
{
    xray_begin_segment("outer");
    xray_begin_subsegment("inner");
}

static void begin_in_progress(void)
{
    xray_send_in_progress(xray_begin_segment("outer"));
    xray_send_in_progress(xray_begin_subsegment("inner"));
}

static bool both_in_progress(void)
{
    return document_count == 2 && has(documents[0], "in_progress") &&
           has(documents[1], "in_progress") &&
           strcmp(text_of(documents[0], "name"), "outer") == 0 &&
           strcmp(text_of(documents[1], "parent_id"), text_of(documents[0], "id")) == 0;
}

/* ---- That are killed ------------------------------------------------------------------- */

static void be_killed(void)
{
    begin_in_progress();
    begin_two();
    kill(getpid(), SIGKILL);
    pause();
}

static void abort_itself(void)
{
    begin_in_progress();
    signal(SIGABRT, SIG_DFL);
    abort();
}

static void leave_at_once(void)
{
    begin_in_progress();
    begin_two();
    _exit(5);
}

static void leave_quickly(void)
{
    begin_in_progress();
    begin_two();
    quick_exit(5);
}

static void expect_of_the_killed(void)
{
    int status = run(be_killed);

    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && both_in_progress(),
           "a killed process leaves what it sent in progress");
    status = run(abort_itself);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && both_in_progress(),
           "and so does one that aborts");
    expect(exits(leave_at_once) && both_in_progress(), "_exit() runs nothing");
    expect(exits(leave_quickly) && both_in_progress(), "nor does quick_exit()");
}

/* ---- Threads -------------------------------------------------------------------------- */

static void *begin_and_return(void *unused)
{
    begin_two();
    return unused;
}

static void let_thread_end(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, begin_and_return, NULL);
    pthread_join(thread, NULL);
    _exit(5);
}

static void *begin_and_be_cancelled(void *ready)
{
    begin_in_progress();
    sem_post(ready);
    while (pause() < 0)
        ;
    return ready;
}

static void cancel_thread(void)
{
    pthread_t thread;
    sem_t ready;

    sem_init(&ready, 0, 0);
    pthread_create(&thread, NULL, begin_and_be_cancelled, &ready);
    sem_wait(&ready);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    _exit(5);
}

static void *be_cancelled_and_end(void *unused)
{
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    begin_two();
    pthread_cancel(pthread_self());
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
    xray_end(xray_start_subsegment(xray_current(), "another"));
    xray_send_in_progress(xray_current());
    return unused;
}

/* What a thread begins to send is sent, and counted. */
static void cancel_thread_that_sends(void)
{
    xray_stats stats = { .size = sizeof(stats) };
    pthread_t thread;

    pthread_create(&thread, NULL, be_cancelled_and_end, NULL);
    pthread_join(thread, NULL);
    xray_recorder_get_stats(recorder, &stats);
    _exit(stats.in_progress == 1 && stats.sampled == stats.embedded + stats.emitted ? 5 : 6);
}

static pthread_t first_thread;

static void *wait_for_first(void *unused)
{
    pthread_join(first_thread, NULL);
    _exit(5);
    return unused;
}

static void leave_first_thread(void)
{
    pthread_t thread;

    first_thread = pthread_self();
    begin_two();
    pthread_create(&thread, NULL, wait_for_first, NULL);
    pthread_exit(NULL);
}

static void expect_of_threads(void)
{
    int finals = 0;

    expect(exits(let_thread_end) && two_ended_by("ThreadExit"),
           "what a thread leaves open ends with it, as a fault");
    expect(exits(leave_first_thread) && two_ended_by("ThreadExit"), "the first one's too");
    expect(exits(cancel_thread) && document_count == 4, "and that of one which is cancelled");
    for (int i = 0; i < document_count; i++)
        finals += ended_by(documents[i], "ThreadExit");
    expect(finals == 2, "with one final document for each that was in progress");
    expect(exits(cancel_thread_that_sends), "one that is cancelled has sent what it was sending");
}

/* ---- exit() ----------------------------------------------------------------------------- */

static void exit_with_two(void)
{
    begin_two();
    exit(5);
}

static void exit_with_in_progress(void)
{
    begin_in_progress();
    exit(5);
}

static void exit_with_nothing(void)
{
    xray_end(xray_begin_segment("ended"));
    exit(5);
}

static void exit_with_detached(void)
{
    xray_start_segment(recorder, NULL);
    xray_detach(xray_begin_segment("detached"));
    exit(5);
}

static void fork_and_exit(const char *name)
{
    int status = -1;
    pid_t child;

    begin_two();
    child = fork();
    if (child == 0) {
        if (name)
            xray_begin_subsegment(name);
        exit(5);
    }
    waitpid(child, &status, 0);
    _exit(WEXITSTATUS(status));
}

/* The parent's are the parent's to send, whatever its children do. */
static void exit_in_child(void)
{
    fork_and_exit(NULL);
}

static void exit_in_child_with_own(void)
{
    fork_and_exit("of the child");
}

static void *exit_there(void *unused)
{
    xray_begin_segment("of the thread that leaves");
    exit(5);
    return unused;
}

static void exit_on_thread(void)
{
    pthread_t thread;

    begin_two();
    pthread_create(&thread, NULL, exit_there, NULL);
    pthread_join(thread, NULL);
}

static xray_segment *outer;

static void end_outer(void)
{
    xray_end(xray_begin_subsegment("in the handler"));
    xray_end(outer);
}

static void exit_with_handler(void)
{
    atexit(end_outer);
    outer = xray_begin_segment("outer");
    exit(5);
}

static const xray_trace_header sampled = { .sampled = XRAY_SAMPLED_YES };

static int exit_in_emitter(void *data, const xray_document *document)
{
    (void)data;
    (void)document;
    exit(5);
}

static void exit_in_hook(void)
{
    xray_emitter emitter = { .size = sizeof(emitter), .emit = exit_in_emitter };

    if (xray_recorder_new(&recorder, xray_recorder_params(.emitter = &emitter)) < 0)
        _exit(99);
    xray_end(xray_start_segment(recorder, NULL));
}

static int exit_in_emitter_that_locks(void *data, const xray_document *document)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    (void)data;
    (void)document;
    pthread_mutex_lock(&lock);
    exit(5);
}

static void exit_in_hook_with_open(void)
{
    xray_emitter emitter = { .size = sizeof(emitter), .emit = exit_in_emitter_that_locks };

    if (xray_recorder_new(&recorder, xray_recorder_params(.emitter = &emitter)) < 0)
        _exit(99);
    xray_attach(xray_start_segment(recorder, xray_segment_params(.header = &sampled)));
    xray_end(xray_start_segment(recorder, xray_segment_params(.header = &sampled)));
}

static void exit_after_free(void)
{
    xray_end(xray_begin_segment("ended"));
    xray_recorder_set_default(NULL);
    xray_recorder_free(recorder);
    exit(5);
}

static void expect_of_exit(void)
{
    expect(exits(exit_with_nothing) && document_count == 1,
           "exit() with nothing open sends nothing");
    expect(exits(exit_after_free) && document_count == 1, "nor without a recorder");
    expect(exits(exit_with_detached) && document_count == 0, "nor what is nobody's current one");
    expect(exits(exit_in_child) && document_count == 0,
           "exit() in a forked child leaves the parent's alone");
    expect(exits(exit_with_handler) && document_count == 1,
           "a handler that ends what is open is heard once");
    expect(exits(exit_in_hook) && document_count == 0, "exit() within a hook just leaves");
    expect(exits(exit_in_hook_with_open), "and calls none, whatever is open");
}

static int flushes;

static int count_flush(void *data, int timeout_ms)
{
    (void)data;
    (void)timeout_ms;
    flushes++;
    return 0;
}

static int take(void *data, const xray_document *document)
{
    (void)data;
    (void)document;
    return 0;
}

static void expect_two_flushes(void)
{
    _exit(flushes == 2 ? 5 : 6);
}

static void exit_with_two_recorders(void)
{
    xray_emitter emitter = { .size = sizeof(emitter), .emit = take, .flush = count_flush };

    for (int i = 0; i < 2; i++) {
        if (xray_recorder_new(&recorder, xray_recorder_params(.emitter = &emitter)) < 0)
            _exit(99);
        xray_attach(xray_start_segment(recorder, xray_segment_params(.header = &sampled)));
    }
    exit(0);
}

/* Its handler is there before the library's, and so comes after that. */
static int run_with_handler(char *program)
{
    int status = -1;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(PATIENCE_SECONDS);
        execl("/proc/self/exe", program, "two-recorders", (char *)NULL);
        _exit(98);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        exit(99);
    return WEXITSTATUS(status);
}

static void expect_of_open_at_exit(char *program)
{
    expect(run_with_handler(program) == 5, "exit() flushes each recorder that had something open");
    expect(exits(exit_with_two) && two_ended_by("ProcessExit"),
           "exit() ends what is open, as a fault");
    expect(exits(exit_with_in_progress) && document_count == 4 &&
               ended_by(documents[2], "ProcessExit") && ended_by(documents[3], "ProcessExit"),
           "and what was in progress");
    expect(exits(exit_in_child_with_own) && one_ended_by("ProcessExit", "of the child"),
           "in a forked child what is its own");
    expect(exits(exit_on_thread) && one_ended_by("ProcessExit", "of the thread that leaves"),
           "and of threads what the one that calls it has open");
}

int main(int argc, char **argv)
{
    struct sockaddr_in bound = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(bound);

    if (argc > 1 && strcmp(argv[1], "two-recorders") == 0) {
        atexit(expect_two_flushes);
        exit_with_two_recorders();
    }
    daemon_socket = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(daemon_socket, (struct sockaddr *)&bound, length) < 0 ||
        getsockname(daemon_socket, (struct sockaddr *)&bound, &length) < 0)
        return 99;
    snprintf(address, sizeof(address), "127.0.0.1:%d", ntohs(bound.sin_port));
    expect_of_the_killed();
    expect_of_threads();
    expect_of_exit();
    if (argc > 1 && strcmp(argv[1], "open-at-exit") == 0)
        expect_of_open_at_exit(argv[0]);
    forget_documents();
    close(daemon_socket);
    printf("1..%d\n", tests_run);
    return tests_failed > 0;
}
