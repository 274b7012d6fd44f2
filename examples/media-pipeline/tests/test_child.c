/* SPDX-License-Identifier: Apache-2.0 */
/* Real children of /bin/sh. Every test has a deadline that is generous, and waits for events. */
#include <criterion/criterion.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "media/child.h"
#include "runtime/clock.h"

#define LONG_MS 60000

static const char *const ENVIRONMENT[] = { "PATH=/usr/bin:/bin", "ONLY=this", NULL };

static struct text output;
static struct child_result result;
static int stop_reader = -1;
static size_t output_limit = (size_t)-1;

static bool collect(void *data, const char *bytes, size_t length)
{
    text_add_bytes(data, bytes, length);
    return output.length <= output_limit;
}

static void run_in(const char *script, const char *directory, int64_t deadline_ms)
{
    const char *const arguments[] = { "/bin/sh", "-c", script, NULL };
    struct child_params params = {
        .arguments = arguments,
        .environment = ENVIRONMENT,
        .directory = directory,
        .deadline_ms = deadline_ms,
        .stop_descriptor = stop_reader,
        .output = collect,
        .data = &output,
    };
    text_clear(&output);
    child_run(&params, &result);
}

static void run(const char *script)
{
    run_in(script, NULL, clock_now_ms() + LONG_MS);
}

static void clean_up(void)
{
    text_release(&output);
    text_release(&result.errors);
}

/* Whether that process is gone, after at most some seconds. */
static bool is_gone(pid_t process)
{
    for (int i = 0; i < 500; i++) {
        if (kill(process, 0) < 0 && errno == ESRCH)
            return true;
        clock_sleep_ms(10);
    }
    return false;
}

TestSuite(child, .fini = clean_up, .timeout = 90);

Test(child, gives_back_what_it_printed_and_its_status)
{
    run("echo one; echo two >&2; exit 3");
    cr_expect_eq(result.outcome, CHILD_EXITED);
    cr_expect_eq(result.number, 3);
    cr_expect_str_eq(output.data, "one\n");
    cr_expect_str_eq(result.errors.data, "two\n");
}

Test(child, has_only_the_environment_that_it_is_given)
{
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    run("/usr/bin/env");
    cr_expect(strstr(output.data, "ONLY=this"));
    cr_expect_null(strstr(output.data, "AWS"));
}

Test(child, has_no_descriptor_of_ours)
{
    int leaked = open("/dev/null", O_RDONLY);
    cr_assert_geq(leaked, 3);
    run("ls /proc/self/fd | sort -n | tr '\\n' ' '");
    /* 3 is the directory that ls reads. */
    cr_expect_str_eq(output.data, "0 1 2 3 ");
    close(leaked);
}

Test(child, reads_nothing_from_our_input)
{
    run("cat; echo end");
    cr_assert_str_eq(output.data, "end\n");
}

Test(child, runs_in_the_directory_it_is_given)
{
    run_in("pwd", "/usr", clock_now_ms() + LONG_MS);
    cr_assert_str_eq(output.data, "/usr\n");
}

Test(child, may_die_of_a_broken_pipe_though_we_ignore_it)
{
    signal(SIGPIPE, SIG_IGN);
    run("kill -PIPE $$; echo survived");
    cr_expect_eq(result.outcome, CHILD_KILLED);
    cr_expect_eq(result.number, SIGPIPE);
}

Test(child, that_cannot_be_run_says_why)
{
    const char *const arguments[] = { "/nonexistent/program", NULL };
    struct child_params params = { .arguments = arguments,
                                   .environment = ENVIRONMENT,
                                   .deadline_ms = clock_now_ms() + LONG_MS,
                                   .stop_descriptor = -1 };
    child_run(&params, &result);
    cr_expect_eq(result.outcome, CHILD_NOT_BEGUN);
    cr_expect_eq(result.number, ENOENT);
}

Test(child, that_somebody_kills_is_told_from_one_that_ends)
{
    run("kill -9 $$");
    cr_expect_eq(result.outcome, CHILD_KILLED);
    cr_expect_eq(result.number, SIGKILL);
}

Test(child, is_killed_at_the_deadline)
{
    run_in("echo before; exec sleep 600", NULL, clock_now_ms() + 300);
    cr_expect_eq(result.outcome, CHILD_DEADLINE);
    cr_expect_str_eq(output.data, "before\n");
}

Test(child, is_killed_with_its_children_at_the_deadline)
{
    run_in("sleep 600 & echo $!; trap '' TERM; wait", NULL, clock_now_ms() + 1000);
    cr_expect_eq(result.outcome, CHILD_DEADLINE);
    pid_t grandchild = (pid_t)atoi(output.data);
    cr_assert_gt(grandchild, 1);
    cr_expect(is_gone(grandchild));
}

Test(child, that_is_past_its_deadline_is_not_waited_for)
{
    run_in("exec sleep 600", NULL, clock_now_ms() - 1000);
    cr_assert_eq(result.outcome, CHILD_DEADLINE);
}

Test(child, takes_helpers_along_that_it_left_behind)
{
    run("sleep 600 & echo $!");
    cr_expect_eq(result.outcome, CHILD_EXITED);
    pid_t helper = (pid_t)atoi(output.data);
    cr_assert_gt(helper, 1);
    cr_expect(is_gone(helper));
}

Test(child, that_has_closed_its_pipes_is_still_waited_for)
{
    run("exec >&- 2>&-; sleep 0.3; exit 5");
    cr_expect_eq(result.outcome, CHILD_EXITED);
    cr_expect_eq(result.number, 5);
}

Test(child, is_killed_when_we_are_told_to_stop)
{
    int pipes[2];
    cr_assert_eq(pipe(pipes), 0);
    cr_assert_eq(write(pipes[1], "", 1), 1);
    stop_reader = pipes[0];
    run("exec sleep 600");
    stop_reader = -1;
    cr_assert_eq(result.outcome, CHILD_STOPPED);
}

Test(child, is_killed_when_its_output_is_refused)
{
    output_limit = 1000;
    run("exec yes");
    output_limit = (size_t)-1;
    cr_expect_eq(result.outcome, CHILD_REFUSED);
    cr_expect_lt(output.length, 100000);
}

Test(child, keeps_the_end_of_a_long_stderr)
{
    run("i=0; while [ $i -lt 20000 ]; do echo 'a line of some length' >&2; i=$((i + 1)); done;"
        "echo 'ERROR: the reason' >&2");
    cr_expect_eq(result.outcome, CHILD_EXITED);
    cr_expect_leq(result.errors.length, 2 * CHILD_ERROR_BYTES);
    cr_expect(strstr(result.errors.data, "ERROR: the reason\n"));
}

Test(child, gives_stderr_back_as_valid_text)
{
    run("printf 'a\\377b' >&2");
    cr_assert_str_eq(result.errors.data, "a?b");
}

Test(child, gives_back_much_output)
{
    run("head -c 5000000 /dev/zero | tr '\\0' x");
    cr_expect_eq(result.number, 0);
    cr_expect_eq(output.length, 5000000);
}

/* A process that runs a long child, and tells its id. */
static pid_t begin_parent(const char *command, pid_t *ret_child)
{
    int pipes[2];
    cr_assert_eq(pipe(pipes), 0);
    pid_t parent = fork();
    if (parent == 0) {
        char script[128];
        const char *const arguments[] = { "/bin/sh", "-c", script, NULL };
        snprintf(script, sizeof(script), "f=/proc/%d/fd/%d; %s", getpid(), pipes[1], command);
        struct child_params params = { .arguments = arguments,
                                       .environment = ENVIRONMENT,
                                       .deadline_ms = clock_now_ms() + LONG_MS,
                                       .stop_descriptor = -1 };
        child_run(&params, &result);
        _exit(0);
    }
    char text[32] = "";
    cr_assert_gt(read(pipes[0], text, sizeof(text) - 1), 0);
    close(pipes[0]);
    close(pipes[1]);
    *ret_child = (pid_t)atoi(text);
    return parent;
}

Test(child, dies_with_a_parent_that_is_killed)
{
    pid_t child, parent = begin_parent("echo $$ >$f; exec sleep 600", &child);
    cr_assert_gt(child, 1);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    cr_assert(is_gone(child));
}

Test(child, takes_its_own_children_along_when_the_parent_is_killed)
{
    pid_t grandchild, parent = begin_parent("sleep 600 & echo $! >$f; wait", &grandchild);
    cr_assert_gt(grandchild, 1);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    cr_assert(is_gone(grandchild));
}
