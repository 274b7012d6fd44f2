/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library does nothing until it is asked, and no environment makes it stop
 * the program. Runs itself again with each variable of docs/environment.md set
 * to what makes no sense.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xraytrace/xraytrace.h>

static const char *const variables[] = {
    "AWS_XRAY_DAEMON_ADDRESS",  "AWS_XRAY_TRACING_NAME", "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_SDK_ENABLED",     "AWS_XRAY_SDK_DISABLED", "AWS_XRAY_LOG_LEVEL",
    "AWS_XRAY_DEBUG_MODE",      "AWS_XRAY_NOOP_ID",      "AWS_XRAY_COLLECT_SQL_QUERIES",
    "XRAYTRACE_SAMPLING_RATE",  "XRAY_SAMPLING_RATE",    "_X_AMZN_TRACE_ID",
    "XRAYTRACE_SAMPLING_RULES",
};

static const char *const values[] = {
    "",     " ",  "\xff\xfe",       "nonsense", "99999999999999999999", "-1", "nan",
    "::::", "%n", "a;b=c;Root=1-x", NULL, /* 20000 characters */
};

static int tests_run, tests_failed;

static void expect(bool condition, const char *what)
{
    tests_run++;
    tests_failed += !condition;
    printf("%s %d - %s\n", condition ? "ok" : "not ok", tests_run, what);
}

static int entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;

    while (directory && readdir(directory))
        count++;
    if (directory)
        closedir(directory);
    return count;
}

/* What a program does that has never heard of the environment. */
static int record(void)
{
    xray_segment *segment = xray_begin_segment("segment");
    xray_segment *work = xray_begin_subsegment("work");

    xray_set_sql(work, xray_sql(.sanitized_query = "SELECT 1"));
    xray_end(work);
    xray_end(segment);
    xray_end(xray_lambda_begin(xray_recorder_default(), NULL));
    (void)xray_begin_subsegment("without a segment");
    return xray_current() != NULL;
}

static bool survives(char *program, const char *name, const char *value)
{
    pid_t child = fork();
    int status = -1;
    char text[20016];

    if (child == 0) {
        /* Without a port that cannot be, some of it would be the name of a machine to look up. */
        snprintf(text, sizeof(text), "%s%s", value,
                 strcmp(name, "AWS_XRAY_DAEMON_ADDRESS") == 0 ? ":port" : "");
        setenv(name, text, 1);
        if (!freopen("/dev/null", "w", stderr))
            _exit(3);
        execl("/proc/self/exe", program, "record", (char *)NULL);
        _exit(2);
    }
    waitpid(child, &status, 0);
    if (status != 0)
        printf("# %s=\"%.40s\": status %x\n", name, value, (unsigned)status);
    return status == 0;
}

int main(int argc, char **argv)
{
    static char long_value[20001];
    int threads = entries("/proc/self/task"), files = entries("/proc/self/fd"), bad = 0;
    int files_then;

    if (argc > 1)
        return record();
    setenv("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:1", 1);
    setenv("AWS_XRAY_LOG_LEVEL", "silent", 1);
    expect(threads == 3, "loading starts no thread");
    (void)xray_version();
    xray_end(NULL);
    expect(entries("/proc/self/fd") == files, "what needs no recorder opens nothing");
    (void)record();
    files_then = entries("/proc/self/fd");
    expect(files_then == files + 1, "a recorder opens one socket");
    (void)record();
    expect(entries("/proc/self/fd") == files_then && entries("/proc/self/task") == threads,
           "and nothing more, and starts no thread");

    memset(long_value, 'x', sizeof(long_value) - 1);
    for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++)
        for (size_t j = 0; j < sizeof(values) / sizeof(*values); j++)
            bad += !survives(argv[0], variables[i], values[j] ? values[j] : long_value);
    expect(bad == 0, "no environment stops the program");
    printf("1..%d\n", tests_run);
    return tests_failed > 0;
}
