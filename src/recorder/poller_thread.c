/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread of central sampling. An exchange can take seconds, and nobody waits
 * for it: a thread that is told to stop meanwhile is left alone, and takes what
 * it uses with it when it comes back.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "emit/worker.h"
#include "recorder/poller.h"

#define EXCHANGE_MS 5000
#define STOP_NS     (80 * 1000000LL) /* of the 100 ms that nobody has to wait longer than */
#define RETRY_NS    XR_NS_PER_S      /* for a thread, when there was none */

/* The wall clock may be set, and what wait_until_ns says with it. */
#define REST_LEAST_NS 1000000
#define REST_MOST_NS  (60 * XR_NS_PER_S)

static struct timespec after(int64_t ns)
{
    int64_t at_ns = xr_clock_monotonic_ns() + ns;

    return (struct timespec){ .tv_sec = at_ns / XR_NS_PER_S, .tv_nsec = at_ns % XR_NS_PER_S };
}

static bool is_stopping(struct xr_poller *poller)
{
    bool stopping;

    pthread_mutex_lock(&poller->lock);
    stopping = poller->stopping;
    pthread_mutex_unlock(&poller->lock);
    return stopping;
}

static void say_ended(struct xr_poller *poller, bool parked)
{
    pthread_mutex_lock(&poller->lock);
    poller->ended = true;
    poller->parked = parked;
    pthread_cond_broadcast(&poller->over);
    pthread_mutex_unlock(&poller->lock);
}

/*
 * After exit() was called, what an exchange or the end of this thread would use
 * may be gone. The process ends in a moment.
 */
static void park_at_exit(struct xr_poller *poller)
{
    if (!atomic_load(&xr_poller_exiting))
        return;
    say_ended(poller, true);
    for (;;)
        pause();
}

/* ---- Questions and replies -------------------------------------------------------- */

static void next(struct xr_poller *poller, struct xr_central_call *ret)
{
    pthread_mutex_lock(&poller->working);
    xr_central_next(poller->central, xr_clock_real_ns(), ret);
    pthread_mutex_unlock(&poller->working);
}

static void give(struct xr_poller *poller, int r, const xray_http_exchange *exchange)
{
    int status = r < 0 ? r : r > 0 || exchange->status <= 0 ? -EIO : exchange->status;
    const char *reply = status > 0 && exchange->reply ? exchange->reply : "";

    pthread_mutex_lock(&poller->working);
    xr_central_reply(poller->central, status, reply, *reply ? exchange->reply_length : 0,
                     xr_clock_real_ns());
    pthread_mutex_unlock(&poller->working);
}

static void ask(struct xr_poller *poller, const struct xr_central_call *call)
{
    static const char *const HEADERS[] = { "Content-Type: application/json", NULL };
    char url[XR_POLLER_URL_SIZE + XR_POLLER_PATH_SIZE];
    xray_http_exchange exchange = {
        .size = sizeof(exchange),
        .method = "POST",
        .url = url,
        .headers = HEADERS,
        .body = call->body,
        .body_length = call->body_length,
        .timeout_ms = EXCHANGE_MS,
    };
    int r;

    snprintf(url, sizeof(url), "%s%s", poller->url, call->path);
    r = poller->transport.exchange(poller->transport.data, &exchange);
    park_at_exit(poller);
    if (!is_stopping(poller))
        give(poller, r, &exchange);
}

static void rest(struct xr_poller *poller, int64_t until_ns)
{
    int64_t left_ns = until_ns - xr_clock_real_ns();
    struct timespec end;
    int error = 0;

    left_ns = left_ns < REST_LEAST_NS ? REST_LEAST_NS : left_ns;
    end = after(left_ns > REST_MOST_NS ? REST_MOST_NS : left_ns);
    pthread_mutex_lock(&poller->lock);
    while (!poller->stopping && error == 0)
        error = pthread_cond_timedwait(&poller->wake, &poller->lock, &end);
    pthread_mutex_unlock(&poller->lock);
}

/* ---- The thread -------------------------------------------------------------------- */

static void *run(void *data)
{
    struct xr_poller *poller = data;

    /* What a transport begins is not recorded, nor is it sampled by what it fetches. */
    xr_thread.hooks_running++;
    while (!is_stopping(poller)) {
        struct xr_central_call call = { 0 };

        park_at_exit(poller);
        next(poller, &call);
        if (call.path)
            ask(poller, &call);
        else
            rest(poller, call.wait_until_ns);
    }
    say_ended(poller, false);
    xr_poller_release(poller);
    return NULL;
}

void xr_poller_start(struct xr_poller *poller)
{
    int64_t at = atomic_load(&poller->start_ns);
    int r;

    if (at == INT64_MAX || xr_clock_monotonic_ns() < at || !poller->central ||
        atomic_load(&xr_poller_exiting) ||
        !atomic_compare_exchange_strong(&poller->start_ns, &at, INT64_MAX))
        return;
    atomic_fetch_add(&poller->references, 1);
    pthread_mutex_lock(&poller->lock);
    r = xr_worker_start(&poller->thread, "xraytrace-rules", run, poller);
    poller->running = r == 0;
    pthread_mutex_unlock(&poller->lock);
    if (r < 0) {
        atomic_fetch_sub(&poller->references, 1);
        atomic_store(&poller->start_ns, xr_clock_monotonic_ns() + RETRY_NS);
    }
}

void xr_poller_stop(struct xr_poller *poller)
{
    struct timespec end = after(STOP_NS);
    bool joined, left;
    int error = 0, cancel_state;

    /* A thread that is cancelled while it waits would keep the lock. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    pthread_mutex_lock(&poller->lock);
    poller->stopping = true;
    pthread_cond_signal(&poller->wake);
    while (poller->running && !poller->ended && error == 0)
        error = pthread_cond_timedwait(&poller->over, &poller->lock, &end);
    joined = poller->running && poller->ended && !poller->parked;
    left = poller->running && !poller->ended;
    pthread_mutex_unlock(&poller->lock);
    if (joined)
        pthread_join(poller->thread, NULL);
    else if (left)
        pthread_detach(poller->thread);
    pthread_setcancelstate(cancel_state, NULL);
}
