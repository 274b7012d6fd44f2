/* SPDX-License-Identifier: Apache-2.0 */
#include "media/ytdlp.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/stop.h"

/* Descriptions of long videos with many formats have one or two MiB. */
#define MAX_DESCRIPTION_BYTES ((size_t)32 * 1024 * 1024)
#define MAX_LINE_BYTES        2048

/* One file that a phone can play; merged only where yt-dlp finds ffmpeg. */
#define FIRST_FORMAT "bv*[ext=mp4]+ba[ext=m4a]/b[ext=mp4]/bv*+ba/b"
#define OTHER_FORMAT "b[ext=mp4]/b"

#define PROGRESS_PREFIX "progress "
#define FILE_PREFIX     "file "

#define COMMON_OPTIONS                                                                         \
    "--ignore-config", "--no-cache-dir", "--no-playlist", "--no-warnings", "--socket-timeout", \
        "20", "--retries", "3"

/* ---- Its environment ------------------------------------------------------------- */

static const char *const passed_on[] = {
    "PATH",       "LD_LIBRARY_PATH", "TZ",        "SSL_CERT_FILE", "SSL_CERT_DIR",
    "http_proxy", "https_proxy",     "no_proxy",  "HTTP_PROXY",    "HTTPS_PROXY",
    "NO_PROXY",   "all_proxy",       "ALL_PROXY",
};
#define PASSED_ON_COUNT (sizeof(passed_on) / sizeof(*passed_on))

static bool append(char **environment, size_t *count, const char *name, const char *value)
{
    struct text entry = { 0 };
    text_addf(&entry, "%s=%s", name, value);
    if (entry.failed)
        text_release(&entry);
    environment[(*count)++] = entry.data;
    return entry.data;
}

char **ytdlp_environment(const char *directory)
{
    char **environment = calloc(PASSED_ON_COUNT + 5, sizeof(*environment));
    size_t count = 0;
    if (!environment)
        return NULL;
    bool whole = append(environment, &count, "HOME", directory) &&
                 append(environment, &count, "TMPDIR", directory) &&
                 append(environment, &count, "LANG", "C.UTF-8") &&
                 append(environment, &count, "PYTHONDONTWRITEBYTECODE", "1");
    for (size_t i = 0; whole && i < PASSED_ON_COUNT; i++) {
        const char *value = getenv(passed_on[i]);
        if (value)
            whole = append(environment, &count, passed_on[i], value);
    }
    if (!whole) {
        ytdlp_free_environment(environment);
        return NULL;
    }
    return environment;
}

void ytdlp_free_environment(char **environment)
{
    for (size_t i = 0; environment && environment[i]; i++)
        free(environment[i]);
    free(environment);
}

/* ---- How it ended ------------------------------------------------------------------ */

static int explain_exit(const struct child_result *result, const char *program,
                        struct problem *problem)
{
    char line[400];
    enum problem_class class = problem_of_errors(result->errors.data, line, sizeof(line));
    /* A shell's way to say that a signal ended what it ran. */
    if (result->number > 128 && result->number < 128 + NSIG)
        return problem_set(problem, PROBLEM_KILLED, "yt-dlp was killed: signal %d (%s)",
                           result->number - 128, strsignal(result->number - 128));
    switch (result->number) {
    case 1:
        return problem_set(problem, class, "yt-dlp: %s", line);
    case 2:
        return problem_set(problem, PROBLEM_BAD_USAGE,
                           "yt-dlp did not take our options (%s): update it", line);
    case 126:
    case 127:
        return problem_set(problem, PROBLEM_NOT_INSTALLED,
                           "%s could not run its interpreter (%s): set YTDLP_PATH", program, line);
    default:
        return problem_set(problem, class, "yt-dlp ended with status %d: %s", result->number, line);
    }
}

int ytdlp_explain(const struct child_result *result, const char *program, struct problem *problem)
{
    switch (result->outcome) {
    case CHILD_EXITED:
        return explain_exit(result, program, problem);
    case CHILD_KILLED:
        return problem_set(problem, PROBLEM_KILLED, "yt-dlp was killed: signal %d (%s)",
                           result->number, strsignal(result->number));
    case CHILD_DEADLINE:
        return problem_set(problem, PROBLEM_DEADLINE,
                           "yt-dlp was killed: it did not end within the function's time");
    case CHILD_STOPPED:
        return problem_set(problem, PROBLEM_STOPPED,
                           "yt-dlp was killed: the function was told to stop");
    case CHILD_REFUSED:
        return problem_set(problem, PROBLEM_UNSUPPORTED, "yt-dlp was killed: it printed too much");
    case CHILD_NOT_BEGUN:
    default:
        return problem_set(problem,
                           result->number == ENOMEM || result->number == EAGAIN
                               ? PROBLEM_TRANSIENT
                               : PROBLEM_NOT_INSTALLED,
                           "cannot run %s (%s): install yt-dlp, or set YTDLP_PATH", program,
                           strerror(result->number));
    }
}

static int run(const struct ytdlp *ytdlp, const char *const *arguments, child_output output,
               void *data, struct problem *problem)
{
    char **environment = ytdlp_environment(ytdlp->directory);
    if (!environment)
        return problem_set(problem, PROBLEM_TRANSIENT, "out of memory");
    struct child_params params = {
        .arguments = arguments,
        .environment = (const char *const *)environment,
        .directory = ytdlp->directory,
        .deadline_ms = ytdlp->deadline_ms,
        .stop_descriptor = stop_descriptor(),
        .output = output,
        .data = data,
    };
    struct child_result result;
    child_run(&params, &result);
    ytdlp_free_environment(environment);
    int code = result.outcome == CHILD_EXITED && result.number == 0
                   ? 0
                   : ytdlp_explain(&result, ytdlp->program, problem);
    text_release(&result.errors);
    return code;
}

/* ---- Description ----------------------------------------------------------------------- */

static bool collect(void *data, const char *bytes, size_t length)
{
    struct text *text = data;
    if (text->length + length > MAX_DESCRIPTION_BYTES)
        return false;
    text_add_bytes(text, bytes, length);
    return !text->failed;
}

int ytdlp_describe(const struct ytdlp *ytdlp, const char *url, struct text *ret,
                   struct problem *problem)
{
    const char *const arguments[] = {
        ytdlp->program,
        COMMON_OPTIONS,
        "-J",
        "--skip-download",
        /* Says when a livestream will begin, instead of failing. */
        "--ignore-no-formats-error",
        "--",
        url,
        NULL,
    };
    struct text json = { 0 };
    int result = run(ytdlp, arguments, collect, &json, problem);
    if (result < 0) {
        text_release(&json);
        return result;
    }
    *ret = json;
    return 0;
}

/* ---- Download --------------------------------------------------------------------------- */

static int64_t read_bytes(const char *word)
{
    char *end;
    double value = strtod(word, &end);
    return end != word && value > 0 && value < 9e15 ? (int64_t)value : 0;
}

/* "progress <bytes> <total> <estimate> <speed>", with NA for what is not known. */
bool ytdlp_parse_progress(const char *line, struct ytdlp_progress *ret)
{
    char bytes[32], total[32], estimate[32], speed[32];
    if (strncmp(line, PROGRESS_PREFIX, strlen(PROGRESS_PREFIX)) != 0 ||
        sscanf(line + strlen(PROGRESS_PREFIX), "%31s %31s %31s %31s", bytes, total, estimate,
               speed) != 4)
        return false;
    ret->bytes = read_bytes(bytes);
    ret->total = read_bytes(total);
    if (!ret->total)
        ret->total = read_bytes(estimate);
    ret->speed = (double)read_bytes(speed);
    return true;
}

struct reader {
    ytdlp_listener listener;
    void *data;
    struct ytdlp_file *file;
    char line[MAX_LINE_BYTES];
    size_t length;
};

static void read_line(struct reader *reader)
{
    struct ytdlp_progress progress;
    if (ytdlp_parse_progress(reader->line, &progress)) {
        reader->file->reports++;
        if (reader->listener)
            reader->listener(reader->data, &progress);
    } else if (strncmp(reader->line, FILE_PREFIX, strlen(FILE_PREFIX)) == 0) {
        snprintf(reader->file->path, sizeof(reader->file->path), "%.*s",
                 (int)sizeof(reader->file->path) - 1, reader->line + strlen(FILE_PREFIX));
    }
}

/* A line that is too long is none of ours: what is beyond is dropped. */
static bool split_lines(void *data, const char *bytes, size_t length)
{
    struct reader *reader = data;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n') {
            reader->line[reader->length] = '\0';
            read_line(reader);
            reader->length = 0;
        } else if (reader->length + 1 < sizeof(reader->line)) {
            reader->line[reader->length++] = bytes[i];
        }
    }
    return true;
}

/* What it says it made must be a file with something in it, in our directory. */
static int check_file(const struct ytdlp *ytdlp, const struct ytdlp_file *file,
                      struct problem *problem)
{
    struct stat about;
    size_t length = strlen(ytdlp->directory);
    if (strncmp(file->path, ytdlp->directory, length) != 0 || file->path[length] != '/')
        return problem_set(problem, PROBLEM_TRANSIENT, "yt-dlp did not say which file it made");
    if (lstat(file->path, &about) < 0 || !S_ISREG(about.st_mode) || about.st_size <= 0)
        return problem_set(problem, PROBLEM_TRANSIENT, "yt-dlp made no file, or an empty one");
    return 0;
}

static int download_format(const struct ytdlp *ytdlp, const char *url, const char *format,
                           struct reader *reader, struct problem *problem)
{
    char home[PATH_MAX];
    snprintf(home, sizeof(home), "home:%s", ytdlp->directory);
    const char *const arguments[] = {
        ytdlp->program,
        COMMON_OPTIONS,
        "--no-simulate",
        "--newline",
        "--progress",
        "--progress-template",
        "download:" PROGRESS_PREFIX "%(progress.downloaded_bytes)s %(progress.total_bytes)s "
        "%(progress.total_bytes_estimate)s %(progress.speed)s",
        "--print",
        "after_move:" FILE_PREFIX "%(filepath)s",
        "--format",
        format,
        "--merge-output-format",
        "mp4",
        "--no-mtime",
        "--no-continue",
        "--paths",
        home,
        "--output",
        "media.%(ext)s",
        "--",
        url,
        NULL,
    };
    reader->file->path[0] = '\0';
    reader->length = 0;
    int result = run(ytdlp, arguments, split_lines, reader, problem);
    return result < 0 ? result : check_file(ytdlp, reader->file, problem);
}

int ytdlp_download(const struct ytdlp *ytdlp, const char *url, ytdlp_listener listener, void *data,
                   struct ytdlp_file *ret, struct problem *problem)
{
    struct ytdlp_file file = { .attempts = 1 };
    struct reader reader = { .listener = listener, .data = data, .file = &file };
    int result = download_format(ytdlp, url, FIRST_FORMAT, &reader, problem);
    if (result < 0 && (problem->class == PROBLEM_FORMAT || problem->class == PROBLEM_FORBIDDEN)) {
        file.attempts = 2;
        result = download_format(ytdlp, url, OTHER_FORMAT, &reader, problem);
    }
    /* Also what a failure has to tell. */
    *ret = file;
    return result;
}
