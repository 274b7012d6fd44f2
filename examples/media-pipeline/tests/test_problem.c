/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <string.h>

#include "media/problem.h"

#define NOW    ((int64_t)1763626530000)
#define MINUTE ((int64_t)60000)

static enum problem_class class_of(const char *errors)
{
    char line[256];
    return problem_of_errors(errors, line, sizeof(line));
}

/* As yt-dlp writes them. */
static const struct {
    const char *line;
    enum problem_class class;
} cases[] = {
    { "ERROR: [youtube] x: Sign in to confirm you\xe2\x80\x99re not a bot. Use "
      "--cookies-from-browser or --cookies for the authentication.",
      PROBLEM_BOT_CHECK },
    { "ERROR: [youtube] x: Sign in to confirm your age. This video may be inappropriate for "
      "some users. Use --cookies-from-browser or --cookies for the authentication.",
      PROBLEM_AGE_RESTRICTED },
    { "ERROR: [youtube] x: Join this channel to get access to members-only content",
      PROBLEM_MEMBERS_ONLY },
    { "ERROR: [youtube] x: Private video. Sign in if you've been granted access", PROBLEM_PRIVATE },
    { "ERROR: [youtube] x: The uploader has not made this video available in your country",
      PROBLEM_GEO_BLOCKED },
    { "ERROR: [youtube] x: Video unavailable", PROBLEM_UNAVAILABLE },
    { "ERROR: [youtube] x: This video has been removed by the uploader", PROBLEM_UNAVAILABLE },
    { "ERROR: [youtube] x: Premieres in 2 hours", PROBLEM_SCHEDULED },
    { "ERROR: [youtube] x: This live event will begin in 3 days.", PROBLEM_LIVESTREAM_UPCOMING },
    { "ERROR: [youtube] x: Your account has been rate-limited by YouTube for up to an hour",
      PROBLEM_RATE_LIMITED },
    { "ERROR: [youtube] x: This content isn't available, try again later.", PROBLEM_RATE_LIMITED },
    { "ERROR: unable to download video data: HTTP Error 429: Too Many Requests",
      PROBLEM_RATE_LIMITED },
    { "ERROR: unable to download video data: HTTP Error 403: Forbidden", PROBLEM_FORBIDDEN },
    { "ERROR: [generic] x: Unable to download webpage: HTTP Error 404: Not Found",
      PROBLEM_UNAVAILABLE },
    { "ERROR: [youtube] x: Requested format is not available. Use --list-formats", PROBLEM_FORMAT },
    { "ERROR: unable to write data: [Errno 28] No space left on device", PROBLEM_NO_SPACE },
    { "ERROR: Postprocessing: Error writing trailer: No space left on device", PROBLEM_NO_SPACE },
    { "ERROR: Postprocessing: Conversion failed!", PROBLEM_FORMAT },
    { "ERROR: You have requested merging of multiple formats but ffmpeg is not installed. "
      "Aborting due to --abort-on-error",
      PROBLEM_FORMAT },
    { "ERROR: [youtube] x: YouTube is forcing SABR streaming for this client", PROBLEM_FORMAT },
    { "ERROR: [youtube] sabrsabrsab: Private video", PROBLEM_PRIVATE },
    { "ERROR: [youtube] x: This helps protect our community. Learn more", PROBLEM_BOT_CHECK },
    { "ERROR: [youtube] x: This video is available to Music Premium members",
      PROBLEM_MEMBERS_ONLY },
    { "ERROR: [youtube] x: Video unavailable. This video is private", PROBLEM_PRIVATE },
    { "ERROR: [youtube] x: Video unavailable. The uploader has not made this video available "
      "in your country",
      PROBLEM_GEO_BLOCKED },
    { "ERROR: [youtube] x: Premiere will begin shortly", PROBLEM_SCHEDULED },
    { "ERROR: [youtube] x: This live event will begin in a few moments.",
      PROBLEM_LIVESTREAM_UPCOMING },
    { "ERROR: [youtube] x: This video is DRM protected", PROBLEM_UNSUPPORTED },
    { "ERROR: fragment 1 not found, unable to continue: HTTP Error 403: Forbidden",
      PROBLEM_FORBIDDEN },
    { "ERROR: [generic] Unable to download webpage: timed out", PROBLEM_TRANSIENT },
    { "ERROR: Unsupported URL: http://media.example.org/", PROBLEM_UNSUPPORTED },
    { "ERROR: Interrupted by user", PROBLEM_KILLED },
    { "ERROR: Unable to download webpage: <urlopen error [Errno 104] Connection reset>",
      PROBLEM_TRANSIENT },
    { "ERROR: HTTP Error 503: Service Unavailable", PROBLEM_TRANSIENT },
};

Test(problem, is_known_by_what_yt_dlp_says)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        cr_expect_eq(class_of(cases[i].line), cases[i].class, "%s: %s", cases[i].line,
                     problem_name(class_of(cases[i].line)));
}

Test(problem, is_told_by_the_last_error_line)
{
    char line[64];
    cr_expect_eq(problem_of_errors("WARNING: rate-limited\nERROR: Video unavailable\nbye\n", line,
                                   sizeof(line)),
                 PROBLEM_UNAVAILABLE);
    cr_expect_str_eq(line, "Video unavailable");
    cr_expect_eq(problem_of_errors("ERROR: first\r\nERROR: Private video\r\n", line, sizeof(line)),
                 PROBLEM_PRIVATE);
}

Test(problem, is_told_by_the_last_line_when_none_is_an_error)
{
    char line[64];
    problem_of_errors("Traceback:\n  KeyError\n\n", line, sizeof(line));
    cr_assert_str_eq(line, "  KeyError");
}

Test(problem, is_transient_when_nothing_was_said)
{
    char line[64];
    cr_expect_eq(problem_of_errors("", line, sizeof(line)), PROBLEM_TRANSIENT);
    cr_expect_eq(problem_of_errors(NULL, line, sizeof(line)), PROBLEM_TRANSIENT);
    cr_expect_eq(problem_of_errors("\n\n", line, sizeof(line)), PROBLEM_TRANSIENT);
    cr_expect(*line);
}

Test(problem, cuts_a_long_line_between_characters)
{
    char line[12];
    problem_of_errors("ERROR: 123456789\xe2\x82\xac", line, sizeof(line));
    cr_assert_str_eq(line, "123456789");
}

static int64_t retry_in(enum problem_class class, int64_t retries, int64_t release_ms)
{
    struct problem problem = { .class = class, .release_ms = release_ms };
    int64_t at = problem_retry_at(&problem, retries, NOW);
    return at ? at - NOW : -1;
}

Test(problem, is_tried_again_later_each_time)
{
    static const int64_t minutes[] = { 15, 30, 60, 120, 240 };
    for (int i = 0; i < 5; i++)
        cr_expect_eq(retry_in(PROBLEM_TRANSIENT, i, 0), minutes[i] * MINUTE, "retry %d", i);
    cr_expect_eq(retry_in(PROBLEM_TRANSIENT, 5, 0), -1);
}

Test(problem, gives_a_rate_limit_an_hour)
{
    cr_assert_eq(retry_in(PROBLEM_RATE_LIMITED, 0, 0), 60 * MINUTE);
}

Test(problem, waits_for_a_release_and_some_minutes)
{
    cr_expect_eq(retry_in(PROBLEM_LIVESTREAM_UPCOMING, 0, NOW + 500), 500 + 5 * MINUTE);
    cr_expect_eq(retry_in(PROBLEM_SCHEDULED, 2, NOW + 500), 500 + 5 * MINUTE);
    cr_expect_eq(retry_in(PROBLEM_SCHEDULED, 3, NOW + 500), -1);
    cr_expect_eq(retry_in(PROBLEM_SCHEDULED, 0, NOW - 500), 15 * MINUTE);
}

Test(problem, that_ends_it_is_not_tried_again)
{
    for (int class = PROBLEM_KILLED; class <= PROBLEM_ABANDONED; class ++)
        cr_expect_eq(retry_in((enum problem_class) class, 0, 0), -1, "%s",
                     problem_name((enum problem_class) class));
}

Test(problem, has_a_name_for_each_class)
{
    for (int class = PROBLEM_NONE; class <= PROBLEM_TRANSIENT; class ++) {
        const char *name = problem_name((enum problem_class) class);
        cr_expect(name && *name, "class %d", class);
    }
}

Test(problem, lies_with_the_caller_when_it_is_about_the_video)
{
    cr_expect(problem_is_of_caller(PROBLEM_PRIVATE));
    cr_expect(problem_is_of_caller(PROBLEM_SCHEDULED));
    cr_expect_not(problem_is_of_caller(PROBLEM_KILLED));
    cr_expect_not(problem_is_of_caller(PROBLEM_UPLOAD));
}
