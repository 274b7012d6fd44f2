/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON: texts, numbers, times, and UTF-8. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

static char written[4096];
static bool repaired;

static const char *string_of(const char *text, size_t length)
{
    repaired = false;
    *xr_json_string(written, text, length, &repaired) = '\0';
    return written;
}

static const char *double_of(double value)
{
    *xr_json_double(written, value) = '\0';
    return written;
}

/* ---- Strings ------------------------------------------------------------------ */

Test(json_string, is_in_quotes)
{
    cr_expect_str_eq(string_of("", 0), "\"\"");
    cr_expect_str_eq(string_of("abc", 3), "\"abc\"");
    cr_expect_not(repaired);
}

Test(json_string, escapes_what_json_wants_escaped)
{
    cr_expect_str_eq(string_of("\"\\\n\t\r\x01\x1F\x00", 8),
                     "\"\\\"\\\\\\n\\t\\r\\u0001\\u001f\\u0000\"");
}

Test(json_string, leaves_every_other_ascii_character_alone)
{
    for (int c = 0x20; c < 0x80; c++) {
        char text[1] = { (char)c }, expected[4] = { '"', (char)c, '"', 0 };

        if (c != '"' && c != '\\')
            cr_expect_str_eq(string_of(text, 1), expected);
    }
}

Test(json_string, finds_a_special_byte_at_any_place_of_a_word)
{
    static const char special[] = { '"', '\\', '\n', '\x1F', '\0', '\x80' };

    for (size_t at = 0; at < 24; at++)
        for (size_t i = 0; i < sizeof(special); i++) {
            char text[24];

            memset(text, 'x', sizeof(text));
            text[at] = special[i];
            cr_expect_gt(strlen(string_of(text, sizeof(text))), 26, "%zu %zu", at, i);
        }
}

Test(json_string, keeps_every_valid_character)
{
    for (uint32_t c = 0x80; c < 0x110000; c += c < 0x3000 ? 1 : 37) {
        char text[4];
        size_t length;

        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        if (c < 0x800) {
            length = 2;
            text[0] = (char)(0xC0 | c >> 6);
        } else if (c < 0x10000) {
            length = 3;
            text[0] = (char)(0xE0 | c >> 12);
            text[1] = (char)(0x80 | (c >> 6 & 0x3F));
        } else {
            length = 4;
            text[0] = (char)(0xF0 | c >> 18);
            text[1] = (char)(0x80 | (c >> 12 & 0x3F));
            text[2] = (char)(0x80 | (c >> 6 & 0x3F));
        }
        text[length - 1] = (char)(0x80 | (c & 0x3F));
        cr_assert_eq(xr_utf8_valid(text, length), length, "%x", c);
        cr_assert_eq(memcmp(string_of(text, length) + 1, text, length), 0);
        cr_assert_not(repaired);
    }
}

Test(json_string, takes_no_more_room_than_was_said)
{
    unsigned seed = 1;

    for (int round = 0; round < 20000; round++) {
        char text[40];
        size_t length = (size_t)rand_r(&seed) % sizeof(text), size;

        for (size_t i = 0; i < length; i++)
            text[i] = (char)(rand_r(&seed) % 3 ? rand_r(&seed) : rand_r(&seed) % 128);
        size = (size_t)(xr_json_string(written, text, length, NULL) - written);
        cr_assert_leq(size, xr_json_string_size(text, length));
        cr_assert_leq(size, XR_JSON_STRING_MAX(length));
    }
}

Test(json_string, of_any_script_takes_the_room_of_its_bytes)
{
    const char *text = "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";

    cr_expect_eq(xr_json_string_size(text, 9), 11);
    cr_expect_eq(xr_json_string_size(text, 8), 2 + 5 + 3 * 3, "three bytes are no character");
}

/* ---- UTF-8 ------------------------------------------------------------------------- */

Test(utf8, has_no_overlong_forms_surrogates_or_larger_ones)
{
    static const char *const bad[] = { "\x80",
                                       "\xC0\x80",
                                       "\xC1\xBF",
                                       "\xE0\x9F\xBF",
                                       "\xED\xA0\x80",
                                       "\xF0\x8F\xBF\xBF",
                                       "\xF4\x90\x80\x80",
                                       "\xF5\x80\x80\x80",
                                       "\xFF",
                                       "\xC3(",
                                       "\xE2\x82(" };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        cr_expect_eq(xr_utf8_valid(bad[i], strlen(bad[i])), 0, "%zu", i);
    cr_expect_eq(xr_utf8_valid("\xE2\x82\xAC", 2), 0, "cut");
    cr_expect_eq(xr_utf8_valid("", 0), 0);
}

Test(utf8, prefix_counts_characters)
{
    const char *text = "a\xC3\xA9\xE6\x97\xA5\xF0\x9F\x98\x80z";
    static const size_t expected[] = { 0, 1, 3, 6, 10, 11, 11 };

    for (size_t i = 0; i < 7; i++)
        cr_expect_eq(xr_utf8_prefix(text, strlen(text), i), expected[i], "%zu", i);
}

Test(utf8, prefix_of_what_is_no_text_counts_bytes)
{
    cr_expect_eq(xr_utf8_prefix("\x80\x80\x80", 3, 2), 2);
}

Test(utf8, whole_drops_only_a_character_that_is_not_complete)
{
    const char *text = "a\xC3\xA9\xE6\x97\xA5\xF0\x9F\x98\x80z";
    static const size_t expected[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11 };

    for (size_t i = 0; i <= 11; i++)
        cr_expect_eq(xr_utf8_whole(text, i), expected[i], "%zu", i);
}

Test(utf8, whole_keeps_what_never_was_a_character)
{
    cr_expect_eq(xr_utf8_whole("\x80\x80\x80\x80\x80", 5), 5);
    cr_expect_eq(xr_utf8_whole("\x80", 1), 1);
}

/* ---- Numbers ------------------------------------------------------------------------- */

Test(json_number, of_an_integer_is_what_printf_writes)
{
    static const int64_t numbers[] = { 0,    1,          -1,        9,         10,
                                       99,   100,        101,       999,       1000,
                                       -100, 1234567890, INT64_MAX, INT64_MIN, INT64_MIN + 1 };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        char expected[32];

        snprintf(expected, sizeof(expected), "%lld", (long long)numbers[i]);
        *xr_json_i64(written, numbers[i]) = '\0';
        cr_expect_str_eq(written, expected);
    }
    *xr_json_u64(written, UINT64_MAX) = '\0';
    cr_expect_str_eq(written, "18446744073709551615");
}

Test(json_number, of_a_double_is_short_when_it_can_be)
{
    cr_expect_str_eq(double_of(0), "0");
    cr_expect_str_eq(double_of(-0.0), "-0");
    cr_expect_str_eq(double_of(0.1), "0.1");
    cr_expect_str_eq(double_of(-2.5), "-2.5");
    cr_expect_str_eq(double_of(3), "3");
    cr_expect_str_eq(double_of(1234.000001), "1234.000001");
    cr_expect_str_eq(double_of(100), "100");
    cr_expect_str_eq(double_of(0.07), "0.07");
}

/* What JSON allows: no leading zeros, digits on both sides of the point. */
static bool is_json_number(const char *p)
{
    p += *p == '-';
    if (*p == '0')
        p++;
    else if (strspn(p, "0123456789") == 0)
        return false;
    else
        p += strspn(p, "0123456789");
    if (*p == '.') {
        p++;
        if (strspn(p, "0123456789") == 0)
            return false;
        p += strspn(p, "0123456789");
    }
    if (*p == 'e') {
        p += 1 + (p[1] == '+' || p[1] == '-');
        if (strspn(p, "0123456789") == 0)
            return false;
        p += strspn(p, "0123456789");
    }
    return !*p;
}

Test(json_number, of_any_double_reads_back_the_same)
{
    uint64_t bits = 88172645463325252u;

    for (int i = 0; i < 200000; i++) {
        double value;

        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&value, &bits, sizeof(value));
        if (i % 2)
            value = (double)(int64_t)(bits % 2000000000) / 1000000;
        if (!isfinite(value))
            continue;
        cr_assert_eq(strtod(double_of(value), NULL), value, "%.17g is %s", value, written);
        cr_assert(is_json_number(written), "%s", written);
        cr_assert_lt(strlen(written), XR_JSON_NUMBER_MAX);
    }
}

Test(json_number, of_the_extremes_reads_back_the_same)
{
    static const double numbers[] = { DBL_MAX, -DBL_MAX,   DBL_MIN,    5e-324, DBL_EPSILON,
                                      0x1p53,  0x1p53 - 1, 0x1p53 + 2, 1e15,   1e16,
                                      1e17,    1e22,       1e23 };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        cr_expect_eq(strtod(double_of(numbers[i]), NULL), numbers[i], "%s", written);
        cr_expect(is_json_number(written), "%s", written);
    }
}

Test(json_time, has_six_decimals)
{
    *xr_json_time(written, 1700000000123456789) = '\0';
    cr_expect_str_eq(written, "1700000000.123456");
    *xr_json_time(written, 1000) = '\0';
    cr_expect_str_eq(written, "0.000001");
    *xr_json_time(written, 1009000000) = '\0';
    cr_expect_str_eq(written, "1.009000");
    *xr_json_time(written, INT64_MAX) = '\0';
    cr_expect_str_eq(written, "9223372036.854775");
}

Test(json_time, before_1970_is_zero)
{
    *xr_json_time(written, -1) = '\0';
    cr_expect_str_eq(written, "0.000000");
    *xr_json_time(written, INT64_MIN) = '\0';
    cr_expect_str_eq(written, "0.000000");
}
