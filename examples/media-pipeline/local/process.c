/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children and their descendants. One thread reaps; a process id is signalled
 * only under the lock and before it is reaped, so it cannot be somebody else's.
 */

#include "process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

struct process {
    struct process *next;
    pid_t pid;
    int status;
    bool reaped;  /* the id is no longer ours */
    bool settled; /* and ended() has returned */
    char outcome[48];
    void (*ended)(void *data);
    void *data;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_t reaper;
static struct process *processes;
static bool spawned, stopping;

/* ---- The process tree, as /proc has it ------------------------------------------ */

struct pair {
    pid_t pid;
    pid_t parent;
};

struct table {
    struct pair *pairs;
    size_t count;
    size_t capacity;
};

static pid_t parent_of(const char *pid)
{
    char path[64], text[512];
    long parent = -1;

    snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (length <= 0)
        return -1;
    text[length] = '\0';

    /* "pid (name) state parent": the name may hold anything, so search from the end. */
    const char *name_end = strrchr(text, ')');
    if (!name_end || sscanf(name_end, ") %*c %ld", &parent) != 1)
        return -1;
    return (pid_t)parent;
}

static struct table read_table(void)
{
    struct table table = { 0 };
    DIR *directory = opendir("/proc");
    struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        pid_t parent = parent_of(entry->d_name);
        if (parent < 0)
            continue;
        if (table.count == table.capacity) {
            size_t capacity = table.capacity ? 2 * table.capacity : 256;
            struct pair *grown = memory_new(capacity * sizeof(*grown));
            if (table.count)
                memcpy(grown, table.pairs, table.count * sizeof(*grown));
            free(table.pairs);
            table.pairs = grown;
            table.capacity = capacity;
        }
        table.pairs[table.count++] = (struct pair){ (pid_t)atol(entry->d_name), parent };
    }
    if (directory)
        closedir(directory);
    return table;
}

static size_t kill_children(const struct table *table, pid_t parent)
{
    size_t killed = 0;

    for (size_t i = 0; i < table->count; i++) {
        if (table->pairs[i].parent == parent) {
            killed += 1 + kill_children(table, table->pairs[i].pid);
            kill(table->pairs[i].pid, SIGKILL);
        }
    }
    return killed;
}

/* ---- Ends ------------------------------------------------------------------------- */

static void describe(struct process *process)
{
    if (WIFSIGNALED(process->status))
        snprintf(process->outcome, sizeof(process->outcome), "signal %d (%s)",
                 WTERMSIG(process->status), strsignal(WTERMSIG(process->status)));
    else
        snprintf(process->outcome, sizeof(process->outcome), "exit status %d",
                 WEXITSTATUS(process->status));
}

static void reap(pid_t pid)
{
    struct process *process;
    int status = 0;

    pthread_mutex_lock(&lock);
    waitpid(pid, &status, 0);
    for (process = processes; process; process = process->next)
        if (process->pid == pid && !process->reaped)
            break;
    if (process) {
        process->status = status;
        process->reaped = true;
        describe(process);
    }
    pthread_mutex_unlock(&lock);

    if (process) {
        if (process->ended)
            process->ended(process->data);
        pthread_mutex_lock(&lock);
        process->settled = true;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
}

static void *run_reaper(void *data)
{
    (void)data;

    for (;;) {
        siginfo_t info = { 0 };
        if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0) {
            reap(info.si_pid);
            continue;
        }
        if (errno == EINTR)
            continue;
        pthread_mutex_lock(&lock);
        while (!spawned && !stopping)
            pthread_cond_wait(&changed, &lock);
        bool stop = !spawned && stopping;
        spawned = false;
        pthread_mutex_unlock(&lock);
        if (stop)
            return NULL;
    }
}

int processes_begin(void)
{
    pthread_condattr_t monotonic;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return -pthread_create(&reaper, NULL, run_reaper, NULL);
}

void processes_kill(void)
{
    pthread_mutex_lock(&lock);
    stopping = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);

    /* Children that fork while they are killed need another round. */
    for (int round = 0; round < 500; round++) {
        struct table table = read_table();
        size_t left = kill_children(&table, getpid());
        free(table.pairs);
        if (!left)
            break;
        nanosleep(&(struct timespec){ .tv_nsec = 10 * NS_PER_MS }, NULL);
    }
}

void processes_end(void)
{
    processes_kill();
    pthread_join(reaper, NULL);
}

/* ---- One process ---------------------------------------------------------------- */

static int spawn(pid_t *ret, const struct process_params *params)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int error;

    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    sigemptyset(&none);
    sigfillset(&all);

    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, params->log_path,
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
#endif
    if (params->directory)
        posix_spawn_file_actions_addchdir_np(&files, params->directory);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    error = posix_spawnp(ret, params->argv[0], &files, &attributes, (char *const *)params->argv,
                         (char *const *)params->environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return -error;
}

int process_start(struct process **ret, const struct process_params *params)
{
    struct process *process = memory_new(sizeof(*process));

    process->ended = params->ended;
    process->data = params->data;
    pthread_mutex_lock(&lock);
    int error = stopping ? -ECANCELED : spawn(&process->pid, params);
    if (!error) {
        process->next = processes;
        processes = process;
        spawned = true;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);

    if (error) {
        free(process);
        return error;
    }
    *ret = process;
    return 0;
}

int process_id(const struct process *process)
{
    return process->pid;
}

bool process_wait(struct process *process, int timeout_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * (long)NS_PER_MS;
    if (until.tv_nsec >= NS_PER_SECOND) {
        until.tv_sec++;
        until.tv_nsec -= NS_PER_SECOND;
    }
    pthread_mutex_lock(&lock);
    int error = 0;
    while (!process->settled && error != ETIMEDOUT)
        error = timeout_ms < 0 ? pthread_cond_wait(&changed, &lock)
                               : pthread_cond_timedwait(&changed, &lock, &until);
    bool settled = process->settled;
    pthread_mutex_unlock(&lock);
    return settled;
}

const char *process_outcome(struct process *process)
{
    pthread_mutex_lock(&lock);
    const char *outcome = process->reaped ? process->outcome : "still running";
    pthread_mutex_unlock(&lock);
    return outcome;
}

bool process_succeeded(struct process *process)
{
    pthread_mutex_lock(&lock);
    bool succeeded = process->reaped && WIFEXITED(process->status) &&
                     WEXITSTATUS(process->status) == 0;
    pthread_mutex_unlock(&lock);
    return succeeded;
}

void process_signal(struct process *process, int signal)
{
    pthread_mutex_lock(&lock);
    if (!process->reaped)
        kill(-process->pid, signal);
    pthread_mutex_unlock(&lock);
}

void process_kill(struct process *process)
{
    pthread_mutex_lock(&lock);
    if (!process->reaped) {
        struct table table = read_table();
        kill_children(&table, process->pid);
        free(table.pairs);
        kill(-process->pid, SIGKILL);
    }
    pthread_mutex_unlock(&lock);
}

void process_free(struct process *process)
{
    if (!process)
        return;
    process_kill(process);
    process_wait(process, -1);

    pthread_mutex_lock(&lock);
    for (struct process **link = &processes; *link; link = &(*link)->next) {
        if (*link == process) {
            *link = process->next;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
    free(process);
}

static bool is_known(pid_t pid)
{
    for (struct process *process = processes; process; process = process->next)
        if (process->pid == pid && !process->reaped)
            return true;
    return false;
}

void processes_kill_orphans(void)
{
    pthread_mutex_lock(&lock);
    struct table table = read_table();
    for (size_t i = 0; i < table.count; i++) {
        if (table.pairs[i].parent == getpid() && !is_known(table.pairs[i].pid)) {
            kill_children(&table, table.pairs[i].pid);
            kill(table.pairs[i].pid, SIGKILL);
        }
    }
    free(table.pairs);
    pthread_mutex_unlock(&lock);
}
