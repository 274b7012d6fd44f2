/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of sampling rules, compared with the simplest matcher there is. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sampling/glob.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))

struct example {
    const char *pattern;
    const char *text;
    bool matches;
};

static bool match(const char *pattern, const char *text)
{
    size_t length = strlen(pattern);
    char *storage = malloc(length + 1);
    struct xr_glob glob;
    bool result;

    xr_glob_init(&glob, storage, pattern, length);
    result = xr_glob_match(&glob, text, text ? strlen(text) : 0);
    free(storage);
    return result;
}

static void check(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(match(examples[i].pattern, examples[i].text), examples[i].matches,
                     "\"%s\" and \"%s\"", examples[i].pattern, examples[i].text);
}

Test(glob, matches_literally_without_wildcards)
{
    static const struct example examples[] = {
        { "/api", "/api", true },   { "/api", "/apis", false }, { "/api", "/ap", false },
        { "/api", "x/api", false }, { "/api", "", false },      { "a.c", "abc", false },
        { "[a]", "a", false },      { "[a]", "[a]", true },     { "a\\*", "a*", false },
    };

    check(examples, LENGTH_OF(examples));
}

Test(glob, takes_a_star_as_any_run)
{
    static const struct example examples[] = {
        { "*", "", true },
        { "*", "anything", true },
        { "/api/*", "/api/", true },
        { "/api/*", "/api/users/7", true },
        { "/api/*", "/api", false },
        { "*.example.com", "a.b.example.com", true },
        { "*.example.com", "example.com", false },
        { "*.example.com", "a.example.com.evil", false },
        { "a*c", "ac", true },
        { "a*c", "abbbc", true },
        { "a*c", "abcd", false },
        { "aa*aa", "aaa", false },
        { "aa*aa", "aaaa", true },
        { "*b*", "abc", true },
        { "*b*", "acc", false },
        { "a*b*c*d", "a1b2c3d", true },
        { "a*b*c*d", "a1c2b3d", false },
        { "*ab*ab*", "xabyabz", true },
        { "*ab*ab*", "xabz", false },
        { "*aab*", "aaab", true },
        { "*a*b", "ab", true },
        { "*a*b", "aabab", true },
    };

    check(examples, LENGTH_OF(examples));
}

Test(glob, takes_a_question_mark_as_one_byte)
{
    static const struct example examples[] = {
        { "?", "a", true },           { "?", "", false },         { "?", "ab", false },
        { "a?c", "abc", true },       { "a?c", "ac", false },     { "??", "ab", true },
        { "*?", "", false },          { "*?", "a", true },        { "?*?", "a", false },
        { "?*?", "ab", true },        { "*?*", "a", true },       { "*?*", "", false },
        { "a*?b", "ab", false },      { "a*?b", "axb", true },    { "*?b*", "b", false },
        { "*?b*", "abc", true },      { "/v?/*", "/v1/x", true }, { "/v?/*", "/v10/x", false },
        { "*.??", "index.js", true },
    };

    check(examples, LENGTH_OF(examples));
}

Test(glob, ignores_the_case_of_ascii)
{
    static const struct example examples[] = {
        { "GET", "get", true },
        { "get", "GET", true },
        { "*.Example.COM", "A.eXample.com", true },
        { "/API/*/Z", "/api/x/z", true },
        { "[", "{", false },
        { "@", "`", false },
        { "\xc3\x84", "\xc3\xa4", false },
        { "\xc3\xa4", "\xc3\xa4", true },
    };

    check(examples, LENGTH_OF(examples));
}

Test(glob, takes_several_stars_as_one)
{
    static const struct example examples[] = {
        { "***", "", true },        { "***", "abc", true },      { "a***", "a", true },
        { "a**b**c", "abc", true }, { "a**b**c", "a-c", false }, { "**?**", "", false },
    };

    check(examples, LENGTH_OF(examples));
}

Test(glob, matches_only_nothing_with_an_empty_pattern)
{
    static const struct example examples[] = { { "", "", true }, { "", "a", false } };

    check(examples, LENGTH_OF(examples));
}

Test(glob, matches_the_unknown_only_with_a_star)
{
    static const struct example examples[] = {
        { "*", NULL, true },  { "***", NULL, true }, { "", NULL, false },   { "?", NULL, false },
        { "a", NULL, false }, { "a*", NULL, false }, { "*?", NULL, false }, { "*a*", NULL, false },
    };

    check(examples, LENGTH_OF(examples));
}

/* As plain as it gets, and exponential: for short texts only. */
static bool reference(const char *pattern, const char *text)
{
    if (*pattern == '\0')
        return *text == '\0';
    if (*pattern == '*')
        return reference(pattern + 1, text) || (*text != '\0' && reference(pattern, text + 1));
    return *text != '\0' && (*pattern == '?' || *pattern == *text) &&
           reference(pattern + 1, text + 1);
}

static void random_text(char *ret, size_t length, const char *letters, uint64_t *state)
{
    for (size_t i = 0; i < length; i++) {
        *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        ret[i] = letters[(*state >> 33) % strlen(letters)];
    }
    ret[length] = '\0';
}

Test(glob, agrees_with_a_simple_recursive_matcher)
{
    uint64_t state = 1;
    int matched = 0;

    for (int i = 0; i < 500000; i++) {
        char pattern[9], text[13];
        bool expected;

        random_text(pattern, (size_t)i % 9, "ab*?", &state);
        random_text(text, (size_t)(i / 9) % 13, "ab", &state);
        expected = reference(pattern, text);
        matched += expected;
        cr_assert_eq(match(pattern, text), expected, "\"%s\" and \"%s\"", pattern, text);
    }
    cr_assert_gt(matched, 10000);
}

Test(glob, does_not_explode)
{
    char pattern[2 * 30 + 2] = "", text[4001];

    /* A backtracking matcher would take longer than the universe has lasted. */
    for (int i = 0; i < 30; i++)
        strcat(pattern, "*a");
    strcat(pattern, "b");
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    cr_assert_not(match(pattern, text));
}

/* Texts of few letters, so that what is looked for is almost everywhere. */
Test(glob, finds_pieces_that_are_almost_everywhere)
{
    uint64_t state = 2;
    int matched = 0;

    for (int i = 0; i < 30000; i++) {
        char text[801], pattern[128] = "*";
        size_t length = 40 + (size_t)i % 80, from = (size_t)i % 600;
        bool expected = false;

        memset(text, 'a', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        for (int k = 0; k < 12; k++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
            text[(state >> 33) % 800] = 'B';
        }
        /* What is there somewhere, with one byte that may be another. */
        for (size_t k = 0; k < length; k++)
            pattern[k + 1] = text[from + k] == 'B' ? 'b' : k % 9 == 8 ? '?' : 'a';
        if (i % 2)
            pattern[1 + length / 2] = 'b';
        pattern[length + 1] = '*';
        pattern[length + 2] = '\0';
        for (size_t k = 0; k + length <= 800 && !expected; k++) {
            size_t same = 0;

            while (same < length &&
                   (pattern[same + 1] == '?' || pattern[same + 1] == (text[k + same] | 0x20)))
                same++;
            expected = same == length;
        }
        matched += expected;
        cr_assert_eq(match(pattern, text), expected, "\"%s\" and \"%s\"", pattern, text);
    }
    cr_assert_gt(matched, 10000);
    cr_assert_lt(matched, 29000);
}
