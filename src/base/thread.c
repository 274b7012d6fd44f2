/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#define MAX_HOOKS 4

_Thread_local struct xr_thread xr_thread;
uint32_t xr_fork_generation = 1;

static const struct xr_thread_hooks *registered[MAX_HOOKS];
static int registered_count;
static pthread_key_t exit_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic uint64_t last_id;

static void on_exit_of_thread(void *unused)
{
    (void)unused;
    for (int i = registered_count; i-- > 0;)
        if (registered[i]->exit)
            registered[i]->exit();
    /* Other destructors may still call us: they enter anew, and we come back. */
    xr_thread.id = 0;
}

static void on_fork_prepare(void)
{
    for (int i = registered_count; i-- > 0;)
        if (registered[i]->fork_prepare)
            registered[i]->fork_prepare();
}

static void on_fork_parent(void)
{
    for (int i = 0; i < registered_count; i++)
        if (registered[i]->fork_parent)
            registered[i]->fork_parent();
}

static void on_fork_child(void)
{
    xr_fork_generation++;
    xr_thread.random_key = 0;
    for (int i = 0; i < registered_count; i++)
        if (registered[i]->fork_child)
            registered[i]->fork_child();
}

static void set_up(void)
{
    pthread_key_create(&exit_key, on_exit_of_thread);
    pthread_atfork(on_fork_prepare, on_fork_parent, on_fork_child);
}

void xr_thread_enter_slow(void)
{
    int saved = errno;

    pthread_once(&once, set_up);
    xr_thread.id = atomic_fetch_add(&last_id, 1) + 1;
    pthread_setspecific(exit_key, &xr_thread);
    errno = saved;
}

void xr_thread_register(const struct xr_thread_hooks *hooks)
{
    assert(registered_count < MAX_HOOKS);
    registered[registered_count++] = hooks;
}
