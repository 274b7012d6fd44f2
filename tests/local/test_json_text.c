/* SPDX-License-Identifier: Apache-2.0 */
/* What is JSON and what is not, and where a value ends. */
#include "local/base/json_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool check(const char *text)
{
    struct json_error error;
    return json_text_check(text, strlen(text), &error);
}

Test(json_text, takes_every_kind_of_value)
{
    static const char *const good[] = {
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1.5e+10",
        "1E9",
        "\"\"",
        " { \"a\" : [ 1 , { } , \"x\" ] }\r\n\t",
        "\"\\u00e9 \\ud83d\\ude00 \\\\ \\\" \\/ \\b\"",
        "\"\xc3\xa9 \xf0\x9f\x98\x80\"",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect(check(good[i]), "%s", good[i]);
}

Test(json_text, refuses_what_cjson_would_take)
{
    static const char *const bad[] = {
        "01",
        "1.",
        "\"\t\"",
        "\"\x01\"",
        "{\"a\":1}\v",
        "\"\xff\"",
        "\"\\ud800\"",
        "-",
        "1e",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "[1]x",
        "\"\xe2\x82\"",
        "1234567890123456789012345678901234567890123456789012345678901234",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not(check(bad[i]), "%s", bad[i]);
}

Test(json_text, refuses_what_is_cut_off_anywhere)
{
    static const char whole[] = "{\"a\":[1,{\"b\":\"c\\u00e9\xc3\xa9\"},true,null],\"d\":-1.5e3}";
    struct json_error error;
    for (size_t length = 0; length + 1 < sizeof whole; length++) {
        /* In memory that ends where the text does, so that a step too far is found. */
        char *part = malloc(length + 1);
        memcpy(part, whole, length);
        cr_expect_not(json_text_check(part, length, &error), "%zu", length);
        free(part);
    }
    cr_expect(json_text_check(whole, sizeof whole - 1, &error));
}

Test(json_text, refuses_a_nul_inside)
{
    struct json_error error;
    cr_expect_not(json_text_check("{}\0{}", 5, &error));
    cr_expect_not(json_text_check("{}\0", 3, &error));
}

Test(json_text, counts_its_nesting)
{
    char text[2 * JSON_NESTING_MAX + 3];
    struct json_error error;
    memset(text, '[', JSON_NESTING_MAX);
    memset(text + JSON_NESTING_MAX, ']', JSON_NESTING_MAX);
    cr_expect(json_text_check(text, (size_t)2 * JSON_NESTING_MAX, &error));

    memset(text, '[', JSON_NESTING_MAX + 1);
    memset(text + JSON_NESTING_MAX + 1, ']', JSON_NESTING_MAX + 1);
    cr_expect_not(json_text_check(text, sizeof text - 1, &error));
    cr_expect(error.too_deep);
}

Test(json_text, says_where_it_is_wrong)
{
    struct json_error error;
    cr_expect_not(json_text_check("{\"a\":1,}", 8, &error));
    cr_expect_eq(error.offset, 7);
    cr_expect_str_eq(error.reason, "a member name is missing");
}

Test(json_text, finds_the_end_of_a_value)
{
    static const char *const values[] = {
        "{\"a\":\"}\",\"b\":[1,2]}", "[\"]\\\"]\",[]]", "\"a\\\\\"", "-1.5e3", "true", "{}",
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s , 1", values[i]);
        cr_expect_eq(json_skip_value(text, text + strlen(text)), text + strlen(values[i]), "%s",
                     values[i]);
    }
}
