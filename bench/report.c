/* SPDX-License-Identifier: Apache-2.0 */
/* What is printed: a JSON line for each result, one for the machine, and a table. */
#include <math.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <xraytrace/xraytrace.h>

#include "measure.h"
#include "sink.h"

bool result_met(const struct result *result)
{
    double ratio = result->ratio.median;
    bool met = result->at_least ? ratio >= result->goal : ratio <= result->goal;

    return met && !(result->no_allocations && result->allocations > 0);
}

static void print_figure(FILE *out, const char *name, struct figure figure, int digits)
{
    fprintf(out, ",\"%s\":%.*f,\"%s_min\":%.*f,\"%s_max\":%.*f", name, digits, figure.median, name,
            digits, figure.least, name, digits, figure.most);
}

void print_result(FILE *out, const struct result *result)
{
    fprintf(out, "{\"workload\":\"%s\",\"variant\":\"%s\",\"what\":\"%s\",\"runs\":%d",
            result->workload, result->variant, result->what, RUNS);
    print_figure(out, "ns", result->ns, 1);
    if (result->cpu_ns > 0)
        fprintf(out, ",\"cpu_ns\":%.1f", result->cpu_ns);
    fprintf(out, ",\"calibration\":\"%s\",\"calibration_ns\":%.1f", result->calibration,
            result->calibration_ns);
    print_figure(out, "ratio", result->ratio, 3);
    if (result->cpu_ratio > 0)
        fprintf(out, ",\"cpu_ratio\":%.3f", result->cpu_ratio);
    if (result->goal > 0)
        fprintf(out, ",\"goal\":%g,\"goal_is\":\"%s\",\"met\":%s", result->goal,
                result->at_least ? "least" : "most", result_met(result) ? "true" : "false");
    else
        fprintf(out, ",\"goal\":null,\"met\":null");
    fprintf(out, ",\"operations\":%ld", result->operations);
    if (allocations_are_seen())
        fprintf(out, ",\"allocations\":%lu", result->allocations);
    fprintf(out,
            ",\"library_allocations\":%lu,\"documents\":%lu,\"bytes\":%lu,\"dropped\":%lu,"
            "\"failed\":%lu",
            result->library_allocations, result->documents, result->bytes, result->dropped,
            result->failed);
    for (int i = 0; i < EXTRAS && result->extras[i].name; i++)
        fprintf(out, ",\"%s\":%.*f", result->extras[i].name, result->extras[i].value < 100 ? 3 : 0,
                result->extras[i].value);
    fprintf(out, "}\n");
    fflush(out);
}

void print_table(FILE *out, const struct result *results, size_t n)
{
    fprintf(out, "\n%-8s %-12s %11s %9s  %-22s %9s %6s %11s %7s\n", "workload", "variant", "ns",
            "ratio", "to", "goal", "met", "allocations", "bytes");
    for (size_t i = 0; i < n; i++) {
        const struct result *result = &results[i];
        char goal[32] = "-";

        if (result->goal > 0)
            snprintf(goal, sizeof(goal), "%s %g", result->at_least ? ">=" : "<=", result->goal);
        fprintf(out, "%-8s %-12s %11.1f %9.3f  %-22s %9s %6s %11lu %7lu\n", result->workload,
                result->variant, result->ns.median, result->ratio.median, result->calibration, goal,
                result->goal <= 0    ? "-"
                : result_met(result) ? "yes"
                                     : "NO",
                result->allocations, result->bytes);
    }
}

/* The name the kernel has for the processor, without what JSON would have to escape. */
static void processor(char *ret, size_t size)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256];

    snprintf(ret, size, "unknown");
    while (file && fgets(line, sizeof(line), file)) {
        char *value = strchr(line, ':');

        if (strncmp(line, "model name", 10) != 0 || !value)
            continue;
        value[strcspn(value, "\n\"\\")] = '\0';
        snprintf(ret, size, "%s", value + 2);
        break;
    }
    if (file)
        fclose(file);
}

void print_machine(FILE *out, const struct sink *sink)
{
    struct utsname system;
    char name[256];

    if (uname(&system) < 0)
        return;
    processor(name, sizeof(name));
    fprintf(out,
            "{\"machine\":{\"cpu\":\"%s\",\"cores\":%ld,\"architecture\":\"%s\","
            "\"kernel\":\"%s %s\"},\"compiler\":\"%s\",\"library\":\"%s\","
            "\"pinned\":%s,\"sink_buffer\":%d}\n",
            name, sysconf(_SC_NPROCESSORS_ONLN), system.machine, system.sysname, system.release,
#ifdef __clang__
            "clang " __clang_version__,
#else
            "gcc " __VERSION__,
#endif
            xray_version(), places.program >= 0 ? "true" : "false", sink->buffer);
    fflush(out);
}
