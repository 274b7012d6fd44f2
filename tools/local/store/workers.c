/* SPDX-License-Identifier: Apache-2.0 */
/* Two threads: one brings facts up to date, the other removes what is too old and
   tells watchers of changes. */
#include "local/store/internal.h"

#include <errno.h>
#include <math.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define KEEPER_SECONDS 10.0
#define WATCH_SECONDS  0.05
/* Of the builder: who receives goes first. */
#define BUILDER_NICENESS 10

double store_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void wait_until(struct store *s, pthread_cond_t *condition, double time)
{
    struct timespec until = { .tv_sec = (time_t)time };
    until.tv_nsec = (long)((time - floor(time)) * 1e9);
    pthread_cond_timedwait(condition, &s->lock, &until);
}

static void *build_facts(void *data)
{
    struct store *s = data;
    setpriority(PRIO_PROCESS, (id_t)gettid(), BUILDER_NICENESS);
    pthread_mutex_lock(&s->lock);
    while (!s->stops) {
        struct kept_trace *trace = s->dirty.first;
        if (!trace) {
            s->builder_waits = true;
            pthread_cond_wait(&s->builder_wakes, &s->lock);
            s->builder_waits = false;
        } else if (store_now() < trace->dirty_since + FACTS_DELAY_SECONDS) {
            wait_until(s, &s->builder_wakes, trace->dirty_since + FACTS_DELAY_SECONDS);
        } else {
            refresh_quietly(s, trace);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* Returns when the next one will be too old. */
static double expire(struct store *s, double now)
{
    struct kept_trace *oldest;
    while ((oldest = s->age.first) && oldest->touched + s->limits.age_seconds <= now) {
        if (s->journal)
            journal_remove(s->journal, &oldest->id);
        table_remove(s, oldest);
        s->counts.expired_traces++;
    }
    return oldest ? oldest->touched + s->limits.age_seconds : INFINITY;
}

static void call_watchers(struct store *s)
{
    pthread_mutex_unlock(&s->lock);
    pthread_mutex_lock(&s->watch_lock);
    for (size_t i = 0; i < s->watcher_count; i++)
        s->watchers[i].call(s->watchers[i].data);
    pthread_mutex_unlock(&s->watch_lock);
    pthread_mutex_lock(&s->lock);
}

static void *keep(void *data)
{
    struct store *s = data;
    uint64_t told = 0;
    double told_at = -INFINITY;
    pthread_mutex_lock(&s->lock);
    while (!s->stops) {
        double now = store_now();
        double next = fmin(now + KEEPER_SECONDS, s->loading ? INFINITY : expire(s, now));
        if (s->counts.changes != told && now >= told_at + WATCH_SECONDS) {
            told = s->counts.changes;
            told_at = now;
            call_watchers(s);
            continue;
        }
        s->keeper_waits = s->counts.changes == told;
        if (!s->keeper_waits)
            next = fmin(next, told_at + WATCH_SECONDS);
        wait_until(s, &s->keeper_wakes, next);
        s->keeper_waits = false;
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

void workers_wake(struct store *s)
{
    if (s->builder_waits && s->dirty.first)
        pthread_cond_signal(&s->builder_wakes);
    if (s->keeper_waits)
        pthread_cond_signal(&s->keeper_wakes);
    s->builder_waits = s->builder_waits && !s->dirty.first;
    s->keeper_waits = false;
}

int store_watch(struct store *s, store_watcher *watcher, void *data)
{
    pthread_mutex_lock(&s->watch_lock);
    int r = s->watcher_count < WATCHERS_MAX ? 0 : -ENOSPC;
    if (r == 0)
        s->watchers[s->watcher_count++] = (struct watcher){ watcher, data };
    pthread_mutex_unlock(&s->watch_lock);
    return r;
}

void store_unwatch(struct store *s, store_watcher *watcher, void *data)
{
    pthread_mutex_lock(&s->watch_lock);
    size_t kept = 0;
    for (size_t i = 0; i < s->watcher_count; i++)
        if (s->watchers[i].call != watcher || s->watchers[i].data != data)
            s->watchers[kept++] = s->watchers[i];
    s->watcher_count = kept;
    pthread_mutex_unlock(&s->watch_lock);
}

static void stop(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    s->stops = true;
    pthread_cond_broadcast(&s->builder_wakes);
    pthread_cond_broadcast(&s->keeper_wakes);
    pthread_mutex_unlock(&s->lock);
}

int workers_start(struct store *s)
{
    int r = -pthread_create(&s->builder, NULL, build_facts, s);
    if (r < 0)
        return r;
    r = -pthread_create(&s->keeper, NULL, keep, s);
    if (r < 0) {
        stop(s);
        pthread_join(s->builder, NULL);
    }
    return r;
}

void workers_stop(struct store *s)
{
    stop(s);
    pthread_join(s->builder, NULL);
    pthread_join(s->keeper, NULL);
}
