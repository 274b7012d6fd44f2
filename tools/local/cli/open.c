/* SPDX-License-Identifier: Apache-2.0 */
/* The desktop's own opener gets a URL of our making as its only argument; no shell
   sees it, and what it writes is not ours to show. */
#include "local/cli/open.h"

#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Some openers stay as long as the browser does. */
static void *reap(void *data)
{
    pid_t pid = *(pid_t *)data;
    free(data);
    waitpid(pid, NULL, 0);
    return NULL;
}

static void reap_later(pid_t pid)
{
    pthread_t thread;
    pid_t *copy = malloc(sizeof *copy);
    if (!copy)
        return; /* a zombie until we end */
    *copy = pid;
    if (pthread_create(&thread, NULL, reap, copy) == 0)
        pthread_detach(thread);
    else
        free(copy);
}

static int start_opener(char *url, pid_t *ret)
{
    char opener[] = "xdg-open";
    char *arguments[] = { opener, url, NULL };
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    int r = posix_spawn_file_actions_init(&files);
    if (r != 0)
        return r;
    r = posix_spawnattr_init(&attributes);
    if (r != 0) {
        posix_spawn_file_actions_destroy(&files);
        return r;
    }
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    r = posix_spawnp(ret, opener, &files, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return r;
}

void open_browser(const struct collector *collector)
{
    char url[COLLECTOR_URL_SIZE + 1];
    pid_t pid;
    collector_url(collector, url);
    strcat(url, "/");
    int r = start_opener(url, &pid);
    if (r == 0)
        reap_later(pid);
    else
        fprintf(stderr,
                "xraytrace-local: cannot open a browser: xdg-open: %s; open %s in one yourself\n",
                strerror(r), url);
}
