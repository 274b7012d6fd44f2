/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that emitters have: no signal of the program's ever runs on one of them. */
#ifndef XR_EMIT_WORKER_H
#define XR_EMIT_WORKER_H

#include <pthread.h>

/* pthread_create(); tests put another one here. */
extern int (*xr_worker_create)(pthread_t *ret, const pthread_attr_t *attributes,
                               void *(*run)(void *), void *data);

/* Starts one, with all signals blocked and a name of at most 15 bytes. 0 or -errno. */
int xr_worker_start(pthread_t *ret, const char *name, void *(*run)(void *), void *data);

#endif /* XR_EMIT_WORKER_H */
