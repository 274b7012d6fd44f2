/* SPDX-License-Identifier: Apache-2.0 */
/* Issues: which failures are told, which are the same, what is shown of them, and the peer that
 * stands for GitHub. */
#include <errno.h>

#include "media/github_issue.h"
#include "support.h"

#define NONE         \
    {                \
        .body = "[]" \
    }
#define ONE                        \
    {                              \
        .body = "[{\"number\":7}]" \
    }
#define OPENED                                                                          \
    {                                                                                   \
        .status = 201,                                                                  \
        .body = "{\"number\":8,\"labels\":[{\"name\":\"download-failure-" PRINT "\"}]}" \
    }
/* printf 'not_installed\ncannot run # no such file ' | sha256sum */
#define PRINT "66f2e62e6bcce706"

static struct github_known known;

static struct issue_cause cause_of(enum problem_class class, const char *message)
{
    return (struct issue_cause){ .class = class,
                                 .message = message,
                                 .file_id = "u-0123456789abcdef",
                                 .correlation_id = "c-1",
                                 .request_id = "r-1" };
}

static const char *print_of(enum problem_class class, const char *message)
{
    static char prints[2][ISSUE_FINGERPRINT_SIZE];
    static int next;
    struct issue_cause cause = cause_of(class, message);
    next = !next;
    cr_assert(issue_fingerprint(&cause, prints[next]));
    return prints[next];
}

/* The body of the issue for a message. */
static const char *body_of(const char *message)
{
    static char body[4096];
    struct issue_cause cause = cause_of(PROBLEM_BOT_CHECK, message);
    char *text = issue_text(&cause, "0123456789abcdef");
    cJSON *json = cJSON_Parse(text);
    snprintf(body, sizeof(body), "%s",
             cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "body")));
    cJSON_Delete(json);
    free(text);
    return body;
}

static int report_to(const char *url, int64_t left_ms)
{
    struct github_config config = { "owner/name", "token-of-github", url };
    struct issue_cause cause = cause_of(PROBLEM_NOT_INSTALLED,
                                        "cannot run /opt/bin/yt-dlp: no such file");
    return github_issue_report(&config, &known, &cause, clock_now_ms() + left_ms, &failure);
}

static int report(void)
{
    return report_to(peer_url(peer), 20000);
}

/* ---- What is told --------------------------------------------------------------------- */

Test(issue, is_for_what_a_person_can_mend)
{
    cr_expect(issue_is_wanted(PROBLEM_BOT_CHECK, true));
    cr_expect(issue_is_wanted(PROBLEM_NOT_INSTALLED, true));
    cr_expect(issue_is_wanted(PROBLEM_TRANSIENT, true), "when all tries have failed");
    cr_expect_not(issue_is_wanted(PROBLEM_TRANSIENT, false), "while another try follows");
    cr_expect_not(issue_is_wanted(PROBLEM_PRIVATE, true));
    cr_expect_not(issue_is_wanted(PROBLEM_AGE_RESTRICTED, true));
    cr_expect_not(issue_is_wanted(PROBLEM_RATE_LIMITED, true), "it passes");
}

Test(issue, is_the_same_for_the_same_failure_of_another_video)
{
    cr_expect_str_eq(print_of(PROBLEM_BOT_CHECK, "[youtube] dQw4w9WgXcQ: Sign in to confirm"),
                     print_of(PROBLEM_BOT_CHECK, "[youtube] abcdefghijk: sign in to  confirm"));
    cr_expect_str_eq(print_of(PROBLEM_TRANSIENT, "HTTP Error 500 of https://a.example/x?y"),
                     print_of(PROBLEM_TRANSIENT, "HTTP Error 503 of https://b.example/"));
}

Test(issue, is_another_for_another_failure)
{
    cr_expect_str_neq(print_of(PROBLEM_BOT_CHECK, "Sign in"),
                      print_of(PROBLEM_BOT_CHECK, "Log in"));
    cr_expect_str_neq(print_of(PROBLEM_BOT_CHECK, "Sign in"), print_of(PROBLEM_KILLED, "Sign in"));
}

Test(issue, shows_no_address_and_no_secret)
{
    const char *body = body_of("see https://user:paSS@media.example/v?sigQ=abc (key "
                               "AKIAIOSFODNN7EXAMPLE), cookie SID=g.a000xyzxyzxyzxyz1234;");
    cr_expect(contains(body, "see https://media.example/…"), "%s", body);
    cr_expect(contains(body, "(key …),"), "%s", body);
    static const char *const secrets[] = { "paSS", "sigQ", "AKIA", "a000xyz" };
    for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
        cr_expect_not(contains(body, secrets[i]), "%s: %s", secrets[i], body);
}

Test(issue, has_a_block_that_the_message_cannot_end)
{
    const char *body = body_of("before\n````\n# @everyone <img src=x>\r\n```\n--> after");
    cr_expect(contains(body, "\n`````text\nbefore ```` # @everyone <img src=x> ``` --> after\n"
                             "`````\n"),
              "%s", body);
}

Test(issue, leaves_out_ids_that_are_none)
{
    struct issue_cause cause = cause_of(PROBLEM_BOT_CHECK, "Sign in");
    cause.correlation_id = "x`\n@someone";
    char *text = issue_text(&cause, PRINT);
    cr_expect_not(contains(text, "correlation"), "%s", text);
    cr_expect(contains(text, "- file: `u-0123456789abcdef`"), "%s", text);
    free(text);
}

Test(issue, is_small_whatever_was_said)
{
    char message[sizeof(((struct problem *)0)->message)];
    memset(message, '`', sizeof(message) - 1);
    message[sizeof(message) - 1] = '\0';
    cr_assert_lt(strlen(body_of(message)), 3000);
}

/* ---- GitHub ---------------------------------------------------------------------------- */

TestSuite(github, .init = support_begin, .fini = support_end, .timeout = 60);

Test(github, opens_an_issue_when_there_is_none)
{
    start(REPLIES(NONE, OPENED));
    cr_assert_eq(report(), 1, "%s", failure.message);
    cr_expect(
        has(0, "GET /repos/owner/name/issues?state=open&per_page=1&labels=download-failure-" PRINT
               " HTTP"));
    cr_expect(has(0, "Authorization: Bearer token-of-github\r\n"));
    cr_expect(has(1, "POST /repos/owner/name/issues HTTP"));
    cr_expect(has(1, "\"title\":\"Downloads fail: not_installed\""));
    cr_expect(has(1, "\"labels\":[\"download-failure-" PRINT "\"]"));
    cr_expect_eq(count_of("token-of-github"), 2);
    cr_expect_not(contains(strstr(peer_request(peer, 1), "\r\n\r\n"), "token-of-github"));
    cr_expect_eq(count_of("X-Amzn-Trace-Id"), 0, "GitHub need not know");
}

Test(github, opens_none_when_there_is_one)
{
    start(REPLIES(ONE));
    cr_expect_eq(report(), 0, "%s", failure.message);
    cr_expect_eq(report(), 0);
    cr_expect_eq(peer_request_count(peer), 1, "what is known is not asked again");
}

Test(github, is_not_asked_twice_by_one_process)
{
    start(REPLIES(NONE, OPENED));
    cr_expect_eq(report(), 1);
    cr_expect_eq(report(), 0);
    cr_expect_eq(peer_request_count(peer), 2);
}

Test(github, is_asked_again_after_a_failure)
{
    start(REPLIES({ .status = 401, .body = "{\"message\":\"Bad credentials\"}" }, NONE, OPENED));
    cr_expect_eq(report(), -EREMOTEIO);
    cr_expect(contains(failure.message, "GitHub answered 401"), "%s", failure.message);
    cr_expect_eq(report(), 1);
}

Test(github, that_drops_the_label_is_reported_with_the_remedy)
{
    start(REPLIES(NONE, { .status = 201, .body = "{\"number\":8,\"labels\":[]}" }));
    cr_expect_eq(report(), -EPERM);
    cr_expect(contains(failure.message, "let GITHUB_TOKEN set labels"), "%s", failure.message);
    cr_expect_eq(report(), 0, "not again in this process");
}

Test(github, that_does_not_answer_takes_little_time)
{
    int64_t began_ms = clock_now_ms();
    start(REPLIES({ .silent = 1 }));
    cr_expect_eq(report_to(peer_url(peer), 500), -ETIMEDOUT);
    cr_expect_lt(clock_now_ms() - began_ms, 20000);
}

Test(github, is_not_asked_without_time)
{
    start(REPLIES(NONE));
    cr_expect_eq(report_to(peer_url(peer), 100), -ETIMEDOUT);
    cr_expect_eq(peer_request_count(peer), 0);
}

Test(github, that_answers_nonsense_is_a_failure)
{
    static const struct peer_reply replies[] = { { .body = "<html>" },
                                                 { .body = "{}" },
                                                 { .body = "[]", .padding = 300000 },
                                                 { .hang_up = 1 } };
    for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
        start(&replies[i], 1);
        cr_expect_lt(report(), 0, "%zu", i);
        peer_stop(peer);
        peer = NULL;
    }
}

Test(github, gets_no_token_over_a_plain_connection)
{
    static const struct github_config configs[] = {
        { "owner/name", "t", "http://api.example.org" },
        { "owner/name", "t", "http://127.0.0.1.example.org:80" },
        { "owner/name", "t", "http://127.0.0.1:80@api.example.org" },
        { "owner", "t", "https://api.example.org" },
        { "owner/name/more", "t", "https://api.example.org" },
        { "owner/..", "t", "https://api.example.org" },
        { "owner/name", "", "https://api.example.org" },
        { "owner/name", "t\r\nX: y", "https://api.example.org" },
    };
    struct issue_cause cause = cause_of(PROBLEM_NOT_INSTALLED, "x");
    for (size_t i = 0; i < sizeof(configs) / sizeof(*configs); i++)
        cr_expect_eq(
            github_issue_report(&configs[i], &known, &cause, clock_now_ms() + 1000, &failure),
            -EINVAL, "%zu", i);
}
