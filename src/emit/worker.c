/* SPDX-License-Identifier: Apache-2.0 */
#include "emit/worker.h"

#include <signal.h>

int (*xr_worker_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                        void *) = pthread_create;

int xr_worker_start(pthread_t *ret, const char *name, void *(*run)(void *), void *data)
{
    sigset_t all, before;
    int error;

    /* A thread inherits what is blocked. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = xr_worker_create(ret, NULL, run, data);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        pthread_setname_np(*ret, name);
    return -error;
}
