/* SPDX-License-Identifier: Apache-2.0 */
/* What its output means, and how it is run: with small programs in its place that end in the
 * ways in which it can end. The real one is run by the tests of the whole pipeline. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/workspace.h"
#include "media/ytdlp.h"
#include "runtime/clock.h"

#define URL "https://media.example.org/video.mp4"

static char parent[64];
static char program[128];
static struct workspace workspace;
static struct ytdlp ytdlp;
static struct ytdlp_file file;
static struct problem problem;

static void begin(void)
{
    struct failure failure;
    snprintf(parent, sizeof(parent), "/tmp/ytdlp-test.XXXXXX");
    cr_assert(mkdtemp(parent));
    snprintf(program, sizeof(program), "%s/program", parent);
    cr_assert_eq(workspace_open(&workspace, parent, &failure), 0, "%s", failure.message);
    ytdlp = (struct ytdlp){ .program = program,
                            .directory = workspace.path,
                            .deadline_ms = clock_now_ms() + 60000 };
    cr_assert_eq(guard_start(&(struct guard_params){ .media_hosts = "" }, &ytdlp.guard, &failure),
                 0, "%s", failure.message);
}

static void end(void)
{
    guard_stop(ytdlp.guard);
    workspace_close(&workspace);
    unlink(program);
    rmdir(parent);
}

static void write_program(const char *script)
{
    FILE *stream = fopen(program, "w");
    cr_assert(stream);
    fprintf(stream, "#!/bin/sh\n%s\n", script);
    fclose(stream);
    cr_assert_eq(chmod(program, 0700), 0);
}

static int download(const char *script)
{
    write_program(script);
    return ytdlp_download(&ytdlp, URL, NULL, NULL, &file, &problem);
}

TestSuite(ytdlp, .init = begin, .fini = end, .timeout = 90);

Test(ytdlp, reports_progress)
{
    struct ytdlp_progress progress;
    cr_assert(ytdlp_parse_progress("progress 1024 2500199 NA 956278.89 NA", &progress));
    cr_expect_eq(progress.bytes, 1024);
    cr_expect_eq(progress.total, 2500199);
    cr_expect_eq(progress.speed, 956278);
}

Test(ytdlp, reports_progress_of_an_estimated_total)
{
    struct ytdlp_progress progress;
    cr_assert(ytdlp_parse_progress("progress 1024 NA 5000.7 NA 7", &progress));
    cr_expect_eq(progress.total, 5000);
    cr_expect_eq(progress.speed, 0);
    cr_expect_eq(progress.fragments, 7);
}

Test(ytdlp, reports_no_progress_in_other_lines)
{
    static const char *const lines[] = { "", "progress", "progress 1 2 3 4", "[download] 10%",
                                         "file /tmp/media.mp4" };
    struct ytdlp_progress progress;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        cr_expect_not(ytdlp_parse_progress(lines[i], &progress), "%s", lines[i]);
}

Test(ytdlp, gets_the_address_behind_the_end_of_options)
{
    struct text json = { 0 };
    write_program("for last; do before=$mark; mark=$last; done; echo \"$before $mark\"");
    cr_assert_eq(ytdlp_describe(&ytdlp, "--exec=id", &json, &problem), 0);
    cr_expect_str_eq(json.data, "-- --exec=id\n");
    text_release(&json);
}

Test(ytdlp, reads_no_configuration_and_keeps_no_cache)
{
    struct text json = { 0 };
    write_program("echo \"$*\"");
    cr_assert_eq(ytdlp_describe(&ytdlp, URL, &json, &problem), 0);
    cr_expect(strstr(json.data, "--ignore-config "), "%s", json.data);
    cr_expect(strstr(json.data, "-J --skip-download"), "%s", json.data);
    text_release(&json);
}

Test(ytdlp, has_the_guard_as_its_only_way)
{
    struct text json = { 0 };
    char expected[256];
    setenv("no_proxy", "*", 1);
    setenv("HTTPS_PROXY", "http://elsewhere.example.org", 1);
    write_program("env | sort; cat settings.conf; echo \"$*\"; stat -c %a settings.conf");
    cr_assert_eq(ytdlp_describe(&ytdlp, URL, &json, &problem), 0);
    const char *url = guard_url(ytdlp.guard);
    snprintf(expected, sizeof(expected), "HTTPS_PROXY=%s\nHTTP_PROXY=%s\n", url, url);
    cr_expect(strstr(json.data, expected), "%s", json.data);
    snprintf(expected, sizeof(expected), "\n--proxy %s\n--ignore-config", url);
    cr_expect(strstr(json.data, expected), "%s", json.data);
    cr_expect(strstr(json.data, "\n600\n"), "%s", json.data);
    cr_expect_null(strcasestr(json.data, "no_proxy"), "%s", json.data);
    cr_expect_null(strstr(json.data, "elsewhere"), "%s", json.data);
    const char *arguments = strstr(json.data, "--ignore-config");
    cr_expect_null(strstr(arguments, "http://guard"), "everybody can read a command line");
    text_release(&json);
}

Test(ytdlp, is_told_where_its_helpers_are)
{
    struct text json = { 0 };
    ytdlp.js_runtime = "quickjs:/opt/bin/qjs";
    ytdlp.ffmpeg_location = "/opt/bin";
    write_program("echo \"$*\"");
    cr_assert_eq(ytdlp_describe(&ytdlp, URL, &json, &problem), 0);
    cr_expect(strstr(json.data, "--no-js-runtimes --js-runtimes quickjs:/opt/bin/qjs"), "%s",
              json.data);
    cr_expect(strstr(json.data, "--ffmpeg-location /opt/bin"), "%s", json.data);
    cr_expect_null(strstr(json.data, "--cookies"), "%s", json.data);
    text_release(&json);
}

Test(ytdlp, gets_a_copy_of_the_cookies)
{
    struct text json = { 0 };
    char cookies[128];
    snprintf(cookies, sizeof(cookies), "%s/cookies", parent);
    FILE *stream = fopen(cookies, "w");
    fputs("# Netscape HTTP Cookie File\n", stream);
    fclose(stream);
    cr_assert_eq(chmod(cookies, 0400), 0);
    ytdlp.cookies_file = cookies;
    write_program("while [ \"$1\" != --cookies ]; do shift; done; stat -c %a \"$2\"; cat \"$2\";"
                  "echo rewritten > \"$2\"");
    cr_expect_eq(ytdlp_describe(&ytdlp, URL, &json, &problem), 0, "%s", problem.message);
    cr_expect_str_eq(json.data, "600\n# Netscape HTTP Cookie File\n");
    text_release(&json);
    cr_expect_eq(ytdlp_describe(&ytdlp, URL, &json, &problem), 0, "again from the original");
    cr_expect_str_eq(json.data, "600\n# Netscape HTTP Cookie File\n");
    text_release(&json);
    unlink(cookies);
}

Test(ytdlp, without_the_cookies_that_it_should_have_is_not_begun)
{
    struct text json = { 0 };
    ytdlp.cookies_file = "/nonexistent/cookies";
    write_program("exit 0");
    cr_assert_lt(ytdlp_describe(&ytdlp, URL, &json, &problem), 0);
    cr_expect(strstr(problem.message, "COOKIES_FILE"), "%s", problem.message);
}

Test(ytdlp, what_it_says_is_passed_on_without_the_query_of_an_address)
{
    struct text json = { 0 };
    write_program(
        "echo 'ERROR: Unsupported URL: http://host.example:80/page.html?sig=SECRETSECRET123'"
        " >&2; exit 1");
    cr_assert_lt(ytdlp_describe(&ytdlp, URL, &json, &problem), 0);
    cr_expect_eq(problem.class, PROBLEM_UNSUPPORTED);
    cr_expect(strstr(problem.message, "Unsupported URL: http://host.example:80/"), "%s",
              problem.message);
    cr_expect_null(strstr(problem.message, "SECRET"), "%s", problem.message);
}

Test(ytdlp, gets_no_credentials)
{
    struct text json = { 0 };
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    setenv("AWS_SESSION_TOKEN", "token", 1);
    setenv("_X_AMZN_TRACE_ID", "Root=1-0", 1);
    setenv("FILES_TABLE", "Files", 1);
    write_program("env");
    cr_assert_eq(ytdlp_describe(&ytdlp, URL, &json, &problem), 0);
    cr_expect_null(strstr(json.data, "AWS_"), "%s", json.data);
    cr_expect_null(strstr(json.data, "_AMZN_"), "%s", json.data);
    cr_expect_null(strstr(json.data, "FILES_TABLE"), "%s", json.data);
    cr_expect(strstr(json.data, "PATH="), "%s", json.data);
    text_release(&json);
}

Test(ytdlp, keeps_to_its_directory)
{
    struct text json = { 0 };
    write_program("echo \"$HOME $TMPDIR $(pwd)\"");
    cr_assert_eq(ytdlp_describe(&ytdlp, URL, &json, &problem), 0);
    char expected[2048];
    snprintf(expected, sizeof(expected), "%s %s %s\n", workspace.path, workspace.path,
             workspace.path);
    cr_expect_str_eq(json.data, expected);
    text_release(&json);
}

static void count(void *data, const struct ytdlp_progress *progress)
{
    *(int64_t *)data += progress->bytes;
}

Test(ytdlp, gives_back_the_file_it_made)
{
    int64_t sum = 0;
    write_program(
        "echo data > media.mp4; echo 'progress 10 30 NA NA NA'; echo 'progress 30 30 NA NA NA';"
        "echo '[other] line'; echo \"file $(pwd)/media.mp4\"");
    cr_assert_eq(ytdlp_download(&ytdlp, URL, count, &sum, &file, &problem), 0, "%s",
                 problem.message);
    cr_expect_eq(file.reports, 2);
    cr_expect_eq(sum, 40);
    cr_expect_eq(access(file.path, R_OK), 0);
    cr_expect_eq(file.attempts, 1);
}

Test(ytdlp, must_have_made_a_file)
{
    cr_expect_lt(download("exit 0"), 0);
    cr_expect_lt(download("echo \"file $(pwd)/missing.mp4\""), 0);
    cr_expect_lt(download(": > media.mp4; echo \"file $(pwd)/media.mp4\""), 0);
}

Test(ytdlp, must_have_made_it_in_its_directory)
{
    cr_expect_lt(download("echo 'file /etc/passwd'"), 0);
    cr_expect_lt(download("ln -s /etc/passwd media.mp4; echo \"file $(pwd)/media.mp4\""), 0);
}

#define MADE "echo data > \"$d/media.mp4\"; echo \"file $d/media.mp4\""
/* Where it is to make the file: behind --paths, after "home:". */
#define PLACE                                                                        \
    "for a; do [ \"$b\" = --paths ] && d=${a#home:}; [ \"$b\" = --format ] && f=$a;" \
    "b=$a; done; mkdir -p \"$d\";"

Test(ytdlp, is_asked_for_one_format_after_the_other)
{
    char path[1024], line[1024];
    cr_assert_eq(download(PLACE
                          "echo \"$f\" >> formats; n=$(wc -l < formats); if [ $n -lt 3 ]; then "
                          "echo 'ERROR: HTTP Error 403: Forbidden' >&2; exit 1; fi; " MADE),
                 0, "%s", problem.message);
    cr_expect_eq(file.attempts, 3);
    snprintf(path, sizeof(path), "%s/formats", workspace.path);
    FILE *stream = fopen(path, "r");
    static const char *const beginnings[] = { "bv*[ext=mp4]", "b[ext=mp4]", "bv*[protocol" };
    for (int i = 0; i < 3; i++) {
        cr_assert(fgets(line, sizeof(line), stream));
        cr_expect(strncmp(line, beginnings[i], strlen(beginnings[i])) == 0, "%s", line);
    }
    fclose(stream);
}

Test(ytdlp, keeps_nothing_of_an_attempt_that_failed)
{
    char path[1024];
    cr_assert_eq(download(PLACE
                          "if [ ! -e first ]; then touch first \"$d/media.f1.mp4.part\";"
                          "echo 'ERROR: Requested format is not available' >&2; exit 1; fi; " MADE),
                 0, "%s", problem.message);
    snprintf(path, sizeof(path), "%s/attempt-1", workspace.path);
    cr_expect_lt(access(path, F_OK), 0);
}

Test(ytdlp, is_not_asked_again_for_what_no_format_changes)
{
    cr_assert_lt(download("echo 'ERROR: Private video' >&2; exit 1"), 0);
    cr_assert_eq(file.attempts, 1);
}

Test(ytdlp, gives_up_after_the_last_format)
{
    cr_assert_lt(download("echo 'ERROR: HTTP Error 403: Forbidden' >&2; exit 1"), 0);
    cr_expect_eq(file.attempts, 3);
    cr_expect_eq(problem.class, PROBLEM_FORBIDDEN);
}

Test(ytdlp, tells_how_the_download_went)
{
    cr_assert_eq(download("echo 'progress 100 1000 NA NA 1'; echo 'progress 1000 1000 NA NA 4';"
                          "echo 'progress 50 200 NA NA NA'; echo 'progress 200 200 NA NA NA';"
                          "sleep 0.1; echo 'format 137+140';" PLACE MADE),
                 0, "%s", problem.message);
    cr_expect_eq(file.bytes, 1200, "both streams");
    cr_expect_eq(file.fragments, 4);
    cr_expect_str_eq(file.format, "137+140");
    cr_expect_geq(file.duration_ms, 100);
    cr_expect_gt(file.bytes_per_s, 0);
    cr_expect_leq(file.bytes_per_s, 12000);
}

Test(ytdlp, is_stopped_when_there_is_too_much)
{
    ytdlp.max_bytes = 1024 * 1024;
    cr_assert_lt(download("echo 'progress 2000000 NA NA NA NA'; exec sleep 600"), 0);
    cr_expect_eq(problem.class, PROBLEM_TOO_LARGE);
    cr_expect(strstr(problem.message, "MAX_FILE_MIB"));
}

Test(ytdlp, may_not_make_a_file_that_is_too_large)
{
    ytdlp.max_bytes = 1024 * 1024;
    cr_assert_lt(download(PLACE "head -c 1048577 /dev/zero > \"$d/media.mp4\";"
                                "echo \"file $d/media.mp4\""),
                 0);
    cr_assert_eq(problem.class, PROBLEM_TOO_LARGE);
}

Test(ytdlp, says_why_it_failed_with_any_status)
{
    static const int statuses[] = { 1, 100, 101 };
    char script[128];
    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
        snprintf(script, sizeof(script), "echo 'ERROR: Private video' >&2; exit %d", statuses[i]);
        cr_expect_lt(download(script), 0);
        cr_expect_eq(problem.class, PROBLEM_PRIVATE, "%d: %s", statuses[i], problem.message);
    }
}

Test(ytdlp, says_why_it_failed)
{
    cr_assert_lt(download("echo 'ERROR: [youtube] x: Private video' >&2; exit 1"), 0);
    cr_expect_eq(problem.class, PROBLEM_PRIVATE);
    cr_expect_str_eq(problem.message, "yt-dlp: [youtube] x: Private video");
}

Test(ytdlp, that_was_killed_says_so)
{
    cr_assert_lt(download("kill -9 $$"), 0);
    cr_expect_eq(problem.class, PROBLEM_KILLED);
    cr_expect_str_eq(problem.message, "yt-dlp was killed: signal 9 (Killed)");
}

Test(ytdlp, that_was_killed_below_a_shell_says_so)
{
    cr_assert_lt(download("sh -c 'kill -15 $$'"), 0);
    cr_assert_eq(problem.class, PROBLEM_KILLED);
}

Test(ytdlp, is_killed_at_the_deadline)
{
    ytdlp.deadline_ms = clock_now_ms() + 300;
    cr_assert_lt(download("exec sleep 600"), 0);
    cr_assert_eq(problem.class, PROBLEM_DEADLINE);
}

Test(ytdlp, that_does_not_understand_us_is_too_old)
{
    cr_assert_lt(download("echo 'program: error: no such option: --paths' >&2; exit 2"), 0);
    cr_assert_eq(problem.class, PROBLEM_BAD_USAGE);
}

Test(ytdlp, that_is_not_there_says_what_to_do)
{
    ytdlp.program = "/nonexistent/yt-dlp";
    cr_assert_lt(ytdlp_download(&ytdlp, URL, NULL, NULL, &file, &problem), 0);
    cr_expect_eq(problem.class, PROBLEM_NOT_INSTALLED);
    cr_expect(strstr(problem.message, "YTDLP_PATH"));
}

Test(ytdlp, survives_lines_without_end)
{
    cr_assert_eq(download("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo data > media.mp4;"
                          "echo \"file $(pwd)/media.mp4\""),
                 0, "%s", problem.message);
}
