/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/counters.h"

#include <pthread.h>

#include "base/alloc.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct xr_counters *all;
static uint64_t last_serial;

static void take_lock(void)
{
    pthread_mutex_lock(&lock);
}

static void give_lock(void)
{
    pthread_mutex_unlock(&lock);
}

/* What this thread counted stays; the sets are another's to go on with. */
static void on_thread_exit(void)
{
    take_lock();
    for (struct xr_counters *counters = all; counters; counters = counters->next)
        for (struct xr_counter_set *set = atomic_load(&counters->sets); set; set = set->next)
            if (atomic_load(&set->owner) == xr_thread.id)
                atomic_store(&set->owner, 0);
    give_lock();
    xr_thread.counters_serial = 0;
    xr_thread.counters = NULL;
}

void xr_counters_set_up(void)
{
    static const struct xr_thread_hooks hooks = {
        .exit = on_thread_exit,
        .fork_prepare = take_lock,
        .fork_parent = give_lock,
        .fork_child = give_lock,
    };

    xr_thread_register(&hooks);
}

void xr_counters_begin(struct xr_counters *counters)
{
    take_lock();
    counters->serial = ++last_serial;
    counters->next = all;
    all = counters;
    give_lock();
}

void xr_counters_end(struct xr_counters *counters)
{
    struct xr_counter_set *set, *next;

    take_lock();
    for (struct xr_counters **p = &all; *p; p = &(*p)->next)
        if (*p == counters) {
            *p = counters->next;
            break;
        }
    give_lock();
    for (set = atomic_load(&counters->sets); set; set = next) {
        next = set->next;
        xr_free(set, sizeof(*set));
    }
}

bool xr_counters_exist(const struct xr_counters *counters)
{
    const struct xr_counters *found;

    take_lock();
    for (found = all; found && found != counters; found = found->next) {
    }
    give_lock();
    return found != NULL;
}

/* This thread's set, or one that is free, or NULL. */
static struct xr_counter_set *find_or_take(struct xr_counters *counters)
{
    struct xr_counter_set *free_set = NULL, *set;

    for (set = atomic_load(&counters->sets); set; set = set->next) {
        uint64_t owner = atomic_load(&set->owner);

        if (owner == xr_thread.id)
            return set;
        if (owner == 0)
            free_set = set;
    }
    if (free_set)
        atomic_store(&free_set->owner, xr_thread.id);
    return free_set;
}

/* The allocator is a hook: it is called without the lock. */
static struct xr_counter_set *make(struct xr_counters *counters)
{
    struct xr_counter_set *set = xr_alloc_zero(sizeof(*set));

    if (!set)
        return NULL;
    atomic_store(&set->owner, xr_thread.id);
    take_lock();
    set->next = atomic_load(&counters->sets);
    atomic_store(&counters->sets, set);
    give_lock();
    return set;
}

struct xr_counter_set *xr_counters_find(struct xr_counters *counters)
{
    struct xr_counter_set *set;

    xr_thread_enter();
    take_lock();
    set = find_or_take(counters);
    give_lock();
    if (!set)
        set = make(counters);
    if (!set)
        return &counters->lost;
    xr_thread.counters_serial = counters->serial;
    xr_thread.counters = set;
    return set;
}

uint64_t xr_counters_sum(struct xr_counters *counters, enum xr_counter counter)
{
    uint64_t sum = atomic_load(&counters->lost.values[counter]);

    for (struct xr_counter_set *set = atomic_load(&counters->sets); set; set = set->next)
        sum += atomic_load_explicit(&set->values[counter], memory_order_relaxed);
    return sum;
}
