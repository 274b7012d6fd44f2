/* SPDX-License-Identifier: Apache-2.0 */
/* Asks again and again what went on lately, and prints each trace once: when it is whole,
   or when it has not become so for a while. */
#include "local/cli/commands.h"
#include "local/trace/trace.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INTERVAL_NS    300000000L
#define WINDOW_SECONDS 60     /* a trace silent for longer is not looked at again */
#define PATIENCE       2      /* seconds until a partial trace is shown */
#define SEEN_MAX       65536u /* in a window; a power of 2 */

struct seen {
    struct trace_id id;
    double first; /* when it was seen; 0: the place is free */
    bool printed;
};

struct tail {
    const struct options *options;
    struct output_style style;
    struct buffer out;
    struct seen *seen; /* a hash table, probed linearly */
    size_t used;
    double now;
    bool quiet; /* the first time round: what is there is not new */
};

static struct seen *find(const struct tail *tail, const struct trace_id *id)
{
    uint64_t hash;
    memcpy(&hash, id->bytes + 8, sizeof hash);
    size_t at = (size_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 48) % SEEN_MAX;
    while (tail->seen[at].first > 0 && !trace_id_equal(&tail->seen[at].id, id))
        at = (at + 1) % SEEN_MAX;
    return &tail->seen[at];
}

/* Half full is full; what is older than the window does not come again. */
static int forget(struct tail *tail)
{
    if (tail->used < SEEN_MAX / 2)
        return 0;
    struct seen *old = tail->seen;
    tail->seen = calloc(SEEN_MAX, sizeof *tail->seen);
    if (!tail->seen) {
        tail->seen = old;
        return print_no_memory();
    }
    tail->used = 0;
    for (size_t i = 0; i < SEEN_MAX && tail->used < SEEN_MAX / 4; i++) {
        if (old[i].first <= tail->now - WINDOW_SECONDS)
            continue;
        *find(tail, &old[i].id) = old[i];
        tail->used++;
    }
    free(old);
    return 0;
}

static void print_one(struct tail *tail, const cJSON *summary)
{
    if (!tail->options->json)
        put_summary(&tail->out, summary, &tail->style);
    else if (put_summary_json(&tail->out, summary) != 0)
        tail->out.failed = true;
}

static bool look(void *data, const cJSON *summary)
{
    struct tail *tail = data;
    const char *text = trace_string(summary, "Id");
    struct trace_id id;
    if (!text || !trace_id_parse(text, &id))
        return true;
    struct seen *seen = find(tail, &id);
    if (seen->first <= 0) {
        if (tail->used > SEEN_MAX / 4 * 3)
            return false; /* the rest of this window is more than a reader can follow */
        *seen = (struct seen){ .id = id, .first = tail->now, .printed = tail->quiet };
        tail->used++;
    }
    bool partial = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(summary, "IsPartial"));
    if (!seen->printed && (!partial || tail->now - seen->first >= PATIENCE)) {
        seen->printed = true;
        print_one(tail, summary);
    }
    return true;
}

static int look_around(struct tail *tail, double since)
{
    tail->now = seconds_now();
    double from = tail->now - WINDOW_SECONDS;
    int r = forget(tail);
    if (r == 0)
        r = ask_summaries(tail->options, from > since ? from : since, look, tail);
    if (r == 0 && tail->out.length + tail->out.failed > 0)
        r = print_buffer(&tail->out);
    return r;
}

int command_tail(const struct options *options)
{
    const struct timespec interval = { 0, INTERVAL_NS };
    struct tail tail = { .options = options, .style = output_style(options), .quiet = true };
    sigset_t stop_signals;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop_signals, NULL);
    tail.seen = calloc(SEEN_MAX, sizeof *tail.seen);
    int r = tail.seen ? 0 : print_no_memory();
    double since = seconds_now() - WINDOW_SECONDS;
    while (r == 0) {
        r = look_around(&tail, since);
        tail.quiet = false;
        if (r == 0 && sigtimedwait(&stop_signals, NULL, &interval) > 0)
            break;
    }
    buffer_free(&tail.out);
    free(tail.seen);
    return r;
}
