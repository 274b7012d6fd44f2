/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of --exec: a command is run beside a collector, and what it sent
   is held against assertions. */
#ifndef LOCAL_EXEC_H
#define LOCAL_EXEC_H

#include "local/cli/collector.h"
#include "local/filter/filter.h"

/* Ids of an assertion's traces that are kept for the report. */
#define EXEC_IDS_MAX 10u

struct exec_result {
    struct filter *filter;
    const struct assertion *assertion;
    bool holds;
    size_t found;
    struct facts *traces[EXEC_IDS_MAX]; /* the newest of them; references */
    size_t trace_count;
};

struct exec {
    const struct options *options;
    struct collector collector;
    int status; /* of waitpid() */
    int signal; /* that was to end us while the command ran, or 0 */
    struct exec_result results[ASSERTIONS_MAX];
    struct store_counts counts;
    struct ingest_counts intake;
};

/* Runs the command to its end and sets status and signal; inherited is the signal mask
   that it gets. 0, or an exit code after a message. */
int exec_run(struct exec *exec, const sigset_t *inherited);

/* What became of it: lines on stderr, or JSON on stdout. The exit code. */
int exec_report(const struct exec *exec);
bool exec_command_failed(const struct exec *exec);
void exec_expectation(const struct assertion *assertion, char *ret, size_t size);

#endif
