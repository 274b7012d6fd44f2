/* SPDX-License-Identifier: Apache-2.0 */
#include "media/ytdlp.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/foreign.h"
#include "media/workspace.h"
#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/stop.h"

/* Descriptions of long videos with many formats have one or two MiB. */
#define MAX_DESCRIPTION_BYTES ((size_t)32 * 1024 * 1024)
#define MAX_LINE_BYTES        2048

#define MAX_COOKIES_BYTES (4 * 1024 * 1024)
#define MAX_ARGUMENTS     64

/* What goes through the guard; rtmp and others would find a way of their own. */
#define OVER_HTTP "[protocol~='^(https?|m3u8(_native)?|http_dash_segments(_generator)?|ism)$']"
#define ONE_FILE  "b[ext=mp4]" OVER_HTTP "/b" OVER_HTTP

/* One after the other: what a phone plays, what needs no ffmpeg, whatever there is. */
static const char *const formats[] = {
    "bv*[ext=mp4]" OVER_HTTP "+ba[ext=m4a]" OVER_HTTP "/" ONE_FILE,
    ONE_FILE,
    "bv*" OVER_HTTP "+ba" OVER_HTTP "/b" OVER_HTTP,
};
#define FORMAT_COUNT (sizeof(formats) / sizeof(*formats))

#define PROGRESS_PREFIX "progress "
#define FILE_PREFIX     "file "
#define FORMAT_PREFIX   "format "

/* ---- Its environment ------------------------------------------------------------- */

static const char *const passed_on[] = {
    "PATH", "LD_LIBRARY_PATH", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR",
};
#define PASSED_ON_COUNT (sizeof(passed_on) / sizeof(*passed_on))

/* Both spellings, since each program looks for another; none for exceptions. */
static const char *const proxy_names[] = {
    "http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY",
};
#define PROXY_NAME_COUNT (sizeof(proxy_names) / sizeof(*proxy_names))

static bool append(char **environment, size_t *count, const char *name, const char *value)
{
    struct text entry = { 0 };
    text_addf(&entry, "%s=%s", name, value);
    if (entry.failed)
        text_release(&entry);
    environment[(*count)++] = entry.data;
    return entry.data;
}

char **ytdlp_environment(const char *directory, const char *proxy)
{
    char **environment = calloc(PASSED_ON_COUNT + PROXY_NAME_COUNT + 5, sizeof(*environment));
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
    for (size_t i = 0; whole && i < PROXY_NAME_COUNT; i++)
        whole = append(environment, &count, proxy_names[i], proxy);
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
    char said[400];
    AUTO_TEXT struct text safe = { 0 };
    enum problem_class class = problem_of_errors(result->errors.data, said, sizeof(said));
    foreign_add(&safe, said);
    const char *line = safe.failed || !safe.data ? "" : safe.data;
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

/* What it says may only be the echo of the guard's answer. */
static bool may_be_refusal(const struct problem *problem)
{
    return problem->class == PROBLEM_TRANSIENT || problem->class == PROBLEM_FORBIDDEN ||
           problem->class == PROBLEM_FORMAT || problem->class == PROBLEM_UNSUPPORTED;
}

static int judge(const struct ytdlp *ytdlp, const struct child_result *result,
                 struct problem *problem)
{
    char refusal[400];
    bool is_well = result->outcome == CHILD_EXITED && result->number == 0;
    int code = is_well ? 0 : ytdlp_explain(result, ytdlp->program, problem);
    if (!guard_take_refusal(ytdlp->guard, refusal, sizeof(refusal)))
        return code;
    if (code < 0 && may_be_refusal(problem))
        return problem_set(problem, PROBLEM_NOT_ALLOWED, "not fetched: %s", refusal);
    log_write(LOG_WARNING, NULL, "yt-dlp did without something: %s", refusal);
    return code;
}

/* ---- How it is called ------------------------------------------------------------------ */

struct command {
    const char *arguments[MAX_ARGUMENTS];
    size_t count;
    char settings[PATH_MAX];
    char cookies[PATH_MAX];
};

/* The list ends with NULL. */
static void add(struct command *command, const char *const *arguments)
{
    while (*arguments && command->count + 1 < MAX_ARGUMENTS)
        command->arguments[command->count++] = *arguments++;
    command->arguments[command->count] = NULL;
}
#define ADD(command, ...) add(command, (const char *const[]){ __VA_ARGS__, NULL })

static bool is_given(const char *text)
{
    return text && *text;
}

/* The secret must not stand in the command line, which everybody here may read. */
static int write_settings(struct command *command, const struct ytdlp *ytdlp,
                          struct problem *problem)
{
    snprintf(command->settings, sizeof(command->settings), "%s/settings.conf", ytdlp->directory);
    int file = open(command->settings, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool is_written = file >= 0 && dprintf(file, "--proxy %s\n", guard_url(ytdlp->guard)) > 0;
    if (file >= 0 && close(file) == 0 && is_written)
        return 0;
    return problem_set(problem, errno == ENOSPC ? PROBLEM_NO_SPACE : PROBLEM_TRANSIENT,
                       "cannot write %s: %s", command->settings, strerror(errno));
}

static int copy_cookies(struct command *command, const struct ytdlp *ytdlp, struct problem *problem)
{
    char buffer[16384];
    ssize_t count = 0, written = 0;
    size_t sum = 0;
    snprintf(command->cookies, sizeof(command->cookies), "%s/cookies.txt", ytdlp->directory);
    int from = open(ytdlp->cookies_file, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return problem_set(problem, PROBLEM_NOT_INSTALLED,
                           "cannot read %s (%s): set COOKIES_FILE, or leave it out",
                           ytdlp->cookies_file, strerror(errno));
    int to = open(command->cookies, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    while (to >= 0 && sum < MAX_COOKIES_BYTES && (count = read(from, buffer, sizeof(buffer))) > 0 &&
           (written = write(to, buffer, (size_t)count)) == count)
        sum += (size_t)count;
    bool is_whole = to >= 0 && count == 0;
    if (to >= 0 && close(to) < 0)
        is_whole = false;
    int reason = errno;
    close(from);
    return is_whole ? 0
                    : problem_set(problem, PROBLEM_NOT_INSTALLED, "cannot copy %s to %s: %s",
                                  ytdlp->cookies_file, command->cookies,
                                  sum >= MAX_COOKIES_BYTES ? "it is too large" : strerror(reason));
}

/* Nothing of this machine's configuration, nothing that runs other programs but what is named. */
static int begin_command(struct command *command, const struct ytdlp *ytdlp,
                         struct problem *problem)
{
    command->count = 0;
    int result = write_settings(command, ytdlp, problem);
    if (result < 0)
        return result;
    ADD(command, ytdlp->program, "--ignore-config", "--config-locations", command->settings,
        "--no-cache-dir", "--no-plugin-dirs", "--no-remote-components", "--no-exec",
        "--no-playlist", "--no-warnings", "--abort-on-error", "--color", "never",
        "--socket-timeout", "20", "--retries", "3");
    if (is_given(ytdlp->js_runtime))
        ADD(command, "--no-js-runtimes", "--js-runtimes", ytdlp->js_runtime);
    if (is_given(ytdlp->ffmpeg_location))
        ADD(command, "--ffmpeg-location", ytdlp->ffmpeg_location);
    if (!is_given(ytdlp->cookies_file))
        return 0;
    result = copy_cookies(command, ytdlp, problem);
    ADD(command, "--cookies", command->cookies);
    return result;
}

static int run(const struct ytdlp *ytdlp, const struct command *command, child_output output,
               void *data, struct problem *problem)
{
    char **environment = ytdlp_environment(ytdlp->directory, guard_url(ytdlp->guard));
    if (!environment)
        return problem_set(problem, PROBLEM_TRANSIENT, "out of memory");
    struct child_params params = {
        .arguments = command->arguments,
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
    int code = judge(ytdlp, &result, problem);
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
    struct command command;
    struct text json = { 0 };
    int result = begin_command(&command, ytdlp, problem);
    if (result < 0)
        return result;
    /* Without formats it says when a livestream will begin, instead of failing. */
    ADD(&command, "-J", "--skip-download", "--no-check-formats", "--ignore-no-formats-error", "--",
        url);
    result = run(ytdlp, &command, collect, &json, problem);
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

/* "progress <bytes> <total> <estimate> <speed> <fragment>", with NA for what is not known. */
bool ytdlp_parse_progress(const char *line, struct ytdlp_progress *ret)
{
    char bytes[32], total[32], estimate[32], speed[32], fragment[32];
    if (strncmp(line, PROGRESS_PREFIX, strlen(PROGRESS_PREFIX)) != 0 ||
        sscanf(line + strlen(PROGRESS_PREFIX), "%31s %31s %31s %31s %31s", bytes, total, estimate,
               speed, fragment) != 5)
        return false;
    int64_t fragments = read_bytes(fragment);
    ret->bytes = read_bytes(bytes);
    ret->total = read_bytes(total);
    if (!ret->total)
        ret->total = read_bytes(estimate);
    ret->speed = (double)read_bytes(speed);
    ret->fragments = fragments < INT_MAX ? (int)fragments : 0;
    return true;
}

struct reader {
    ytdlp_listener listener;
    void *data;
    struct ytdlp_file *file;
    struct ytdlp_progress last; /* of this stream */
    int64_t max_bytes;
    char line[MAX_LINE_BYTES];
    size_t length;
};

/* Each stream of a video counts from 0. */
static void add_progress(struct reader *reader, const struct ytdlp_progress *progress)
{
    struct ytdlp_file *file = reader->file;
    if (progress->bytes < reader->last.bytes)
        reader->last = (struct ytdlp_progress){ 0 };
    file->bytes += progress->bytes - reader->last.bytes;
    if (progress->fragments > reader->last.fragments)
        file->fragments += progress->fragments - reader->last.fragments;
    file->reports++;
    reader->last = *progress;
    if (reader->listener)
        reader->listener(reader->data, progress);
}

static void copy_rest(char *ret, size_t size, const char *line, const char *prefix)
{
    snprintf(ret, size, "%.*s", (int)size - 1, line + strlen(prefix));
}

static void read_line(struct reader *reader)
{
    struct ytdlp_file *file = reader->file;
    struct ytdlp_progress progress;
    if (ytdlp_parse_progress(reader->line, &progress))
        add_progress(reader, &progress);
    else if (strncmp(reader->line, FILE_PREFIX, strlen(FILE_PREFIX)) == 0)
        copy_rest(file->path, sizeof(file->path), reader->line, FILE_PREFIX);
    else if (strncmp(reader->line, FORMAT_PREFIX, strlen(FORMAT_PREFIX)) == 0)
        copy_rest(file->format, sizeof(file->format), reader->line, FORMAT_PREFIX);
}

static bool is_too_large(int64_t bytes, int64_t max_bytes)
{
    return max_bytes > 0 && bytes > max_bytes;
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
    return !is_too_large(reader->file->bytes, reader->max_bytes);
}

static int refuse_size(const struct ytdlp *ytdlp, struct problem *problem)
{
    return problem_set(problem, PROBLEM_TOO_LARGE, "the video has more than %lld MiB: MAX_FILE_MIB",
                       (long long)(ytdlp->max_bytes / (1024 * 1024)));
}

/* What it says it made must be a file with something in it, in our directory. */
static int check_file(const struct ytdlp *ytdlp, struct ytdlp_file *file, struct problem *problem)
{
    struct stat about;
    size_t length = strlen(ytdlp->directory);
    if (strncmp(file->path, ytdlp->directory, length) != 0 || file->path[length] != '/' ||
        strstr(file->path, "/../"))
        return problem_set(problem, PROBLEM_TRANSIENT, "yt-dlp did not say which file it made");
    if (lstat(file->path, &about) < 0 || !S_ISREG(about.st_mode) || about.st_size <= 0)
        return problem_set(problem, PROBLEM_TRANSIENT, "yt-dlp made no file, or an empty one");
    return is_too_large(about.st_size, ytdlp->max_bytes) ? refuse_size(ytdlp, problem) : 0;
}

/* In a directory of its own: what another attempt has left is neither continued nor merged. */
static int download_format(const struct ytdlp *ytdlp, const char *url, const char *format,
                           struct reader *reader, struct problem *problem)
{
    struct ytdlp_file *file = reader->file;
    struct command command;
    char home[PATH_MAX];
    int result = begin_command(&command, ytdlp, problem);
    if (result < 0)
        return result;
    snprintf(home, sizeof(home), "home:%s/attempt-%d", ytdlp->directory, file->attempts);
    ADD(&command, "--no-simulate", "--newline", "--progress", "--progress-template",
        "download:" PROGRESS_PREFIX "%(progress.downloaded_bytes)s %(progress.total_bytes)s "
        "%(progress.total_bytes_estimate)s %(progress.speed)s %(progress.fragment_index)s",
        "--print", "after_move:" FORMAT_PREFIX "%(format_id)s", "--print",
        "after_move:" FILE_PREFIX "%(filepath)s", "--format", format, "--merge-output-format",
        "mp4", "--concurrent-fragments", "4", "--abort-on-unavailable-fragments", "--no-mtime",
        "--no-continue", "--paths", home, "--output", "media.%(ext)s", "--", url);
    reader->length = 0;
    reader->last = (struct ytdlp_progress){ 0 };
    file->bytes = file->fragments = 0;
    int64_t begin_ms = clock_now_ms();
    result = run(ytdlp, &command, split_lines, reader, problem);
    file->duration_ms = clock_now_ms() - begin_ms;
    file->bytes_per_s = file->duration_ms > 0 ? file->bytes * 1000 / file->duration_ms : 0;
    if (result < 0 && is_too_large(file->bytes, ytdlp->max_bytes))
        return refuse_size(ytdlp, problem);
    if (result == 0)
        result = check_file(ytdlp, file, problem);
    if (result < 0)
        workspace_remove(home + strlen("home:"));
    return result;
}

int ytdlp_download(const struct ytdlp *ytdlp, const char *url, ytdlp_listener listener, void *data,
                   struct ytdlp_file *ret, struct problem *problem)
{
    struct ytdlp_file file = { 0 };
    struct reader reader = {
        .listener = listener, .data = data, .file = &file, .max_bytes = ytdlp->max_bytes
    };
    int result = -EREMOTEIO;
    for (size_t i = 0; result < 0 && i < FORMAT_COUNT; i++) {
        if (i > 0 && problem->class != PROBLEM_FORMAT && problem->class != PROBLEM_FORBIDDEN)
            break;
        file.attempts++;
        result = download_format(ytdlp, url, formats[i], &reader, problem);
    }
    *ret = file;
    return result;
}
