/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/exec.h"

#include "local/cli/commands.h"
#include "local/cli/jsonl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SETTLE_STEP_NS 50000000L /* 50 ms */

/* Before anything runs: a mistake in the last one should not cost a test run. */
static int parse_filters(struct exec *exec)
{
    for (unsigned i = 0; i < exec->options->assertion_count; i++) {
        struct exec_result *result = &exec->results[i];
        struct filter_error error;
        const char *text = exec->options->assertions[i].filter;
        result->assertion = &exec->options->assertions[i];
        int r = filter_parse(&result->filter, text, strlen(text), NULL, &error);
        if (r == -EINVAL)
            return print_filter_error("--assert", text, &error);
        if (r < 0)
            return print_no_memory();
    }
    return 0;
}

static struct timespec after(const struct timespec *from, unsigned seconds)
{
    return (struct timespec){ from->tv_sec + (time_t)seconds, from->tv_nsec };
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* All that the command sent is in the sockets when it has ended. What others send for it,
   such as a daemon, comes later: --settle waits for a silence. */
static void settle(struct exec *exec)
{
    const struct timespec step = { 0, SETTLE_STEP_NS };
    struct timespec now;
    struct ingest_counts before;
    receiver_settle(exec->collector.receiver);
    ingest_count(exec->collector.ingest, &before);
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct timespec end = after(&now, exec->options->settle_seconds);
    while (is_before(&now, &end)) {
        struct ingest_counts counts;
        nanosleep(&step, NULL);
        clock_gettime(CLOCK_MONOTONIC, &now);
        ingest_count(exec->collector.ingest, &counts);
        if (counts.received != before.received) {
            before = counts;
            end = after(&now, exec->options->settle_seconds);
        }
    }
    receiver_settle(exec->collector.receiver);
}

static bool holds(const struct assertion *assertion, size_t found)
{
    switch (assertion->bound) {
    case BOUND_AT_LEAST:
        return found >= assertion->count;
    case BOUND_AT_MOST:
        return found <= assertion->count;
    case BOUND_EXACTLY:
        break;
    }
    return found == assertion->count;
}

static void evaluate(struct exec_result *result, const struct found_traces *traces)
{
    for (size_t i = 0; i < traces->count; i++) {
        struct facts *facts = traces->traces[i].facts;
        if (!filter_matches(result->filter, facts))
            continue;
        if (result->found++ < EXEC_IDS_MAX)
            result->traces[result->trace_count++] = facts_ref(facts);
    }
    result->holds = holds(result->assertion, result->found);
}

static int look(struct exec *exec)
{
    const struct store_query all = { .range = STORE_RANGE_EVENT, .to = DOCUMENT_TIME_MAX + 1 };
    struct found_traces traces;
    settle(exec);
    if (store_find(exec->collector.store, &all, &traces) < 0)
        return print_no_memory();
    for (unsigned i = 0; i < exec->options->assertion_count; i++)
        evaluate(&exec->results[i], &traces);
    store_count(exec->collector.store, &exec->counts);
    ingest_count(exec->collector.ingest, &exec->intake);
    int r = exec->options->output
                ? jsonl_save(exec->options->output, exec->collector.store, &traces)
                : 0;
    found_traces_free(&traces);
    return r;
}

static int run(struct exec *exec)
{
    sigset_t inherited;
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, NULL, &inherited);
    collector_block_signals(&blocked);
    signal(SIGCHLD, SIG_DFL);
    sigaddset(&blocked, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    int r = collector_start(&exec->collector, exec->options);
    if (r != 0)
        return r;
    r = exec_run(exec, &inherited);
    if (exec->signal)
        r = EXIT_SIGNALLED + exec->signal;
    if (r == 0)
        r = look(exec);
    if (r == 0)
        r = exec_report(exec);
    collector_stop(&exec->collector);
    return r;
}

int command_exec(const struct options *options)
{
    struct exec *exec = calloc(1, sizeof *exec);
    if (!exec)
        return print_no_memory();
    exec->options = options;
    int r = parse_filters(exec);
    if (r == 0)
        r = run(exec);
    for (unsigned i = 0; i < options->assertion_count; i++) {
        filter_free(exec->results[i].filter);
        for (size_t k = 0; k < exec->results[i].trace_count; k++)
            facts_unref(exec->results[i].traces[k]);
    }
    free(exec);
    return r;
}
