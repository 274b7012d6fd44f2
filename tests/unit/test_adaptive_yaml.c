/* SPDX-License-Identifier: Apache-2.0 */
/* The part of YAML that is read, as the JSON that it means, and what is refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sampling/adaptive_yaml.h"

static char said[256];

static int parse(cJSON **ret, const char *text)
{
    const struct xr_yaml_reason reason = { .text = said, .size = sizeof(said) };

    said[0] = '\0';
    return xr_yaml_parse(ret, text, strlen(text), &reason);
}

static cJSON *parsed(const char *text)
{
    cJSON *item = NULL;

    cr_assert_eq(parse(&item, text), 0, "\"%s\": %s", text, said);
    return item;
}

/* Compares what is read with JSON that cJSON reads. */
static void means(const char *text, const char *json)
{
    cJSON *item = parsed(text), *wanted = cJSON_Parse(json);
    char *got = cJSON_PrintUnformatted(item);

    cr_assert(wanted, "%s", json);
    cr_expect(cJSON_Compare(item, wanted, 1), "\"%s\" means %s, not %s", text, got, json);
    free(got);
    cJSON_Delete(item);
    cJSON_Delete(wanted);
}

static void refuses(const char *text, const char *begins)
{
    cJSON *item = NULL;

    cr_assert_eq(parse(&item, text), -EINVAL, "taken: \"%s\"", text);
    cr_expect_null(item);
    cr_expect_eq(strncmp(said, begins, strlen(begins)), 0, "\"%s\": %s", text, said);
}

Test(adaptive_yaml, reads_mappings_in_blocks)
{
    means("a: 1", "{\"a\":1}");
    means("a: 1\nb: 2\n", "{\"a\":1,\"b\":2}");
    means("a:\n  b: 1\n  c:\n     d: 2\ne: 3\n", "{\"a\":{\"b\":1,\"c\":{\"d\":2}},\"e\":3}");
    means("  a: 1\n  b: 2", "{\"a\":1,\"b\":2}");
    means("a:\n  text\n", "{\"a\":\"text\"}");
    means("\"a b\": 1\n'c: d': 2", "{\"a b\":1,\"c: d\":2}");
    means("a b: 1", "{\"a b\":1}");
    means("a:b: 1", "{\"a:b\":1}");
    means("a : 1", "{\"a\":1}");
}

Test(adaptive_yaml, reads_sequences_in_blocks)
{
    means("- 1\n- a\n", "[1,\"a\"]");
    means("-\n  1\n-   2", "[1,2]");
    means("a:\n  - 1\n  - 2\nb: 3", "{\"a\":[1,2],\"b\":3}");
    means("a:\n- 1\n- 2\nb: 3", "{\"a\":[1,2],\"b\":3}");
    means("- - 1\n  - 2\n- 3", "[[1,2],3]");
    means("- a: 1\n  b: 2\n- c: 3", "[{\"a\":1,\"b\":2},{\"c\":3}]");
    means("- a:\n    b: 1\n  c: 2", "[{\"a\":{\"b\":1},\"c\":2}]");
    means("- a:\n  - 1\n  c: 2\n-\n  d: 4", "[{\"a\":[1],\"c\":2},{\"d\":4}]");
    means("-   a: 1\n    b: 2", "[{\"a\":1,\"b\":2}]");
}

Test(adaptive_yaml, reads_what_is_missing_as_null)
{
    means("a:\nb: 1", "{\"a\":null,\"b\":1}");
    means("a:\n", "{\"a\":null}");
    means("-\n- 1\n-", "[null,1,null]");
    means("a:\n  b:\nc:", "{\"a\":{\"b\":null},\"c\":null}");
    means("- ~\n- null\n- Null\n- NULL", "[null,null,null,null]");
}

Test(adaptive_yaml, reads_flow)
{
    means("[]", "[]");
    means("{}", "{}");
    means("[1, a, \"b\", 'c',]", "[1,\"a\",\"b\",\"c\"]");
    means("{a: 1, \"b\": [2, {c: d}], e: f g}", "{\"a\":1,\"b\":[2,{\"c\":\"d\"}],\"e\":\"f g\"}");
    means("{\n  a: 1, # one\n  b: [\n2\n],\n}\n", "{\"a\":1,\"b\":[2]}");
    means("a: [1, 2] # two\nb: {c: 3}", "{\"a\":[1,2],\"b\":{\"c\":3}}");
    means("- [1]\n- {a: b}", "[[1],{\"a\":\"b\"}]");
    means("{a : 1}", "{\"a\":1}");
    means("{a: http://b}", "{\"a\":\"http://b\"}");
}

Test(adaptive_yaml, reads_json)
{
    static const char *const documents[] = {
        "{\"a\":1,\"b\":[true,false,null,\"c\",-1.5,{}],\"d\":{\"e\":[]}}",
        "[\"\\u00e4\\ud83d\\ude00\\n\\t\\\\\\/\\\"\\b\\f\\r\", \"\xc3\xa4\"]",
        "{\n\t\t\"a\" : 1\n}",
    };

    means(documents[0], documents[0]);
    means(documents[1], documents[1]);
    refuses(documents[2], "line 2: there is a tab");
    means("{\n  \"a\" : 1\n}", documents[2]);
}

Test(adaptive_yaml, reads_plain_scalars_as_what_they_look_like)
{
    means("[1, -2, +3, 0, 0.5, 1.0, .5, 5., -0.25]", "[1,-2,3,0,0.5,1,0.5,5,-0.25]");
    means("[true, True, FALSE, false]", "[true,true,false,false]");
    means("[1a, 1.2.3, -x, 1e3, 0x10, 1_0, 007, yes, tRUE, .]",
          "[\"1a\",\"1.2.3\",\"-x\",\"1e3\",\"0x10\",\"1_0\",\"007\",\"yes\",\"tRUE\",\".\"]");
    means("[1234567890123456]", "[\"1234567890123456\"]");
    means("a: 5\\d{2}[0-9] # all", "{\"a\":\"5\\\\d{2}[0-9]\"}");
    means("a: b#c d", "{\"a\":\"b#c d\"}");
    means("a: -b", "{\"a\":\"-b\"}");
    means("a: :b ?c", "{\"a\":\":b ?c\"}");
    means("a: \xc3\xa4 ", "{\"a\":\"\xc3\xa4\"}");
    means("a: b \"c\" 'd'", "{\"a\":\"b \\\"c\\\" 'd'\"}");
}

Test(adaptive_yaml, takes_no_number_for_text_in_quotes)
{
    means("['1', \"true\", '', \"~\"]", "[\"1\",\"true\",\"\",\"~\"]");
}

Test(adaptive_yaml, reads_quotes)
{
    means("a: 'it''s # not \\d a: comment'", "{\"a\":\"it's # not \\\\d a: comment\"}");
    means("a: \"5\\\\d\\x41\\u0042\\U00000043 # \\\"\"", "{\"a\":\"5\\\\dABC # \\\"\"}");
    means("a: \"\\U0001f600\\u20ac\\u00e4\"", "{\"a\":\"\\ud83d\\ude00\\u20ac\\u00e4\"}");
    means("a: \"\tb\"", "{\"a\":\"\\tb\"}");
}

Test(adaptive_yaml, passes_over_comments_and_ends_of_lines)
{
    means("# one\n\n  # two\na: 1 # three\n#four\n\nb: 2\n# five", "{\"a\":1,\"b\":2}");
    means("a: 1\r\nb:\r\n  - 2\r\n", "{\"a\":1,\"b\":[2]}");
    means("a: #b\n  c: 1 #\tb", "{\"a\":{\"c\":1}}");
}

Test(adaptive_yaml, passes_over_the_start_of_a_document)
{
    means("---\na: 1", "{\"a\":1}");
    means("# b\n--- # c\na: 1", "{\"a\":1}");
    means("\xef\xbb\xbf"
          "a: 1\nb: 2",
          "{\"a\":1,\"b\":2}");
}

Test(adaptive_yaml, knows_the_lines)
{
    cJSON *item = parsed("# a\nb:\n  - c\n  - {d: 1,\n     e: 2}\nf:\n\n  g");
    const cJSON *b = cJSON_GetObjectItem(item, "b");

    cr_expect_eq(xr_yaml_line(item), 2);
    cr_expect_eq(xr_yaml_line(b), 3);
    cr_expect_eq(xr_yaml_line(cJSON_GetArrayItem(b, 0)), 3);
    cr_expect_eq(xr_yaml_line(cJSON_GetArrayItem(b, 1)), 4);
    cr_expect_eq(xr_yaml_line(cJSON_GetObjectItem(cJSON_GetArrayItem(b, 1), "d")), 4);
    cr_expect_eq(xr_yaml_line(cJSON_GetObjectItem(cJSON_GetArrayItem(b, 1), "e")), 5);
    cr_expect_eq(xr_yaml_line(cJSON_GetObjectItem(item, "f")), 8);
    cJSON_Delete(item);
}

Test(adaptive_yaml, keeps_the_text_of_numbers)
{
    cJSON *item = parsed("1.50");

    cr_expect_str_eq(xr_yaml_text(item), "1.50");
    cr_expect(cJSON_IsNumber(item));
    cr_expect_eq(item->valuedouble, 1.5);
    cJSON_Delete(item);
}

Test(adaptive_yaml, reads_numbers_the_same_in_every_locale)
{
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "C"))
        cr_assert_fail("no locale");
    cJSON *item = parsed("0.05");

    cr_expect_eq(item->valuedouble, 0.05);
    cJSON_Delete(item);
}

Test(adaptive_yaml, refuses_what_it_does_not_read_and_says_where)
{
    refuses("a: &b 1", "line 1: anchors and aliases");
    refuses("a: 1\nb: *a", "line 2: anchors and aliases");
    refuses("a: !!str 1", "line 1: tags");
    refuses("a: |\n  b", "line 1: texts of several lines");
    refuses("a: >-\n  b", "line 1: texts of several lines");
    refuses("%YAML 1.2\n---\na: 1", "line 1: plain text cannot begin with %");
    refuses("a: @b", "line 1: plain text cannot begin with %, @");
    refuses("? a\n: b", "line 1: there is a - ? or :");
    refuses("a: - 1", "line 1: a list cannot begin behind a key");
    refuses("a: 1\n\tb: 2", "line 2: there is a tab");
    refuses("a: 1\tb", "line 1: there is a tab");
    refuses("a:\tb", "line 1: there is a tab");
    refuses("a: 1\n---\nb: 2", "line 2: --- is not followed");
    refuses("<<: *a", "line 1: anchors and aliases");
}

Test(adaptive_yaml, refuses_texts_that_go_on)
{
    refuses("a: b\n  c", "line 2: it is indented more");
    refuses("a: 'b\n  c'", "line 1: a quote is not closed");
    refuses("a: \"b\n  c\"", "line 1: a quote is not closed");
    refuses("a: \"b\\\n  c\"", "line 1: a text in quotes goes on");
    refuses("a: \"b", "line 1: a quote is not closed");
    refuses("a: \"b\\", "line 1: a text in quotes goes on");
    refuses("[a\n b]", "line 2: there should be a comma or a ]");
}

Test(adaptive_yaml, refuses_escapes_that_are_none)
{
    refuses("a: \"5\\d\"", "line 1: \\d is unknown between double quotes: write \\\\d, or use");
    refuses("a: \"\\x4\"", "line 1: an escape is no character");
    refuses("a: \"\\x00\"", "line 1: an escape is no character");
    refuses("a: \"\\ud83d\"", "line 1: an escape is no character");
    refuses("a: \"\\ud83d\\u0041\"", "line 1: an escape is no character");
    refuses("a: \"\\ude00\"", "line 1: an escape is no character");
    refuses("a: \"\\U00110000\"", "line 1: an escape is no character");
    refuses("a: \"\\u12", "line 1: an escape is no character");
}

Test(adaptive_yaml, refuses_lines_that_belong_nowhere)
{
    refuses("a: 1\n b: 2", "line 2: it is indented more");
    refuses("a:\n    b: 1\n  c: 2", "line 3: it is indented more");
    refuses("  a: 1\nb: 2", "line 2: it belongs to nothing");
    refuses("- a\nb: 1", "line 2: it belongs to nothing");
    refuses("a: 1\n- b", "line 2: there is a - ?");
    refuses("a: 1\nb", "line 2: b is not followed by");
    refuses("- a: 1\n - b", "line 2: it is indented more");
    refuses("a\nb", "line 2: it belongs to nothing");
    refuses("- 1\n- 2\n 3", "line 3: it is indented more");
}

Test(adaptive_yaml, refuses_two_values_on_a_line)
{
    refuses("a: b: c", "line 1: there are two \": \"");
    refuses("a: 'b' c", "line 1: there is something behind a value");
    refuses("a: [b] c", "line 1: there is something behind a value");
    refuses("a: [b]: c", "line 1: there are two");
    refuses("a: {b: c} {d: e}", "line 1: there is something behind a value");
    refuses("a: 'b': c", "line 1: there are two");
}

Test(adaptive_yaml, refuses_broken_flow)
{
    refuses("[a, b", "line 1: the [ of line 1 is not closed");
    refuses("a: {b: c\n\n", "line 3: the { of line 1 is not closed");
    refuses("[a b: c]", "line 1: there should be a comma or a ]");
    refuses("{version: 1, invalid: yaml: structure}", "line 1: there should be a comma or a }");
    refuses("{a}", "line 1: a is not followed by");
    refuses("{a, b}", "line 1: a is not followed by");
    refuses("{a:b}", "line 1: a:b is not followed by");
    refuses("{a: }", "line 1: there is a bracket");
    refuses("{a:", "line 1: a value or a key is missing");
    refuses("[,]", "line 1: there is a bracket");
    refuses("[a,,b]", "line 1: there is a bracket");
    refuses("[a]]", "line 1: there is something behind");
    refuses("[a}", "line 1: there should be a comma or a ]");
    refuses("{a: 5[0-9]}", "line 1: there should be a comma or a }");
    refuses("]", "line 1: there is a bracket");
    refuses("{a\n: b}", "line 1: a is not followed by");
    refuses("[a?]", "line 1: there should be a comma or a ]");
    refuses("[?a]", "line 1: there is a - ?");
    refuses("[:a]", "line 1: there is a - ?");
    refuses("[a,#b\n]", "line 1: there is a bracket");
}

Test(adaptive_yaml, refuses_a_key_that_comes_twice)
{
    refuses("a: 1\nb: 2\na: 3", "line 3: a is there twice");
    refuses("{a: 1,\n a: 2}", "line 2: a is there twice");
    means("a: 1\nA: 2", "{\"a\":1,\"A\":2}");
}

Test(adaptive_yaml, refuses_what_is_no_text)
{
    refuses("a: \xff", "line 1: a byte is not text");
    refuses("a: 1\nb: \x01", "line 2: a byte is not text");
    refuses("a: \x7f", "line 1: a byte is not text");
    refuses("a: 1\rb: 2", "line 1: a byte is not text");
    refuses("", "line 1: there is nothing");
    refuses("# a\n---\n ", "line 3: there is nothing");
}

Test(adaptive_yaml, is_bounded_in_depth_and_breadth)
{
    char text[4096], *p = text;

    memset(text, '[', 16);
    memset(text + 16, ']', 16);
    text[32] = '\0';
    cJSON_Delete(parsed(text));
    memset(text, '[', 17);
    text[17] = '\0';
    refuses(text, "line 1: it is nested too deep");

    for (int i = 0; i < 17; i++)
        p += sprintf(p, "- ");
    refuses(text, "line 1: it is nested too deep");

    p = text;
    for (int i = 0; i < XR_YAML_MEMBERS_MAX; i++)
        p += sprintf(p, "a%d: 1\n", i);
    cJSON_Delete(parsed(text));
    sprintf(p, "b: 1\n");
    refuses(text, "line 65: a mapping has more than 64 members");
}
