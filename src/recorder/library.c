/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/library.h"

#include <pthread.h>

#include "base/pool.h"
#include "base/thread.h"
#include "recorder/counters.h"
#include "recorder/current.h"
#include "recorder/leave.h"

/* Threads leave in the reverse order: open segments first, memory last. */
static void set_up(void)
{
    xr_pool_set_up();
    xr_counters_set_up();
    xr_current_set_up();
    xr_leave_set_up();
}

void xr_library_enter(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, set_up);
    xr_thread_enter();
}
