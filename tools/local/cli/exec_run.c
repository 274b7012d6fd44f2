/* SPDX-License-Identifier: Apache-2.0 */
/* The command as a process: told where to send, waited for, and handed the signals
   that end us. */
#include "local/cli/exec.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Where SDKs and the AWS clients send, each in its own words. The URL follows. */
static const struct {
    const char *name;
    const char *before; /* NULL: the address and port only */
    const char *constant;
} told[] = {
    { "AWS_XRAY_DAEMON_ADDRESS", NULL, NULL },
    { "AWS_ENDPOINT_URL_XRAY", "", NULL },
    { "OTEL_EXPORTER_OTLP_ENDPOINT", "", NULL },
    { "OTEL_EXPORTER_OTLP_PROTOCOL", NULL, "http/protobuf" },
};
#define TOLD (sizeof told / sizeof told[0])

static bool is_told(const char *variable)
{
    for (size_t i = 0; i < TOLD; i++) {
        size_t length = strlen(told[i].name);
        if (strncmp(variable, told[i].name, length) == 0 && variable[length] == '=')
            return true;
    }
    return false;
}

/* Our environment with what is told in the place of what there was; NULL without memory. */
static char **make_environment(const struct collector *collector, char (*values)[128])
{
    char url[COLLECTOR_URL_SIZE];
    size_t count = 0;
    while (environ[count])
        count++;
    char **ret = calloc(count + TOLD + 1, sizeof *ret);
    if (!ret)
        return NULL;
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_told(environ[i]))
            ret[used++] = environ[i];
    collector_url(collector, url);
    for (size_t i = 0; i < TOLD; i++) {
        const char *value = told[i].constant ? told[i].constant : url;
        if (!told[i].constant && !told[i].before)
            value = strstr(url, "://") + 3;
        snprintf(values[i], sizeof values[i], "%s=%s", told[i].name, value);
        ret[used++] = values[i];
    }
    return ret;
}

/* In a terminal the command stays in the foreground, where Ctrl-C reaches it by itself.
   Elsewhere it leads a group, so that a signal reaches all that it started. */
static bool leads_group(void)
{
    return !isatty(STDIN_FILENO);
}

static int start(const struct exec *exec, const sigset_t *inherited, char **environment, pid_t *ret)
{
    char shell[] = "sh";
    char option[] = "-c";
    char *command = strdup(exec->options->exec);
    char *arguments[] = { shell, option, command, NULL };
    posix_spawnattr_t attributes;
    sigset_t defaults;
    if (!command)
        return ENOMEM;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGCHLD);
    int r = posix_spawnattr_init(&attributes);
    if (r == 0) {
        posix_spawnattr_setsigmask(&attributes, inherited);
        posix_spawnattr_setsigdefault(&attributes, &defaults);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(&attributes,
                                 (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                         (leads_group() ? POSIX_SPAWN_SETPGROUP : 0)));
        r = posix_spawn(ret, "/bin/sh", NULL, &attributes, arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    free(command);
    return r;
}

/* Ctrl-C in a terminal has reached the command already; a signal from a process has not. */
static void pass_on(const siginfo_t *signal, pid_t pid)
{
    if (leads_group())
        kill(-pid, signal->si_signo);
    else if (signal->si_code <= 0)
        kill(pid, signal->si_signo);
}

static void wait_for(struct exec *exec, pid_t pid)
{
    sigset_t awaited;
    siginfo_t signal;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGCHLD);
    sigaddset(&awaited, SIGINT);
    sigaddset(&awaited, SIGTERM);
    while (waitpid(pid, &exec->status, WNOHANG) == 0) {
        int received = sigwaitinfo(&awaited, &signal);
        if (received == SIGINT || received == SIGTERM) {
            exec->signal = received;
            pass_on(&signal, pid);
        }
    }
}

int exec_run(struct exec *exec, const sigset_t *inherited)
{
    char values[TOLD][128];
    pid_t pid;
    char **environment = make_environment(&exec->collector, values);
    int r = environment ? start(exec, inherited, environment, &pid) : ENOMEM;
    free(environment);
    if (r != 0) {
        fprintf(stderr, "xraytrace-local: cannot run sh -c for --exec: %s\n", strerror(r));
        return EXIT_COMMAND;
    }
    wait_for(exec, pid);
    return 0;
}
