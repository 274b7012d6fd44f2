/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions of status codes, compared with those of the C library. */
#include <criterion/criterion.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "sampling/adaptive_status.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))

static bool matches(const char *regex, int status)
{
    struct xr_status_set set;
    size_t at;
    const char *wrong = xr_status_set_from_regex(&set, regex, &at);

    cr_assert_null(wrong, "%s: %s", regex, wrong);
    return xr_status_set_has(&set, status);
}

static void refuses(const char *regex, size_t at, const char *holds)
{
    struct xr_status_set set;
    size_t where = 999;
    const char *wrong = xr_status_set_from_regex(&set, regex, &where);

    cr_assert(wrong, "taken: %s", regex);
    cr_expect(strstr(wrong, holds), "%s: %s", regex, wrong);
    cr_expect_eq(where, at, "%s: at %zu: %s", regex, where, wrong);
}

Test(adaptive_status, must_match_the_whole_code)
{
    cr_expect(matches("500", 500));
    cr_expect_not(matches("500", 501));
    cr_expect(matches("50.?", 500));
    cr_expect_not(matches("50?.", 599));
    cr_expect_not(matches("(5|..)|500", 501));
    cr_expect(matches("(5|..)|500", 500));
    cr_expect(matches("^429|5\\d\\d$", 429));
    cr_expect(matches("^429|5\\d\\d$", 503));
    cr_expect_not(matches("^429|5\\d\\d$", 400));
}

Test(adaptive_status, has_codes_of_three_digits)
{
    struct xr_status_set set;
    size_t at;

    cr_assert_null(xr_status_set_from_regex(&set, ".*", &at));
    cr_expect(xr_status_set_has(&set, 100));
    cr_expect(xr_status_set_has(&set, 999));
    cr_expect_not(xr_status_set_has(&set, 99));
    cr_expect_not(xr_status_set_has(&set, 1000));
    cr_expect_not(xr_status_set_has(&set, 0));
    cr_expect_not(xr_status_set_has(&set, -500));
}

Test(adaptive_status, knows_what_posix_does_not)
{
    static const struct {
        const char *regex;
        int status;
        bool matches;
    } examples[] = {
        { "5\\d\\d", 509, true },        { "5\\d\\d", 409, false },
        { "[\\d]{3}", 418, true },       { "5[^\\d]0|404", 500, false },
        { "\\d+", 200, true },           { "5\\D\\d|404", 500, false },
        { "(?:4|5)\\d\\d", 404, true },  { "(?:4|5)\\d\\d", 304, false },
        { "5\\d+?", 500, true },         { "5\\d*?", 555, true },
        { "5(?!03)\\d\\d", 503, false }, { "5(?!03)\\d\\d", 500, true },
        { "(?=50)...", 504, true },      { "(?=50)...", 510, false },
        { "(?!4)[45]..", 500, true },    { "(?!4)[45]..", 400, false },
        { "(?=.*9)5..", 590, true },     { "(?=.*9)5..", 580, false },
        { "5\\d{2,}", 500, true },       { "\\d{0,99}", 500, true },
        { "5\\.|404", 404, true },
    };

    for (size_t i = 0; i < LENGTH_OF(examples); i++)
        cr_expect_eq(matches(examples[i].regex, examples[i].status), examples[i].matches,
                     "%s and %d", examples[i].regex, examples[i].status);
}

Test(adaptive_status, refuses_what_it_does_not_know_where_it_is)
{
    refuses("5\\w\\w", 2, "after a backslash");
    refuses("(5)\\1", 4, "after a backslash");
    refuses("5\\", 2, "after a backslash");
    refuses("(?<=5)00", 1, "only (?:");
    refuses("(?i)500", 1, "only (?:");
    refuses("5[[:digit:]]0", 2, "sets within []");
    refuses("5[0-9&&[^3]]0", 5, "sets within []");
    refuses("5[0", 1, "[ has no ]");
    refuses("5[]0", 2, "empty []");
    refuses("5[9-0]0", 2, "a range");
    refuses("5[a-z]0", 2, "a range");
    refuses("(500", 0, "( has no )");
    refuses("(5(00)", 0, "( has no )");
    refuses("500)", 3, ") has no (");
    refuses("*500", 0, "nothing to repeat");
    refuses("5|+", 2, "nothing to repeat");
    refuses("5**00", 2, "repeated already");
    refuses("5\\d++", 4, "repeated already");
    refuses("5{,2}", 1, "{n}");
    refuses("5{2", 1, "{n}");
    refuses("5{3,2}00", 1, "{n}");
    refuses("5{10,5}00", 1, "{n}");
}

Test(adaptive_status, refuses_what_no_code_can_match)
{
    refuses("5xx", 0, "matches no status code");
    refuses("50", 0, "matches no status code");
    refuses("", 0, "matches no status code");
    refuses("5\\d{1}", 0, "matches no status code");
    refuses("0..", 0, "matches no status code");
}

Test(adaptive_status, is_bounded)
{
    char regex[XR_STATUS_REGEX_MAX + 2], *p = regex;

    memset(regex, '5', sizeof(regex));
    regex[XR_STATUS_REGEX_MAX + 1] = '\0';
    refuses(regex, 0, "longer than 256");

    /* A usual matcher would need 2^16 times 9^16 copies of the inner group, and more. */
    for (int i = 0; i < 32; i++)
        *p++ = '(';
    *p++ = '.';
    for (int i = 0; i < 32; i++)
        p += sprintf(p, ")%s", i % 2 ? "+" : "{1,9}?");
    *p = '\0';
    cr_expect(matches(regex, 500));

    memset(regex, '(', 33);
    regex[33] = '\0';
    refuses(regex, 33, "nested too deep");
}

/* ---- Against the C library ------------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Valid for both, and not deep, since the C library's would grow. */
static char *random_regex(char *p, uint64_t *random, int depth)
{
    static const char *const atoms[] = { "5", "4", "0", ".", "[0-4]", "[^5-9]", "x", "[50]" };
    static const char *const repeats[] = { "", "", "", "", "?", "*", "+", "{2}", "{1,2}", "{2,}" };
    size_t count = 1 + next_random(random) % 3;

    for (size_t i = 0; i < count; i++) {
        if (i > 0 && next_random(random) % 4 == 0)
            *p++ = '|';
        if (depth < 2 && next_random(random) % 3 == 0) {
            *p++ = '(';
            p = random_regex(p, random, depth + 1);
            *p++ = ')';
        } else {
            p += sprintf(p, "%s", atoms[next_random(random) % LENGTH_OF(atoms)]);
        }
        p += sprintf(p, "%s", repeats[next_random(random) % LENGTH_OF(repeats)]);
    }
    return p;
}

Test(adaptive_status, agrees_with_the_c_library)
{
    uint64_t random = 7;
    int compared = 0;

    for (int round = 0; round < 400; round++) {
        char regex[512], whole[520];
        struct xr_status_set set;
        regex_t compiled;
        size_t at;

        *random_regex(regex, &random, 0) = '\0';
        if (strlen(regex) > XR_STATUS_REGEX_MAX)
            continue;
        sprintf(whole, "^(%s)$", regex);
        cr_assert_eq(regcomp(&compiled, whole, REG_EXTENDED | REG_NOSUB), 0, "%s", whole);
        xr_status_set_from_regex(&set, regex, &at);
        for (int status = XR_STATUS_MIN; status <= XR_STATUS_MAX; status++) {
            char text[16];

            sprintf(text, "%d", status);
            cr_assert_eq(xr_status_set_has(&set, status), regexec(&compiled, text, 0, NULL, 0) == 0,
                         "%s and %s", regex, text);
            compared++;
        }
        regfree(&compiled);
    }
    cr_expect_gt(compared, 100000);
}
