/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that fork while they record: each sends its own, and nothing twice. */
#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Documents of both processes, with who sent them. */
static struct {
    _Atomic int count;
    struct {
        pid_t by;
        char text[4096];
    } documents[1024];
} * shared;

static _Atomic int *after_forks;

static int share(void *data, const xray_document *document)
{
    int i = shared->count++;

    (void)data;
    shared->documents[i].by = getpid();
    snprintf(shared->documents[i].text, sizeof(shared->documents[i].text), "%.*s",
             (int)document->length, document->json);
    return 0;
}

static void count_after_fork(void *data)
{
    (void)data;
    ++*after_forks;
}

static const xray_emitter sharing = { .size = sizeof(sharing),
                                      .emit = share,
                                      .after_fork = count_after_fork };

static void *share_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    cr_assert_neq(memory, MAP_FAILED);
    return memory;
}

static void record_shared(void)
{
    shared = share_memory(sizeof(*shared));
    after_forks = share_memory(sizeof(*after_forks));
    record_with((xray_recorder_params){ .emitter = &sharing });
}

TestSuite(fork, .init = record_shared);

/* Runs it in a forked child, whose exit status must be 0, and returns the child's id. */
static pid_t in_child(int (*work)(void))
{
    pid_t child = fork();
    int status;

    cr_assert_geq(child, 0);
    if (child == 0)
        _exit(work());
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
    return child;
}

static const char *value_of(int i, const char *name)
{
    static char values[8][64];
    static int next;
    char key[64];
    const char *start;

    snprintf(key, sizeof(key), "\"%s\":\"", name);
    start = strstr(shared->documents[i].text, key);
    next = (next + 1) % 8;
    snprintf(values[next], sizeof(values[next]), "%.*s",
             start ? (int)strcspn(start + strlen(key), "\"") : 0, start ? start + strlen(key) : "");
    return values[next];
}

static xray_segment *parent_segment, *child_segment;

static int end_both(void)
{
    xray_end(child_segment);
    xray_end(parent_segment);
    return stats_of(recorder).dropped == 2 ? 0 : 1;
}

Test(fork, leaves_what_began_before_to_the_parent)
{
    parent_segment = xray_begin_segment("a");
    child_segment = xray_begin_subsegment("b");
    in_child(end_both);
    cr_assert_eq(shared->count, 0);
    xray_end(child_segment);
    xray_end(parent_segment);
    cr_assert_eq(shared->count, 1);
    cr_assert_eq(shared->documents[0].by, getpid());
    settle();
}

static int send_in_progress(void)
{
    xray_send_in_progress(parent_segment);
    return 0;
}

Test(fork, leaves_in_progress_documents_to_the_parent)
{
    parent_segment = xray_begin_segment("a");
    in_child(send_in_progress);
    cr_assert_eq(shared->count, 0);
    xray_end(parent_segment);
    settle();
}

static int begin_one_under_it(void)
{
    xray_end(xray_begin_subsegment("c"));
    return 0;
}

Test(fork, makes_a_child_of_an_older_parent_a_document_of_its_own)
{
    pid_t child;

    parent_segment = xray_begin_segment("a");
    child = in_child(begin_one_under_it);
    xray_end(parent_segment);
    cr_assert_eq(shared->count, 2);
    cr_expect_eq(shared->documents[0].by, child);
    cr_expect_str_eq(value_of(0, "parent_id"), value_of(1, "id"));
    cr_expect_str_eq(value_of(0, "trace_id"), value_of(1, "trace_id"));
    cr_expect_str_eq(value_of(0, "type"), "subsegment");
    settle();
}

static int begin_fifty(void)
{
    for (int i = 0; i < 50; i++)
        xray_end(xray_begin_segment("a"));
    return 0;
}

Test(fork, gives_the_child_other_ids)
{
    xray_end(xray_begin_segment("first"));
    in_child(begin_fifty);
    in_child(begin_fifty);
    begin_fifty();
    cr_assert_eq(shared->count, 151);
    for (int i = 0; i < 151; i++)
        for (int j = 0; j < i; j++) {
            cr_assert_str_neq(value_of(i, "id"), value_of(j, "id"));
            cr_assert_str_neq(value_of(i, "trace_id"), value_of(j, "trace_id"));
        }
    settle();
}

static int balanced(void)
{
    xray_stats stats;

    xray_end(xray_begin_segment("x"));
    end_both();
    stats = stats_of(recorder);
    return stats.sampled == stats.embedded + stats.emitted + stats.failed + stats.dropped ? 0 : 1;
}

Test(fork, keeps_the_counts_of_the_child_in_balance)
{
    xray_end(xray_begin_segment("z"));
    parent_segment = xray_begin_segment("a");
    xray_end(xray_begin_subsegment("embedded"));
    child_segment = xray_begin_subsegment("b");
    in_child(balanced);
    xray_end(child_segment);
    xray_end(parent_segment);
    settle();
}

Test(fork, tells_hooks_once_in_the_child)
{
    in_child(begin_fifty);
    cr_expect_eq(*after_forks, 1);
    begin_fifty();
    cr_expect_eq(*after_forks, 1);
    settle();
}

static int fork_again(void)
{
    pid_t grandchild = fork();
    int status;

    if (grandchild == 0) {
        xray_end(xray_begin_segment("grandchild"));
        _exit(*after_forks == 1 ? 0 : 1);
    }
    waitpid(grandchild, &status, 0);
    xray_end(xray_begin_segment("child"));
    return status;
}

Test(fork, of_a_fork_works_as_well)
{
    in_child(fork_again);
    cr_assert_eq(shared->count, 2);
    cr_expect_eq(*after_forks, 2);
    settle();
}

static int free_it(void)
{
    xray_recorder_set_default(NULL);
    xray_recorder_free(recorder);
    return 0;
}

Test(fork, lets_the_child_free_its_recorder)
{
    in_child(free_it);
    xray_end(xray_begin_segment("a"));
    cr_assert_eq(shared->count, 1);
    settle();
}

static void begin_there(void *data)
{
    (void)data;
    begin_fifty();
}

static int use_threads(void)
{
    for (int i = 0; i < 4; i++)
        on_thread(begin_there, NULL);
    return shared->count == 200 ? 0 : 1;
}

Test(fork, lets_the_child_start_threads)
{
    xray_end(xray_start_segment(recorder, NULL));
    shared->count = 0;
    in_child(use_threads);
    settle();
}

static _Atomic bool hook_is_ready;
static _Atomic int too_early, told;

static int emit_when_ready(void *data, const xray_document *document)
{
    (void)data;
    (void)document;
    too_early += !hook_is_ready;
    return 0;
}

static void get_ready(void *data)
{
    (void)data;
    told++;
    usleep(50000);
    (void)xray_recorder_flush(recorder, 0);
    hook_is_ready = true;
}

static void *end_one(void *unused)
{
    xray_end(xray_start_segment(recorder, NULL));
    return unused;
}

static int use_threads_at_once(void)
{
    pthread_t threads[8];

    hook_is_ready = false;
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, end_one, NULL);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    return too_early + (told != 1);
}

Test(fork, calls_no_hook_before_it_was_told)
{
    xray_emitter slow = { .size = sizeof(slow), .emit = emit_when_ready, .after_fork = get_ready };

    settle();
    record_with((xray_recorder_params){ .emitter = &slow });
    in_child(use_threads_at_once);
    settle();
}

static int current_is_kept(void)
{
    return xray_current() == parent_segment ? 0 : 1;
}

Test(fork, keeps_the_current_segment)
{
    parent_segment = xray_begin_segment("a");
    in_child(current_is_kept);
    xray_end(parent_segment);
    settle();
}

/* ---- What was there when it forked -------------------------------------------- */

static int record_afresh(void)
{
    xray_segment *segment = xray_begin_segment("new");
    xray_stats stats = stats_of(recorder);

    xray_end(xray_begin_subsegment("new inside"));
    xray_end(segment);
    return stats_of(recorder).emitted == stats.emitted + 1 && xray_current() == NULL ? 0 : 1;
}

Test(fork, with_nothing_open_records_in_the_child)
{
    pid_t child = in_child(record_afresh);

    cr_assert_eq(shared->count, 1);
    cr_expect_eq(shared->documents[0].by, child);
    cr_expect_str_eq(value_of(0, "parent_id"), "");
    settle();
}

static int use_detached(void)
{
    xray_segment *inside, *outside = xray_current();

    xray_attach(parent_segment);
    inside = xray_begin_subsegment("of the child");
    xray_annotate(parent_segment, "by", "the child");
    xray_end(inside);
    xray_end(parent_segment);
    return stats_of(recorder).dropped == 1 && xray_current() == outside ? 0 : 1;
}

Test(fork, with_a_detached_segment_leaves_that_to_the_parent)
{
    pid_t child;

    parent_segment = xray_start_segment(recorder, xray_segment_params(.name = "detached"));
    xray_detach(parent_segment);
    child = in_child(use_detached);
    xray_end(parent_segment);
    cr_assert_eq(shared->count, 2);
    cr_expect_eq(shared->documents[0].by, child);
    cr_expect_str_eq(value_of(0, "name"), "of the child");
    cr_expect_str_eq(value_of(0, "parent_id"), value_of(1, "id"));
    cr_expect_eq(shared->documents[1].by, getpid());
    cr_expect_null(strstr(shared->documents[1].text, "the child"), "it has memory of its own");
    settle();
}

static void fork_there(void *data)
{
    xray_segment *own = xray_begin_segment("of the thread");

    *(pid_t *)data = in_child(use_detached);
    xray_end(own);
}

static void fork_there_with_nothing(void *data)
{
    *(pid_t *)data = in_child(record_afresh);
}

/* The thread it is current on does not exist in the child. */
Test(fork, on_another_thread_leaves_what_is_open_here_to_the_parent)
{
    pid_t child;

    parent_segment = xray_begin_segment("a");
    on_thread(fork_there_with_nothing, &child);
    cr_assert_eq(shared->count, 1);
    cr_expect_eq(shared->documents[0].by, child);
    xray_end(parent_segment);
    cr_assert_eq(shared->count, 2);
    cr_expect_eq(shared->documents[1].by, getpid());
    settle();
}

Test(fork, on_another_thread_works_with_segments_of_both)
{
    pid_t child;

    parent_segment = xray_begin_segment("a");
    on_thread(fork_there, &child);
    cr_assert_eq(shared->count, 2, "one of the child, and one of the thread");
    cr_expect_eq(shared->documents[0].by, child);
    cr_expect_str_eq(value_of(0, "name"), "of the child");
    cr_expect_str_eq(value_of(1, "name"), "of the thread");
    xray_end(parent_segment);
    cr_expect_str_eq(value_of(2, "id"), value_of(0, "parent_id"));
    settle();
}

static int end_invocation(void)
{
    xray_end(xray_begin_segment("of the child"));
    return xray_lambda_end(parent_segment, 0) == 0 && xray_current() == NULL ? 0 : 1;
}

Test(fork, in_an_invocation_sends_what_the_child_does_in_it)
{
    parent_segment = xray_lambda_begin(
        recorder, "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
    in_child(end_invocation);
    xray_end(xray_begin_subsegment("of the parent"));
    cr_expect_eq(xray_lambda_end(parent_segment, 0), 0);
    cr_assert_eq(shared->count, 2);
    for (int i = 0; i < 2; i++)
        cr_expect_str_eq(value_of(i, "parent_id"), "53995c3f42cd8ad8");
    settle();
}

static int leave_a_mess(void)
{
    pid_t grandchild;
    int status;

    child_segment = xray_begin_subsegment("of the child");
    grandchild = fork();
    if (grandchild == 0) {
        xray_end(xray_begin_subsegment("of the grandchild"));
        xray_end(child_segment);
        xray_end(parent_segment);
        _exit(stats_of(recorder).dropped == 2 ? 0 : 1);
    }
    waitpid(grandchild, &status, 0);
    xray_end(child_segment);
    xray_end(parent_segment);
    return status != 0 || stats_of(recorder).dropped != 1;
}

Test(fork, in_a_child_of_a_child_leaves_each_its_own)
{
    pid_t child;

    parent_segment = xray_begin_segment("a");
    child = in_child(leave_a_mess);
    xray_end(parent_segment);
    cr_assert_eq(shared->count, 3);
    cr_expect_str_eq(value_of(0, "name"), "of the grandchild");
    cr_expect_str_eq(value_of(0, "parent_id"), value_of(1, "id"));
    cr_expect_eq(shared->documents[1].by, child);
    cr_expect_str_eq(value_of(1, "parent_id"), value_of(2, "id"));
    cr_expect_eq(shared->documents[2].by, getpid());
    settle();
}

/* ---- In a hook -------------------------------------------------------------------- */

static bool child_returns;

/* Once; the child either leaves at once, or goes on from here as the parent does. */
static void fork_in_hook(void)
{
    static bool done;
    pid_t child;
    int status;

    if (done)
        return;
    done = true;
    child = fork();
    if (child == 0 && child_returns)
        return;
    if (child == 0) {
        xray_segment *segment = xray_begin_segment("of the hook");

        _exit(xray_is_recording(segment) ? 1 : 0);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
}

static int fork_and_share(void *data, const xray_document *document)
{
    fork_in_hook();
    return share(data, document);
}

static void fork_and_decide(void *data, const xray_sampling_request *request,
                            xray_sampling_decision *ret)
{
    fork_in_hook();
    sampler_yes.decide(data, request, ret);
}

static int64_t fork_and_tell_time(void *data)
{
    fork_in_hook();
    return still_clock.now_ns(data);
}

static void fork_and_log(void *data, int level, const char *message)
{
    (void)data;
    (void)level;
    (void)message;
    fork_in_hook();
}

static const xray_emitter forking_emitter = { .size = sizeof(forking_emitter),
                                              .emit = fork_and_share,
                                              .after_fork = count_after_fork };
static const xray_sampler forking_sampler = { .size = sizeof(forking_sampler),
                                              .decide = fork_and_decide };
static const xray_clock forking_clock = { .size = sizeof(forking_clock),
                                          .now_ns = fork_and_tell_time };
static const xray_logger forking_logger = { .size = sizeof(forking_logger), .log = fork_and_log };

static void record_with_forking_hook(int which)
{
    settle();
    record_with((xray_recorder_params){
        .emitter = which == 0 ? &forking_emitter : &sharing,
        .sampler = which == 1 ? &forking_sampler : NULL,
        .clock = which == 2 ? &forking_clock : NULL,
        .logger = which == 3 ? &forking_logger : NULL,
    });
}

static void record_a_little(void)
{
    xray_segment *segment;

    (void)xray_begin_subsegment("logged, since there is no segment");
    segment = xray_begin_segment("a");
    xray_end(xray_begin_subsegment("b"));
    xray_end(segment);
}

Test(fork, in_a_hook_changes_nothing_for_the_parent)
{
    for (int which = 0; which < 4; which++) {
        pid_t child = fork();
        int status;

        if (child == 0) {
            record_with_forking_hook(which);
            record_a_little();
            _exit(shared->count == which + 1 && stats_of(recorder).emitted == 1 ? 0 : 1);
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert_eq(status, 0, "hook %d", which);
    }
    settle();
}

/* The first half of it is in the parent, the second in both. */
static void fork_half_way(int which)
{
    pid_t before = getpid();
    xray_stats stats;

    child_returns = true;
    record_with_forking_hook(which);
    record_a_little();
    xray_end(xray_begin_segment("after"));
    stats = stats_of(recorder);
    if (stats.sampled != stats.embedded + stats.emitted + stats.failed + stats.dropped)
        _exit(1);
    if (getpid() != before)
        _exit(stats.emitted > 0 && xray_current() == NULL ? 0 : 2);
}

Test(fork, in_a_hook_lets_the_child_go_on)
{
    for (int which = 0; which < 4; which++) {
        pid_t child = fork();
        int status;

        if (child == 0) {
            fork_half_way(which);
            _exit(0);
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert_eq(status, 0, "hook %d", which);
    }
    settle();
}

/* ---- Children that become other programs ------------------------------------------ */

static void expect_untouched(void)
{
    cr_expect_eq(xray_current(), child_segment);
    xray_end(child_segment);
    xray_end(parent_segment);
    cr_assert_eq(shared->count, 1);
    cr_expect(strstr(shared->documents[0].text, "\"subsegments\""));
    cr_expect_eq(*after_forks, 0);
    settle();
}

static void expect_exit_of(pid_t child, int expected)
{
    int status;

    cr_assert_gt(child, 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == expected, "status %x", status);
}

Test(fork, by_vfork_and_exec_touches_nothing)
{
    pid_t child;

    parent_segment = xray_begin_segment("a");
    child_segment = xray_begin_subsegment("b");
    child = vfork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
        _exit(1);
    }
    expect_exit_of(child, 7);
    expect_untouched();
}

Test(fork, by_posix_spawn_touches_nothing)
{
    char shell[] = "sh", option[] = "-c", command[] = "exit 7";
    char *arguments[] = { shell, option, command, NULL };
    pid_t child;

    parent_segment = xray_begin_segment("a");
    child_segment = xray_begin_subsegment("b");
    cr_assert_eq(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ), 0);
    expect_exit_of(child, 7);
    expect_untouched();
}

/* ---- Sockets -------------------------------------------------------------------- */

static int daemon_socket;

static int source_port(void)
{
    struct sockaddr_in from;
    socklen_t length = sizeof(from);
    char text[65536];

    cr_assert_gt(recvfrom(daemon_socket, text, sizeof(text), MSG_DONTWAIT, (struct sockaddr *)&from,
                          &length),
                 0);
    return ntohs(from.sin_port);
}

static int send_one(void)
{
    xray_end(xray_start_segment(recorder, NULL));
    return 0;
}

Test(fork, gives_the_child_a_socket_of_its_own)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    xray_recorder_params params = { .size = sizeof(params),
                                    .sampler = &sampler_yes,
                                    .flags = XRAY_RECORDER_NO_ENVIRONMENT };
    socklen_t length = sizeof(address);
    char text[32];
    int ports[3];

    settle();
    daemon_socket = socket(AF_INET, SOCK_DGRAM, 0);
    cr_assert_eq(bind(daemon_socket, (struct sockaddr *)&address, length), 0);
    cr_assert_eq(getsockname(daemon_socket, (struct sockaddr *)&address, &length), 0);
    snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(address.sin_port));
    params.daemon_address = text;
    cr_assert_eq(xray_recorder_new(&recorder, &params), 0);
    send_one();
    ports[0] = source_port();
    in_child(send_one);
    ports[1] = source_port();
    send_one();
    ports[2] = source_port();
    cr_expect_eq(ports[0], ports[2]);
    cr_expect_neq(ports[0], ports[1]);
    xray_recorder_free(recorder);
    close(daemon_socket);
}
