/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_LOCAL_PROCESS_H
#define MEDIA_LOCAL_PROCESS_H

#include <stdbool.h>

/*
 * Child processes, each the leader of a process group of its own. Descendants
 * that lose their parent become media-local's own children, so that nothing a
 * function starts can outlive it.
 */
struct process;

struct process_params {
    const char *const *argv;        /* argv[0] is looked for in PATH */
    const char *const *environment; /* "NAME=value", ended by NULL */
    const char *directory;          /* to run in; NULL: media-local's own */
    const char *log_path;           /* stdout and stderr are appended to it */
    /* Called once, on a thread of this module, when it has ended. May be NULL. */
    void (*ended)(void *data);
    void *data;
};

/* Before any other call here, and before threads exist. 0 or -errno. */
int processes_begin(void);

/* Kills whatever is still there and waits for it; nothing can be started from then on. */
void processes_kill(void);

/* The same, and ends the thread. */
void processes_end(void);

/* 0 or -errno, such as -ENOENT when there is no such program. */
int process_start(struct process **ret, const struct process_params *params);

/* Its id, which is its process group's too. */
int process_id(const struct process *process);

/* Waits for its end; timeout_ms < 0 waits for ever. False when it still runs. */
bool process_wait(struct process *process, int timeout_ms);

/* After its end: "exit status 1", "signal 9 (Killed)". In static memory of the process. */
const char *process_outcome(struct process *process);

/* Whether it ended with exit status 0. */
bool process_succeeded(struct process *process);

/* To the process group; nothing when it has ended. */
void process_signal(struct process *process, int signal);

/* SIGKILL to it and to all its descendants. */
void process_kill(struct process *process);

/* Kills it if it still runs, waits, and forgets it. NULL is allowed. */
void process_free(struct process *process);

/* Kills the descendants of processes that ended without them. */
void processes_kill_orphans(void);

#endif /* MEDIA_LOCAL_PROCESS_H */
