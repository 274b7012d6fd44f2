/* SPDX-License-Identifier: Apache-2.0 */
/* The waterfall, character by character. */
#include "local/cli/waterfall.h"

#include "local/cli/cells.h"
#include "support.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define A "000000000000000a"
#define B "000000000000000b"
#define C "000000000000000c"
#define D "000000000000000d"
#define E "000000000000000e"

static void use_utf8(void)
{
    cr_assert_not_null(setlocale(LC_CTYPE, "C.UTF-8"), "the locale C.UTF-8 is missing");
}

TestSuite(waterfall, .init = use_utf8);
TestSuite(cells, .init = use_utf8);

static char *draw(const char *const *texts, struct waterfall_style style)
{
    struct built b = build(texts);
    struct buffer buffer = { 0 };
    struct trace_id id = parsed_id(TRACE);
    waterfall_write(&buffer, &b.trace, &id, &style);
    free_built(&b);
    char *text = buffer_take(&buffer, NULL);
    cr_assert_not_null(text);
    return text;
}

static const char *const shop[] = {
    SEGMENT(
        A, "shop", "01",
        "02.6") ",'origin':'AWS::Lambda::Function','fault':true,'http':{'response':{'status':500}},"
                "'subsegments':[{'id':'" B
                "','name':'DynamoDB','namespace':'aws','start_time':1700000001.2,"
                "'end_time':1700000001.6,'error':true,'throttle':true,'http':{'response':{'status':"
                "400}},"
                "'cause':{'exceptions':[{'type':'Throttled','message':'too fast'}]}}]}",
    SUBSEGMENT(C, A, "resize", "01.6", "02.5") "}",
    SUBSEGMENT(D, C, "encode", "01.6", "01.6001") "}",
    "{'trace_id':'" TRACE "','id':'" E "','parent_id':'" A
    "','type':'subsegment','name':'upload','start_time':1700000002.2,'in_progress':true}",
    NULL,
};

Test(waterfall, is_drawn_with_blocks_to_the_eighth)
{
    char *text = draw(shop, (struct waterfall_style){ .width = 100, .unicode = true });
    /* clang-format off */
    static const char wanted[] =
        "Trace 1-6553f100-aaaaaaaaaaaaaaaaaaaaaaaa  1 segment, 4 subsegments  1.60 s  fault\n"
        "\n"
        "name            origin                   start  duration                                status\n"
        "shop            AWS::Lambda::Function    +0 ms    1.60 s  ████████████████████████████  500 fault\n"
        "├╴DynamoDB      aws                    +200 ms    400 ms     ▐██████▌                   400 throttle\n"
        "│     Throttled: too fast\n"
        "├╴resize                               +600 ms    900 ms            ▐███████████████▎   ok\n"
        "│ ╰╴encode                             +600 ms    100 µs            ▐                   ok\n"
        "╰╴upload                               +1.20 s         …                       ░░░░░░░  in progress\n";
    /* clang-format on */
    cr_expect_str_eq(text, wanted);
    free(text);
}

Test(waterfall, is_drawn_in_ascii_where_there_is_no_unicode)
{
    char *text = draw(shop, (struct waterfall_style){ .width = 100 });
    /* clang-format off */
    static const char wanted[] =
        "Trace 1-6553f100-aaaaaaaaaaaaaaaaaaaaaaaa  1 segment, 4 subsegments  1.60 s  fault\n"
        "\n"
        "name            origin                   start  duration                                status\n"
        "shop            AWS::Lambda::Function    +0 ms    1.60 s  ############################  500 fault\n"
        "|-DynamoDB      aws                    +200 ms    400 ms     ########                   400 throttle\n"
        "|     Throttled: too fast\n"
        "|-resize                               +600 ms    900 ms            #################   ok\n"
        "| `-encode                             +600 ms    100 us            #                   ok\n"
        "`-upload                               +1.20 s       ...                       ~~~~~~~  in progress\n";
    /* clang-format on */
    cr_expect_str_eq(text, wanted);
    free(text);
}

Test(waterfall, says_what_a_call_to_aws_asked_for)
{
    static const char *const texts[] = {
        SEGMENT(A, "shop", "01", "02") ",'subsegments':[{'id':'" B
                                       "','name':'DynamoDB','namespace':'aws','start_time':"
                                       "1700000001,'end_time':1700000002,"
                                       "'aws':{'operation':'UpdateItem'}}]}",
        NULL,
    };
    char *text = draw(texts, (struct waterfall_style){ .width = 100, .unicode = true });
    cr_expect_not_null(strstr(text, "\u2570\u2574DynamoDB UpdateItem  aws "));
    free(text);
}

Test(waterfall, marks_outcomes_by_colour_where_asked_to)
{
    char *text = draw(
        (const char *const[]){ SEGMENT(A, "shop", "01", "02") ",'fault':true}", NULL },
        (struct waterfall_style){ .width = 60, .colour = true });
    /* clang-format off */
    static const char wanted[] =
        "\033[1mTrace 1-6553f100-aaaaaaaaaaaaaaaaaaaaaaaa\033[0m  1 segment, 0 subsegments  1.00 s  \033[31mfault\033[0m\n"
        "\n"
        "\033[2mname        start  duration                           status\033[0m\n"
        "\033[2m\033[0m\033[1mshop      \033[0m  +0 ms    1.00 s  \033[31m#######################  fault\033[0m\n";
    /* clang-format on */
    cr_expect_str_eq(text, wanted);
    free(text);
}

Test(waterfall, puts_those_without_a_parent_under_a_line_that_says_so)
{
    char *text = draw(
        (const char *const[]){
            SUBSEGMENT(B, A, "second", "02", "04") "}",
            SUBSEGMENT(C, A, "first", "01", "02") "}",
            SUBSEGMENT(D, B, "inner", "02", "03") "}",
            SUBSEGMENT(E, "00000000000000ff", "other", "03", "05") "}",
            NULL,
        },
        (struct waterfall_style){ .width = 80 });
    /* clang-format off */
    static const char wanted[] =
        "Trace 1-6553f100-aaaaaaaaaaaaaaaaaaaaaaaa  0 segments, 4 subsegments  4.00 s  no segment received, 3 without a parent\n"
        "\n"
        "name              start  duration                                         status\n"
        "parent 000000000000000a not received\n"
        "|-first           +0 ms    1.00 s  ##########                             ok\n"
        "`-second        +1.00 s    2.00 s           ###################           ok\n"
        "  `-inner       +1.00 s    1.00 s           ##########                    ok\n"
        "parent 00000000000000ff not received\n"
        "`-other         +2.00 s    2.00 s                    ###################  ok\n";
    /* clang-format on */
    cr_expect_str_eq(text, wanted);
    free(text);
}

Test(waterfall, says_what_a_circle_is)
{
    char *text = draw(
        (const char *const[]){
            SUBSEGMENT(A, B, "a", "02", "04") "}",
            SUBSEGMENT(B, A, "b", "02", "04") "}",
            NULL,
        },
        (struct waterfall_style){ .width = 80 });
    cr_expect_not_null(strstr(text, "parent 000000000000000b is one of its own descendants\n"));
    free(text);
}

Test(waterfall, shows_no_control_characters)
{
    char *text = draw(
        (const char *const[]){
            SEGMENT(
                A, "n\\u001b[31m\\u009b2J\\u202ex\\n", "01",
                "02") ",'origin':'o\\u0007','fault':true,'cause':{'exceptions':[{'type':'T\\u001b',"
                      "'message':'m\\r\\nm\\u007f'}]}}",
            NULL,
        },
        (struct waterfall_style){ .width = 80, .unicode = true });
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        cr_expect(*c == '\n' || (*c >= 0x20 && *c != 0x7f && !(c[0] == 0xc2 && c[1] < 0xa0)),
                  "%02x at %zu", *c, (size_t)((const char *)c - text));
    cr_expect_null(strstr(text, "\u202e"));
    cr_expect_not_null(strstr(text, "T\ufffd: m  m\ufffd"));
    free(text);
}

Test(waterfall, keeps_within_its_width)
{
    for (size_t width = WATERFALL_WIDTH_MIN; width <= 140; width++) {
        char *text = draw(shop, (struct waterfall_style){ .width = width, .unicode = true });
        char *line = strstr(text, "\n\n") + 2;
        for (char *end; (end = strchr(line, '\n')); line = end + 1) {
            *end = '\0';
            cr_expect_leq(cells_width(line, true), width, "%zu: %s", width, line);
        }
        free(text);
    }
}

Test(waterfall, shows_the_deepest_levels_of_a_deep_tree)
{
    struct buffer json = { 0 };
    buffer_puts(&json, SEGMENT(A, "top", "01", "02"));
    for (int i = 0; i < 200; i++)
        buffer_puts(&json, ",'subsegments':[{'name':'level'");
    buffer_repeat(&json, "}]", 200);
    buffer_puts(&json, "}");
    char *document = buffer_take(&json, NULL);
    char *text = draw((const char *const[]){ document, NULL },
                      (struct waterfall_style){ .width = 80, .unicode = true });
    cr_expect_not_null(strstr(text, "\u2570\u2574level"));
    cr_expect_not_null(strstr(text, "200 subsegments"));
    free(document);
    free(text);
}

Test(waterfall, of_no_length_is_still_drawn)
{
    char *text = draw((const char *const[]){ SEGMENT(A, "instant", "01", "01") "}", NULL },
                      (struct waterfall_style){ .width = 60 });
    cr_expect_not_null(strstr(text, "+0 ms"));
    cr_expect_not_null(strstr(text, "####"));
    free(text);
}

Test(duration, is_readable)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {
        { 0, "0 ms" },
        { -5, "0 ms" },
        { 1e-9, "1 us" },
        { 0.00045, "450 us" },
        { 0.0009999, "1.00 ms" },
        { 0.00123, "1.23 ms" },
        { 0.009999, "10 ms" },
        { 0.012, "12 ms" },
        { 0.9994, "999 ms" },
        { 0.9996, "1.00 s" },
        { 1.529, "1.53 s" },
        { 9.996, "10.0 s" },
        { 59.94, "59.9 s" },
        { 59.96, "1 min 0 s" },
        { 125, "2 min 5 s" },
        { 3599.4, "59 min 59 s" },
        { 3600, "1 h 0 min" },
        { 90061, "25 h 1 min" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        waterfall_duration(cases[i].seconds, false, text, sizeof text);
        cr_expect_str_eq(text, cases[i].text, "%f: %s", cases[i].seconds, text);
    }
}

Test(cells, cuts_at_whole_characters)
{
    static const struct {
        const char *text;
        size_t width;
        const char *cut;
    } cases[] = {
        { "abc", 3, "abc" },
        { "abcd", 3, "ab\u2026" },
        { "\u65e5\u672c\u8a9e", 6, "\u65e5\u672c\u8a9e" },
        { "\u65e5\u672c\u8a9e", 5, "\u65e5\u672c\u2026" },
        { "\u65e5\u672c\u8a9e", 4, "\u65e5\u2026" },
        { "e\u0301x", 2, "e\u0301x" },
        { "x", 0, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer buffer = { 0 };
        cells_put(&buffer, cases[i].text, cases[i].width, true);
        char *text = buffer_take(&buffer, NULL);
        cr_expect_str_eq(text, cases[i].cut, "%s", text);
        free(text);
    }
}

Test(cells, lets_marks_pile_up_only_so_high)
{
    struct buffer buffer = { 0 };
    struct buffer text = { 0 };
    buffer_puts(&text, "e");
    buffer_repeat(&text, "\u0301", 1000);
    cr_expect_eq(cells_put(&buffer, text.text, 5, true), 1);
    cr_expect_lt(buffer.length, 20);
    buffer_free(&buffer);
    buffer_free(&text);
}

Test(cells, breaks_lines_at_blanks_and_long_words_anywhere)
{
    struct buffer buffer = { 0 };
    const char *rest = cells_put_line(&buffer, "one two three", 9, true);
    cr_expect_str_eq(rest, "three");
    buffer_puts(&buffer, "|");
    rest = cells_put_line(&buffer, "a incomprehensibilities", 10, true);
    cr_expect_str_eq(rest, "hensibilities");
    cr_expect_str_eq(buffer.text, "one two |a incompre");
    buffer_free(&buffer);
}

Test(cells, escape_control_characters_in_json)
{
    struct buffer buffer = { 0 };
    cells_put_json(&buffer, "\"a\x7f"
                            "\xc2\x9b\u202e\u00e9\U000e0001\"");
    cr_expect_str_eq(buffer.text, "\"a\\u007f\\u009b\\u202e\u00e9\\udb40\\udc01\"");
    buffer_free(&buffer);
}
