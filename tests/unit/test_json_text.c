/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of a program that becomes a part of ours: one bad byte would cost the whole document. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))

struct pair {
    const char *in;
    const char *out;
};

static void check(const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char out[256];
        ssize_t length = xr_json_minify(out, sizeof(out), pairs[i].in, strlen(pairs[i].in));

        cr_assert_eq(length, (ssize_t)strlen(pairs[i].out), "%s gave %zd", pairs[i].in, length);
        cr_expect_eq(memcmp(out, pairs[i].out, (size_t)length), 0, "%s", pairs[i].in);
    }
}

static void accept(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char out[256];

        cr_expect_eq(xr_json_minify(out, sizeof(out), texts[i], strlen(texts[i])),
                     (ssize_t)strlen(texts[i]), "refused: %s", texts[i]);
    }
}

static void refuse(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char out[256];

        cr_expect_eq(xr_json_minify(out, sizeof(out), texts[i], strlen(texts[i])), -EINVAL,
                     "accepted: %s", texts[i]);
    }
}

Test(json_text, removes_blanks_between_tokens)
{
    static const struct pair pairs[] = {
        { " { \"a\" : [ 1 , 2 ] ,\r\n\t\"b\" : null } ", "{\"a\":[1,2],\"b\":null}" },
        { "[ ]", "[]" },
        { "{ }", "{}" },
        { "\n1\n", "1" },
        { "[[ ],{ }]", "[[],{}]" },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(json_text, keeps_blanks_in_strings)
{
    static const struct pair pairs[] = {
        { "[ \" a  b \" ]", "[\" a  b \"]" },
        { "{ \" \\\" : \" : 1 }", "{\" \\\" : \":1}" },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(json_text, keeps_numbers_as_they_are_written)
{
    static const struct pair pairs[] = {
        { "9223372036854775807", "9223372036854775807" },
        { "[-0.0, 1E+400, 1.10]", "[-0.0,1E+400,1.10]" },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(json_text, accepts_every_kind_of_value)
{
    static const char *const texts[] = { "true", "false", "null",      "0",        "-0",
                                         "12",   "-1.5",  "1e5",       "1E-5",     "1.5e+5",
                                         "\"\"", "\"x\"", "[null,[]]", "{\"\":{}}" };

    accept(texts, LENGTH_OF(texts));
}

Test(json_text, accepts_every_escape)
{
    static const char *const texts[] = { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0000\"",
                                         "\"\\u00e9\\uABCD\\uffff\"", "\"\\ud83d\\ude00\"",
                                         "\"\\uD800\\uDC00\\udbff\\udfff\"" };

    accept(texts, LENGTH_OF(texts));
}

Test(json_text, accepts_utf8)
{
    static const char *const texts[] = { "\"\xc2\x80\xdf\xbf\"", "\"\xe0\xa0\x80\xed\x9f\xbf\"",
                                         "\"\xee\x80\x80\xef\xbf\xbf\"",
                                         "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"", "\"\x7f\"" };

    accept(texts, LENGTH_OF(texts));
}

Test(json_text, refuses_bytes_that_are_not_utf8)
{
    static const char *const texts[] = {
        "\"\x80\"",
        "\"\xff\"",
        "\"\xc0\x80\"",
        "\"\xc1\xbf\"",
        "\"\xc2\"",
        "\"\xc2x\"",
        "\"\xe0\x9f\xbf\"",
        "\"\xed\xa0\x80\"",
        "\"\xe2\x82\"",
        "\"\xe2\x82x\"",
        "\"\xf0\x8f\xbf\xbf\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xf5\x80\x80\x80\"",
        "\"\xf0\x9f\x98\"",
        "\"\xf0\x9f\x98x\"",
        "\xc3\xa9",
        "\xef\xbb\xbf{}",
    };

    refuse(texts, LENGTH_OF(texts));
}

Test(json_text, refuses_lone_surrogates)
{
    static const char *const texts[] = {
        "\"\\ud800\"",        "\"\\udc00\"",   "\"\\ud800x\"",       "\"\\ud800\\n\"",
        "\"\\ud800\\ud800\"", "\"\\udbff\"",   "\"\\udfff\\ud800\"", "\"\\ud800\\u0041\"",
        "\"\\ud83d\\ude0\"",  "\"\\ud83d\\\"", "\"\\ud83d\\u\"",
    };

    refuse(texts, LENGTH_OF(texts));
}

Test(json_text, refuses_bad_escapes)
{
    static const char *const texts[] = { "\"\\x\"",     "\"\\\"",      "\"\\u12\"", "\"\\u12g4\"",
                                         "\"\\u 123\"", "\"\\U0041\"", "\"\\0\"",   "\"\\'\"",
                                         "\"\\u+123\"", "\"\\u-123\"", "\"\\u004" };

    refuse(texts, LENGTH_OF(texts));
}

Test(json_text, refuses_raw_control_characters_in_strings)
{
    for (int c = 0; c < 0x20; c++) {
        char text[] = "\"a_b\"", out[16];

        text[2] = (char)c;
        cr_expect_eq(xr_json_minify(out, sizeof(out), text, sizeof(text) - 1), -EINVAL, "byte %d",
                     c);
    }
}

Test(json_text, refuses_blanks_that_json_has_not)
{
    static const char *const texts[] = { "\f1",
                                         "\v1",
                                         ("\xc2\xa0"
                                          "1"),
                                         "1\x01",
                                         "/**/1",
                                         "//\n1" };
    char out[16];

    refuse(texts, LENGTH_OF(texts));
    cr_assert_eq(xr_json_minify(out, sizeof(out), "1\0", 2), -EINVAL);
    cr_assert_eq(xr_json_minify(out, sizeof(out),
                                "\0"
                                "1",
                                2),
                 -EINVAL);
}

Test(json_text, refuses_bad_numbers)
{
    static const char *const texts[] = { "01",    "-",     "+1",       ".5",        "1.",  "1e",
                                         "1e+",   "-.5",   "1.e5",     "0x10",      "1,2", "1 2",
                                         "--1",   "NaN",   "Infinity", "-Infinity", "00",  "-01",
                                         "1.5.5", "1e5e5", "1e1.5",    "1a" };

    refuse(texts, LENGTH_OF(texts));
}

Test(json_text, refuses_bad_words)
{
    static const char *const texts[] = { "tru",       "True",      "TRUE", "nul",   "nulll",
                                         "truefalse", "undefined", "f",    "false0" };

    refuse(texts, LENGTH_OF(texts));
}

Test(json_text, refuses_bad_structure)
{
    static const char *const texts[] = {
        "",
        " ",
        "[",
        "]",
        "{",
        "}",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1]]",
        "[}",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{1:2}",
        "{\"a\" 1}",
        "{\"a\":1",
        "{\"a\",1}",
        "{\"a\":1]",
        "[\"a\":1]",
        "{\"a\":1:2}",
        "{\"a\"::1}",
        ",",
        ":",
        "[] []",
        "{}{}",
        "1[]",
        "[1,,2]",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{'a':1}",
        "\"",
        "\"a",
        "[\"a]",
        "{null:1}",
        "[:]",
        "\"a\"\"b\"",
    };

    refuse(texts, LENGTH_OF(texts));
}

static size_t nest(char *text, size_t depth, const char *open, const char *close)
{
    char *p = text;

    for (size_t i = 0; i < depth; i++)
        p = stpcpy(p, open);
    p = stpcpy(p, "1");
    for (size_t i = 0; i < depth; i++)
        p = stpcpy(p, close);
    return (size_t)(p - text);
}

Test(json_text, nests_a_hundred_levels_and_no_more)
{
    char text[2048], out[2048];
    size_t length = nest(text, 100, "[", "]");

    cr_expect_eq(xr_json_minify(out, sizeof(out), text, length), (ssize_t)length);
    length = nest(text, 100, "{\"a\":", "}");
    cr_expect_eq(xr_json_minify(out, sizeof(out), text, length), (ssize_t)length);
    length = nest(text, 101, "[", "]");
    cr_expect_eq(xr_json_minify(out, sizeof(out), text, length), -EINVAL);
    length = nest(text, 101, "{\"a\":", "}");
    cr_expect_eq(xr_json_minify(out, sizeof(out), text, length), -EINVAL);
}

Test(json_text, survives_a_hundred_thousand_levels)
{
    size_t length = 100000;
    char *text = malloc(length), *out = malloc(length);

    memset(text, '[', length);
    cr_assert_eq(xr_json_minify(out, length, text, length), -EINVAL);
    free(text);
    free(out);
}

Test(json_text, reports_what_does_not_fit)
{
    static const char text[] = "{ \"a\": [1, 22, 333] }";
    static const char minified[] = "{\"a\":[1,22,333]}";

    for (size_t size = 0; size < sizeof(text); size++) {
        char *out = malloc(size + 1); /* of just this size, for the sanitizers */
        ssize_t length = xr_json_minify(out, size, text, sizeof(text) - 1);

        cr_expect_eq(length,
                     size < sizeof(minified) - 1 ? -EMSGSIZE : (ssize_t)sizeof(minified) - 1,
                     "size %zu", size);
        free(out);
    }
    cr_assert_eq(xr_json_minify(NULL, 0, text, sizeof(text) - 1), -EMSGSIZE);
}

Test(json_text, tells_bad_text_from_text_that_does_not_fit)
{
    char out[2];

    cr_assert_eq(xr_json_minify(out, sizeof(out), "[1,2,3", 6), -EINVAL);
    cr_assert_eq(xr_json_minify(out, sizeof(out), "[1,2,3]]", 8), -EINVAL);
}

Test(json_text, writes_nothing_behind_its_size)
{
    char out[8] = "#######";

    cr_assert_eq(xr_json_minify(out, 4, "[ 12 ]", 6), 4);
    cr_assert_arr_eq(out, "[12]###", 7);
}

Test(json_text, works_in_place)
{
    char text[] = " { \"a\" : [ 1 , \"x y\" ] } ";
    ssize_t length = xr_json_minify(text, sizeof(text) - 1, text, sizeof(text) - 1);

    cr_assert_eq(length, 15);
    cr_assert_arr_eq(text, "{\"a\":[1,\"x y\"]}", 15);
}

Test(json_text, reads_nothing_behind_its_end)
{
    static const char text[] = "{\"a\":[true,-1.5e+5,\"\\ud83d\\ude00\xf0\x9f\x98\x80\"]}";

    for (size_t length = 0; length < sizeof(text) - 1; length++) {
        char *copy = malloc(length + 1), out[sizeof(text)];
        char *tight = copy + 1; /* ends where the memory ends */

        memcpy(tight, text, length);
        cr_expect_eq(xr_json_minify(out, sizeof(out), tight, length), -EINVAL, "%zu bytes", length);
        free(copy);
    }
}

Test(json_text, accepts_only_what_another_parser_accepts_too)
{
    static const char *const pieces[] = { "{",  "}",    "[",    "]", ",",  ":",   "\"a\"", "1",
                                          "-0", "true", "null", " ", "\"", "\\n", "2.5",   "" };
    uint64_t state = 1;
    int accepted = 0;

    for (int i = 0; i < 300000; i++) {
        char text[64] = "", out[64];
        ssize_t length;
        int count = i % 9;

        for (int k = 0; k < count; k++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
            strcat(text, pieces[state >> 60]);
        }
        length = xr_json_minify(out, sizeof(out) - 1, text, strlen(text));
        if (length >= 0) {
            cJSON *ours, *theirs = cJSON_Parse(text);

            out[length] = '\0';
            ours = cJSON_Parse(out);
            cr_assert(ours && theirs && cJSON_Compare(ours, theirs, 1), "%s", text);
            cJSON_Delete(ours);
            cJSON_Delete(theirs);
            accepted++;
        }
    }
    cr_assert_gt(accepted, 1000);
}
