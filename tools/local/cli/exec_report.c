/* SPDX-License-Identifier: Apache-2.0 */
/* What is said when the command has ended, to people or to programs. */
#include "local/cli/cells.h"
#include "local/cli/commands.h"
#include "local/cli/exec.h"
#include "local/cli/waterfall.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

bool exec_command_failed(const struct exec *exec)
{
    return !WIFEXITED(exec->status) || WEXITSTATUS(exec->status) != 0;
}

void exec_expectation(const struct assertion *assertion, char *ret, size_t size)
{
    static const char *const signs[] = { "", ">=", "<=" };
    snprintf(ret, size, "%s%u", signs[assertion->bound], assertion->count);
}

static uint64_t refused(const struct ingest_counts *intake)
{
    uint64_t sum = 0;
    for (int i = 0; i < REFUSED_REASONS; i++)
        sum += intake->refused[i];
    return sum;
}

static bool all_hold(const struct exec *exec)
{
    for (unsigned i = 0; i < exec->options->assertion_count; i++)
        if (!exec->results[i].holds)
            return false;
    return true;
}

static int exit_code(const struct exec *exec)
{
    if (exec_command_failed(exec))
        return EXIT_COMMAND;
    return all_hold(exec) ? EXIT_DONE : EXIT_ASSERTION;
}

/* ---- For programs ---- */

static cJSON *assertion_json(const struct exec_result *result)
{
    char text[64];
    cJSON *object = cJSON_CreateObject();
    exec_expectation(result->assertion, text, sizeof text);
    cJSON_AddStringToObject(object, "filter", result->assertion->filter);
    cJSON_AddStringToObject(object, "expected", text);
    cJSON_AddNumberToObject(object, "found", (double)result->found);
    cJSON_AddBoolToObject(object, "holds", result->holds);
    cJSON *traces = cJSON_AddArrayToObject(object, "traces");
    for (size_t i = 0; i < result->trace_count; i++) {
        trace_id_format(&result->traces[i]->id, text);
        cJSON_AddItemToArray(traces, cJSON_CreateString(text));
    }
    return object;
}

static int print_json(const struct exec *exec)
{
    struct buffer out = { 0 };
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "command", exec->options->exec);
    if (WIFEXITED(exec->status))
        cJSON_AddNumberToObject(object, "exit", WEXITSTATUS(exec->status));
    else
        cJSON_AddNumberToObject(object, "signal", WTERMSIG(exec->status));
    cJSON_AddNumberToObject(object, "traces", (double)exec->counts.traces);
    cJSON_AddNumberToObject(object, "documents", (double)exec->intake.kept);
    cJSON_AddNumberToObject(object, "refused", (double)refused(&exec->intake));
    cJSON_AddNumberToObject(object, "lost", (double)exec->intake.lost);
    cJSON_AddNumberToObject(object, "evicted", (double)exec->counts.evicted_traces);
    cJSON *assertions = cJSON_AddArrayToObject(object, "assertions");
    for (unsigned i = 0; i < exec->options->assertion_count; i++)
        cJSON_AddItemToArray(assertions, assertion_json(&exec->results[i]));
    char *text = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    if (!text)
        return print_no_memory();
    cells_put_json(&out, text);
    buffer_puts(&out, "\n");
    free(text);
    return print_buffer(&out);
}

/* ---- For people ---- */

static void put_command(struct buffer *out, const struct exec *exec)
{
    if (WIFSIGNALED(exec->status))
        buffer_printf(out, "xraytrace-local: the command was ended by signal %d (%s)\n",
                      WTERMSIG(exec->status), strsignal(WTERMSIG(exec->status)));
    else if (WEXITSTATUS(exec->status) != 0)
        buffer_printf(out, "xraytrace-local: the command ended with exit code %d\n",
                      WEXITSTATUS(exec->status));
    buffer_printf(out, "xraytrace-local: %llu traces, %llu documents\n",
                  (unsigned long long)exec->counts.traces, (unsigned long long)exec->intake.kept);
}

/* What makes counts doubtful. */
static void put_losses(struct buffer *out, const struct exec *exec)
{
    for (int i = 0; i < REFUSED_REASONS; i++)
        if (exec->intake.refused[i])
            buffer_printf(out, "  refused: %llu, %s\n", (unsigned long long)exec->intake.refused[i],
                          refusal_text((enum refusal_reason)i));
    if (exec->intake.lost)
        buffer_printf(out, "  lost: %llu datagrams that came faster than they could be read\n",
                      (unsigned long long)exec->intake.lost);
    if (exec->counts.evicted_traces)
        buffer_printf(out,
                      "  left out: %llu traces that had to make room; keep more with "
                      "--max-traces and --max-bytes\n",
                      (unsigned long long)exec->counts.evicted_traces);
}

static void put_trace(struct buffer *out, const struct facts *facts, bool unicode)
{
    char id[TRACE_ID_LENGTH + 1];
    char duration[32];
    const struct facts_item *root = facts->root == FACTS_NONE ? NULL
                                                              : &facts->segments[facts->root].item;
    trace_id_format(&facts->id, id);
    waterfall_duration(facts->end - facts->start, unicode, duration, sizeof duration);
    buffer_printf(out, "          %s  %s  ", id, duration);
    cells_put(out, root && root->name ? root->name : "(no segment received)", 40, unicode);
    buffer_puts(out, facts->marks & MARK_FAULT      ? "  fault"
                     : facts->marks & MARK_THROTTLE ? "  throttle"
                     : facts->marks & MARK_ERROR    ? "  error"
                                                    : "");
    buffer_puts(out, facts->partial ? "  partial\n" : "\n");
}

static void put_waterfall(struct buffer *out, const struct exec *exec, const struct trace_id *id,
                          const struct output_style *look)
{
    struct waterfall_style style = { .width = look->width, .unicode = look->unicode };
    struct stored_trace stored;
    struct trace trace;
    if (store_read(exec->collector.store, id, &stored) < 0)
        return;
    if (trace_build(&trace, stored.documents, stored.count) == 0) {
        buffer_puts(out, "\n");
        waterfall_write(out, &trace, id, &style);
        buffer_puts(out, "\n");
        trace_free(&trace);
    }
    stored_trace_free(&stored);
}

/* The trace that is shown whole is the newest; afterwards nobody can ask for it. */
static void put_result(struct buffer *out, const struct exec *exec,
                       const struct exec_result *result, const struct output_style *look)
{
    char expected[64];
    exec_expectation(result->assertion, expected, sizeof expected);
    buffer_puts(out, result->holds ? "  holds   " : "  FAILED  ");
    cells_put(out, result->assertion->filter, 300, look->unicode);
    buffer_printf(out, "  expected %s, found %zu\n", expected, result->found);
    if (result->holds)
        return;
    for (size_t i = 0; i < result->trace_count; i++)
        put_trace(out, result->traces[i], look->unicode);
    if (result->found > result->trace_count)
        buffer_printf(out, "          and %zu more\n", result->found - result->trace_count);
    if (result->trace_count > 0)
        put_waterfall(out, exec, &result->traces[0]->id, look);
}

static int print_lines(const struct exec *exec)
{
    struct output_style look = output_style(exec->options);
    struct buffer out = { 0 };
    put_command(&out, exec);
    put_losses(&out, exec);
    for (unsigned i = 0; i < exec->options->assertion_count; i++)
        put_result(&out, exec, &exec->results[i], &look);
    char *text = buffer_take(&out, NULL);
    if (!text)
        return print_no_memory();
    fputs(text, stderr);
    free(text);
    return 0;
}

int exec_report(const struct exec *exec)
{
    int r = exec->options->json ? print_json(exec) : print_lines(exec);
    return r != 0 ? r : exit_code(exec);
}
