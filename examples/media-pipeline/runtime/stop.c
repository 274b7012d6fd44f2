/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t is_idle;
static volatile sig_atomic_t is_requested;
static int wake_up[2] = { -1, -1 };

static void on_signal(int number)
{
    (void)number;
    if (is_idle)
        _exit(0);
    int saved = errno;
    is_requested = 1;
    /* A full pipe is readable already. */
    ssize_t ignored = write(wake_up[1], "", 1);
    (void)ignored;
    errno = saved;
}

int stop_install(void)
{
    if (wake_up[0] < 0 && pipe2(wake_up, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;

    struct sigaction action = { .sa_handler = on_signal };
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGTERM, &action, NULL) < 0 || sigaction(SIGINT, &action, NULL) < 0)
        return -errno;
    action.sa_handler = SIG_IGN;
    if (sigaction(SIGPIPE, &action, NULL) < 0)
        return -errno;
    return 0;
}

void stop_set_idle(bool idle)
{
    is_idle = idle;
    /* A signal between two invocations: nothing will interrupt the wait for the next one. */
    if (idle && is_requested)
        _exit(0);
}

bool stop_requested(void)
{
    return is_requested;
}

int stop_descriptor(void)
{
    return wake_up[0];
}
