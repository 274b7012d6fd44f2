/* SPDX-License-Identifier: Apache-2.0 */
#include "media/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/clock.h"

/* How often to look whether it ended while something else keeps its pipes open. */
#define LOOK_EVERY_MS 100

#define MAX_DESCRIPTORS 4096

/* More than a pipe holds. */
#define MAX_LAST_READS 64

struct child {
    const struct child_params *params;
    struct child_result *result;
    pid_t process;
    pid_t watcher; /* takes the group along when we are killed outright */
    int output;    /* -1 when closed */
    int errors;
    int alive;      /* nothing is written to it */
    bool is_killed; /* by us */
};

/* ---- In the child ------------------------------------------------------------------ */

/* Everything beyond stderr is closed by exec: libraries may have opened it without CLOEXEC. */
static void close_others_on_exec(void)
{
#ifdef SYS_close_range
    const unsigned cloexec = 1u << 2; /* CLOSE_RANGE_CLOEXEC */
    if (syscall(SYS_close_range, 3u, ~0u, cloexec) == 0)
        return;
#endif
    for (int i = 3; i < MAX_DESCRIPTORS; i++)
        fcntl(i, F_SETFD, FD_CLOEXEC);
}

/* False when the parent went before it had set everything up. */
static bool may_go(int go[2])
{
    char byte;
    ssize_t count;
    close(go[1]);
    do
        count = read(go[0], &byte, 1);
    while (count < 0 && errno == EINTR);
    return count == 1;
}

static void become(const struct child_params *params, pid_t parent, int output, int errors,
                   int report, int go[2])
{
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    /* A parent that is killed outright takes it along. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || !may_go(go))
        _exit(127);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);

    int null = open("/dev/null", O_RDONLY);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(errors, STDERR_FILENO) >= 0 && (!params->directory || chdir(params->directory) == 0)) {
        close_others_on_exec();
        execvpe(params->arguments[0], (char *const *)params->arguments,
                (char *const *)params->environment);
    }
    int reason = errno;
    ssize_t ignored = write(report, &reason, sizeof(reason));
    (void)ignored;
    _exit(127);
}

/*
 * yt-dlp asks to die with us, but what it starts (ffmpeg) does not. The other
 * end of the pipe is closed when we are gone, however that came about. Only
 * calls that are safe after a fork of many threads.
 */
static void watch(pid_t group, int alive)
{
    char byte;
    if (setpgid(0, group) < 0)
        _exit(1);
    /* Inherited handlers write to descriptors that are closed here. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    if (alive != STDIN_FILENO)
        dup2(alive, STDIN_FILENO);
#ifdef SYS_close_range
    syscall(SYS_close_range, 1u, ~0u, 0u);
#else
    for (int i = 1; i < MAX_DESCRIPTORS; i++)
        close(i);
#endif
    while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR)
        ;
    kill(-group, SIGKILL);
    _exit(0);
}

/* ---- In the parent ------------------------------------------------------------------ */

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

static void close_pair(int pair[2])
{
    close_descriptor(&pair[0]);
    close_descriptor(&pair[1]);
}

/* Without one everything works, but for what is left when we are killed. */
static void begin_watcher(struct child *child)
{
    int alive[2];
    if (pipe2(alive, O_CLOEXEC) < 0)
        return;
    child->watcher = fork();
    if (child->watcher == 0)
        watch(child->process, alive[0]);
    close(alive[0]);
    child->alive = alive[1];
}

static void end_watcher(struct child *child)
{
    if (child->watcher > 0) {
        kill(child->watcher, SIGKILL);
        while (waitpid(child->watcher, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    close_descriptor(&child->alive);
}

/* 0, or the errno of what failed, in the child up to exec as well. */
static int begin(struct child *child)
{
    int output[2] = { -1, -1 }, errors[2] = { -1, -1 }, report[2] = { -1, -1 };
    int go[2] = { -1, -1 };
    int reason = 0;
    if (pipe2(output, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0 ||
        pipe2(report, O_CLOEXEC) < 0 || pipe2(go, O_CLOEXEC) < 0) {
        reason = errno;
        goto finish;
    }
    pid_t parent = getpid();
    pid_t process = fork();
    if (process < 0) {
        reason = errno;
        goto finish;
    }
    if (process == 0)
        become(child->params, parent, output[1], errors[1], report[1], go);

    setpgid(process, process);
    child->process = process;
    begin_watcher(child);
    close_descriptor(&report[1]);
    ssize_t count;
    do
        count = write(go[1], "", 1);
    while (count < 0 && errno == EINTR);
    close_pair(go);
    do
        count = read(report[0], &reason, sizeof(reason));
    while (count < 0 && errno == EINTR);
    if (count > 0) {
        end_watcher(child);
        waitpid(process, NULL, 0);
        goto finish;
    }
    reason = 0;
    child->output = output[0];
    child->errors = errors[0];
    output[0] = errors[0] = -1;
    fcntl(child->output, F_SETFL, O_NONBLOCK);
    fcntl(child->errors, F_SETFL, O_NONBLOCK);
finish:
    close_pair(output);
    close_pair(errors);
    close_pair(report);
    close_pair(go);
    return reason;
}

/* The whole group, at once: there is nothing of theirs to keep. */
static void kill_group(struct child *child, enum child_outcome outcome)
{
    if (child->is_killed)
        return;
    child->is_killed = true;
    child->result->outcome = outcome;
    kill(-child->process, SIGKILL);
}

static void keep_errors(struct text *errors, const char *bytes, size_t length)
{
    text_add_bytes(errors, bytes, length);
    if (errors->length > 2 * CHILD_ERROR_BYTES) {
        size_t skip = errors->length - CHILD_ERROR_BYTES;
        memmove(errors->data, errors->data + skip, CHILD_ERROR_BYTES + 1);
        errors->length = CHILD_ERROR_BYTES;
    }
}

/* Reads once; closes the descriptor at its end. */
static void take(struct child *child, int *descriptor)
{
    char bytes[16384];
    ssize_t count = read(*descriptor, bytes, sizeof(bytes));
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (count <= 0) {
        close_descriptor(descriptor);
        return;
    }
    if (descriptor == &child->errors)
        keep_errors(&child->result->errors, bytes, (size_t)count);
    else if (!child->is_killed && child->params->output &&
             !child->params->output(child->params->data, bytes, (size_t)count))
        kill_group(child, CHILD_REFUSED);
}

/* It stays a zombie, so that its process group cannot become somebody else's. */
static bool has_ended(const struct child *child)
{
    siginfo_t info = { 0 };
    return waitid(P_PID, (id_t)child->process, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == child->process;
}

/* What is in the pipes when it has ended; a helper that left the group may go on writing. */
static void drain(struct child *child)
{
    int *descriptors[] = { &child->output, &child->errors };
    for (size_t i = 0; i < 2; i++) {
        struct pollfd ready = { .fd = *descriptors[i], .events = POLLIN };
        for (int reads = 0; reads < MAX_LAST_READS && ready.fd >= 0; reads++) {
            if (poll(&ready, 1, 0) <= 0)
                break;
            take(child, descriptors[i]);
            ready.fd = *descriptors[i];
        }
        close_descriptor(descriptors[i]);
    }
}

static void follow(struct child *child)
{
    while (!has_ended(child)) {
        int64_t left = child->params->deadline_ms - clock_now_ms();
        if (left <= 0)
            kill_group(child, CHILD_DEADLINE);
        struct pollfd ready[] = {
            { .fd = child->output, .events = POLLIN },
            { .fd = child->errors, .events = POLLIN },
            { .fd = child->is_killed ? -1 : child->params->stop_descriptor, .events = POLLIN },
        };
        int timeout = left > 0 && left < LOOK_EVERY_MS ? (int)left : LOOK_EVERY_MS;
        /* Pipes are closed as it ends: then it is a matter of moments. */
        if (child->output < 0 && child->errors < 0 && timeout > 5)
            timeout = 5;
        if (poll(ready, 3, timeout) <= 0)
            continue;
        if (ready[2].revents)
            kill_group(child, CHILD_STOPPED);
        if (ready[0].revents)
            take(child, &child->output);
        if (ready[1].revents)
            take(child, &child->errors);
    }
}

void child_run(const struct child_params *params, struct child_result *ret)
{
    memset(ret, 0, sizeof(*ret));
    struct child child = {
        .params = params, .result = ret, .output = -1, .errors = -1, .alive = -1
    };
    ret->number = begin(&child);
    if (ret->number) {
        ret->outcome = CHILD_NOT_BEGUN;
        return;
    }
    follow(&child);
    /* Helpers it left behind go too. */
    kill(-child.process, SIGKILL);
    drain(&child);
    end_watcher(&child);

    int status = 0;
    while (waitpid(child.process, &status, 0) < 0 && errno == EINTR)
        ;
    if (ret->errors.length)
        text_clean_utf8(ret->errors.data);
    if (child.is_killed)
        return;
    ret->outcome = WIFSIGNALED(status) ? CHILD_KILLED : CHILD_EXITED;
    ret->number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}
